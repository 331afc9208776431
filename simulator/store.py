# ruff: noqa: S608 - table and column names are constants of this module
"""The simulator's own database: the world's state and what the vendors would show of it.

Vendor records are rows with their document as JSON; the columns beside it are what lists, searches and feeds need.
Documents are `json`, not `jsonb`, where they are served as they are: order and spelling survive and nothing is parsed
twice.
"""

import json
from typing import Any, NamedTuple

import psycopg

from simulator.billing_docs import Invoice
from simulator.clock import iso_ms
from simulator.ledger import Ledger
from simulator.support_docs import Ticket
from simulator.world import Account, Columns, Contact, Subscription, World

SCHEMA = """
create table if not exists estate (
    is_only boolean primary key default true check (is_only),
    seed bigint not null, account_count integer not null, day_count integer not null,
    first_day integer not null, last_day integer not null, offset_days integer not null, target_day integer,
    world json not null);
alter table estate add column if not exists regime text not null default 'hidden';
create table if not exists deeds (
    id text primary key, account integer not null, family text not null, strength double precision not null,
    carried_out integer);
create table if not exists moments (
    id text primary key, day integer not null, account integer not null, arm text not null,
    probability double precision not null, state json not null);
create table if not exists past (id text primary key, doc json not null);
create table if not exists accounts (no integer primary key, state json not null);
create table if not exists hubspot_objects (
    object_type text, id bigint, created_at timestamptz not null, updated_at timestamptz not null,
    archived_at timestamptz, erased_at timestamptz, merged_into bigint, merged_ids text, properties jsonb not null,
    primary key (object_type, id));
create index if not exists hubspot_by_change on hubspot_objects (object_type, updated_at);
create table if not exists hubspot_links (
    from_type text, from_id bigint, to_type text, to_id bigint, is_primary boolean not null,
    primary key (from_type, from_id, to_type, to_id));
create index if not exists hubspot_links_back on hubspot_links (to_type, to_id, from_type);
create table if not exists stripe_objects (
    id text primary key, object text not null, seq bigint not null, created bigint not null,
    customer text, subscription text, status text, deleted bigint, doc json not null, plan json);
create index if not exists stripe_newest on stripe_objects (object, created desc, seq desc);
create index if not exists stripe_by_customer on stripe_objects (customer);
create table if not exists stripe_events (
    id text primary key, seq bigint not null, created bigint not null, type text not null, doc json not null);
create index if not exists stripe_events_newest on stripe_events (created desc, seq desc);
create table if not exists zendesk_objects (
    kind text, id bigint, created bigint not null, updated bigint not null, generated bigint not null,
    status text, doc json not null, plan json, primary key (kind, id));
create index if not exists zendesk_by_change on zendesk_objects (kind, generated, id);
"""
TABLES = (
    "estate, deeds, moments, past, accounts, hubspot_objects, hubspot_links, stripe_objects, stripe_events, "
    "zendesk_objects"
)
COLUMNS = {
    "hubspot_objects": "object_type, id, created_at, updated_at, archived_at, merged_into, merged_ids, properties",
    "hubspot_links": "from_type, from_id, to_type, to_id, is_primary",
    "stripe_objects": "id, object, seq, created, customer, subscription, status, deleted, doc, plan",
    "stripe_events": "id, seq, created, type, doc",
    "zendesk_objects": "kind, id, created, updated, generated, status, doc, plan",
}
CONFLICTS = {
    "hubspot_objects": """(object_type, id) do update set
        updated_at = excluded.updated_at, properties = excluded.properties,
        archived_at = coalesce(excluded.archived_at, old.archived_at),
        merged_ids = coalesce(old.merged_ids, excluded.merged_ids)""",
    "hubspot_links": "(from_type, from_id, to_type, to_id) do nothing",
    "stripe_objects": """(id) do update set
        customer = excluded.customer, status = excluded.status, doc = excluded.doc, plan = excluded.plan,
        deleted = coalesce(excluded.deleted, old.deleted)""",
    "stripe_events": "(id) do nothing",
    "zendesk_objects": """(kind, id) do update set
        updated = excluded.updated, generated = excluded.generated, status = excluded.status,
        doc = excluded.doc, plan = excluded.plan where old.status is distinct from 'deleted'""",
}
"""What an incident did to a record (archived, merged, deleted) survives a later ordinary change of it."""
SAVE_ESTATE = """
    insert into estate (seed, account_count, day_count, first_day, last_day, offset_days, target_day, world)
    values (%(seed)s, %(accounts)s, %(days)s, %(first)s, %(last)s, %(offset)s, %(target)s, %(world)s)
    on conflict (is_only) do update set last_day = excluded.last_day, offset_days = excluded.offset_days,
        target_day = excluded.target_day, world = excluded.world
"""


def prepare(db: psycopg.Connection) -> None:
    """Create what is missing."""
    db.execute(SCHEMA)  # pyright: ignore[reportArgumentType]
    db.commit()


def has_estate(db: psycopg.Connection) -> bool:
    """Whether a seed was completed."""
    return db.execute("select from estate").fetchone() is not None


def clear(db: psycopg.Connection) -> None:
    """Empty every table, inside the caller's transaction."""
    db.execute(f"truncate {TABLES}".encode())


def dump(value: Any) -> str:
    """JSON of plain data; state dataclasses become objects."""
    return json.dumps(value, default=vars, separators=(",", ":"), ensure_ascii=False)


def _moment(second: float | None) -> str | None:
    return None if second is None else iso_ms(second)


def _rows(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Rows per table, in the order of COLUMNS."""
    return {
        "hubspot_objects": [
            (
                row.object_type,
                row.id,
                _moment(row.created),
                _moment(row.updated),
                _moment(row.archived),
                row.merged_into,
                row.merged_ids,
                dump(row.properties),
            )
            for row in ledger.hubspot.values()
        ],
        "hubspot_links": [(*key, is_primary) for key, is_primary in ledger.links.items()],
        "stripe_objects": [
            (
                row.id,
                row.object,
                row.seq,
                row.created,
                row.customer,
                row.subscription,
                row.status,
                row.deleted,
                dump(row.doc),
                dump(row.plan) if row.plan else None,
            )
            for row in ledger.stripe.values()
        ],
        "stripe_events": [(*event[:4], dump(event[4])) for event in ledger.events],
        "zendesk_objects": [
            (
                row.kind,
                row.id,
                row.created,
                row.updated,
                row.generated,
                row.status,
                dump(row.doc),
                dump(row.plan) if row.plan else None,
            )
            for row in ledger.zendesk.values()
        ],
    }


def write_ledger(db: psycopg.Connection, ledger: Ledger, *, is_fresh: bool) -> None:
    """Write everything the ledger holds, inside the caller's transaction; `is_fresh` when nothing can be there yet."""
    for table, rows in _rows(ledger).items():
        if not rows:
            continue
        columns = COLUMNS[table]
        arriving = table if is_fresh else f"arriving_{table}"
        if not is_fresh:
            like = f"(like {table} including defaults) on commit delete rows"
            db.execute(f"create temporary table if not exists {arriving} {like}".encode())
        with db.cursor() as cursor, cursor.copy(f"copy {arriving} ({columns}) from stdin".encode()) as copy:
            for row in rows:
                copy.write_row(row)
        if not is_fresh:
            taken = f"insert into {table} as old ({columns}) select {columns} from {arriving}"
            db.execute(f"{taken} on conflict {CONFLICTS[table]}".encode())


def save_world(
    db: psycopg.Connection, world: World, *, offset_days: int, target_day: int | None, accounts: int, days: int
) -> None:
    """State of the world after its last day; only accounts that changed are rewritten."""
    state = {
        "columns": world.columns.to_json(),
        "counters": world.counters,
        "signups": [day for day in world.signups if day > world.day],
        "answers": world.answers,
        "later": world.later,
    }
    with db.cursor() as cursor:
        cursor.executemany(
            "insert into accounts (no, state) values (%s, %s) on conflict (no) do update set state = excluded.state",
            [(number, dump(world.accounts[number - 1])) for number in sorted(world.touched)],
        )
    world.touched.clear()
    values = {"seed": world.seed, "accounts": accounts, "days": days, "first": world.first_day, "last": world.day}
    db.execute(SAVE_ESTATE, {**values, "offset": offset_days, "target": target_day, "world": dump(state)})


class Moment(NamedTuple):
    """A moment at which a CSM could have acted.

    `arm` is the family of what they set out to do, or none; `probability` that of acting at all; `state` as of
    `truth.state_of`.
    """

    id: str
    day: int
    account: int
    arm: str
    probability: float
    state: dict[str, Any]


def keep_moment(db: psycopg.Connection, moment: Moment) -> None:
    """Keep a moment; the first account of it stands."""
    db.execute(
        "insert into moments (id, day, account, arm, probability, state) values (%s, %s, %s, %s, %s, %s) "
        "on conflict (id) do nothing",
        [*moment[:5], dump(moment.state)],
    )


def moments(db: psycopg.Connection) -> list[Moment]:
    """All of them, in order of day and id."""
    rows = db.execute("select id, day, account, arm, probability, state from moments order by day, id")
    return [Moment(*row) for row in rows]


def keep_past(db: psycopg.Connection, regime: str, rows: list[dict[str, Any]], moments: list[Moment]) -> None:
    """What CSMs did before the product was there, and when they could have: of a new estate, once."""
    db.execute("update estate set regime = %s", [regime])
    with db.cursor() as cursor:
        with cursor.copy("copy past (id, doc) from stdin") as copy:
            for row in rows:
                copy.write_row([row["id"], dump(row)])
        with cursor.copy("copy moments (id, day, account, arm, probability, state) from stdin") as copy:
            for moment in moments:
                copy.write_row([*moment[:5], dump(moment.state)])


def past(db: psycopg.Connection) -> list[dict[str, Any]]:
    """What CSMs did before the product was there, in the order in which they began it."""
    return [doc for (doc,) in db.execute("select doc from past order by doc->>'began_at', id")]


def keep_deed(db: psycopg.Connection, key: str, account: int, family: str, strength: float) -> bool:
    """Something was done for a customer; it works from the next day on. False when it was kept before."""
    kept = db.execute(
        "insert into deeds (id, account, family, strength) values (%s, %s, %s, %s) on conflict (id) do nothing",
        [key, account, family, strength],
    )
    return kept.rowcount == 1


def take_deeds(db: psycopg.Connection, day: int) -> list[tuple[int, str, float]]:
    """Deeds that have not worked yet, marked as working from `day` on, in the caller's transaction."""
    rows = db.execute(
        "update deeds set carried_out = %s where carried_out is null returning id, account, family, strength", [day]
    )
    return [(account, family, strength) for _, account, family, strength in sorted(rows.fetchall())]


def regime(db: psycopg.Connection) -> str:
    """How CSMs choose in this world and what works in it."""
    row = db.execute("select regime from estate").fetchone()
    if row is None:
        raise LookupError("No estate: run `python -m simulator seed` first.")
    return row[0]


def load_world(db: psycopg.Connection) -> World:
    """The world as the last `save_world` left it, open tickets and invoices included."""
    row = db.execute("select seed, first_day, last_day, world from estate").fetchone()
    if row is None:
        raise LookupError("No estate: run `python -m simulator seed` first.")
    seed, first_day, last_day, state = row
    parts = {name: state[name] for name in ("counters", "signups", "answers", "later")}
    world = World(seed=seed, first_day=first_day, day=last_day, **parts)
    for (data,) in db.execute("select state from accounts order by no"):
        data["contacts"] = [Contact(**contact) for contact in data["contacts"]]
        data["subscriptions"] = [Subscription(**sub) for sub in data["subscriptions"]]
        world.accounts.append(Account(**data))
    world.domains = {account.domain for account in world.accounts}
    world.columns = Columns.from_json(state["columns"], world.accounts)
    for (plan,) in db.execute("select plan from zendesk_objects where plan is not null order by id"):
        ticket = Ticket(**plan)
        world.tickets[ticket.id] = ticket
    for (plan,) in db.execute(
        "select plan from stripe_objects where plan is not null and object = 'invoice' order by seq"
    ):
        invoice = Invoice(**plan)
        world.invoices[invoice.id] = invoice
    return world
