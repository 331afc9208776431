# ruff: noqa: S608 - conditions come from `stripe_parameters`, which knows every name; values are parameters or integers
"""Stripe over HTTP: newest-first lists, single objects, the events feed.

Lists have no "updated" filter; what changed is known from events only, thirty days back and at the account's old
version. Inline lists (`lines`, `items`) are cut at ten and continue on endpoints of their own. Imports here are
absolute: `stripe` the client library is never meant.
"""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from simulator.billing_docs import at_old_version
from simulator.billing_records import EVENT_VERSION
from simulator.clock import DAY_SECONDS
from simulator.limits import Budgets
from simulator.stripe_parameters import Parameters, failed, missing
from simulator.wire import Refused, Vendor, raw_json, request_id, text_of

BASIL = "2025-03-31"
INLINE = 10
EVENTS_SECONDS = 30 * DAY_SECONDS
NAMES = {
    "customers": "customer",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "prices": "price",
    "products": "product",
}
EXPANDABLE = ("customer", "subscription", "latest_invoice", "product")
LOCKED = (
    "This object cannot be accessed right now because another API request or Stripe process is currently accessing it."
)
Doc = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]


class Stripe(Vendor):
    """Billing."""

    name = "Stripe"

    def make_budgets(self) -> Budgets:
        return Budgets(global_rate=(100, 1))

    def routes(self) -> list[Route]:
        routes = [
            Route("/v1/events", self.list_events),
            Route("/v1/events/{id}", self.one_event),
            Route("/v1/subscription_items", self.list_items),
            Route("/v1/invoices/{id}/lines", self.list_lines),
        ]
        for plural in NAMES:
            routes += [
                Route(f"/v1/{plural}", self._lister(plural)),
                Route(f"/v1/{plural}/{{id}}", self._getter(plural)),
            ]
        return routes

    def identify(self, request: Request) -> Response | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            given = base64.b64decode(given + "==").decode(errors="replace").partition(":")[0]
        if not given:
            return failed(401, "You did not provide an API key in the Authorization header, using Bearer auth.")
        if given == self.settings.stripe_api_key:
            return None
        return failed(401, f"Invalid API Key provided: {given[:8]}{'*' * 12}{given[-4:]}")

    def buckets(self, request: Request) -> list[str]:
        return ["global_rate"]

    def refusal(self, bucket: str) -> Response:
        return self.failure({"status": 429})

    def failure(self, spec: dict[str, Any]) -> Response:
        status = int(spec.get("status", 503))
        headers: dict[str, str] = {}
        if spec.get("should_retry") is not None:
            headers["Stripe-Should-Retry"] = str(spec["should_retry"]).lower()
        if spec.get("envelope") == "html":
            return HTMLResponse(f"<html><body><h1>{status}</h1></body></html>", status, headers)
        if spec.get("code") == "lock_timeout":
            return failed(status, LOCKED, headers=headers, code="lock_timeout")
        if status == 429:
            headers["Stripe-Rate-Limited-Reason"] = spec.get("reason", "global-rate")
            return failed(429, "Request rate limit exceeded.", headers=headers, code="rate_limit")
        kind = {409: "idempotency_error"}.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return failed(status, "An unknown error occurred", kind=kind, headers=headers)

    def headers(self, request: Request) -> dict[str, str]:
        return {"Request-Id": request_id("req_"), "Stripe-Version": self.version(request)}

    def version(self, request: Request) -> str:
        """The version the answer is rendered at: the header's, else the account's default."""
        return request.headers.get("stripe-version") or EVENT_VERSION

    async def not_found(self, request: Request, problem: Exception) -> Response:
        return failed(404, f"Unrecognized request URL ({request.method}: {request.url.path}).")

    def unreadable(self, problem: ValueError) -> Response:
        return failed(400, f"Invalid request: {problem}")

    def switched(self) -> None:
        """New events are rendered at the version the switch names."""
        self.incidents.event_version = self.switches.get("event_api_version") or EVENT_VERSION

    def shaped(self, request: Request, doc: Doc) -> Doc:
        """A document at the request's version, inline lists cut."""
        return cut(at_old_version(doc) if self.version(request) < BASIL else doc)

    async def expand(self, request: Request, docs: list[Doc], members: list[str]) -> None:
        """Replace ids by objects where asked for; members that hold no id stay as they are."""
        for member in members:
            ids = list({doc[member] for doc in docs if isinstance(doc.get(member), str)})
            if member not in EXPANDABLE or not ids:
                continue
            query = "select id, doc, deleted from stripe_objects where id = any(%(ids)s)"
            rows = await self.rows(query, {"ids": ids})
            found = {row[0]: stub(row[0], "customer") if row[2] else self.shaped(request, row[1]) for row in rows}
            for doc in docs:
                if isinstance(doc.get(member), str):
                    doc[member] = found.get(doc[member], doc[member])

    def page_of(self, request: Request, docs: list[Doc], has_more: bool) -> Response:
        """A list envelope."""
        return raw_json(
            text_of({"object": "list", "url": request.url.path, "has_more": has_more, "data": docs}), request
        )

    def _lister(self, plural: str) -> Handler:
        name = NAMES[plural]

        async def listed(request: Request) -> Response:
            given = Parameters(request, plural)
            condition, values = given.conditions(name)
            rows, has_more = await self._page(name, given, condition, values)
            docs = [self.shaped(request, row[1]) for row in rows]
            await self.expand(request, docs, given.expand())
            if has_more:
                await self._between_pages(rows[-1][0])
            return self.page_of(request, docs, has_more)

        return listed

    async def _page(
        self, name: str, given: Parameters, condition: str, values: dict[str, Any]
    ) -> tuple[list[tuple[Any, ...]], bool]:
        """One page of (id, doc), newest first, and whether more follow in the direction of travel."""
        table = "stripe_events" if name == "event" else "stripe_objects"
        limit, cursor, order = given.limit(), given.cursor(), "created desc, seq desc"
        if cursor:
            param, object_id = cursor
            is_there = "" if name == "event" else " and deleted is null"
            place = await self.rows(f"select created, seq from {table} where id = %(id)s{is_there}", {"id": object_id})
            if not place:
                raise Refused(missing(name, object_id, 400, param))
            beyond = "<" if param == "starting_after" else ">"
            condition += f" and (created, seq) {beyond} ({place[0][0]}, {place[0][1]})"
            order = order if param == "starting_after" else "created, seq"
        rows = await self.rows(
            f"select id, doc from {table} where {condition} order by {order} limit {limit + 1}", values
        )
        page = rows[:limit]
        return (page if order.endswith("desc") else page[::-1]), len(rows) > limit

    async def _between_pages(self, last: str) -> None:
        """Faults that strike after a page was read and before the next one is asked for."""
        if last.startswith("cus_") and self.switches.spend("delete_cursor_next"):
            await self.incidents.run({"delete_customer": {"id": last}})
        if self.switches.spend("create_after_page"):
            await self.incidents.run({"create_customer": {}})

    def _getter(self, plural: str) -> Handler:
        name = NAMES[plural]

        async def one(request: Request) -> Response:
            object_id = request.path_params["id"]
            doc, is_deleted = await self._object(name, object_id)
            if doc is None or (is_deleted and name == "invoice"):
                return missing(name, object_id)
            doc = stub(object_id, name) if is_deleted else self.shaped(request, doc)
            await self.expand(request, [doc], Parameters(request, plural).expand())
            return raw_json(text_of(doc), request)

        return one

    async def _object(self, name: str, object_id: str) -> tuple[Doc | None, bool]:
        query = "select doc, deleted is not null from stripe_objects where id = %(id)s and object = %(object)s"
        rows = await self.rows(query, {"id": object_id, "object": name})
        return rows[0] if rows else (None, False)  # pyright: ignore[reportReturnType]

    async def _whole(self, request: Request, name: str, object_id: str, member: str, given: Parameters) -> Response:
        """A list that is cut where it is inline: all of it, paged by id."""
        doc, is_deleted = await self._object(name, object_id)
        if doc is None or is_deleted:
            return missing(name, object_id)
        whole = (at_old_version(doc) if self.version(request) < BASIL else doc)[member]["data"]
        start, limit, cursor = 0, given.limit(), given.cursor()
        if cursor:
            ids = [row["id"] for row in whole]
            if cursor[1] not in ids:
                return missing("line_item" if member == "lines" else "subscription_item", cursor[1], 400, cursor[0])
            place = ids.index(cursor[1])
            start = place + 1 if cursor[0] == "starting_after" else max(0, place - limit)
            limit = limit if cursor[0] == "starting_after" else place - start
        return self.page_of(request, whole[start : start + limit], start + limit < len(whole))

    async def list_items(self, request: Request) -> Response:
        """Items of one subscription."""
        given = Parameters(request, "subscription_items")
        if "subscription" not in given.single:
            message = "Missing required param: subscription."
            return failed(400, message, code="parameter_missing", param="subscription")
        return await self._whole(request, "subscription", given.single["subscription"], "items", given)

    async def list_lines(self, request: Request) -> Response:
        """Lines of one invoice."""
        return await self._whole(request, "invoice", request.path_params["id"], "lines", Parameters(request, "lines"))

    async def list_events(self, request: Request) -> Response:
        """Events of the last thirty days, newest first."""
        given = Parameters(request, "events")
        types = given.lists.get("types", []) + ([given.single["type"]] if "type" in given.single else [])
        if len(types) > 20:
            return failed(400, "You may specify up to 20 types.", param="types")
        parts, values = ["created >= %(oldest)s", *given.bounds()], {"oldest": self._oldest_event(), "types": types}
        if types:
            values["types"] = [one.replace("*", "%") for one in types]
            parts.append("type like any(%(types)s)")
        rows, has_more = await self._page("event", given, " and ".join(parts), values)
        return self.page_of(request, [cut_event(row[1]) for row in rows], has_more)

    async def one_event(self, request: Request) -> Response:
        """One event, while the feed still has it."""
        event_id = request.path_params["id"]
        query = "select doc from stripe_events where id = %(id)s and created >= %(oldest)s"
        rows = await self.rows(query, {"id": event_id, "oldest": self._oldest_event()})
        return raw_json(text_of(cut_event(rows[0][0])), request) if rows else missing("event", event_id)

    def _oldest_event(self) -> int:
        return int(self.clock.now()) - EVENTS_SECONDS


def stub(object_id: str, name: str) -> Doc:
    """What is left of a deleted object."""
    return {"id": object_id, "object": name, "deleted": True}


def cut(doc: Doc) -> Doc:
    """Inline lists show their first ten rows and say that there are more."""
    for member in ("lines", "items"):
        inline = doc.get(member)
        if isinstance(inline, dict) and len(inline["data"]) > INLINE:
            doc[member] = {**inline, "data": inline["data"][:INLINE], "has_more": True}
    return doc


def cut_event(doc: Doc) -> Doc:
    """An event with its object's inline lists cut."""
    doc["data"]["object"] = cut(doc["data"]["object"])
    return doc
