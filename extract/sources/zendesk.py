"""Zendesk Support: tickets with their metrics, users, organizations, satisfaction ratings.

    GET /api/v2/incremental/tickets/cursor.json?include=metric_sets → raw_zendesk.tickets
    GET /api/v2/incremental/users/cursor.json                       → raw_zendesk.users
    GET /api/v2/incremental/organizations.json (time-based)         → raw_zendesk.organizations
    GET /api/v2/satisfaction_ratings.json                           → raw_zendesk.satisfaction_ratings

Key: id. Change clock: `generated_timestamp` on tickets (system updates move it and leave `updated_at`), `updated_at`
elsewhere. The cursor export ends at `end_of_stream`, never at an empty page; metrics are taken inside the ticket
because the list of metrics leaves out archived tickets. Limits: exports 10 a minute, the account 200-700 a minute.
Alone: `python -m extract zendesk tickets`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from extract import scan
from extract.http import Reply
from extract.sources.zendesk_client import Zendesk, open_account
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

EXPORT_PAGE = 1000
LIST_PAGE = 100
PAGES_PER_CHUNK = 10
MOST_STUCK_PAGES = 5
CURSOR_FALLBACK = timedelta(hours=1)
TIME_OVERLAP = timedelta(seconds=60)
COMMENTS_ARRIVE_WITHIN = timedelta(days=30)
_SIDELOADS = {"tickets": "metric_sets"}
_ERASED_NAME = "Permanently Deleted User"


def read_export(name: str) -> Reader:
    """The incremental reader of a cursor export. A refused cursor falls back to an hour before the watermark."""

    def read(run: Run[Zendesk]) -> Iterator[Chunk]:
        cursor = (run.state.cursor or {}).get("after_cursor")
        start = run.state.watermark - CURSOR_FALLBACK if run.state.watermark else None
        newest = run.state.watermark
        for page in _export(run, name, cursor, start):
            chunk = _chunk(name, page)
            clocks = [from_milliseconds(record.version) for record in chunk.records if record.version is not None]
            newest = max(clocks + ([newest] if newest else []), default=None)
            after = page.body.get("after_cursor") or cursor
            if chunk.records or chunk.quarantined or not page.body.get("end_of_stream"):
                chunk.state = State({"after_cursor": after}, newest)
            yield chunk

    return read


def scan_export(name: str) -> Reader:
    """The full reader: the export from its beginning; what it does not return any more was erased."""

    def read(run: Run[Zendesk]) -> Iterator[Chunk]:
        for page in _export(run, name, None, None):
            yield _chunk(name, page)
        yield from scan.tombstone_unseen(run, reason="deleted")

    return read


def read_organizations(run: Run[Zendesk]) -> Iterator[Chunk]:
    """The time-based export from a minute before the watermark."""
    start = run.state.watermark - TIME_OVERLAP if run.state.watermark else None
    newest = run.state.watermark
    for page in _timed_export(run, "organizations", start):
        chunk = _chunk("organizations", page)
        if chunk.records and page.body.get("end_time"):
            end = datetime.fromtimestamp(page.body["end_time"], UTC)
            newest = max(newest, end) if newest else end
            chunk.state = State(None, newest)
        yield chunk


def scan_organizations(run: Run[Zendesk]) -> Iterator[Chunk]:
    """The whole time-based export; organizations absent from it are missing."""
    for page in _timed_export(run, "organizations", None):
        yield _chunk("organizations", page)
    yield from scan.tombstone_unseen(run)


def read_ratings(run: Run[Zendesk]) -> Iterator[Chunk]:
    """Ratings created since 30 days before the newest one: a comment is added to a rating later."""
    watermark = run.state.watermark
    start = watermark - COMMENTS_ARRIVE_WITHIN if watermark else None
    newest = watermark
    for chunk in _rating_chunks(run, start):
        created = [at for record in chunk.records if (at := parse_time(record.payload.get("created_at")))]
        newest = max(created + ([newest] if newest else []), default=None)
        yield chunk
    # Pages are not promised to be in order of creation, so only the end of the list moves the watermark.
    yield Chunk(state=State(None, newest))


def scan_ratings(run: Run[Zendesk]) -> Iterator[Chunk]:
    """All ratings from the first on."""
    yield from _rating_chunks(run, None)
    yield from scan.tombstone_unseen(run)


def _export(run: Run[Zendesk], name: str, cursor: str | None, start: datetime | None) -> Iterator[Reply]:
    """Pages of the cursor export from `cursor`, else from `start`, else from the beginning, to the stream's end."""
    path = f"/api/v2/incremental/{name}/cursor.json"
    stuck = 0
    while True:
        params: dict[str, str | int] = {"per_page": EXPORT_PAGE}
        if name in _SIDELOADS:
            params["include"] = _SIDELOADS[name]
        if cursor:
            params["cursor"] = cursor
        else:
            params["start_time"] = int(start.timestamp()) if start else 0
        reply = run.client.http.get(path, params, allow=(400, 404, 422))
        if reply.status != 200:
            if _is_too_recent(reply):
                return
            if not cursor or _names_no_cursor(reply):
                run.client.http.get(path, params)
                return
            run.journal.warn(f"{name}: the export refused its cursor ({reply.status}); read again from "
                             f"{start.isoformat() if start else 'the beginning'}.")  # fmt: skip
            cursor = None
            continue
        yield reply
        following = reply.body.get("after_cursor")
        if reply.body.get("end_of_stream"):
            return
        # A page may be empty without being the end; only one that never moves on is given up.
        stuck = stuck + 1 if not following or following == cursor else 0
        if stuck == MOST_STUCK_PAGES:
            run.journal.warn(f"{name}: the export neither ended nor moved on; the next run continues here.")
            return
        cursor = following or cursor


def _timed_export(run: Run[Zendesk], name: str, start: datetime | None) -> Iterator[Reply]:
    """Pages of a time-based export. The last second of a page is repeated on the next one, which may itself be full of
    that second: pages are followed until the end is told, or a page brings nothing new."""
    path = f"/api/v2/incremental/{name}.json"
    params: dict[str, str | int] = {"start_time": int(start.timestamp()) if start else 0, "per_page": EXPORT_PAGE}
    met: set[tuple[int, str]] = set()
    while True:
        reply = run.client.http.get(path, params, allow=(422,))
        if reply.status != 200:
            if not _is_too_recent(reply):
                run.client.http.get(path, params)
            return
        versions = {(item.get("id"), item.get("updated_at")) for item in reply.body[name]}
        is_new = not versions <= met
        met |= versions
        if is_new:
            yield reply
        following = reply.body.get("next_page")
        if reply.body.get("end_of_stream") or not following or not (is_new or versions == set()):
            return
        query = parse_qs(urlsplit(run.client.http.pinned(following)).query)
        asked = {key: values[-1] for key, values in query.items()}
        if {**params, **asked} == params:
            return
        params = {**params, **asked}


def _is_too_recent(reply: Reply) -> bool:
    """422 for a start younger than a minute: nothing new, and no reason to fail."""
    return reply.status == 422 and "too recent" in str((reply.body or {}).get("description", "")).lower()


def _names_no_cursor(reply: Reply) -> bool:
    """404 InvalidEndpoint means the path is wrong, 404 RecordNotFound may be an expired cursor."""
    return reply.status == 404 and "InvalidEndpoint" in str(reply.body)


def _rating_chunks(run: Run[Zendesk], start: datetime | None) -> Iterator[Chunk]:
    params: dict[str, str | int] = {"page[size]": LIST_PAGE}
    if start:
        params["start_time"] = int(start.timestamp())
    chunk, page_count = Chunk(), 0
    while True:
        reply = run.client.http.get("/api/v2/satisfaction_ratings.json", params)
        page = _chunk("satisfaction_ratings", reply)
        chunk.records += page.records
        chunk.quarantined += page.quarantined
        page_count += 1
        meta = reply.body.get("meta") or {}
        is_last = not meta.get("has_more") or not meta.get("after_cursor")
        if is_last or page_count % PAGES_PER_CHUNK == 0:
            yield chunk
            chunk = Chunk()
        if is_last:
            return
        params = {**params, "page[after]": meta["after_cursor"]}


def _chunk(name: str, reply: Reply) -> Chunk:
    records: list[Record] = []
    quarantined: list[Quarantined] = []
    for item in reply.body.get(name) or []:
        if isinstance(item, dict) and item.get("id") is not None:
            records.append(_record(name, item, reply.at))
        else:
            quarantined.append(Quarantined("no_primary_key", "A record without id.", repr(item).encode()))
    return Chunk(records=records, quarantined=quarantined)


def _record(name: str, item: Json, at: datetime) -> Record:
    changed = parse_time(item.get("updated_at"))
    generated = item.get("generated_timestamp")
    version = to_milliseconds(changed) if changed else None
    if isinstance(generated, int):
        version = generated * 1000
    gone = _is_gone(name, item)
    return Record(
        pk=str(item["id"]),
        payload=item,
        version=version,
        updated_at=changed,
        deleted_at=(changed or at) if gone else None,
        delete_reason="deleted" if gone else None,
    )


def _is_gone(name: str, item: Json) -> bool:
    """Deleted tickets stay in the export with a status of their own; users become inactive."""
    if name == "tickets":
        return item.get("status") == "deleted"
    if name == "users":
        return item.get("active") is False or item.get("name") == _ERASED_NAME
    return False


def _table(name: str) -> Table:
    return Table("raw_zendesk", name, volatile=frozenset({"fields", "url"} if name == "tickets" else {"url"}))


_STREAMS = (
    Stream("tickets", _table("tickets"), read_export("tickets"), scan_export("tickets")),
    Stream("users", _table("users"), read_export("users"), scan_export("users")),
    Stream("organizations", _table("organizations"), read_organizations, scan_organizations),
    Stream("satisfaction_ratings", _table("satisfaction_ratings"), read_ratings, scan_ratings),
)

SOURCE = Source("zendesk", "Zendesk", {stream.name: stream for stream in _STREAMS}, open_account, workers=4)
