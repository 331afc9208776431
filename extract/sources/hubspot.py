"""HubSpot CRM: companies, contacts, deals, notes, meetings, calls, owners and the links between them.

    GET  /crm/objects/{v}/{type}                → raw_hubspot.{type}   first load and full scan, 100 a page
    POST /crm/objects/{v}/{type}/search         → raw_hubspot.{type}   increments, 200 a page
    GET  /crm/owners/{v}                        → raw_hubspot.owners   always whole, archived ones too
    POST /crm/associations/{v}/{a}/{b}/batch/read → raw_hubspot.assoc_*  (hubspot_links.py)

Key: the object's id. Change clock: `lastmodifieddate` on contacts, `hs_lastmodifieddate` elsewhere; archiving and
associating do not move it, so both are found by full scans. Limits: 190 requests in 10 s, search 5 a second.
Increments page by id inside a window of the change clock, never by `after`: the search index refuses to go past
10,000 results, and a bulk edit puts more than that on one millisecond.
Alone: `python -m extract hubspot companies`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from extract import scan
from extract.http import Reply
from extract.sources import hubspot_links
from extract.sources.hubspot_client import Hubspot, open_portal
from extract.stream import (
    Chunk,
    Json,
    Quarantined,
    Reader,
    Record,
    Run,
    Source,
    State,
    Stream,
    Table,
    from_milliseconds,
    parse_time,
    to_milliseconds,
)

OVERLAP = timedelta(minutes=15)
INDEX_LAG = timedelta(seconds=60)
LIST_PAGE = 100
SEARCH_PAGE = 200
PAGES_PER_CHUNK = 10
LONGEST_QUERY = 15_000
# The long ones first: with several streams at once, the last to start ends last.
OBJECTS = ("notes", "calls", "meetings", "contacts", "deals", "companies")
_VOLATILE = frozenset({"url"})


def change_clock(kind: str) -> str:
    return "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"


def read_objects(kind: str) -> Reader:
    """The incremental reader of one object type: plain lists until the first load is through, windows afterwards."""

    def read(run: Run[Hubspot]) -> Iterator[Chunk]:
        names = _property_names(run, kind)
        if run.state.watermark is None:
            yield from _first_load(run, kind, names)
        else:
            yield from _window(run, kind, names)

    return read


def scan_objects(kind: str) -> Reader:
    """The full reader: every live object, the recycle bin, and a question about each key that was in neither."""

    def read(run: Run[Hubspot]) -> Iterator[Chunk]:
        names = _property_names(run, kind)
        for page in _grouped(_list(run, kind, names, archived=False)):
            yield Chunk(*_records(kind, page))
        for page in _grouped(_list(run, kind, names, archived=True)):
            yield Chunk(*_records(kind, page))
        yield from scan.tombstone_unseen(run, confirm=lambda keys: _confirm(run, kind, keys))

    return read


def read_owners(run: Run[Hubspot]) -> Iterator[Chunk]:
    """All owners, active and archived: deals keep pointing at people who have left."""
    records: list[Record] = []
    for archived in ("false", "true"):
        after: str | None = None
        while True:
            params: dict[str, str | int] = {"limit": LIST_PAGE, "archived": archived}
            if after:
                params["after"] = after
            reply = run.client.http.get(run.client.owners(), params)
            records += [_owner(item, reply.at) for item in reply.body["results"]]
            after = _next_after(reply.body)
            if after is None:
                break
    yield Chunk(records=records)


def scan_owners(run: Run[Hubspot]) -> Iterator[Chunk]:
    """The same, and an end for owners that are in neither list."""
    yield from read_owners(run)
    yield from scan.tombstone_unseen(run)


def _owner(item: Json, at: datetime) -> Record:
    changed = parse_time(item.get("updatedAt"))
    gone = bool(item.get("archived"))
    return Record(
        pk=str(item.get("id") or ""),
        payload=item,
        version=to_milliseconds(changed) if changed else None,
        updated_at=changed,
        deleted_at=(parse_time(item.get("archivedAt")) or changed or at) if gone else None,
        delete_reason="archived" if gone else None,
    )


def _property_names(run: Run[Hubspot], kind: str) -> list[str]:
    """All properties of the type. Their declared types go to the drift table: every value is a string on the wire, so
    that a type changed in the portal would not show in the records."""
    definitions = run.client.properties(kind)
    run.journal.declared.update({f"declared:{one['name']}": str(one.get("type")) for one in definitions})
    return sorted(one["name"] for one in definitions)


def _first_load(run: Run[Hubspot], kind: str, names: list[str]) -> Iterator[Chunk]:
    """Plain list pages, then the recycle bin; continued at `after` when an earlier run was cut off.

    The watermark is the newest change seen, but not later than the start of the first page: what changed while the
    pages were read is found again by the next window, and so is what a source shows late with an earlier time.
    """
    cursor = run.state.cursor or {
        "since": to_milliseconds(run.source_now),
        "newest": 0,
        "archived": False,
        "after": None,
    }
    since, newest = cursor["since"], cursor["newest"]
    for archived in (False, True)[cursor["archived"] :]:
        first_after = cursor["after"] if archived == cursor["archived"] else None
        for pages in _grouped(_list(run, kind, names, archived=archived, after=first_after)):
            records, quarantined = _records(kind, pages)
            newest = max([newest, *(record.version or 0 for record in records)])
            after = _next_after(pages[-1].body)
            is_last = archived and after is None
            middle = {"since": since, "newest": newest, "archived": archived or after is None, "after": after}
            state = State(None, from_milliseconds(min(newest or since, since))) if is_last else State(middle)
            yield Chunk(records, quarantined, state)


def _window(run: Run[Hubspot], kind: str, names: list[str]) -> Iterator[Chunk]:
    """Objects changed since the watermark (less the overlap), by ascending id.

    The state in mid-window is the last id; at its end the newest change seen becomes the watermark, so that a window
    without changes leaves no trace.
    """
    watermark = run.state.watermark
    assert watermark is not None  # noqa: S101 - the caller asked
    cursor = run.state.cursor or {
        "from": to_milliseconds(watermark - OVERLAP),
        "to": to_milliseconds(run.source_now - INDEX_LAG),
        "last_id": "0",
        "newest": to_milliseconds(watermark),
    }
    if cursor["to"] <= cursor["from"]:
        return
    last_id, newest = cursor["last_id"], cursor["newest"]
    lower, upper = from_milliseconds(cursor["from"]), from_milliseconds(cursor["to"])
    pages: list[Reply] = []
    while True:
        reply = run.client.http.post(
            f"{run.client.objects(kind)}/search",
            {
                "filterGroups": [
                    {
                        "filters": [
                            {
                                "propertyName": change_clock(kind),
                                "operator": "BETWEEN",
                                "value": str(cursor["from"]),
                                "highValue": str(cursor["to"]),
                            },
                            {"propertyName": "hs_object_id", "operator": "GT", "value": last_id},
                        ]
                    }
                ],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": names,
                "limit": SEARCH_PAGE,
            },
        )
        found = reply.body["results"]
        pages.append(reply)
        is_last = not found or reply.body.get("total", SEARCH_PAGE + 1) <= len(found)
        newest = max([newest, *(_version(item, kind) or 0 for item in found)])
        if found:
            last_id = str(max(int(item["id"]) for item in found))
        if is_last or len(pages) == PAGES_PER_CHUNK:
            middle = State({**cursor, "last_id": last_id, "newest": newest}, watermark)
            state = State(None, from_milliseconds(newest)) if is_last else middle
            records, quarantined = _records(kind, pages)
            yield Chunk(records, quarantined, state, lower, upper)
            pages = []
        if is_last:
            return


def _list(
    run: Run[Hubspot], kind: str, names: list[str], *, archived: bool, after: str | None = None
) -> Iterator[Reply]:
    """List pages in the order of the API. When the property names do not fit into an address, ids are listed and the
    properties read by batch."""
    joined = ",".join(names)
    fits = len(joined) + 3 * (len(names) - 1) < LONGEST_QUERY
    while True:
        params: dict[str, str | int] = {"limit": LIST_PAGE, "archived": "true" if archived else "false"}
        if fits:
            params["properties"] = joined
        if after:
            params["after"] = after
        reply = run.client.http.get(run.client.objects(kind), params)
        if not fits and reply.body["results"]:
            filled = run.client.http.post(
                f"{run.client.objects(kind)}/batch/read?archived={'true' if archived else 'false'}",
                {"properties": names, "inputs": [{"id": item["id"]} for item in reply.body["results"]]},
            )
            reply = Reply(reply.status, {**reply.body, "results": filled.body["results"]}, reply.headers, reply.at)
        yield reply
        after = _next_after(reply.body)
        if after is None:
            return


def _grouped(pages: Iterator[Reply]) -> Iterator[list[Reply]]:
    group: list[Reply] = []
    for page in pages:
        group.append(page)
        if len(group) == PAGES_PER_CHUNK:
            yield group
            group = []
    if group:
        yield group


def _next_after(body: Json) -> str | None:
    """The cursor of the next page. The absolute `link` beside it is never followed."""
    following = (body.get("paging") or {}).get("next") or {}
    return following.get("after")


def _records(kind: str, pages: Sequence[Reply]) -> tuple[list[Record], list[Quarantined]]:
    records: list[Record] = []
    quarantined: list[Quarantined] = []
    for page in pages:
        for item in page.body["results"]:
            if not isinstance(item, dict) or not item.get("id"):
                quarantined.append(Quarantined("no_primary_key", "A record without id.", repr(item).encode()))
                continue
            records.append(_record(item, kind, page.at))
            records += _absorbed(item, kind, page.at)
    return records, quarantined


def _version(item: Json, kind: str) -> int | None:
    changed = parse_time((item.get("properties") or {}).get(change_clock(kind)) or item.get("updatedAt"))
    return to_milliseconds(changed) if changed else None


def _record(item: Json, kind: str, at: datetime) -> Record:
    version = _version(item, kind)
    gone = bool(item.get("archived"))
    return Record(
        pk=str(item["id"]),
        payload=item,
        version=version,
        updated_at=from_milliseconds(version) if version is not None else None,
        deleted_at=(parse_time(item.get("archivedAt")) or at) if gone else None,
        delete_reason="archived" if gone else None,
        is_tombstone=gone,
    )


def _absorbed(item: Json, kind: str, at: datetime) -> Iterable[Record]:
    """Tombstones of the ids a survivor has absorbed: they vanish from every list without being archived."""
    properties = item.get("properties") or {}
    merged = properties.get("hs_merged_object_ids") or properties.get("hs_calculated_merged_vids") or ""
    survivor = str(item["id"])
    for absorbed in {part.split(":")[0].strip() for part in str(merged).split(";")} - {"", survivor}:
        yield Record(
            pk=absorbed,
            payload={"id": absorbed, "merged_into": survivor},
            version=None,
            deleted_at=parse_time(properties.get(change_clock(kind))) or at,
            delete_reason="merged",
            merged_into=survivor,
            is_tombstone=True,
        )


def _confirm(run: Run[Hubspot], kind: str, keys: Sequence[str]) -> Iterator[Record]:
    """What became of objects that no list returned: still there, merged into another, or gone for ever."""
    for key in keys:
        reply = run.client.http.get(f"{run.client.objects(kind)}/{key}", allow=(404,))
        if reply.status == 404:
            yield scan.missing(run, key, "privacy" if kind == "contacts" else "missing")
        elif str(reply.body.get("id")) != key:
            survivor = reply.body
            properties = {**(survivor.get("properties") or {}), "hs_merged_object_ids": key}
            yield from _absorbed({**survivor, "properties": properties}, kind, reply.at)


def _table(name: str) -> Table:
    return Table("raw_hubspot", name, volatile=_VOLATILE)


_STREAMS = [
    *(Stream(kind, _table(kind), read_objects(kind), scan_objects(kind)) for kind in OBJECTS),
    Stream("owners", _table("owners"), read_owners, scan_owners),
    *hubspot_links.STREAMS,
]

SOURCE = Source("hubspot", "HubSpot", {stream.name: stream for stream in _STREAMS}, open_portal, workers=4)
