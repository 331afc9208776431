"""HubSpot CRM over HTTP: objects, search, associations, owners, properties, pipelines.

The v3/v4 paths and the date-versioned ones reach the same handlers. Records are properties (strings or null) under an envelope.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulator import hubspot_search
from simulator.clock import iso_ms
from simulator.hubspot_schema import (
    DEFAULT_PROPERTIES,
    TYPE_IDS,
    association_types,
    definitions,
    inline_types,
    pipelines,
    resolve_type,
)
from simulator.limits import Budgets
from simulator.wire import Vendor, base_url

COLUMNS = "id, created_at, updated_at, archived_at, merged_ids, properties"
VERSIONS = ("2026-03", "2026-09")
PAGE_MAX = 100
DAILY = 1_000_000


def error(status: int, category: str, message: str, **extra: Any) -> JSONResponse:
    """HubSpot's error envelope."""
    return JSONResponse(
        {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category, **extra},
        status,
    )


class Refused(Exception):
    """Raised by handlers; carries the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__("refused")
        self.response = response


class HubSpot(Vendor):
    """The CRM."""

    name = "HubSpot"

    def make_budgets(self) -> Budgets:
        return Budgets(ten_secondly=(190, 10), search=(5, 1), daily=(DAILY, 86_400))

    def routes(self) -> list[Route]:
        found: list[Route] = []
        for objects, links, rest in (
            ("/crm/v3/objects", "/crm/v4/associations", "/crm/v3/{what}"),
            ("/crm/objects/{version}", "/crm/associations/{version}", "/crm/{what}/{version}"),
        ):
            owners, properties, pipes = (rest.replace("{what}", what) for what in ("owners", "properties", "pipelines"))
            found += [
                self._route(links + "/{from_type}/{to_type}/batch/read", self.read_associations, "POST"),
                self._route(owners, self.list_owners),
                self._route(owners + "/", self.list_owners),
                self._route(owners + "/{id}", self.one_owner),
                self._route(properties + "/{type}", self.list_properties),
                self._route(pipes + "/{type}", self.list_pipelines),
                self._route(objects + "/{type}/batch/read", self.batch_read, "POST"),
                self._route(objects + "/{type}/search", self.search, "POST"),
                self._route(objects + "/{type}", self.list_objects),
                self._route(objects + "/{type}/{id}", self.one_object),
            ]
        found.append(self._route("/crm/v4/objects/{from_type}/{id}/associations/{to_type}", self.one_association))
        found.append(
            self._route("/crm/objects/{version}/{from_type}/{id}/associations/{to_type}", self.one_association)
        )
        return found

    def _route(self, path: str, handler: Any, method: str = "GET") -> Route:
        async def answer(request: Request) -> Response:
            version = request.path_params.get("version")
            if version is not None and version not in VERSIONS:
                return await self.not_found(request, LookupError(version))
            try:
                return await handler(request)
            except Refused as refusal:
                return refusal.response

        return Route(path, answer, methods=[method])

    def identify(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        if given == f"Bearer {self.settings.hubspot_token}" and self.settings.hubspot_token:
            return None
        if not given:
            return error(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
            )
        return error(401, "INVALID_AUTHENTICATION", "The access token is invalid or has been revoked.")

    def buckets(self, request: Request) -> list[str]:
        return ["search", "daily"] if request.url.path.endswith("/search") else ["ten_secondly", "daily"]

    def refusal(self, bucket: str) -> Response:
        return self._limited({"search": "SECONDLY", "daily": "DAILY"}.get(bucket, "TEN_SECONDLY_ROLLING"), None)

    def _limited(self, policy: str, retry_after: Any) -> Response:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if policy == "SECONDLY":
            body = {
                "status": "error",
                "message": "You have reached your secondly limit.",
                "correlationId": str(uuid.uuid4()),
                "category": "RATE_LIMITS",
            }
            return JSONResponse(body, 429, headers)
        name = policy.lower()
        body = {
            "status": "error",
            "message": f"You have reached your {name} limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": str(uuid.uuid4()),
            "policyName": policy,
            "requestId": str(uuid.uuid4()),
        }
        return JSONResponse(body, 429, headers)

    def failure(self, spec: dict[str, Any]) -> Response:
        status = int(spec.get("status", 503))
        if status == 429:
            return self._limited(spec.get("policy", "TEN_SECONDLY_ROLLING"), spec.get("retry_after"))
        if spec.get("envelope") == "html" or status in (520, 524):
            return HTMLResponse(f"<html><body><h1>Error {status}</h1><p>cloud proxy</p></body></html>", status)
        category = {401: "EXPIRED_AUTHENTICATION", 403: "MISSING_SCOPES", 423: "LOCKED"}.get(status, "INTERNAL_ERROR")
        response = error(
            status, category, {401: "The OAuth token used to make this call expired."}.get(status, "internal error")
        )
        if spec.get("retry_after") is not None:
            response.headers["Retry-After"] = str(spec["retry_after"])
        return response

    def headers(self, request: Request) -> dict[str, str]:
        windows = self.budgets.windows
        found = {
            "X-HubSpot-RateLimit-Daily": str(windows["daily"].limit),
            "X-HubSpot-RateLimit-Daily-Remaining": str(windows["daily"].remaining()),
            "X-HubSpot-Correlation-Id": str(uuid.uuid4()),
        }
        if request.url.path.endswith("/search"):
            return {**found, "x-hubspot-rate-limit-exemptions": "ten-secondly"}
        ten = windows["ten_secondly"]
        return {
            **found,
            "X-HubSpot-RateLimit-Max": str(ten.limit),
            "X-HubSpot-RateLimit-Remaining": str(ten.remaining()),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Secondly": str(ten.limit // 10),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(min(ten.limit // 10, ten.remaining())),
        }

    async def not_found(self, request: Request, error_: Exception) -> Response:
        return error(404, "OBJECT_NOT_FOUND", "resource not found")

    def type_of(self, request: Request, member: str = "type") -> str:
        """The object type of a path, plural; refuses unknown ones and those the switches forbid."""
        object_type = resolve_type(request.path_params[member])
        if object_type is None:
            raise Refused(
                error(400, "VALIDATION_ERROR", f"Unable to infer object type from: {request.path_params[member]}")
            )
        if object_type in (self.switches.get("forbid") or []):
            raise Refused(
                error(
                    403,
                    "MISSING_SCOPES",
                    "This app hasn't been granted all required scopes to make this call.",
                    errors=[
                        {
                            "message": "One or more of the following scopes are required.",
                            "context": {"requiredGranularScopes": [f"crm.objects.{object_type}.read"]},
                        }
                    ],
                )
            )
        return object_type

    def number(self, text: str | None, name: str, default: int, most: int) -> int:
        """A paging number from query or body."""
        if text is None or text == "":
            return default
        if not str(text).isdigit() or not 0 <= int(text) <= most:
            raise Refused(
                error(
                    400,
                    "VALIDATION_ERROR",
                    f"Invalid {name}: {text}",
                    errors=[{"message": f"{name} must be between 0 and {most}", "in": name}],
                )
            )
        return int(text)

    def shaped(self, object_type: str, row: tuple[Any, ...], wanted: list[str] | None, host: str) -> dict[str, Any]:
        """A record's envelope with the properties asked for; asked for but empty is null."""
        number, created, updated, archived, merged, stored = row
        clock_name = "lastmodifieddate" if object_type == "contacts" else "hs_lastmodifieddate"
        made, changed = iso_ms(created.timestamp()), iso_ms(updated.timestamp())
        always = {
            "createdate" if object_type in ("companies", "contacts", "deals") else "hs_createdate": made,
            clock_name: changed,
            "hs_object_id": str(number),
        }
        full = {**stored, **always, "createdate": made, "hs_merged_object_ids": merged}
        properties = {name: full.get(name) for name in (wanted or DEFAULT_PROPERTIES[object_type]) if name} | always
        doc: dict[str, Any] = {
            "id": str(number),
            "properties": properties,
            "createdAt": made,
            "updatedAt": changed,
            "archived": archived is not None,
        }
        if archived is not None:
            doc["archivedAt"] = iso_ms(archived.timestamp())
        doc["url"] = f"{host}/contacts/1490/record/{TYPE_IDS[object_type]}/{number}"
        return doc

    async def list_objects(self, request: Request) -> Response:
        """Live or archived records, ids ascending."""
        object_type = self.type_of(request)
        query = request.query_params
        if query.get("propertiesWithHistory"):
            raise Refused(
                error(400, "VALIDATION_ERROR", "propertiesWithHistory: this simulator keeps no property history")
            )
        limit = self.number(query.get("limit"), "limit", 10, PAGE_MAX) or 10
        after = self.number(query.get("after"), "after", 0, 10**18)
        is_archived = query.get("archived", "false").lower() == "true"
        rows = await self.rows(
            f"select {COLUMNS} from hubspot_objects where object_type = %(type)s and id >= %(after)s and merged_into is null and erased_at is null"
            f" and archived_at is {'not ' if is_archived else ''}null order by id limit %(limit)s",
            {"type": object_type, "after": after, "limit": limit + 1},
        )
        results = [
            self.shaped(object_type, row, _names(query.getlist("properties")), base_url(request))
            for row in rows[:limit]
        ]
        for to_name in _names(query.getlist("associations")):
            await self._inline(object_type, resolve_type(to_name), results)
        body: dict[str, Any] = {"results": results}
        if len(rows) > limit:
            follow = str(rows[limit][0])
            link = request.url.include_query_params(after=follow)
            body["paging"] = {"next": {"after": follow, "link": f"{base_url(request)}{link.path}?{link.query}"}}
        return JSONResponse(body)

    async def _inline(self, object_type: str, to_type: str | None, results: list[dict[str, Any]]) -> None:
        if to_type is None or not results:
            return
        pairs = await self._pairs(object_type, to_type, [int(result["id"]) for result in results])
        for result in results:
            linked = [
                {"id": str(to_id), "type": name}
                for to_id, _ in pairs.get(int(result["id"]), [])
                for name in inline_types(object_type, to_type)
            ]
            if linked:
                result.setdefault("associations", {})[to_type] = {"results": linked}

    async def one_object(self, request: Request) -> Response:
        """One record; an absorbed id answers with the survivor."""
        object_type = self.type_of(request)
        wanted = request.path_params["id"]
        is_archived = request.query_params.get("archived", "false").lower() == "true"
        rows = await self._by_ids(object_type, [wanted], archived=is_archived) if wanted.isdigit() else {}
        if not rows:
            return error(404, "OBJECT_NOT_FOUND", f"Object not found.  objectId are usually numeric. ({wanted})")
        return JSONResponse(
            self.shaped(
                object_type, rows[wanted], _names(request.query_params.getlist("properties")), base_url(request)
            )
        )

    async def _by_ids(self, object_type: str, ids: list[str], *, archived: bool) -> dict[str, tuple[Any, ...]]:
        found = await self.rows(
            f"with recursive asked(asked_id, id) as (select x, x from unnest(%(ids)s::bigint[]) x union select asked.asked_id, o.merged_into from asked"
            " join hubspot_objects o on o.object_type = %(type)s and o.id = asked.id where o.merged_into is not null)"
            f" select asked_id, {', '.join('o.' + name for name in COLUMNS.split(', '))} from asked join hubspot_objects o on o.object_type = %(type)s and o.id = asked.id"
            f" where o.merged_into is null and erased_at is null and archived_at is {'not ' if archived else ''}null",
            {"type": object_type, "ids": [int(one) for one in ids]},
        )
        return {str(row[0]): row[1:] for row in found}

    async def batch_read(self, request: Request) -> Response:
        """Up to 100 records by id; 207 with errors for those that are not there."""
        object_type = self.type_of(request)
        body = await request.json()
        ids = [str(one["id"]) for one in body.get("inputs", [])]
        if len(ids) > PAGE_MAX:
            return error(400, "VALIDATION_ERROR", "Batch size exceeded: at most 100 inputs")
        found = await self._by_ids(
            object_type, [one for one in ids if one.isdigit()], archived=bool(body.get("archived"))
        )
        results = [
            self.shaped(object_type, found[one], body.get("properties"), base_url(request))
            for one in ids
            if one in found
        ]
        missing = [one for one in ids if one not in found]
        now = iso_ms(self.clock.now())
        answer: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
        if missing:
            answer["numErrors"] = 1
            answer["errors"] = [
                {
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "message": f"Could not get some {object_type} objects, they may be deleted or not exist.",
                    "context": {"ids": missing},
                }
            ]
        return JSONResponse(answer, 207 if missing else 200)

    async def search(self, request: Request) -> Response:
        """Filtered records; at most 10,000 of a query can be paged through, archived and merged ones never appear."""
        object_type = self.type_of(request)
        body = await request.json()
        limit = self.number(str(body.get("limit") or 10), "limit", 10, 200)
        offset = self.number(str(body.get("after") or 0), "after", 0, 10**9)
        if offset >= hubspot_search.MOST_RESULTS or offset + limit > hubspot_search.MOST_RESULTS:
            return error(400, "VALIDATION_ERROR", "Paging through more than 10,000 results of a search is not possible")
        try:
            plan = hubspot_search.compile_query(object_type, body)
        except ValueError as problem:
            return error(400, "VALIDATION_ERROR", f"There was a problem with the request: {problem}")
        known_until = datetime.fromtimestamp(
            self.clock.now() - float(self.switches.get("search_lag_seconds") or 0), UTC
        )
        where = (
            "object_type = %(type)s and archived_at is null and merged_into is null and erased_at is null"
            f" and updated_at <= %(known)s and ({plan.condition})"
        )
        parameters = {**plan.parameters, "type": object_type, "known": known_until, "limit": limit, "offset": offset}
        ((total,),) = await self.rows(f"select count(*) from hubspot_objects where {where}", parameters)
        rows = await self.rows(
            f"select {COLUMNS} from hubspot_objects where {where} order by {plan.order} limit %(limit)s offset %(offset)s",
            parameters,
        )
        answer: dict[str, Any] = {
            "total": total,
            "results": [self.shaped(object_type, row, body.get("properties"), base_url(request)) for row in rows],
        }
        if offset + limit < total:
            answer["paging"] = {"next": {"after": str(offset + limit)}}
        return JSONResponse(answer)

    async def _pairs(self, from_type: str, to_type: str, ids: list[int]) -> dict[int, list[tuple[int, bool]]]:
        """Linked ids per id, ascending; links of archived or merged records are not shown."""
        rows = await self.rows(
            "select l.a, l.b, l.is_primary from (select from_id a, to_id b, is_primary from hubspot_links where from_type = %(f)s and to_type = %(t)s and from_id = any(%(ids)s)"
            " union all select to_id, from_id, is_primary from hubspot_links where from_type = %(t)s and to_type = %(f)s and to_id = any(%(ids)s)) l"
            " join hubspot_objects o on o.object_type = %(t)s and o.id = l.b and o.archived_at is null and o.merged_into is null and o.erased_at is null order by l.a, l.b",
            {"f": from_type, "t": to_type, "ids": ids},
        )
        found: dict[int, list[tuple[int, bool]]] = {}
        for from_id, to_id, is_primary in rows:
            found.setdefault(from_id, []).append((to_id, is_primary))
        return found

    async def read_associations(self, request: Request) -> Response:
        """Links of up to 1,000 records; inputs without any are left out and make the answer a 207."""
        from_type, to_type = self.type_of(request, "from_type"), self.type_of(request, "to_type")
        body = await request.json()
        inputs = body.get("inputs", [])
        if len(inputs) > 1000:
            return error(400, "VALIDATION_ERROR", "Batch size exceeded: at most 1000 inputs")
        starts = {str(one["id"]): int(one.get("after") or 0) for one in inputs}
        pairs = await self._pairs(from_type, to_type, [int(one) for one in starts if one.isdigit()])
        results, errors = [], []
        for one, after in starts.items():
            linked = [pair for pair in pairs.get(int(one), []) if pair[0] >= after] if one.isdigit() else []
            if linked:
                results.append({"from": {"id": one}, **self._linked(from_type, to_type, linked)})
            else:
                names = (
                    from_type.rstrip("s").replace("companie", "company"),
                    to_type.rstrip("s").replace("companie", "company"),
                )
                errors.append(
                    {
                        "status": "error",
                        "category": "OBJECT_NOT_FOUND",
                        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                        "message": f"No {names[1]} is associated with {names[0]} {one}.",
                        "context": {"fromObjectId": [one], "fromObjectType": [names[0]], "toObjectType": [names[1]]},
                    }
                )
        now = iso_ms(self.clock.now())
        answer: dict[str, Any] = {"status": "COMPLETE", "startedAt": now, "completedAt": now, "results": results}
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        return JSONResponse(answer, 207 if errors else 200)

    def _linked(self, from_type: str, to_type: str, linked: list[tuple[int, bool]], most: int = 500) -> dict[str, Any]:
        page: dict[str, Any] = {
            "to": [
                {"toObjectId": to_id, "associationTypes": association_types(from_type, to_type, is_primary)}
                for to_id, is_primary in linked[:most]
            ]
        }
        if len(linked) > most:
            page["paging"] = {"next": {"after": str(linked[most][0])}}
        return page

    async def one_association(self, request: Request) -> Response:
        """Links of one record, paged."""
        from_type, to_type = self.type_of(request, "from_type"), self.type_of(request, "to_type")
        limit = self.number(request.query_params.get("limit"), "limit", 500, 500)
        after = self.number(request.query_params.get("after"), "after", 0, 10**18)
        number = int(request.path_params["id"]) if request.path_params["id"].isdigit() else 0
        pairs = await self._pairs(from_type, to_type, [number])
        page = self._linked(from_type, to_type, [pair for pair in pairs.get(number, []) if pair[0] >= after], limit)
        body: dict[str, Any] = {"results": page["to"]}
        if "paging" in page:
            follow = page["paging"]["next"]["after"]
            body["paging"] = {
                "next": {"after": follow, "link": f"{base_url(request)}{request.url.path}?limit={limit}&after={follow}"}
            }
        return JSONResponse(body)

    def _owner(self, row: tuple[Any, ...]) -> dict[str, Any]:
        number, created, updated, archived, _, stored = row
        doc = {
            "id": str(number),
            "email": stored["email"],
            "type": "PERSON",
            "firstName": stored["firstName"],
            "lastName": stored["lastName"],
            "userIdIncludingInactive": number,
            "createdAt": iso_ms(created.timestamp()),
            "updatedAt": iso_ms(updated.timestamp()),
            "archived": archived is not None,
            "teams": [{"id": "7", "name": "Customer Success", "primary": True}],
        }
        return doc if archived is not None else {**doc, "userId": number}

    async def list_owners(self, request: Request) -> Response:
        """Owners; archived ones only when asked for."""
        limit = self.number(request.query_params.get("limit"), "limit", 100, 500)
        after = self.number(request.query_params.get("after"), "after", 0, 10**18)
        is_archived = request.query_params.get("archived", "false").lower() == "true"
        rows = await self.rows(
            f"select {COLUMNS} from hubspot_objects where object_type = 'owners' and id >= %(after)s and archived_at is {'not ' if is_archived else ''}null"
            " order by id limit %(limit)s",
            {"after": after, "limit": limit + 1},
        )
        body: dict[str, Any] = {"results": [self._owner(row) for row in rows[:limit]]}
        if len(rows) > limit:
            follow = str(rows[limit][0])
            body["paging"] = {
                "next": {"after": follow, "link": f"{base_url(request)}{request.url.path}?limit={limit}&after={follow}"}
            }
        return JSONResponse(body)

    async def one_owner(self, request: Request) -> Response:
        """One owner."""
        rows = await self.rows(
            f"select {COLUMNS} from hubspot_objects where object_type = 'owners' and id::text = %(id)s",
            {"id": request.path_params["id"]},
        )
        return JSONResponse(self._owner(rows[0])) if rows else error(404, "OBJECT_NOT_FOUND", "Owner not found")

    async def list_properties(self, request: Request) -> Response:
        """Property definitions; not paged."""
        is_archived = request.query_params.get("archived", "false").lower() == "true"
        return JSONResponse({"results": [] if is_archived else definitions(self.type_of(request))})

    async def list_pipelines(self, request: Request) -> Response:
        """Pipelines with their stages."""
        return JSONResponse({"results": pipelines(self.type_of(request))})


def _names(values: list[str]) -> list[str]:
    """Comma lists and repeated parameters, both occur."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]
