"""Stripe over HTTP: newest-first lists, single objects, the events feed.

Lists have no "updated" filter; what changed is known from events only, thirty days back and at the account's old version. Inline lists
(`lines`, `items`) are cut at ten and continue on endpoints of their own. Note the module's name: imports here are absolute, `stripe` the
client library is never meant.
"""

import base64
import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulator.billing_docs import at_old_version
from simulator.clock import DAY_SECONDS
from simulator.limits import Budgets
from simulator.wire import Vendor, raw_json, request_id, text_of

BASIL = "2025-03-31"
ACCOUNT_VERSION = "2024-06-20"
INLINE = 10
EVENTS_SECONDS = 30 * DAY_SECONDS
NAMES = {
    "customers": "customer",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "prices": "price",
    "products": "product",
}
FILTERS: dict[str, set[str]] = {
    "customers": {"email", "created"},
    "subscriptions": {"customer", "price", "status", "created", "collection_method"},
    "invoices": {"customer", "subscription", "status", "created", "due_date", "collection_method"},
    "prices": {"active", "product", "currency", "type", "created"},
    "products": {"active", "created", "ids"},
    "events": {"type", "types", "created", "delivery_success"},
}
PAGING = {"limit", "starting_after", "ending_before", "expand"}
OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
EXPANDABLE = {"customer": "customer", "subscription": "subscription", "latest_invoice": "invoice", "product": "product"}


def failed(status: int, kind: str, message: str, headers: dict[str, str] | None = None, **extra: Any) -> JSONResponse:
    """Stripe's error envelope."""
    return JSONResponse({"error": {"type": kind, "message": message, **extra}}, status, headers)


class BadRequest(Exception):
    """Raised by parsers; carries the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__("bad request")
        self.response = response


class Parameters:
    """Stripe's bracketed query: single values, lists (`types[]`, `types[0]`) and ranges (`created[gte]`)."""

    def __init__(self, request: Request) -> None:
        self.single: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.ranges: dict[str, dict[str, int]] = {}
        for name, value in request.query_params.multi_items():
            match = re.fullmatch(r"(\w+)\[(\w*)\]", name)
            if match is None:
                self.single[name] = value
            elif match[2] in OPERATORS:
                self.ranges.setdefault(match[1], {})[match[2]] = int(value)
            else:
                self.lists.setdefault(match[1], []).append(value)

    def check(self, allowed: set[str]) -> None:
        """Refuse parameters the endpoint does not know."""
        for name in (*self.single, *self.lists, *self.ranges):
            if name not in allowed | PAGING:
                raise BadRequest(
                    failed(
                        400,
                        "invalid_request_error",
                        f"Received unknown parameter: {name}",
                        code="parameter_unknown",
                        param=name,
                    )
                )

    def limit(self) -> int:
        """Page size, 1 to 100."""
        text = self.single.get("limit", "10")
        if not text.isdigit() or not 1 <= int(text) <= 100:
            raise BadRequest(failed(400, "invalid_request_error", "limit must be between 1 and 100", param="limit"))
        return int(text)


class Stripe(Vendor):
    """Billing."""

    name = "Stripe"

    def make_budgets(self) -> Budgets:
        return Budgets(global_rate=(100, 1))

    def routes(self) -> list[Route]:
        found = [
            self._route("/v1/events", self.list_events),
            self._route("/v1/events/{id}", self.one_event),
            self._route("/v1/subscription_items", self.list_items),
            self._route("/v1/invoices/{id}/lines", self.list_lines),
        ]
        for plural in NAMES:
            found += [
                self._route(f"/v1/{plural}", self._lister(plural)),
                self._route(f"/v1/{plural}/{{id}}", self._getter(NAMES[plural])),
            ]
        return found

    def _route(self, path: str, handler: Any) -> Route:
        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except BadRequest as refusal:
                return refusal.response

        return Route(path, answer, methods=["GET"])

    def identify(self, request: Request) -> Response | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            given = base64.b64decode(given + "==", validate=False).decode(errors="replace").partition(":")[0]
        if not given:
            return failed(
                401,
                "invalid_request_error",
                "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.",
            )
        if given == self.settings.stripe_api_key:
            return None
        return failed(401, "invalid_request_error", f"Invalid API Key provided: {given[:8]}{'*' * 12}{given[-4:]}")

    def buckets(self, request: Request) -> list[str]:
        return ["global_rate"]

    def refusal(self, bucket: str) -> Response:
        return self._limited({})

    def _limited(self, spec: dict[str, Any]) -> Response:
        headers: dict[str, str] = {}
        if spec.get("should_retry") is not None:
            headers["Stripe-Should-Retry"] = str(spec["should_retry"]).lower()
        if spec.get("code") == "lock_timeout":
            message = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it."
            return failed(429, "invalid_request_error", message, headers, code="lock_timeout")
        headers["Stripe-Rate-Limited-Reason"] = spec.get("reason", "global-rate")
        return failed(429, "invalid_request_error", "Request rate limit exceeded.", headers, code="rate_limit")

    def failure(self, spec: dict[str, Any]) -> Response:
        status = int(spec.get("status", 503))
        if status == 429:
            return self._limited(spec)
        headers = {} if spec.get("should_retry") is None else {"Stripe-Should-Retry": str(spec["should_retry"]).lower()}
        if spec.get("envelope") == "html":
            return HTMLResponse(f"<html><body><h1>{status}</h1></body></html>", status, headers)
        kind = "api_error" if status >= 500 else "idempotency_error" if status == 409 else "invalid_request_error"
        return failed(status, kind, "An unknown error occurred", headers)

    def headers(self, request: Request) -> dict[str, str]:
        return {"Request-Id": request_id("req_"), "Stripe-Version": self.version(request)}

    def version(self, request: Request) -> str:
        """The version the answer is rendered at: the header's, else the account's default."""
        return request.headers.get("stripe-version") or ACCOUNT_VERSION

    async def not_found(self, request: Request, error: Exception) -> Response:
        return failed(404, "invalid_request_error", f"Unrecognized request URL ({request.method}: {request.url.path}).")

    def missing(self, name: str, object_id: str, status: int = 404, param: str = "id") -> Response:
        """No such object."""
        return failed(
            status, "invalid_request_error", f"No such {name}: '{object_id}'", code="resource_missing", param=param
        )

    def shaped(self, request: Request, doc: dict[str, Any]) -> dict[str, Any]:
        """A document at the request's version, inline lists cut at ten."""
        for member in ("lines", "items"):
            inline = doc.get(member)
            if isinstance(inline, dict) and len(inline["data"]) > INLINE:
                doc[member] = {**inline, "data": inline["data"][:INLINE], "has_more": True}
        return at_old_version(doc) if self.version(request) < BASIL else doc

    async def expanded(self, docs: list[dict[str, Any]], paths: list[str], request: Request) -> None:
        """Replace ids by objects where `expand` asks for it; names that are not ids are left as they are."""
        for path in paths:
            member = path.removeprefix("data.")
            ids = {doc[member] for doc in docs if isinstance(doc.get(member), str)}
            if member in EXPANDABLE and ids:
                rows = await self.rows(
                    "select id, doc, deleted from stripe_objects where id = any(%(ids)s)", {"ids": list(ids)}
                )
                found = {
                    row[0]: self.stub(row[0], "customer") if row[2] else self.shaped(request, row[1]) for row in rows
                }
                for doc in docs:
                    doc[member] = found.get(doc.get(member), doc.get(member))

    def stub(self, object_id: str, name: str) -> dict[str, Any]:
        """What is left of a deleted object."""
        return {"id": object_id, "object": name, "deleted": True}

    def _lister(self, plural: str) -> Callable[[Request], Any]:
        name = NAMES[plural]

        async def listed(request: Request) -> Response:
            given = Parameters(request)
            given.check(FILTERS[plural])
            condition, parameters = self._conditions(name, given)
            rows, has_more = await self._page(name, given, condition, parameters)
            docs = [self.shaped(request, row[1]) for row in rows]
            await self.expanded(docs, given.lists.get("expand", []), request)
            await self._after_page(rows, has_more)
            return raw_json(
                text_of({"object": "list", "url": request.url.path, "has_more": has_more, "data": docs}), request
            )

        return listed

    def _conditions(self, name: str, given: Parameters) -> tuple[str, dict[str, Any]]:
        parts, values = ["object = %(object)s", "deleted is null"], {"object": name}
        for member, value in given.single.items():
            if member in PAGING:
                continue
            if name == "subscription" and member == "status":
                if value != "all":
                    values["status"] = "canceled" if value == "ended" else value
                    parts.append("status = %(status)s")
            elif member in ("customer", "subscription", "status"):
                values[member] = value
                parts.append(f"{member} = %({member})s")
            elif member == "price":
                values["price"] = f'%"id":"{value}"%'
                parts.append("doc::text like %(price)s")
            else:
                values[member] = value
                parts.append(f"doc->>'{member}' = %({member})s")
        if name == "subscription" and "status" not in given.single:
            parts.append("status <> 'canceled'")
        if given.lists.get("ids"):
            values["ids"] = given.lists["ids"]  # pyright: ignore[reportArgumentType]
            parts.append("id = any(%(ids)s)")
        for member, bounds in given.ranges.items():
            column = "created" if member == "created" else f"(doc->>'{member}')::bigint"
            parts += [f"{column} {OPERATORS[operator]} {value}" for operator, value in bounds.items()]
        return " and ".join(parts), values

    async def _page(
        self, name: str, given: Parameters, condition: str, parameters: dict[str, Any], table: str = "stripe_objects"
    ) -> tuple[list[Any], bool]:
        """One page, newest first, as (id, doc) rows, and whether more follow in the direction of travel."""
        limit = given.limit()
        after, before = given.single.get("starting_after"), given.single.get("ending_before")
        if after and before:
            raise BadRequest(
                failed(
                    400,
                    "invalid_request_error",
                    "You cannot parameterize starting_after and ending_before together.",
                    param="starting_after",
                )
            )
        order = "created desc, seq desc"
        if after or before:
            alive = "and deleted is null" if table == "stripe_objects" else ""
            place = await self.rows(
                f"select created, seq from {table} where id = %(id)s {alive}", {"id": after or before}
            )
            if not place:
                raise BadRequest(
                    self.missing(name, str(after or before), 400, "starting_after" if after else "ending_before")
                )
            condition += f" and (created, seq) {'<' if after else '>'} ({place[0][0]}, {place[0][1]})"
            order = order if after else "created asc, seq asc"
        rows = await self.rows(
            f"select id, doc from {table} where {condition} order by {order} limit {limit + 1}", parameters
        )
        page = rows[:limit]
        return (page[::-1] if before else page), len(rows) > limit

    async def _after_page(self, rows: list[Any], has_more: bool) -> None:
        """Faults that strike between two pages."""
        if has_more and rows and rows[-1][0].startswith("cus_") and self.switches.spend("delete_cursor_next"):
            await self.incidents.run({"delete_customer": {"id": rows[-1][0]}})
        if has_more and self.switches.spend("create_after_page"):
            await self.incidents.run({"create_customer": {}})

    def _getter(self, name: str) -> Callable[[Request], Any]:
        async def one(request: Request) -> Response:
            object_id = request.path_params["id"]
            rows = await self.rows(
                "select doc, deleted from stripe_objects where id = %(id)s and object = %(object)s",
                {"id": object_id, "object": name},
            )
            if not rows or (rows[0][1] and name == "invoice"):
                return self.missing(name, object_id)
            doc = self.stub(object_id, name) if rows[0][1] else self.shaped(request, rows[0][0])
            await self.expanded([doc], Parameters(request).lists.get("expand", []), request)
            return raw_json(text_of(doc), request)

        return one

    async def _inline(self, request: Request, owner: tuple[str, str], member: str) -> Response:
        """The rest of a list that was cut: all rows of the owner's own list, paged by id."""
        name, object_id = owner
        given = Parameters(request)
        rows = await self.rows(
            "select doc from stripe_objects where id = %(id)s and object = %(object)s and deleted is null",
            {"id": object_id, "object": name},
        )
        if not rows:
            return self.missing(name, object_id)
        doc = rows[0][0]
        whole = (at_old_version(doc) if self.version(request) < BASIL else doc)[member]["data"]
        start, limit = 0, given.limit()
        after = given.single.get("starting_after")
        if after:
            ids = [row["id"] for row in whole]
            if after not in ids:
                return self.missing(
                    "line_item" if member == "lines" else "subscription_item", after, 400, "starting_after"
                )
            start = ids.index(after) + 1
        page = whole[start : start + limit]
        return raw_json(
            text_of({"object": "list", "url": request.url.path, "has_more": start + limit < len(whole), "data": page}),
            request,
        )

    async def list_items(self, request: Request) -> Response:
        """Items of one subscription."""
        given = Parameters(request)
        given.check({"subscription"})
        if "subscription" not in given.single:
            return failed(
                400,
                "invalid_request_error",
                "Missing required param: subscription.",
                code="parameter_missing",
                param="subscription",
            )
        return await self._inline(request, ("subscription", given.single["subscription"]), "items")

    async def list_lines(self, request: Request) -> Response:
        """Lines of one invoice."""
        return await self._inline(request, ("invoice", request.path_params["id"]), "lines")

    async def list_events(self, request: Request) -> Response:
        """Events of the last thirty days, newest first."""
        given = Parameters(request)
        given.check(FILTERS["events"])
        types = given.lists.get("types", []) + ([given.single["type"]] if "type" in given.single else [])
        if len(types) > 20:
            return failed(400, "invalid_request_error", "You may specify up to 20 types.", param="types")
        parts, values = (
            ["created >= %(oldest)s"],
            {"oldest": int(self.clock.now()) - EVENTS_SECONDS, "types": [one.replace("*", "%") for one in types]},
        )
        if types:
            parts.append("type like any(%(types)s)")
        parts += [
            f"created {OPERATORS[operator]} {value}" for operator, value in given.ranges.get("created", {}).items()
        ]
        rows, has_more = await self._page("event", given, " and ".join(parts), values, "stripe_events")
        return raw_json(
            text_of(
                {
                    "object": "list",
                    "url": "/v1/events",
                    "has_more": has_more,
                    "data": [self._event(row[1]) for row in rows],
                }
            ),
            request,
        )

    def _event(self, doc: dict[str, Any]) -> dict[str, Any]:
        inner = doc["data"]["object"]
        for member in ("lines", "items"):
            inline = inner.get(member)
            if isinstance(inline, dict) and len(inline["data"]) > INLINE:
                inner[member] = {**inline, "data": inline["data"][:INLINE], "has_more": True}
        return doc

    async def one_event(self, request: Request) -> Response:
        """One event, while the feed still has it."""
        rows = await self.rows(
            "select doc from stripe_events where id = %(id)s and created >= %(oldest)s",
            {"id": request.path_params["id"], "oldest": int(self.clock.now()) - EVENTS_SECONDS},
        )
        return (
            raw_json(text_of(self._event(rows[0][0])), request)
            if rows
            else self.missing("event", request.path_params["id"])
        )

    def switched(self) -> None:
        """New events are rendered at the version the switch names."""
        self.incidents.event_version = self.switches.get("event_api_version") or ACCOUNT_VERSION
