"""Stripe billing: customers, subscriptions, invoices, prices, products, and the events that say what changed.

    GET /v1/{object}?limit=100          → raw_stripe.{object}   first load, full scan, and after a long pause
    GET /v1/events?types[]=… then GET /v1/{object}/{id}  → raw_stripe.{object}   increments
    GET /v1/events                      → raw_stripe.events

Key: the object's id. No list has an "updated" filter, so changes come from events; an event carries its object as the
account's old API version drew it, so the object itself is fetched. Events live 30 days: a stream whose watermark is
older than 29 is listed again in full, and the gap is told. Version of an object is the source's clock when it was
fetched. Limits: 100 requests a second, 25 for each kind of object.
Alone: `python -m extract stripe invoices`.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from extract import scan
from extract.http import Reply
from extract.sources.stripe_client import Stripe, is_cursor_gone, open_account
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
    to_milliseconds,
)

OVERLAP = timedelta(minutes=30)
SETTLING = timedelta(seconds=60)
EVENTS_LIVE = timedelta(days=29)
WINDOW = timedelta(days=2)
PAGES_PER_CHUNK = 10
IDS_PER_CHUNK = 500
MOST_HYDRATED = 5_000
FETCHERS = 4


@dataclass(frozen=True)
class _Object:
    """One kind of object: its list, the name events know it by, the events that mean it changed, what to complete."""

    plural: str
    name: str
    events: tuple[str, ...]
    list_params: tuple[tuple[str, str], ...] = ()


def _types(prefix: str, *verbs: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{verb}" for verb in verbs)


_OBJECTS = (
    _Object(
        "customers",
        "customer",
        (
            *_types("customer", "created", "updated", "deleted"),
            *_types("customer.discount", "created", "updated", "deleted"),
        ),
    ),
    _Object("products", "product", _types("product", "created", "updated", "deleted")),
    _Object("prices", "price", _types("price", "created", "updated", "deleted")),
    _Object(
        "subscriptions",
        "subscription",
        _types(
            "customer.subscription", "created", "updated", "deleted", "paused", "resumed", "pending_update_applied",
            "pending_update_expired", "trial_will_end",
        ),
        # The default leaves out canceled ones; `all` even has those of deleted customers.
        (("status", "all"),),
    ),
    _Object(
        "invoices",
        "invoice",
        (
            *_types(
                "invoice", "created", "updated", "finalized", "finalization_failed", "paid", "payment_succeeded",
                "payment_failed", "payment_action_required", "voided", "marked_uncollectible", "overdue", "sent",
                "deleted",
            ),
            "invoice_payment.paid",
        ),
    ),
)  # fmt: skip


def read_object(kind: _Object) -> Reader:
    """The incremental reader: the list until it has been read once, events afterwards."""

    def read(run: Run[Stripe]) -> Iterator[Chunk]:
        newest_event = _newest_event(run)
        if run.state.watermark is None:
            yield from _first_load(run, kind, newest_event)
            return
        if run.source_now - run.state.watermark > EVENTS_LIVE:
            why = f"events since {run.state.watermark:%Y-%m-%d} are no longer kept"
            yield from _list_again(run, kind, why, newest_event)
            return
        newest, ids, gone = _changed(run, kind)
        if len(ids) > MOST_HYDRATED:
            yield from _list_again(run, kind, f"{len(ids)} objects changed", newest_event)
            return
        keys = sorted(ids)
        if not keys:
            return
        for start in range(0, len(keys), IDS_PER_CHUNK):
            batch = keys[start : start + IDS_PER_CHUNK]
            is_last = start + IDS_PER_CHUNK >= len(keys)
            yield Chunk(
                records=_fetch(run, kind, batch, ids, gone),
                state=State(None, max(newest, run.state.watermark)) if is_last else None,
                window_from=run.state.watermark - OVERLAP,
                window_to=run.source_now - SETTLING,
            )

    return read


def scan_object(kind: _Object) -> Reader:
    """The full reader: the whole list, and a question about each object that was not on it."""

    def read(run: Run[Stripe]) -> Iterator[Chunk]:
        _newest_event(run)
        yield from _whole_list(run, kind)
        yield from scan.tombstone_unseen(run, confirm=lambda keys: _fetch(run, kind, keys, {}, {}))

    return read


def read_events(run: Run[Stripe]) -> Iterator[Chunk]:
    """All events of the window, oldest part first: each part is read to its end before the watermark moves."""
    _newest_event(run)
    upper = run.source_now - SETTLING
    lower = (run.state.watermark - OVERLAP) if run.state.watermark else upper - timedelta(days=30)
    if run.state.watermark and run.source_now - run.state.watermark > timedelta(days=30):
        run.journal.warn(f"Events between {run.state.watermark:%Y-%m-%d} and {upper - timedelta(days=30):%Y-%m-%d} "
                         "were no longer kept by Stripe and are not loaded.")  # fmt: skip
    newest = run.state.watermark
    while lower < upper:
        until = min(lower + WINDOW, upper)
        records = [
            Record(pk=item["id"], payload=item, version=item["created"], updated_at=_time(item["created"]))
            for item in _events_between(run, lower, until, ())
        ]
        newest = max([record.updated_at for record in records if record.updated_at] + ([newest] if newest else []),
                     default=None)  # fmt: skip
        # An empty account has a watermark too: the end of what was read, or its first event would be read for ever.
        mark = newest or (until if until == upper else None)
        yield Chunk(records=records, state=State(None, mark), window_from=lower, window_to=until)
        lower = until


def _newest_event(run: Run[Stripe]) -> datetime:
    """When the newest event of any type happened; the source's clock when there is none. The first request of a run,
    it also tells that clock."""
    found = run.client.http.get("/v1/events", {"limit": 1}).body["data"]
    return _time(found[0]["created"]) if found else run.source_now.replace(microsecond=0)


def _first_load(run: Run[Stripe], kind: _Object, newest_event: datetime) -> Iterator[Chunk]:
    """The list, newest first, continued below the oldest object of an earlier run that was cut off. The watermark is
    the newest event before the first of them: every later change has a later event."""
    cursor = run.state.cursor or {"since": int(newest_event.timestamp()), "below": None}
    for records, quarantined, below, is_last in _list_parts(run, kind, cursor["below"]):
        state = State(None, _time(cursor["since"])) if is_last else State({**cursor, "below": below})
        yield Chunk(records, quarantined, state)


def _list_again(run: Run[Stripe], kind: _Object, why: str, newest_event: datetime) -> Iterator[Chunk]:
    run.journal.warn(f"{kind.plural}: listed again in full, because {why}.")
    yield from _whole_list(run, kind)
    yield Chunk(state=State(None, newest_event))


def _whole_list(run: Run[Stripe], kind: _Object) -> Iterator[Chunk]:
    for records, quarantined, _, _ in _list_parts(run, kind, None):
        yield Chunk(records, quarantined)


def _list_parts(
    run: Run[Stripe], kind: _Object, below: int | None
) -> Iterator[tuple[list[Record], list[Quarantined], int | None, bool]]:
    """Parts of the list from `created` <= `below` downwards: records, unusable rows, the last `created`, is it the end.

    When the object a page ended with is deleted meanwhile, the list starts over at that second; objects met twice
    are unchanged to the loader.
    """
    records: list[Record] = []
    quarantined: list[Quarantined] = []
    while True:
        params: dict[str, str | int] = dict(kind.list_params)
        if below is not None:
            params["created[lte]"] = below
        restart = False
        for page_number, reply in enumerate(run.client.pages(f"/v1/{kind.plural}", params), start=1):
            if is_cursor_gone(reply):
                restart = True
                break
            usable = [item for item in reply.body["data"] if item.get("id")]
            quarantined += [
                Quarantined("no_primary_key", "A record without id.", repr(item).encode())
                for item in reply.body["data"]
                if not item.get("id")
            ]
            with ThreadPoolExecutor(FETCHERS) as pool:
                records += pool.map(lambda item, page=reply: _record(run, kind, item, page), usable)
            below = usable[-1].get("created", below) if usable else below
            if page_number % PAGES_PER_CHUNK == 0 and reply.body.get("has_more"):
                yield records, quarantined, below, False
                records, quarantined = [], []
        if not restart:
            yield records, quarantined, below, True
            return


def _changed(run: Run[Stripe], kind: _Object) -> tuple[datetime, dict[str, int], dict[str, Json]]:
    """The newest event's time, the ids that events name (with the newest event's time), and last states of deleted
    ones."""
    watermark = run.state.watermark
    assert watermark is not None  # noqa: S101 - the caller asked
    newest, ids, gone, skipped = watermark, {}, {}, 0
    for event in _events_between(run, watermark - OVERLAP, run.source_now - SETTLING, kind.events):
        drawn = event["data"]["object"]
        key = drawn.get("id") if drawn.get("object") == kind.name else drawn.get(kind.name)
        newest = max(newest, _time(event["created"]))
        if not isinstance(key, str):
            skipped += 1
            continue
        ids[key] = max(ids.get(key, 0), event["created"])
        if event["type"].endswith(".deleted") and drawn.get("object") == kind.name:
            gone[key] = drawn
    if skipped:
        run.journal.warn(f"{kind.plural}: {skipped} events without an object id were skipped.")
    return newest, ids, gone


def _events_between(run: Run[Stripe], lower: datetime, upper: datetime, types: Sequence[str]) -> Iterator[Json]:
    """Events created in (lower, upper], newest first, each once. Starts over when a page's last event vanished."""
    seen: set[str] = set()
    params: dict[str, str | int] = {"created[gt]": int(lower.timestamp()), "created[lte]": int(upper.timestamp())}
    while True:
        restart = False
        for reply in run.client.pages("/v1/events", params, types=types):
            if is_cursor_gone(reply):
                restart = True
                break
            for item in reply.body["data"]:
                if item["id"] not in seen:
                    seen.add(item["id"])
                    yield item
        if not restart:
            return


def _fetch(
    run: Run[Stripe], kind: _Object, keys: Sequence[str], changed_at: dict[str, int], gone: dict[str, Json]
) -> list[Record]:
    """Each object as it is now. A deleted one is a stub, or 404 for a draft: a tombstone."""

    def one(key: str) -> Record:
        reply = run.client.http.get(f"/v1/{kind.plural}/{key}", allow=(404,))
        at = changed_at.get(key)
        if reply.status == 404 or reply.body.get("deleted"):
            evidence = gone.get(key) or (reply.body if reply.status == 200 else {"id": key, "deleted": True})
            return Record(
                pk=key,
                payload=evidence,
                version=to_milliseconds(reply.at),
                deleted_at=_time(at) if at else reply.at,
                delete_reason="deleted",
                is_tombstone=True,
            )
        return _record(run, kind, reply.body, reply, at)

    with ThreadPoolExecutor(FETCHERS) as pool:
        return list(pool.map(one, keys))


def _record(run: Run[Stripe], kind: _Object, item: Json, reply: Reply, changed_at: int | None = None) -> Record:
    if kind.plural == "subscriptions" and isinstance(item.get("items"), dict):
        item = {**item, "items": run.client.complete(
            item["items"], "/v1/subscription_items", {"subscription": item["id"]})}  # fmt: skip
    if kind.plural == "invoices" and isinstance(item.get("lines"), dict):
        item = {**item, "lines": run.client.complete(item["lines"], f"/v1/invoices/{item['id']}/lines", {})}
    return Record(
        pk=item["id"],
        payload=item,
        version=to_milliseconds(reply.at),
        updated_at=_time(changed_at) if changed_at else None,
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_SIGNED_LINKS = frozenset({"hosted_invoice_url", "invoice_pdf"})


def _stream(kind: _Object) -> Stream:
    table = Table("raw_stripe", kind.plural, volatile=_SIGNED_LINKS)
    return Stream(kind.plural, table, read_object(kind), scan_object(kind))


_EVENTS = Stream("events", Table("raw_stripe", "events", volatile=frozenset({"pending_webhooks"})), read_events)

SOURCE = Source(
    "stripe",
    "Stripe",
    # The long ones first: with several streams at once, the last to start ends last.
    {stream.name: stream for stream in (*map(_stream, reversed(_OBJECTS)), _EVENTS)},
    open_account,
    workers=3,
)
