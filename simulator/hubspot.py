"""HubSpot CRM over HTTP: objects, search, associations, owners, properties, pipelines.

The v3/v4 paths and the date-versioned ones reach the same handlers. Records are properties (strings or null) under an
envelope.
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulator import hubspot_records, hubspot_search
from simulator.clock import iso_ms
from simulator.hubspot_schema import definitions, pipelines, resolve_type
from simulator.limits import Budgets
from simulator.wire import Refused, Vendor, base_url

VERSIONS = ("2026-03", "2026-09")
PAGE_MOST = 100
SEARCH_MOST = 200
ASSOCIATIONS_MOST = 1000
Handler = Callable[[Request], Awaitable[Response]]


def error(status: int, category: str, message: str, **extra: Any) -> JSONResponse:
    """HubSpot's error envelope."""
    body = {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category}
    return JSONResponse({**body, **extra}, status)


class HubSpot(Vendor):
    """The CRM."""

    name = "HubSpot"

    def make_budgets(self) -> Budgets:
        return Budgets(ten_secondly=(190, 10), search=(5, 1), daily=(1_000_000, 86_400))

    def routes(self) -> list[Route]:
        routes: list[Route] = []
        for objects, links, rest in (
            ("/crm/v3/objects", "/crm/v4/associations", "/crm/v3/{}"),
            ("/crm/objects/{version}", "/crm/associations/{version}", "/crm/{}/{{version}}"),
        ):
            owners, properties, stages = (rest.format(what) for what in ("owners", "properties", "pipelines"))
            routes += [
                self._route(links + "/{from_type}/{to_type}/batch/read", self.read_associations, "POST"),
                self._route(owners, self.list_owners),
                self._route(owners + "/", self.list_owners),
                self._route(owners + "/{id}", self.one_owner),
                self._route(properties + "/{type}", self.list_properties),
                self._route(stages + "/{type}", self.list_pipelines),
                self._route(objects + "/{type}/batch/read", self.batch_read, "POST"),
                self._route(objects + "/{type}/search", self.search, "POST"),
                self._route(objects + "/{type}", self.list_objects),
                self._route(objects + "/{type}/{id}", self.one_object),
            ]
        for objects in ("/crm/v4/objects", "/crm/objects/{version}"):
            routes.append(self._route(objects + "/{from_type}/{id}/associations/{to_type}", self.one_association))
        return routes

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        async def answer(request: Request) -> Response:
            if request.path_params.get("version", VERSIONS[0]) not in VERSIONS:
                return await self.not_found(request, LookupError("version"))
            return await handler(request)

        return Route(path, answer, methods=[method])

    def identify(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        if given == f"Bearer {self.settings.hubspot_token}" and self.settings.hubspot_token:
            return None
        category = "INVALID_AUTHENTICATION"
        if not given:
            return error(401, category, "Authentication credentials not found. This API supports OAuth 2.0.")
        return error(401, category, "The access token is invalid or has been revoked.")

    def buckets(self, request: Request) -> list[str]:
        return ["search" if request.url.path.endswith("/search") else "ten_secondly", "daily"]

    def refusal(self, bucket: str) -> Response:
        policies = {"search": "SECONDLY", "daily": "DAILY", "ten_secondly": "TEN_SECONDLY_ROLLING"}
        return self._limited(policies[bucket], None)

    def _limited(self, policy: str, retry_after: Any) -> Response:
        """429: the search limiter speaks another dialect than the others, and neither sends Retry-After by itself."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        body = {"status": "error", "message": f"You have reached your {policy.lower()} limit."}
        body["correlationId"] = str(uuid.uuid4())
        if policy == "SECONDLY":
            return JSONResponse({**body, "category": "RATE_LIMITS"}, 429, headers)
        more = {"errorType": "RATE_LIMIT", "policyName": policy, "requestId": str(uuid.uuid4())}
        return JSONResponse({**body, **more}, 429, headers)

    def failure(self, spec: dict[str, Any]) -> Response:
        status = int(spec.get("status", 503))
        if status == 429:
            return self._limited(spec.get("policy", "TEN_SECONDLY_ROLLING"), spec.get("retry_after"))
        if spec.get("envelope") == "html" or status in (520, 524):
            return HTMLResponse(f"<html><body><h1>Error {status}</h1></body></html>", status)
        category = {401: "EXPIRED_AUTHENTICATION", 403: "MISSING_SCOPES", 423: "LOCKED"}.get(status, "INTERNAL_ERROR")
        message = "The OAuth token used to make this call expired." if status == 401 else "internal error"
        response = error(status, category, message)
        if spec.get("retry_after") is not None:
            response.headers["Retry-After"] = str(spec["retry_after"])
        return response

    def headers(self, request: Request) -> dict[str, str]:
        daily, ten = self.budgets.windows["daily"], self.budgets.windows["ten_secondly"]
        found = {
            "X-HubSpot-RateLimit-Daily": str(daily.limit),
            "X-HubSpot-RateLimit-Daily-Remaining": str(daily.remaining()),
            "X-HubSpot-Correlation-Id": str(uuid.uuid4()),
        }
        if request.url.path.endswith("/search"):
            return {**found, "x-hubspot-rate-limit-exemptions": "ten-secondly"}
        return {
            **found,
            "X-HubSpot-RateLimit-Max": str(ten.limit),
            "X-HubSpot-RateLimit-Remaining": str(ten.remaining()),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Secondly": str(ten.limit // 10),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(min(ten.limit // 10, ten.remaining())),
        }

    async def not_found(self, request: Request, problem: Exception) -> Response:
        return error(404, "OBJECT_NOT_FOUND", "resource not found")

    def unreadable(self, problem: ValueError) -> Response:
        return error(400, "VALIDATION_ERROR", f"Invalid input JSON: {problem}")

    def type_of(self, request: Request, member: str = "type") -> str:
        """The object type of a path, plural; refuses unknown ones and those whose scope a switch takes away."""
        given = request.path_params[member]
        object_type = resolve_type(given)
        if object_type is None:
            raise Refused(error(400, "VALIDATION_ERROR", f"Unable to infer object type from: {given}"))
        if object_type in (self.switches.get("forbid") or []):
            context = {"requiredGranularScopes": [f"crm.objects.{object_type}.read"]}
            missing = [{"message": "One or more of the following scopes are required.", "context": context}]
            message = "This app hasn't been granted all required scopes to make this call."
            raise Refused(error(403, "MISSING_SCOPES", message, errors=missing))
        return object_type

    def number(self, given: Any, name: str, default: int, most: int) -> int:
        """A paging number from query or body."""
        if given in (None, ""):
            return default
        if not str(given).isdigit() or int(given) > most:
            problem = {"message": f"{name} must be between 0 and {most}", "in": name}
            raise Refused(error(400, "VALIDATION_ERROR", f"Invalid {name}: {given}", errors=[problem]))
        return int(given)

    def paging(self, request: Request, limit: int) -> tuple[int, int, bool]:
        """`limit`, `after` and `archived` of a list request."""
        query = request.query_params
        after = self.number(query.get("after"), "after", 0, 10**18)
        wants_archived = query.get("archived", "false").lower() == "true"
        return self.number(query.get("limit"), "limit", 10, limit) or 10, after, wants_archived

    def listed(self, request: Request, results: list[dict[str, Any]], follow: str | None) -> Response:
        """A page; the last one has no `paging`."""
        body: dict[str, Any] = {"results": results}
        if follow is not None:
            link = request.url.include_query_params(after=follow)
            body["paging"] = {"next": {"after": follow, "link": f"{base_url(request)}{link.path}?{link.query}"}}
        return JSONResponse(body)

    async def list_objects(self, request: Request) -> Response:
        """Live or archived records, ids ascending."""
        object_type = self.type_of(request)
        query = request.query_params
        if query.get("propertiesWithHistory"):
            message = "propertiesWithHistory: this simulator keeps no property history"
            raise Refused(error(400, "VALIDATION_ERROR", message))
        limit, after, archived = self.paging(request, PAGE_MOST)
        rows, follow = await hubspot_records.page(self.rows, object_type, after=after, limit=limit, archived=archived)
        wanted, host = _names(query.getlist("properties")), base_url(request)
        results = [hubspot_records.envelope(object_type, row, wanted, host) for row in rows]
        for name in _names(query.getlist("associations")):
            to_type = resolve_type(name)
            if to_type is not None:
                await hubspot_records.add_inline(self.rows, object_type, to_type, results)
        return self.listed(request, results, follow)

    async def one_object(self, request: Request) -> Response:
        """One record; an absorbed id answers with the survivor."""
        object_type = self.type_of(request)
        one = request.path_params["id"]
        _, _, archived = self.paging(request, PAGE_MOST)
        rows = await hubspot_records.by_ids(self.rows, object_type, [one], archived=archived)
        if one not in rows:
            return error(404, "OBJECT_NOT_FOUND", f"Object not found.  objectId are usually numeric. ({one})")
        wanted = _names(request.query_params.getlist("properties"))
        return JSONResponse(hubspot_records.envelope(object_type, rows[one], wanted, base_url(request)))

    async def batch_read(self, request: Request) -> Response:
        """Up to 100 records by id; 207 with errors for those that are not there."""
        object_type = self.type_of(request)
        body = await request.json()
        ids = [str(one["id"]) for one in body.get("inputs", [])]
        if len(ids) > PAGE_MOST:
            return error(400, "VALIDATION_ERROR", f"Batch size exceeded: at most {PAGE_MOST} inputs")
        rows = await hubspot_records.by_ids(self.rows, object_type, ids, archived=bool(body.get("archived")))
        wanted, host = body.get("properties"), base_url(request)
        results = [hubspot_records.envelope(object_type, rows[one], wanted, host) for one in ids if one in rows]
        missing = [one for one in ids if one not in rows]
        message = f"Could not get some {object_type} objects, they may be deleted or not exist."
        problem = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": missing}}
        return self._batch(results, [problem] if missing else [])

    def _batch(self, results: list[dict[str, Any]], problems: list[dict[str, Any]]) -> Response:
        """A batch answer: 207 as soon as one input failed, and results do not line up with inputs."""
        now = iso_ms(self.clock.now())
        body: dict[str, Any] = {"status": "COMPLETE", "startedAt": now, "completedAt": now, "results": results}
        if problems:
            body |= {"numErrors": len(problems), "errors": problems}
        return JSONResponse(body, 207 if problems else 200)

    async def search(self, request: Request) -> Response:
        """Filtered records; at most 10,000 of a query can be paged through, archived and merged ones never appear."""
        object_type = self.type_of(request)
        body = await request.json()
        limit = self.number(body.get("limit"), "limit", 10, SEARCH_MOST)
        offset = self.number(body.get("after"), "after", 0, 10**9)
        if offset + limit > hubspot_search.MOST_RESULTS:
            message = f"Paging through more than {hubspot_search.MOST_RESULTS} results of a search is not possible"
            return error(400, "VALIDATION_ERROR", message)
        try:
            query = hubspot_search.compile_query(body)
        except ValueError as problem:
            return error(400, "VALIDATION_ERROR", f"There was a problem with the request: {problem}")
        lag = float(self.switches.get("search_lag_seconds") or 0)
        known = datetime.fromtimestamp(self.clock.now() - lag, UTC)
        values = {"known": known, "limit": limit, "offset": offset}
        total, rows = await hubspot_records.found(self.rows, object_type, query, values)
        wanted, host = body.get("properties"), base_url(request)
        results = [hubspot_records.envelope(object_type, row, wanted, host) for row in rows]
        answer: dict[str, Any] = {"total": total, "results": results}
        if offset + limit < total:
            answer["paging"] = {"next": {"after": str(offset + limit)}}
        return JSONResponse(answer)

    async def read_associations(self, request: Request) -> Response:
        """Links of up to 1,000 records; inputs without any are left out and make the answer a 207."""
        from_type, to_type = self.type_of(request, "from_type"), self.type_of(request, "to_type")
        inputs = (await request.json()).get("inputs", [])
        if len(inputs) > ASSOCIATIONS_MOST:
            return error(400, "VALIDATION_ERROR", f"Batch size exceeded: at most {ASSOCIATIONS_MOST} inputs")
        starts = {str(one["id"]): int(one.get("after") or 0) for one in inputs}
        ids = [int(one) for one in starts if one.isdigit()]
        linked = await hubspot_records.pairs(self.rows, from_type, to_type, ids)
        results, problems = [], []
        for one, after in starts.items():
            rest = [pair for pair in linked.get(int(one) if one.isdigit() else -1, []) if pair[0] >= after]
            if rest:
                results.append({"from": {"id": one}, **hubspot_records.linked_page(from_type, to_type, rest)})
            else:
                problems.append(hubspot_records.no_link(from_type, to_type, one))
        return self._batch(results, problems)

    async def one_association(self, request: Request) -> Response:
        """Links of one record, paged."""
        from_type, to_type = self.type_of(request, "from_type"), self.type_of(request, "to_type")
        limit = self.number(request.query_params.get("limit"), "limit", 500, hubspot_records.LINKED_MOST)
        after = self.number(request.query_params.get("after"), "after", 0, 10**18)
        one = int(request.path_params["id"]) if request.path_params["id"].isdigit() else -1
        linked = (await hubspot_records.pairs(self.rows, from_type, to_type, [one])).get(one, [])
        page = hubspot_records.linked_page(from_type, to_type, [pair for pair in linked if pair[0] >= after], limit)
        follow = page["paging"]["next"]["after"] if "paging" in page else None
        return self.listed(request, page["to"], follow)

    async def list_owners(self, request: Request) -> Response:
        """Owners; archived ones only when asked for."""
        _, after, archived = self.paging(request, 500)
        limit = self.number(request.query_params.get("limit"), "limit", 100, 500)
        rows, follow = await hubspot_records.page(self.rows, "owners", after=after, limit=limit, archived=archived)
        return self.listed(request, [hubspot_records.owner_doc(row) for row in rows], follow)

    async def one_owner(self, request: Request) -> Response:
        """One owner."""
        one = request.path_params["id"]
        _, _, archived = self.paging(request, 500)
        rows = await hubspot_records.by_ids(self.rows, "owners", [one], archived=archived)
        if one not in rows:
            return error(404, "OBJECT_NOT_FOUND", f"Owner {one} not found")
        return JSONResponse(hubspot_records.owner_doc(rows[one]))

    async def list_properties(self, request: Request) -> Response:
        """Property definitions; not paged, none is archived."""
        _, _, archived = self.paging(request, PAGE_MOST)
        return JSONResponse({"results": [] if archived else definitions(self.type_of(request))})

    async def list_pipelines(self, request: Request) -> Response:
        """Pipelines with their stages."""
        return JSONResponse({"results": pipelines(self.type_of(request))})


def _names(values: list[str]) -> list[str]:
    """Comma lists and repeated parameters, both occur."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]
