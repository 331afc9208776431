"""Zendesk Support over HTTP: incremental exports, ordinary lists, OAuth client credentials.

Exports compare with `generated` (which system updates move without touching `updated_at`) and hold back the newest
minute. Lists leave out tickets closed for more than 120 days; the exports do not.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulator import zendesk_queries
from simulator.clock import DAY_SECONDS, iso
from simulator.limits import Budgets
from simulator.wire import Refused, Vendor, base_url, raw_json, request_id, text_of
from simulator.zendesk_queries import Doc, Place, place_of

HELD_BACK = 60
ARCHIVE_SECONDS = 120 * DAY_SECONDS
DEEPEST = 10_000
PAGE_MOST, EXPORT_MOST = 100, 1000
SINGULAR = {
    "tickets": "ticket",
    "users": "user",
    "organizations": "organization",
    "satisfaction_ratings": "satisfaction_rating",
    "groups": "group",
    "ticket_fields": "ticket_field",
}
SIDELOADS = {"users": "requester_id", "organizations": "organization_id", "groups": "group_id"}
SCOPES = {"read", "write", "read write", "tickets:read", "users:read", "organizations:read"}
SHOWN = "kind = 'tickets' and status <> 'deleted' and not (status = 'closed' and updated < %(fresh)s)"
DELETED_SHAPE = """json_build_object('id', id, 'subject', doc->>'subject', 'previous_state', 'open',
    'deleted_at', doc->>'updated_at', 'actor', null)"""
TOO_MANY = "Number of allowed API requests per minute exceeded"
Handler = Callable[[Request], Awaitable[Response]]


def refuse(status: int, code: str, description: str) -> Response:
    """The most common of the four error envelopes."""
    return JSONResponse({"error": code, "description": description}, status)


class Zendesk(Vendor):
    """Support."""

    name = "Zendesk"

    def make_budgets(self) -> Budgets:
        self.tokens: dict[str, tuple[float, str]] = {}
        return Budgets(account=(700, 60), incremental=(30, 60), deleted=(10, 60))

    def routes(self) -> list[Route]:
        handlers: dict[str, Handler] = {
            "/incremental/{kind}/cursor": self.export_by_cursor,
            "/incremental/{kind}": self.export_by_time,
            "/users/me": self.me,
            "/tickets/count": self.count_tickets,
            "/ticket_metrics": self.list_metrics,
            "/deleted_tickets": self.list_deleted_tickets,
            "/deleted_users": self.list_deleted_users,
        }
        for kind in SINGULAR:
            handlers[f"/{kind}"] = self._lister(kind)
            handlers[f"/{kind}/{{id:int}}"] = self._getter(kind)
        found = [Route("/oauth/tokens", self.token, methods=["POST"])]
        for path, handler in handlers.items():
            found += [Route(f"/api/v2{path}.json", handler), Route(f"/api/v2{path}", handler)]
        return found

    def identify(self, request: Request) -> Response | None:
        path = request.url.path.removesuffix(".json")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if path == "/oauth/tokens" or (not given and path == "/api/v2/users/me"):
            return None
        if scheme.lower() != "bearer":
            return JSONResponse({"error": "Couldn't authenticate you"}, 401)
        expires, scope = self.tokens.get(given, (0.0, ""))
        if expires <= self.clock.now():
            message = "The access token provided is expired, revoked, malformed or invalid for other reasons."
            return JSONResponse({"error": "invalid_token", "error_description": message}, 401)
        if scope not in SCOPES:
            message = "You do not have access to this page. Please contact the account owner of this help desk."
            return JSONResponse({"error": {"title": "Forbidden", "message": message}}, 403)
        return None

    def buckets(self, request: Request) -> list[str]:
        path = request.url.path
        special = {"/incremental/": "incremental", "/deleted_tickets": "deleted"}
        return ["account", *(bucket for part, bucket in special.items() if part in path)]

    def refusal(self, bucket: str) -> Response:
        """Plain text, and a Retry-After that is shorter than the real wait."""
        return PlainTextResponse(TOO_MANY, 429, {"Retry-After": "1"})

    def failure(self, spec: dict[str, Any]) -> Response:
        status = int(spec.get("status", 503))
        headers = {} if spec.get("retry_after") is None else {"Retry-After": str(spec["retry_after"])}
        if status == 429:
            return PlainTextResponse(TOO_MANY, 429, {"Retry-After": "1", **headers})
        usual = {520: "html", 524: "html", 401: "authenticate"}.get(status, "string")
        envelope = spec.get("envelope", usual)
        if envelope == "html":
            return HTMLResponse(
                f"<html><head><title>{status}</title></head><body>{status}</body></html>", status, headers
            )
        depth = {"code": "InvalidPaginationDepth", "title": "Invalid pagination", "detail": "Pagination is limited"}
        bodies: dict[str, Doc] = {
            "string": {"error": "RecordNotFound" if status == 404 else "InternalError", "description": "Not found"},
            "object": {"error": {"title": "Forbidden", "message": "You do not have access to this page."}},
            "list": {"errors": [depth]},
            "authenticate": {"error": "Couldn't authenticate you"},
        }
        return JSONResponse(bodies[envelope], status, headers)

    def headers(self, request: Request) -> dict[str, str]:
        account, export = self.budgets.windows["account"], self.budgets.windows["incremental"]
        found = {
            "X-Rate-Limit": str(account.limit),
            "X-Rate-Limit-Remaining": str(account.remaining()),
            "ratelimit-limit": str(account.limit),
            "ratelimit-remaining": str(account.remaining()),
            "ratelimit-reset": str(int(account.resets_in())),
            "X-Request-Id": request_id(),
        }
        if "/incremental/" in request.url.path:
            budget = f"total={export.limit}; remaining={export.remaining()}; resets={int(export.resets_in())}"
            found["zendesk-ratelimit-incremental-exports"] = budget
        return found

    def switched(self) -> None:
        """Tokens die when told to."""
        if self.switches.values.pop("expire_tokens", False):
            self.tokens.clear()

    async def not_found(self, request: Request, problem: Exception) -> Response:
        return refuse(404, "InvalidEndpoint", "Not found")

    def unreadable(self, problem: ValueError) -> Response:
        return refuse(400, "InvalidValue", f"Invalid value: {problem}")

    async def token(self, request: Request) -> Response:
        """Client credentials grant; an unknown scope still gets a token, with which everything is forbidden."""
        body = await request.json()
        if body.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type", "error_description": "Not supported."}, 400)
        expected = (self.settings.zendesk_client_id, self.settings.zendesk_client_secret)
        if not all(expected) or (body.get("client_id"), body.get("client_secret")) != expected:
            message = "Client authentication failed due to unknown client, or invalid credentials."
            return JSONResponse({"error": "invalid_client", "error_description": message}, 401)
        seconds = int(body.get("expires_in") or 7_200)
        if not 300 < seconds < 172_800:
            message = "expires_in must be above 300 and below 172800"
            return JSONResponse({"error": "invalid_request", "error_description": message}, 400)
        token, scope = secrets.token_hex(32), str(body.get("scope", "read"))
        self.tokens[token] = (self.clock.now() + seconds, scope)
        grant = {"access_token": token, "token_type": "bearer", "scope": scope, "expires_in": seconds}
        return JSONResponse(grant)

    def _start(self, request: Request) -> int:
        """`start_time` of an export; refuses one younger than a minute."""
        start = int(request.query_params.get("start_time", ""))
        if start > self.clock.now() - HELD_BACK:
            message = "Too recent start_time. Use a start_time older than 1 minutes"
            raise Refused(refuse(422, "InvalidValue", message))
        return start

    def _until(self) -> int:
        return int(self.clock.now()) - HELD_BACK

    def _size(self, request: Request, name: str, most: int) -> int:
        return min(most, max(1, int(request.query_params.get(name, most))))

    async def export_by_cursor(self, request: Request) -> Response:
        """Tickets or users by (generated, id); `end_of_stream` says when to stop, an empty page does not."""
        kind = request.path_params["kind"]
        if kind not in ("tickets", "users"):
            return await self.not_found(request, LookupError(kind))
        cursor = request.query_params.get("cursor")
        if cursor is None:
            place = Place(self._start(request) - 1, 2**62)
        else:
            place = None if self.switches.spend("refuse_cursor_next") else place_of(cursor)
            if place is None:
                return refuse(400, "InvalidValue", "Invalid cursor")
        docs: list[Doc] = []
        is_end = False
        if not self.switches.spend("empty_page_next"):
            size = self._size(request, "per_page", EXPORT_MOST)
            docs, place, is_end = await zendesk_queries.after(self.rows, kind, place, until=self._until(), size=size)
        link = f"{base_url(request)}/api/v2/incremental/{kind}/cursor.json?cursor={place.cursor()}"
        body: Doc = {kind: docs, "after_url": link, "after_cursor": place.cursor(), "before_url": None}
        body |= {"before_cursor": None, "end_of_stream": is_end}
        return await self._sideloaded(request, body, docs)

    async def _sideloaded(self, request: Request, body: Doc, docs: list[Doc]) -> Response:
        """The answer with what `include` asks for: metrics inside tickets, the rest beside them."""
        included = request.query_params.get("include", "").split(",")
        if "metric_sets" not in included:
            for doc in docs:
                doc.pop("metric_set", None)
        for kind, member in SIDELOADS.items():
            if kind in included and kind not in body:
                ids = list({doc[member] for doc in docs if doc.get(member)})
                body[kind] = await zendesk_queries.some(self.rows, kind, ids)
        return raw_json(text_of(body), request)

    async def export_by_time(self, request: Request) -> Response:
        """Time-based export: a page ends with a whole second, which the next page repeats."""
        kind = request.path_params["kind"]
        if kind not in ("tickets", "users", "organizations"):
            return await self.not_found(request, LookupError(kind))
        start, size = self._start(request), self._size(request, "per_page", EXPORT_MOST)
        docs, end, is_end = await zendesk_queries.since(self.rows, kind, start, until=self._until(), size=size)
        link = f"{base_url(request)}/api/v2/incremental/{kind}.json?start_time={end}&per_page={size}"
        body: Doc = {kind: docs, "count": len(docs), "end_time": end if docs else None, "end_of_stream": is_end}
        body["next_page"] = link if docs else None
        return await self._sideloaded(request, body, docs)

    def _fresh(self) -> int:
        return int(self.clock.now()) - ARCHIVE_SECONDS

    def _lister(self, kind: str) -> Handler:
        async def listed(request: Request) -> Response:
            condition = SHOWN if kind == "tickets" else "kind = %(kind)s"
            values: dict[str, Any] = {"kind": kind, "fresh": self._fresh()}
            if kind == "satisfaction_ratings":
                for name, operator in (("start_time", ">="), ("end_time", "<=")):
                    if name in request.query_params:
                        values[name] = int(request.query_params[name])
                        condition += f" and created {operator} %({name})s"
            return await self._list(request, kind, condition, values)

        return listed

    async def _list(
        self,
        request: Request,
        name: str,
        condition: str,
        values: dict[str, Any],
        shape: str = "doc",
        descending: bool = False,
    ) -> Response:
        """An ordinary list: cursor paging with `page[size]`, else offset paging down to 10,000 records."""
        query, here = request.query_params, f"{base_url(request)}{request.url.path}"
        if "page[size]" in query or "page[after]" in query:
            size = self._size(request, "page[size]", PAGE_MOST)
            place = place_of(query.get("page[after]", ""))
            where = f"{condition} and id {'<' if descending else '>'} {place.id}" if place else condition
            rows = await zendesk_queries.window(
                self.rows, shape, where, values, descending=descending, size=size + 1, offset=0
            )
            after = Place(0, rows[size - 1][0]).cursor() if len(rows) > size else None
            docs = [row[1] for row in rows[:size]]
            link = f"{here}?page%5Bafter%5D={after}&page%5Bsize%5D={size}" if after else None
            meta = {"has_more": after is not None, "after_cursor": after, "before_cursor": None}
            body: Doc = {name: docs, "meta": meta, "links": {"next": link, "prev": None}}
        else:
            size, page = self._size(request, "per_page", PAGE_MOST), max(1, int(query.get("page", 1)))
            if page * size > DEEPEST:
                detail = f"Offset pagination is limited to {DEEPEST} records. Use cursor pagination instead."
                problem = {"code": "InvalidPaginationDepth", "title": "Invalid pagination depth", "detail": detail}
                return JSONResponse({"errors": [problem]}, 400)
            total = await zendesk_queries.count(self.rows, condition, values)
            rows = await zendesk_queries.window(
                self.rows, shape, condition, values, descending=descending, size=size, offset=(page - 1) * size
            )
            docs = [row[1] for row in rows]
            body = {name: docs, "next_page": None, "previous_page": None, "count": total}
            if page * size < total:
                body["next_page"] = f"{here}?per_page={size}&page={page + 1}"
            if page > 1:
                body["previous_page"] = f"{here}?per_page={size}&page={page - 1}"
        return await self._sideloaded(request, body, docs if name == "tickets" else [])

    def _getter(self, kind: str) -> Handler:
        async def one(request: Request) -> Response:
            docs = await zendesk_queries.some(self.rows, kind, [request.path_params["id"]])
            if not docs:
                return refuse(404, "RecordNotFound", "Not found")
            return await self._sideloaded(request, {SINGULAR[kind]: docs[0]}, docs)

        return one

    async def list_metrics(self, request: Request) -> Response:
        """Metrics of tickets that are not archived, newest ticket first."""
        shape = "doc->'metric_set'"
        return await self._list(request, "ticket_metrics", SHOWN, {"fresh": self._fresh()}, shape, descending=True)

    async def list_deleted_tickets(self, request: Request) -> Response:
        """Deleted tickets."""
        condition = "kind = 'tickets' and status = 'deleted'"
        return await self._list(request, "deleted_tickets", condition, {}, DELETED_SHAPE)

    async def list_deleted_users(self, request: Request) -> Response:
        """Users that were deleted: inactive ones."""
        return await self._list(request, "deleted_users", "kind = 'users' and doc->>'active' = 'false'", {})

    async def count_tickets(self, request: Request) -> Response:
        """Number of tickets the list shows."""
        value = await zendesk_queries.count(self.rows, SHOWN, {"fresh": self._fresh()})
        return JSONResponse({"count": {"value": value, "refreshed_at": iso(self.clock.now())}})

    async def me(self, request: Request) -> Response:
        """Who am I; without credentials an anonymous user, not an error."""
        if not request.headers.get("authorization"):
            return JSONResponse({"user": {"id": None, "name": "Anonymous user", "role": "end-user", "active": False}})
        return JSONResponse({"user": {"id": 1, "name": "API client", "role": "admin", "active": True}})
