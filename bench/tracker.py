"""The tracker with 100,000 actions and a million events: the application's own calls beside plain SQL of the same work.

A server of its own, with the demo's settings and durable commits; nothing of a running demo is touched. Every call is
its own transaction. Service and plain SQL take turns on the same arguments: whatever else the machine does hits both.
"""

import random
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import Engine

from app.actions import service
from app.actions.lifecycle import CATEGORY, Category, Status
from app.actions.model import ActionFilter
from app.auth import Identity, Role
from app.db import make_engine, read, unit_of_work
from app.migrations.run import upgrade
from app.users import create_user
from bench.report import Figure, percentile
from local.postgres import Postgres, free_port
from local.warehouse import WarehouseRoles, prepare

ACTIONS = 100_000
EVENTS_EACH = 10
ROUNDS = 60
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
OPEN = (Category.NOT_STARTED, Category.STARTED, Category.PAUSED)
READ_PROMISE_MS, WRITE_PROMISE_MS = 300.0, 50.0

# A quarter is open, one in a hundred of those nobody's; two years of history, due dates around the day of creation.
_FILL = """
insert into app.context_snapshots values (gen_random_uuid(), 'a', '2026-11-19', '{}', decode(repeat('00', 32), 'hex'));
insert into app.decisions (
    decision_id, account_key, decided_at, policy_id, policy_version, chosen_intervention, arm, snapshot_id,
    snapshot_hash, stale_inputs
)
select gen_random_uuid(), 'a', now(), 'human', 1, 'training', 'human', snapshot_id, sha256, '[]'
from app.context_snapshots;

insert into app.actions (
    action_id, account_key, account_name, title, action_type, intervention, priority, status, owner_user_id,
    due_date, source, decision_id, created_by, created_at, updated_at, closed_at, result, version
)
select
    gen_random_uuid(), md5('account ' || n %% 5000), 'Account ' || n %% 5000,
    (array['Call about', 'Review of', 'Training for', 'Report on'])[1 + n %% 4] || ' topic ' || n,
    (array['risk', 'lifecycle', 'renewal', 'expansion', 'activity'])[1 + n %% 5], 'training',
    (array['critical', 'high', 'medium', 'low'])[1 + (n / 7) %% 4],
    case when n %% 4 > 0 then 'closed' else (array['new', 'in_progress', 'blocked'])[1 + (n / 4) %% 3] end,
    case when n %% 400 = 0 then null else (select array_agg(user_id order by email) from app.users)[1 + n %% 40] end,
    at::date + 5, 'manual', (select decision_id from app.decisions), (select min(user_id::text)::uuid from app.users),
    at, at, case when n %% 4 > 0 then at + interval '4 days' end, case when n %% 4 > 0 then 'successful' end, 9
from generate_series(1, %(actions)s) as n
cross join lateral (select %(now)s::timestamptz - n * interval '10 minutes' as at) as moment;

insert into app.action_events (
    action_id, at, actor_user_id, actor_name, actor_kind, kind, field, before, after, version
)
select
    action_id, created_at + step * interval '1 hour', created_by, 'Somebody', 'user',
    case step when 1 then 'created' else 'field_changed' end, case step when 1 then null else 'title' end,
    to_jsonb('before ' || step), to_jsonb('after ' || step), least(step, 9)
from app.actions cross join generate_series(1, %(events)s) as step;

insert into app.action_notes (note_id, action_id, account_key, author_user_id, author_name, body, created_at)
select gen_random_uuid(), action_id, account_key, created_by, 'Somebody', repeat('They said yes. ', 10), created_at
from app.actions cross join generate_series(1, 2);
"""

_LIST = """
select a.*, u.display_name, u.email, n.note_count, n.newest, r.returned
from (
    select * from app.actions where archived_at is null and {where}
    order by closed_at is not null, closed_at desc nulls last, due_date nulls last,
        array_position(array['critical', 'high', 'medium', 'low'], priority), created_at, action_id
    limit {limit}
) as a
left join app.users as u on u.user_id = a.owner_user_id
cross join lateral (
    select count(*) as note_count, max(created_at) as newest from app.action_notes as n where n.action_id = a.action_id
) as n
cross join lateral (
    select max(at) as returned from app.action_events as e
    where e.action_id = a.action_id and e.field = 'status' and e.before = '"snoozed"' and a.closed_at is null
) as r
"""
_IS_OPEN = "status in ('new', 'in_progress', 'blocked', 'waiting_on_customer', 'snoozed')"


@dataclass(frozen=True)
class Tracker:
    """The filled database, as the application and as plain SQL see it."""

    engine: Engine
    plain: psycopg.Connection
    people: list[Identity]
    action_ids: list[UUID]


def _filled(folder: Path) -> tuple[Postgres, str]:
    password = secrets.token_hex(12)
    server = Postgres(folder, free_port(), password)
    server.start()
    prepare(server.dsn(), database="warehouse", roles=WarehouseRoles.same(password))
    url = f"postgresql+psycopg://application:{password}@127.0.0.1:{server.port}/warehouse"
    upgrade(url)
    engine = make_engine(url)
    with unit_of_work(engine) as db:
        for number in range(40):
            create_user(
                db,
                now=NOW,
                email=f"person{number:02}@force24.example",
                display_name=f"Person {number}",
                role=Role.CSM,
                password=uuid4().hex,
            )
    engine.dispose()
    with psycopg.connect(server.dsn("warehouse"), autocommit=True) as admin:
        with psycopg.ClientCursor(admin) as cursor:
            cursor.execute(_FILL, {"actions": ACTIONS, "events": EVENTS_EACH, "now": NOW})
        admin.execute("vacuum analyze")
    return server, url


def _tracker(server: Postgres, url: str) -> Tracker:
    plain = psycopg.connect(server.dsn("warehouse"))
    people = [
        Identity(user_id=row[0], email=row[1], display_name=row[2], role=Role.CSM)
        for row in plain.execute("select user_id, email, display_name from app.users order by email")
    ]
    ids = [row[0] for row in plain.execute(f"select action_id from app.actions where {_IS_OPEN} order by action_id")]
    plain.commit()
    return Tracker(make_engine(url), plain, people, ids)


def _side_by_side(
    name: str, promise_ms: float, ours: Callable[[int], object], plain: Callable[[int], object]
) -> Figure:
    """p95 of both over the same arguments, in turns; the first five rounds warm both and do not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 5):
        for place, work in enumerate((ours, plain)):
            began = time.perf_counter()
            work(number)
            if number >= 5:
                taken[place].append(time.perf_counter() - began)
    mine, theirs = (percentile(seconds, 0.95) * 1000 for seconds in taken)
    measured = f"p95 {mine:.0f} ms; plain SQL {theirs:.0f} ms ({mine / theirs:.1f} times)"
    return Figure(f"tracker, {name}", measured, f"{promise_ms:.0f} ms", mine / promise_ms)


def _reads(tracker: Tracker) -> list[Figure]:
    def person(number: int) -> Identity:
        return tracker.people[number % len(tracker.people)]

    def listed(wanted: ActionFilter, limit: int = 400) -> int:
        with read(tracker.engine) as db:
            return len(service.list_actions(db, filter=wanted, limit=limit))

    def sql(where: str, *values: object, limit: int = 400) -> int:
        rows = tracker.plain.execute(_LIST.format(where=where, limit=limit).encode(), values).fetchall()
        tracker.plain.rollback()
        return len(rows)

    def board(number: int) -> None:
        owner = person(number).user_id
        with read(tracker.engine) as db:
            service.count_by_status(db, filter=ActionFilter(owner_user_id=owner))
            for category in Category:
                service.list_actions(db, filter=ActionFilter(owner_user_id=owner, categories=(category,)), limit=50)

    def plain_board(number: int) -> None:
        owner = person(number).user_id
        tracker.plain.execute(
            "select status, count(*) from app.actions where archived_at is null and owner_user_id = %s group by status",
            [owner],
        ).fetchall()
        for category in Category:
            held = [status.value for status, group in CATEGORY.items() if group is category]
            sql("owner_user_id = %s and status = any(%s)", owner, held, limit=50)

    def opened(number: int) -> None:
        with read(tracker.engine) as db:
            service.get_action(db, tracker.action_ids[number * 97])

    def plain_opened(number: int) -> None:
        wanted = tracker.action_ids[number * 97]
        sql("action_id = %s", wanted)
        for table in ("action_notes", "action_events", "action_outcomes", "action_contacts"):
            tracker.plain.execute(f"select * from app.{table} where action_id = %s", [wanted]).fetchall()
        tracker.plain.rollback()

    words = random.Random(7)
    texts = [f"topic {words.randrange(ACTIONS)}" for _ in range(ROUNDS + 5)]
    monday = TODAY - timedelta(days=TODAY.weekday())
    week: tuple[date, date] = (monday, monday + timedelta(days=7))
    return [
        _side_by_side(
            "list of one person's open actions", READ_PROMISE_MS,
            lambda number: listed(ActionFilter(owner_user_id=person(number).user_id, categories=OPEN)),
            lambda number: sql(f"owner_user_id = %s and {_IS_OPEN}", person(number).user_id),
        ),
        _side_by_side(
            "list of everybody's open actions", READ_PROMISE_MS,
            lambda number: listed(ActionFilter(categories=OPEN)),
            lambda number: sql(_IS_OPEN),
        ),
        _side_by_side(
            "search by a word in everything", READ_PROMISE_MS,
            lambda number: listed(ActionFilter(text=texts[number])),
            lambda number: sql("(title ilike %s or account_name ilike %s)", *[f"%{texts[number]}%"] * 2),
        ),
        _side_by_side("board of one person", READ_PROMISE_MS, board, plain_board),
        _side_by_side(
            "calendar week of everybody", READ_PROMISE_MS,
            lambda number: listed(ActionFilter(categories=OPEN, due_from=week[0], due_before=week[1])),
            lambda number: sql(f"{_IS_OPEN} and due_date >= %s and due_date < %s", *week),
        ),
        _side_by_side("open one action with its story", READ_PROMISE_MS, opened, plain_opened),
    ]  # fmt: skip


def _writes(tracker: Tracker) -> list[Figure]:
    owner_of = dict(
        tracker.plain.execute(
            "select action_id, owner_user_id from app.actions where owner_user_id is not null"
        ).fetchall()
    )
    people = {person.user_id: person for person in tracker.people}
    fresh = [
        row[0]
        for row in tracker.plain.execute(
            "select action_id from app.actions where status = 'new' and owner_user_id is not null order by action_id"
        )
    ]
    tracker.plain.commit()
    half = len(fresh) // 2

    def actor(action_id: UUID) -> Identity:
        return people[owner_of[action_id]]

    def note(number: int) -> None:
        wanted = fresh[number]
        with unit_of_work(tracker.engine) as db:
            service.add_note(
                db, actor=actor(wanted), now=NOW, action_id=wanted, body="They said yes.", idempotency_key=uuid4().hex
            )

    def plain_note(number: int) -> None:
        wanted = fresh[half + number]
        tracker.plain.execute(
            "insert into app.action_notes select gen_random_uuid(), action_id, account_key, owner_user_id, 'Somebody',"
            " 'They said yes.', null, now() from app.actions where action_id = %s",
            [wanted],
        )
        _plain_event(wanted, "note_added", None)
        tracker.plain.commit()

    def move(number: int) -> None:
        wanted = fresh[number]
        with unit_of_work(tracker.engine) as db:
            service.transition(
                db,
                actor=actor(wanted),
                now=NOW,
                action_id=wanted,
                expected_version=9,
                to_status=Status.IN_PROGRESS,
                idempotency_key=uuid4().hex,
            )

    def plain_move(number: int) -> None:
        wanted = fresh[half + number]
        tracker.plain.execute("select * from app.actions where action_id = %s for update", [wanted])
        tracker.plain.execute(
            "update app.actions set status = 'in_progress', version = version + 1, updated_at = now()"
            " where action_id = %s",
            [wanted],
        )
        _plain_event(wanted, "status_changed", "status")
        tracker.plain.commit()

    def _plain_event(wanted: UUID, kind: str, field: str | None) -> None:
        tracker.plain.execute(
            "insert into app.action_events (action_id, at, actor_user_id, actor_name, actor_kind, kind, field, version)"
            " values (%s, now(), %s, 'Somebody', 'user', %s, %s, 10)",
            [wanted, owner_of[wanted], kind, field],
        )

    return [
        _side_by_side("a note is written", WRITE_PROMISE_MS, note, plain_note),
        _side_by_side("a move is written", WRITE_PROMISE_MS, move, plain_move),
    ]


def measure() -> list[Figure]:
    """Fill a database, measure reads and writes, throw it away."""
    with tempfile.TemporaryDirectory() as folder:
        server, url = _filled(Path(folder))
        tracker = _tracker(server, url)
        try:
            return [*_reads(tracker), *_writes(tracker)]
        finally:
            tracker.plain.close()
            tracker.engine.dispose()
            server.stop()
