"""Zendesk Support over HTTP: incremental exports, ordinary lists, OAuth client credentials.

Exports compare with `generated` (which system updates move without touching `updated_at`) and hold back the newest minute. Lists leave
out tickets closed for more than 120 days; the exports do not.
"""

import base64
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulator.clock import DAY_SECONDS, iso
from simulator.limits import Budgets
from simulator.wire import Vendor, base_url, raw_json, request_id, text_of

HELD_BACK = 60
ARCHIVE_SECONDS = 120 * DAY_SECONDS
DEEPEST = 10_000
LISTS = ["tickets", "users", "organizations", "satisfaction_ratings", "groups", "ticket_fields"]
SINGULAR = {
    "tickets": "ticket",
    "users": "user",
    "organizations": "organization",
    "satisfaction_ratings": "satisfaction_rating",
    "groups": "group",
    "ticket_fields": "ticket_field",
    "ticket_metrics": "ticket_metric",
}
EXPORTS = ["tickets", "users", "organizations"]
SIDELOADS = {"users": "requester_id", "organizations": "organization_id", "groups": "group_id"}
SCOPES = {"read", "write", "read write", "tickets:read", "users:read", "organizations:read"}


def encode(generated: int, number: int) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(f"{generated}.0||{number}".encode()).decode()


def decode(cursor: str) -> tuple[int, int] | None:
    """Inverse of `encode`, None for what is none of ours."""
    try:
        moment, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition("||")
        return int(float(moment)), int(number)
    except ValueError:
        return None


class Zendesk(Vendor):
    """Support."""

    name = "Zendesk"

    def make_budgets(self) -> Budgets:
        self.tokens: dict[str, tuple[float, str]] = {}
        return Budgets(account=(700, 60), incremental=(30, 60), deleted=(10, 60))

    def routes(self) -> list[Route]:
        found = [
            Route("/oauth/tokens", self.token, methods=["POST"]),
            *self._paths("/incremental/{kind}/cursor", self.export_by_cursor),
            *self._paths("/incremental/{kind}", self.export_by_time),
            *self._paths("/users/me", self.me),
            *self._paths("/tickets/count", self.count),
            *self._paths("/ticket_metrics", self.list_metrics),
            *self._paths("/deleted_tickets", self.list_deleted_tickets),
            *self._paths("/deleted_users", self.list_deleted_users),
        ]
        for kind in LISTS:
            found += [
                *self._paths(f"/{kind}", self._lister(kind)),
                *self._paths(f"/{kind}/{{id:int}}", self._getter(kind)),
            ]
        return found

    def _paths(self, path: str, handler: Any) -> list[Route]:
        return [Route(f"/api/v2{path}.json", handler), Route(f"/api/v2{path}", handler)]

    def identify(self, request: Request) -> Response | None:
        path = request.url.path
        if path == "/oauth/tokens":
            return None
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if not given and path.removesuffix(".json") == "/api/v2/users/me":
            return None
        if scheme.lower() != "bearer":
            return JSONResponse({"error": "Couldn't authenticate you"}, 401)
        expires, scope = self.tokens.get(given, (0.0, ""))
        if expires <= self.clock.now():
            return JSONResponse(
                {
                    "error": "invalid_token",
                    "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons.",
                },
                401,
            )
        if scope not in SCOPES:
            return JSONResponse(
                {
                    "error": {
                        "title": "Forbidden",
                        "message": "You do not have access to this page. Please contact the account owner of this help desk for further help.",
                    }
                },
                403,
            )
        return None

    def buckets(self, request: Request) -> list[str]:
        path = request.url.path
        return ["account"] + (
            ["incremental"] if "/incremental/" in path else ["deleted"] if "/deleted_tickets" in path else []
        )

    def refusal(self, bucket: str) -> Response:
        return PlainTextResponse("Number of allowed API requests per minute exceeded", 429, {"Retry-After": "1"})

    def failure(self, spec: dict[str, Any]) -> Response:
        status = int(spec.get("status", 503))
        headers = {} if spec.get("retry_after") is None else {"Retry-After": str(spec["retry_after"])}
        if status == 429:
            return PlainTextResponse(
                "Number of allowed API requests per minute exceeded", 429, {"Retry-After": "1", **headers}
            )
        envelope = spec.get(
            "envelope", "html" if status in (520, 524) else "authenticate" if status == 401 else "string"
        )
        if envelope == "html":
            return HTMLResponse(
                f"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>",
                status,
                headers,
            )
        body: dict[str, Any] = {
            "string": {
                "error": "RecordNotFound" if status == 404 else "InternalError",
                "description": "Not found" if status == 404 else "Something went wrong",
            },
            "object": {"error": {"title": "Forbidden", "message": "You do not have access to this page."}},
            "list": {
                "errors": [
                    {"code": "InvalidPaginationDepth", "title": "Invalid pagination", "detail": "Pagination is limited"}
                ]
            },
            "authenticate": {"error": "Couldn't authenticate you"},
        }[envelope]
        return JSONResponse(body, status, headers)

    def headers(self, request: Request) -> dict[str, str]:
        account, export = self.budgets.windows["account"], self.budgets.windows["incremental"]
        found = {
            "X-Rate-Limit": str(account.limit),
            "X-Rate-Limit-Remaining": str(account.remaining()),
            "ratelimit-limit": str(account.limit),
            "ratelimit-remaining": str(account.remaining()),
            "ratelimit-reset": str(int(account.resets_in())),
            "X-Request-Id": request_id(),
            "X-Zendesk-Request-Id": request_id(),
        }
        if "/incremental/" in request.url.path:
            found["zendesk-ratelimit-incremental-exports"] = (
                f"total={export.limit}; remaining={export.remaining()}; resets={int(export.resets_in())}"
            )
        return found

    def switched(self) -> None:
        """Tokens die when told to."""
        if self.switches.values.pop("expire_tokens", False):
            self.tokens.clear()

    async def not_found(self, request: Request, error: Exception) -> Response:
        return JSONResponse({"error": "InvalidEndpoint", "description": "Not found"}, 404)

    async def token(self, request: Request) -> Response:
        """Client credentials grant; an unknown scope still gets a token, with which everything is forbidden."""
        body = await request.json()
        expected = (self.settings.zendesk_client_id, self.settings.zendesk_client_secret)
        if body.get("grant_type") != "client_credentials":
            return JSONResponse(
                {
                    "error": "unsupported_grant_type",
                    "error_description": "The authorization grant type is not supported.",
                },
                400,
            )
        if not all(expected) or (body.get("client_id"), body.get("client_secret")) != expected:
            return JSONResponse(
                {
                    "error": "invalid_client",
                    "error_description": "Client authentication failed due to unknown client, or invalid credentials.",
                },
                401,
            )
        seconds = int(body.get("expires_in") or 7_200)
        if not 300 < seconds < 172_800:
            return JSONResponse(
                {"error": "invalid_request", "error_description": "expires_in must be above 300 and below 172800"}, 400
            )
        token, scope = secrets.token_hex(32), str(body.get("scope", "read"))
        self.tokens[token] = (self.clock.now() + seconds, scope)
        return JSONResponse({"access_token": token, "token_type": "bearer", "scope": scope, "expires_in": seconds})

    def _start(self, request: Request) -> int | Response:
        """`start_time` of an export, or the answer that refuses it."""
        text = request.query_params.get("start_time", "")
        if not text.lstrip("-").isdigit():
            return JSONResponse(
                {"error": "InvalidValue", "description": "Invalid parameter: start_time is required"}, 400
            )
        if int(text) > self.clock.now() - HELD_BACK:
            return JSONResponse(
                {
                    "error": "InvalidValue",
                    "description": "Too recent start_time. Use a start_time older than 1 minutes",
                },
                422,
            )
        return int(text)

    async def export_by_cursor(self, request: Request) -> Response:
        """Tickets or users by (generated, id); `end_of_stream` says when to stop, an empty page does not."""
        kind = request.path_params["kind"]
        if kind not in ("tickets", "users"):
            return await self.not_found(request, LookupError(kind))
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            place = None if self.switches.spend("refuse_cursor_next") else decode(cursor)
            if place is None:
                return JSONResponse({"error": "InvalidValue", "description": "Invalid cursor"}, 400)
        else:
            start = self._start(request)
            if isinstance(start, Response):
                return start
            place = (start - 1, 2**62)
        size = min(1000, max(1, int(request.query_params.get("per_page", 1000))))
        docs: list[dict[str, Any]] = []
        is_end = False
        if not self.switches.spend("empty_page_next"):
            rows = await self.rows(
                "select id, generated, doc from zendesk_objects where kind = %(kind)s and (generated, id) > (%(moment)s, %(id)s) and generated <= %(until)s"
                " order by generated, id limit %(size)s",
                {
                    "kind": kind,
                    "moment": place[0],
                    "id": place[1],
                    "until": int(self.clock.now()) - HELD_BACK,
                    "size": size + 1,
                },
            )
            is_end = len(rows) <= size
            docs = [row[2] for row in rows[:size]]
            place = (rows[:size][-1][1], rows[:size][-1][0]) if docs else place
        follow = encode(*place)
        body: dict[str, Any] = {
            kind: docs,
            "after_url": f"{base_url(request)}/api/v2/incremental/{kind}/cursor.json?cursor={follow}",
            "after_cursor": follow,
            "before_url": None,
            "before_cursor": None,
            "end_of_stream": is_end,
        }
        await self._sideload(request, body, docs)
        return raw_json(text_of(body), request)

    async def _sideload(self, request: Request, body: dict[str, Any], docs: list[dict[str, Any]]) -> None:
        included = request.query_params.get("include", "").split(",")
        if "metric_sets" not in included:
            for doc in docs:
                doc.pop("metric_set", None)
        for name, member in SIDELOADS.items():
            if name in included and name not in body:
                ids = list({doc[member] for doc in docs if doc.get(member)})
                rows = await self.rows(
                    "select doc from zendesk_objects where kind = %(kind)s and id = any(%(ids)s)",
                    {"kind": name, "ids": ids},
                )
                body[name] = [row[0] for row in rows]

    async def export_by_time(self, request: Request) -> Response:
        """Time-based export: a page ends with a whole second, which the next page repeats."""
        kind = request.path_params["kind"]
        if kind not in EXPORTS:
            return await self.not_found(request, LookupError(kind))
        start = self._start(request)
        if isinstance(start, Response):
            return start
        until = int(self.clock.now()) - HELD_BACK
        size = min(1000, max(1, int(request.query_params.get("per_page", 1000))))
        bounds = {"kind": kind, "start": start, "until": until, "size": size}
        ends = await self.rows(
            "select generated from (select generated from zendesk_objects where kind = %(kind)s and generated between %(start)s and %(until)s order by generated, id limit %(size)s) page"
            " order by generated desc limit 1",
            bounds,
        )
        end = ends[0][0] if ends else start
        if ends and end == start:
            beyond = await self.rows(
                "select min(generated) from zendesk_objects where kind = %(kind)s and generated > %(start)s and generated <= %(until)s",
                bounds,
            )
            end = beyond[0][0] or end
        rows = await self.rows(
            "select doc from zendesk_objects where kind = %(kind)s and generated between %(start)s and %(end)s order by generated, id",
            {**bounds, "end": end},
        )
        ((left,),) = await self.rows(
            "select count(*) from zendesk_objects where kind = %(kind)s and generated > %(end)s and generated <= %(until)s",
            {**bounds, "end": end},
        )
        body: dict[str, Any] = {
            kind: [row[0] for row in rows],
            "count": len(rows),
            "end_time": end if rows else None,
            "end_of_stream": left == 0,
            "next_page": f"{base_url(request)}/api/v2/incremental/{kind}.json?start_time={end}&per_page={size}"
            if rows
            else None,
        }
        await self._sideload(request, body, body[kind])
        return raw_json(text_of(body), request)

    def _lister(self, kind: str) -> Any:
        async def listed(request: Request) -> Response:
            condition = "kind = %(kind)s and status is distinct from 'deleted'"
            values: dict[str, Any] = {"kind": kind, "fresh": int(self.clock.now()) - ARCHIVE_SECONDS}
            if kind == "tickets":
                condition += " and not (status = 'closed' and updated < %(fresh)s)"
            if kind == "satisfaction_ratings":
                for name, operator in (("start_time", ">="), ("end_time", "<=")):
                    if request.query_params.get(name, "").isdigit():
                        values[name] = int(request.query_params[name])
                        condition += f" and created {operator} %({name})s"
            return await self._list(request, kind, condition, values, "doc")

        return listed

    async def _list(
        self,
        request: Request,
        name: str,
        condition: str,
        values: dict[str, Any],
        shape: str,
        *,
        newest_first: bool = False,
    ) -> Response:
        """An ordinary list: cursor paging with `page[size]`, else offset paging down to 10,000 records."""
        query = request.query_params
        order, beyond = ("id desc", "<") if newest_first else ("id", ">")
        if "page[size]" in query or "page[after]" in query:
            size = min(100, max(1, int(query.get("page[size]", 100))))
            place = decode(query["page[after]"]) if query.get("page[after]") else None
            where = f"{condition} and id {beyond} {place[1]}" if place else condition
            rows = await self.rows(
                f"select id, {shape} from zendesk_objects where {where} order by {order} limit {size + 1}", values
            )
            has_more, rows = len(rows) > size, rows[:size]
            after = encode(0, rows[-1][0]) if rows else None
            link = (
                f"{base_url(request)}{request.url.path}?page%5Bafter%5D={after}&page%5Bsize%5D={size}"
                if has_more
                else None
            )
            body = {
                name: [row[1] for row in rows],
                "meta": {"has_more": has_more, "after_cursor": after if has_more else None, "before_cursor": None},
                "links": {"next": link, "prev": None},
            }
        else:
            size, page = min(100, max(1, int(query.get("per_page", 100)))), max(1, int(query.get("page", 1)))
            if page * size > DEEPEST:
                problem = {
                    "code": "InvalidPaginationDepth",
                    "title": "Invalid pagination depth",
                    "detail": f"Offset pagination is limited to {DEEPEST} records. Use cursor pagination.",
                }
                return JSONResponse({"errors": [problem]}, 400)
            ((total,),) = await self.rows(f"select count(*) from zendesk_objects where {condition}", values)
            rows = await self.rows(
                f"select id, {shape} from zendesk_objects where {condition} order by {order} limit {size} offset {(page - 1) * size}",
                values,
            )
            address = f"{base_url(request)}{request.url.path}?per_page={size}&page="
            body = {
                name: [row[1] for row in rows],
                "next_page": f"{address}{page + 1}" if page * size < total else None,
                "previous_page": f"{address}{page - 1}" if page > 1 else None,
                "count": total,
            }
        if name == "tickets":
            await self._sideload(request, body, body[name])
        return raw_json(text_of(body), request)

    def _getter(self, kind: str) -> Any:
        async def one(request: Request) -> Response:
            rows = await self.rows(
                "select doc from zendesk_objects where kind = %(kind)s and id = %(id)s and status is distinct from 'deleted'",
                {"kind": kind, "id": request.path_params["id"]},
            )
            if not rows:
                return JSONResponse({"error": "RecordNotFound", "description": "Not found"}, 404)
            doc = rows[0][0]
            doc.pop("metric_set", None)
            return raw_json(text_of({SINGULAR[kind]: doc}), request)

        return one

    async def list_metrics(self, request: Request) -> Response:
        """Metrics of tickets that are not archived, newest ticket first."""
        condition = (
            "kind = 'tickets' and status is distinct from 'deleted' and not (status = 'closed' and updated < %(fresh)s)"
        )
        return await self._list(
            request,
            "ticket_metrics",
            condition,
            {"fresh": int(self.clock.now()) - ARCHIVE_SECONDS},
            "doc->'metric_set'",
            newest_first=True,
        )

    async def list_deleted_tickets(self, request: Request) -> Response:
        """Deleted tickets, by id."""
        shape = "json_build_object('id', id, 'subject', doc->>'subject', 'previous_state', 'open', 'deleted_at', doc->>'updated_at', 'actor', null)"
        return await self._list(request, "deleted_tickets", "kind = 'tickets' and status = 'deleted'", {}, shape)

    async def list_deleted_users(self, request: Request) -> Response:
        """Users that were deleted: inactive ones."""
        return await self._list(request, "deleted_users", "kind = 'users' and doc->>'active' = 'false'", {}, "doc")

    async def count(self, request: Request) -> Response:
        """Number of tickets a list would show."""
        ((value,),) = await self.rows(
            "select count(*) from zendesk_objects where kind = 'tickets' and status <> 'deleted' and not (status = 'closed' and updated < %(fresh)s)",
            {"fresh": int(self.clock.now()) - ARCHIVE_SECONDS},
        )
        return JSONResponse({"count": {"value": value, "refreshed_at": iso(self.clock.now())}})

    async def me(self, request: Request) -> Response:
        """Who am I; without credentials an anonymous user, not an error."""
        anonymous = not request.headers.get("authorization")
        return JSONResponse(
            {
                "user": {
                    "id": None if anonymous else 1,
                    "name": "Anonymous user" if anonymous else "API client",
                    "role": "end-user" if anonymous else "admin",
                    "email": "invalid@example.com" if anonymous else "api@force24.example",
                    "active": not anonymous,
                }
            }
        )
