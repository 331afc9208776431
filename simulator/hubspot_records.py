# ruff: noqa: S608 - queries are put together from the constants below; every value is a parameter
"""CRM records and links as the API shows them: reading, enveloping, following merges."""

from typing import Any, Protocol

from simulator.clock import iso_ms
from simulator.hubspot_schema import DEFAULT_PROPERTIES, SINGULAR, TYPE_IDS, association_types, inline_types
from simulator.hubspot_search import Query

Row = tuple[Any, ...]
Doc = dict[str, Any]
COLUMNS = ("id", "created_at", "updated_at", "archived_at", "merged_ids", "properties")
SELECT = "select " + ", ".join(COLUMNS) + " from hubspot_objects where object_type = %(type)s"
KNOWN = "merged_into is null and erased_at is null"
LIVE = f"{KNOWN} and archived_at is null"
ARCHIVED = f"{KNOWN} and archived_at is not null"
LINKED_MOST = 500


class Reader(Protocol):
    """Runs a query and returns all rows."""

    async def __call__(self, query: str, parameters: dict[str, Any] | None = None) -> list[Row]: ...


def envelope(object_type: str, row: Row, wanted: list[str] | None, host: str) -> Doc:
    """A record with the properties asked for; asked for but empty is null, clocks and id always come."""
    number, created, updated, archived, merged, stored = row
    made, changed = iso_ms(created.timestamp()), iso_ms(updated.timestamp())
    has_plain_clock = object_type in ("companies", "contacts", "deals")
    always = {
        "createdate" if has_plain_clock else "hs_createdate": made,
        "lastmodifieddate" if object_type == "contacts" else "hs_lastmodifieddate": changed,
        "hs_object_id": str(number),
    }
    full = {**stored, **always, "createdate": made, "hs_merged_object_ids": merged}
    properties = {name: full.get(name) for name in (wanted or DEFAULT_PROPERTIES[object_type]) if name} | always
    doc: Doc = {
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


def owner_doc(row: Row) -> Doc:
    """An owner; archived ones have lost their `userId`."""
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


async def page(
    read: Reader, object_type: str, *, after: int, limit: int, archived: bool
) -> tuple[list[Row], str | None]:
    """Records from id `after` on, ascending, and the id at which the next page begins."""
    rows = await read(
        f"{SELECT} and {ARCHIVED if archived else LIVE} and id >= %(after)s order by id limit %(limit)s",
        {"type": object_type, "after": after, "limit": limit + 1},
    )
    return rows[:limit], str(rows[limit][0]) if len(rows) > limit else None


async def by_ids(read: Reader, object_type: str, ids: list[str], *, archived: bool) -> dict[str, Row]:
    """Records by the id asked for; an absorbed id leads to the survivor, over any number of merges."""
    rows = await read(
        f"""
        with recursive asked(asked_id, id) as (
            select given, given from unnest(%(ids)s::bigint[]) as given
            union
            select asked.asked_id, gone.merged_into from asked
            join hubspot_objects as gone on gone.object_type = %(type)s and gone.id = asked.id
            where gone.merged_into is not null
        )
        select asked.asked_id, {", ".join("o." + name for name in COLUMNS)} from asked
        join hubspot_objects as o on o.object_type = %(type)s and o.id = asked.id
        where {ARCHIVED if archived else LIVE}
        """,
        {"type": object_type, "ids": [int(one) for one in ids if one.isdigit()]},
    )
    return {str(row[0]): row[1:] for row in rows}


async def found(read: Reader, object_type: str, query: Query, values: dict[str, Any]) -> tuple[int, list[Row]]:
    """Total and one page of a search.

    `values` holds `known` (newest change the index has seen), `limit` and `offset`.
    """
    where = f"object_type = %(type)s and {LIVE} and updated_at <= %(known)s and ({query.condition})"
    parameters = {**query.parameters, **values, "type": object_type}
    ((total,),) = await read(f"select count(*) from hubspot_objects where {where}", parameters)
    rows = await read(
        f"select {', '.join(COLUMNS)} from hubspot_objects where {where} order by {query.order}"
        " limit %(limit)s offset %(offset)s",
        parameters,
    )
    return total, rows


async def pairs(read: Reader, from_type: str, to_type: str, ids: list[int]) -> dict[int, list[tuple[int, bool]]]:
    """(linked id, is primary) per id, ascending; links to archived, merged or erased records are not shown."""
    rows = await read(
        f"""
        with links as (
            select from_id as near, to_id as far, is_primary from hubspot_links
            where from_type = %(near)s and to_type = %(far)s and from_id = any(%(ids)s)
            union all
            select to_id, from_id, is_primary from hubspot_links
            where from_type = %(far)s and to_type = %(near)s and to_id = any(%(ids)s)
        )
        select links.near, links.far, links.is_primary from links
        join hubspot_objects as o on o.object_type = %(far)s and o.id = links.far and {LIVE}
        order by links.near, links.far
        """,
        {"near": from_type, "far": to_type, "ids": ids},
    )
    linked: dict[int, list[tuple[int, bool]]] = {}
    for near, far, is_primary in rows:
        linked.setdefault(near, []).append((far, is_primary))
    return linked


def linked_page(from_type: str, to_type: str, linked: list[tuple[int, bool]], most: int = LINKED_MOST) -> Doc:
    """`to` of an association answer: ids are numbers here, unlike everywhere else."""
    to = [
        {"toObjectId": far, "associationTypes": association_types(from_type, to_type, is_primary)}
        for far, is_primary in linked[:most]
    ]
    return {"to": to, "paging": {"next": {"after": str(linked[most][0])}}} if len(linked) > most else {"to": to}


def no_link(from_type: str, to_type: str, one: str) -> Doc:
    """The error that stands for an input without any link."""
    near, far = SINGULAR[from_type], SINGULAR[to_type]
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {far} is associated with {near} {one}.",
        "context": {"fromObjectId": [one], "fromObjectType": [near], "toObjectType": [far]},
    }


async def add_inline(read: Reader, object_type: str, to_type: str, results: list[Doc]) -> None:
    """`associations` inside list results: an id repeats once per association type."""
    linked = await pairs(read, object_type, to_type, [int(result["id"]) for result in results])
    for result in results:
        ids = [str(far) for far, _ in linked.get(int(result["id"]), [])]
        if ids:
            named = [{"id": one, "type": name} for one in ids for name in inline_types(object_type, to_type)]
            result.setdefault("associations", {})[to_type] = {"results": named}
