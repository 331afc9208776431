"""Links between HubSpot objects: raw_hubspot.assoc_{from}_{to}, one row per pair, key 'from:to'.

    POST /crm/associations/{v}/{from}/{to}/batch/read, 1000 ids a call → raw_hubspot.assoc_*

Linking and unlinking move no change clock. An increment therefore re-reads the links of every object whose own row
changed since the last increment (by load id), and a full scan those of all objects. Pairs are always read from the
same side, so that labels of the two directions cannot take turns in one row; a changed object of the other side leads
to the objects it is, or was, linked to. A pair that is absent from a complete answer has ended.
The answer may be 207 with some inputs missing, in an order of its own: it is matched by id, never by place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from psycopg import sql

from extract import scan
from extract.errors import SourceUnavailable
from extract.sources.hubspot_client import Hubspot
from extract.stream import Chunk, Json, Reader, Record, Run, State, Stream, Table, to_milliseconds

IDS_PER_CALL = 1000
_PLURAL = {"company": "companies", "contact": "contacts", "deal": "deals", "note": "notes", "meeting": "meetings",
           "call": "calls"}  # fmt: skip
# Whether objects of the far side can gain links without a change of the near one. An engagement is born with its links.
_PAIRS = (
    ("company", "contact", True),
    ("deal", "company", False),
    ("note", "company", False),
    ("meeting", "company", False),
    ("call", "company", False),
    ("meeting", "contact", False),
    ("call", "contact", False),
)


@dataclass(frozen=True)
class _Links:
    """What the source says about some objects: pairs with their labels, and the objects it gave no verdict on."""

    labels: dict[tuple[str, str], list[str]]
    unanswered: set[str]
    version: int


def read_links(start: str, end: str, far_side_counts: bool) -> Reader:
    """The incremental reader of one pair of object types."""

    def read(run: Run[Hubspot]) -> Iterator[Chunk]:
        done: Json = run.state.cursor or {}
        near, far = _PLURAL[start], _PLURAL[end]
        _ask_the_clock(run)
        upto = {name: _finished(run, name) for name in ((near, far) if far_side_counts else (near,))}
        ids = set(_changed(run, near, done.get(near, 0)))
        if far_side_counts and done:
            changed = _changed(run, far, done.get(far, 0))
            ids |= _partners_now(run, far, near, changed) | _partners_stored(run, changed)
        state = State(upto) if upto != done else None
        batches = list(_batches(sorted(ids)))
        for number, batch in enumerate(batches, start=1):
            yield _chunk(run, near, far, batch, state=state if number == len(batches) else None)
        if not batches and state:
            yield Chunk(state=state)

    return read


def scan_links(start: str, end: str) -> Reader:
    """The full reader: the links of every object that has not ended, and the end of pairs whose object has."""

    def read(run: Run[Hubspot]) -> Iterator[Chunk]:
        near, far = _PLURAL[start], _PLURAL[end]
        _ask_the_clock(run)
        rows = run.db.execute(
            sql.SQL("select _pk from {} where _deleted_at is null order by _pk").format(_object_table(near))
        ).fetchall()
        met = 0
        ended: list[Record] = []
        for batch in _batches([key for (key,) in rows]):
            chunk = _chunk(run, near, far, batch, state=None)
            ended += [record for record in chunk.records if record.is_tombstone]
            chunk.records = [record for record in chunk.records if not record.is_tombstone]
            met += len(chunk.records)
            yield chunk
        orphaned = _pairs_of_ended_objects(run, near)
        live = met + len(ended) + len(orphaned)
        scan.refuse_shrinking(f"{run.table.schema}.{run.table.name}", live=live, missing=len(ended))
        ended += [_ended(run, pair) for pair in orphaned]
        for start_at in range(0, len(ended), IDS_PER_CALL):
            yield Chunk(records=ended[start_at : start_at + IDS_PER_CALL])

    return read


def _chunk(run: Run[Hubspot], near: str, far: str, ids: Sequence[str], *, state: State | None) -> Chunk:
    """The links of `ids` as records, and tombstones of the stored pairs that are not among them."""
    links = _ask(run, near, far, ids)
    records = [
        Record(
            pk=f"{from_id}:{to_id}",
            payload={"from_id": from_id, "to_id": to_id, "labels": labels},
            version=links.version,
        )
        for (from_id, to_id), labels in links.labels.items()
    ]
    answered = [key for key in ids if key not in links.unanswered]
    for pair in _stored_pairs(run, answered):
        from_id, _, to_id = pair.partition(":")
        if (from_id, to_id) not in links.labels:
            records.append(_ended(run, pair))
    return Chunk(records=records, state=state)


def _ended(run: Run[Hubspot], pair: str) -> Record:
    from_id, _, to_id = pair.partition(":")
    return Record(
        pk=pair,
        payload={"from_id": from_id, "to_id": to_id, "labels": []},
        version=None,
        deleted_at=run.source_now,
        delete_reason="deleted",
        is_tombstone=True,
    )


def _ask(run: Run[Hubspot], near: str, far: str, ids: Sequence[str]) -> _Links:
    """Links of `ids`, every page of every pair. Ids are compared as text: one side comes as a string, the other as a
    number."""
    labels: dict[tuple[str, str], list[str]] = {}
    unanswered: set[str] = set()
    inputs: list[Json] = [{"id": key} for key in ids]
    version = 0
    while inputs:
        reply = run.client.http.post(run.client.associations(near, far), {"inputs": inputs})
        version = version or to_milliseconds(reply.at)
        inputs = []
        for result in reply.body.get("results") or []:
            from_id = str(result["from"]["id"])
            for target in result.get("to") or []:
                types = target.get("associationTypes") or []
                labels[(from_id, str(target["toObjectId"]))] = sorted(
                    {str(kind["label"]) for kind in types if kind.get("label")}
                )
            if after := ((result.get("paging") or {}).get("next") or {}).get("after"):
                inputs.append({"id": from_id, "after": after})
        unanswered |= _refused(reply.body.get("errors") or [])
    if len(unanswered) > len(ids) // 2 and len(ids) > 10:
        raise SourceUnavailable(
            f"HubSpot gave no answer on the links of {len(unanswered)} of {len(ids)} {near}; run again later."
        )
    return _Links(labels, unanswered, version)


def _refused(errors: Sequence[Json]) -> set[str]:
    """Objects whose links were not told for another reason than that there are none: theirs stay as they are."""
    found: set[str] = set()
    for error in errors:
        if error.get("category") == "OBJECT_NOT_FOUND" or "NO_ASSOCIATIONS_FOUND" in str(error.get("subCategory")):
            continue
        found |= {str(key) for key in (error.get("context") or {}).get("fromObjectId", [])}
    return found


def _ask_the_clock(run: Run[Hubspot]) -> None:
    """A small question first: what ends in this run ends at the source's time, not at ours."""
    run.client.http.get(run.client.owners(), {"limit": 1})


def _object_table(plural: str) -> sql.Identifier:
    return sql.Identifier("raw_hubspot", plural)


def _finished(run: Run[Hubspot], plural: str) -> int:
    """The newest load that wrote rows of `plural` and has ended: of later ones more rows may still appear."""
    query = sql.SQL(
        "select coalesce(max(_load_id), 0) from {} where _load_id <= (select max(load_id) from ops.load_run"
        " where source = 'hubspot' and stream = %s and status <> 'running')"
    ).format(_object_table(plural))
    row = run.db.execute(query, (plural,)).fetchone()
    return row[0] if row else 0


def _changed(run: Run[Hubspot], plural: str, since: int) -> list[str]:
    query = sql.SQL("select _pk from {} where _load_id > %s order by _pk").format(_object_table(plural))
    return [key for (key,) in run.db.execute(query, (since,)).fetchall()]


def _partners_now(run: Run[Hubspot], far: str, near: str, ids: list[str]) -> set[str]:
    return {to_id for batch in _batches(ids) for _, to_id in _ask(run, far, near, batch).labels}


def _partners_stored(run: Run[Hubspot], ids: list[str]) -> set[str]:
    query = sql.SQL(
        "select distinct split_part(_pk, ':', 1) from {}"
        " where _deleted_at is null and split_part(_pk, ':', 2) = any(%s)"
    ).format(run.table.identifier)
    return {key for (key,) in run.db.execute(query, (ids,)).fetchall()}


def _stored_pairs(run: Run[Hubspot], from_ids: list[str]) -> list[str]:
    query = sql.SQL(
        "select _pk from {} where _deleted_at is null and split_part(_pk, ':', 1) = any(%s) order by _pk"
    ).format(run.table.identifier)
    return [key for (key,) in run.db.execute(query, (from_ids,)).fetchall()]


def _pairs_of_ended_objects(run: Run[Hubspot], near: str) -> list[str]:
    query = sql.SQL(
        "select l._pk from {} as l join {} as o on o._pk = split_part(l._pk, ':', 1)"
        " where l._deleted_at is null and o._deleted_at is not null order by l._pk"
    ).format(run.table.identifier, _object_table(near))
    return [key for (key,) in run.db.execute(query).fetchall()]


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    keys = iter(ids)
    while batch := list(islice(keys, IDS_PER_CALL)):
        yield batch


def _stream(start: str, end: str, far_side_counts: bool) -> Stream:
    name = f"assoc_{start}_{end}"
    after: tuple[str, ...] = (_PLURAL[start], _PLURAL[end]) if far_side_counts else (_PLURAL[start],)
    return Stream(
        name,
        Table("raw_hubspot", name),
        read_links(start, end, far_side_counts),
        scan_links(start, end),
        after=after,
    )


STREAMS: list[Stream] = [_stream(*pair) for pair in _PAIRS]
