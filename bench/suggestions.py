"""Rules on the marts of up to 100,000 accounts: the evaluation after a build, the one a day later, and a page.

A server of its own with the demo's settings but for durability, whose data is thrown away; nothing of a running demo is
touched. The marts are made by SQL, sixty days of them: as much as any rule looks back on. About one account in four
has something to say, and a CSM has forty accounts.
"""

import math
import resource
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.auth import Identity, Role
from app.db import make_engine, read, unit_of_work
from app.migrations.run import upgrade
from app.suggestions import service
from app.suggestions.model import EvaluationReport
from app.users import create_user
from bench.report import Figure, percentile
from local.postgres import VOLATILE, Postgres, free_port
from local.warehouse import WarehouseRoles, prepare
from tests.app.factories import create_marts  # empty marts as their contracts name the columns

SIZES = (10_000, 100_000)
ACCOUNTS_EACH = 40
DAYS = 60
AS_OF = date(2026, 11, 19)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
EVALUATION_PROMISE_SECONDS = 60.0
PAGE_PROMISE_MS = 200.0
PAGES = 50

# Every rule finds some: n %% 40 is what is wrong with an account, and most have nothing.
_ACCOUNTS = """
insert into marts.dim_accounts (
    account_key, account_id, account_name, csm_email, csm_name, segment, plan, customer_since_date, seats_paid,
    currency_code, mrr, mrr_eur, mrr_at_risk_eur, renewal_date, days_to_renewal, is_active, health_score, health_band,
    churn_probability_90d, churn_risk_band, last_contact_date, urgent_open_ticket_count, as_of_date
)
select
    md5('account ' || n), 'hs-' || n, 'Account ' || n, 'person' || n / %(each)s || '@force24.example',
    'Person ' || n / %(each)s, (array['small', 'middle', 'large'])[1 + n %% 3], 'Professional',
    %(as_of)s::date - 400, 10 + n %% 50, 'GBP', 900, 1000 + n %% 700, 200, %(as_of)s::date + 30 + n %% 300,
    30 + n %% 300, true, 60, 'Y', 0.2, 'Medium', %(as_of)s::date - n %% 30, 0, %(as_of)s
from generate_series(0, %(accounts)s - 1) as n;

insert into marts.dim_contacts (
    contact_key, account_key, contact_name, email, stakeholder_role, is_champion, has_left, left_date, has_bounced
)
select
    'c' || n || '-' || m, md5('account ' || n), 'Contact ' || m, n || '-' || m || '@x.example',
    (array['champion', 'decision_maker', 'end_user'])[m], m = 1, m = 1 and n %% 40 = 4,
    case when m = 1 and n %% 40 = 4 then %(as_of)s::date - 5 end, false
from generate_series(0, %(accounts)s - 1) as n cross join generate_series(1, 3) as m;

insert into marts.fct_tickets (ticket_id, account_key, subject, status, priority, created_at, is_open, is_urgent_open)
select
    't' || n || '-' || m, md5('account ' || n), 'Ticket', 'open', case when n %% 40 = 5 then 'urgent' else 'normal' end,
    %(as_of)s::date - m * 3, true, n %% 40 = 5
from generate_series(0, %(accounts)s - 1) as n cross join generate_series(1, 4) as m where n %% 4 = 1;

insert into marts.fct_nps_responses (response_key, account_key, score, category, respondent_email, responded_at)
select
    'n' || n, md5('account ' || n), case when n %% 40 = 6 then 3 else 9 end, 'x', n || '-1@x.example',
    %(as_of)s::date - 10
from generate_series(0, %(accounts)s - 1) as n where n %% 2 = 0;

insert into marts.fct_invoices (
    invoice_id, account_key, invoice_number, status, currency_code, amount_due, amount_paid, amount_due_eur,
    invoiced_at, due_date, is_overdue, days_overdue, has_failed_payment, attempt_count
)
select
    'i' || n, md5('account ' || n), 'I-' || n, 'open', 'GBP', 900, 0, 1000, %(as_of)s::date - 45, %(as_of)s::date - 20,
    true, 20, true, 3
from generate_series(0, %(accounts)s - 1) as n where n %% 40 = 7;
"""
_DAYS = """
insert into marts.fct_account_health_daily (
    account_key, health_date, config_version, score, band, coverage_ratio, seat_use_value, seat_use_contribution,
    recency_contribution, nps_contribution
)
select md5('account ' || n), day, 1, score, 'Y', 1, case when n %% 40 = 8 then 0.2 else 0.8 end, score, 0, 0
from generate_series(0, %(accounts)s - 1) as n
cross join generate_series(%(first)s::date, %(last)s::date, '1 day') as day
cross join lateral (select case when n %% 40 = 1 and day > %(as_of)s::date - 10 then 40 else 75 end as score) as made;

insert into marts.fct_usage_daily (
    account_key, usage_date, active_user_count, session_count, key_activity_count, campaign_sent_count,
    automation_live_count, key_activity_7d, key_activity_prev_7d, key_activity_30d, key_activity_prev_30d,
    days_since_key_activity
)
select
    md5('account ' || n), day, 8, 20, 10, 1, 1, case when n %% 40 = 2 then 20 else 70 end, 70, 300, 300,
    case when n %% 40 = 3 then 40 else 1 end
from generate_series(0, %(accounts)s - 1) as n
cross join generate_series(%(first)s::date, %(last)s::date, '1 day') as day;

insert into marts.fct_churn_risk_daily (
    account_key, risk_date, churn_probability_90d, churn_risk_band, drivers, risk_kind
)
select
    md5('account ' || n), day, case when n %% 40 = 9 then 0.7 else 0.2 end,
    case when n %% 40 = 9 then 'High' else 'Medium' end,
    '[{"text": "Few seats in use", "direction": "raises"}]', 'rules'
from generate_series(0, %(accounts)s - 1) as n
cross join generate_series(%(first)s::date, %(last)s::date, '1 day') as day;
"""
_INDEXES = """
create unique index on marts.dim_accounts (account_key);
create index on marts.dim_contacts (account_key);
create index on marts.fct_tickets (account_key, created_at);
create unique index on marts.fct_account_health_daily (account_key, health_date);
create index on marts.fct_account_health_daily (health_date);
create unique index on marts.fct_usage_daily (account_key, usage_date);
create index on marts.fct_usage_daily (usage_date);
create unique index on marts.fct_churn_risk_daily (account_key, risk_date);
create index on marts.fct_churn_risk_daily (risk_date);
"""


def _fill(admin: psycopg.Connection, statements: LiteralString, **values: object) -> None:
    with psycopg.ClientCursor(admin) as cursor:
        cursor.execute(statements, {"each": ACCOUNTS_EACH, "as_of": AS_OF, **values})


def _publish(admin: psycopg.Connection, as_of: date) -> int:
    row = admin.execute(
        "insert into marts.publications (as_of_date) values (%s) returning build_id", [as_of]
    ).fetchone()
    assert row
    return row[0]


def _filled(folder: Path, accounts: int) -> tuple[Postgres, Engine]:
    password = secrets.token_hex(12)
    server = Postgres(folder, free_port(), password, settings=VOLATILE)
    server.start()
    prepare(server.dsn(), database="warehouse", roles=WarehouseRoles.same(password))
    place = f"{password}@127.0.0.1:{server.port}/warehouse"
    upgrade(f"postgresql+psycopg://application:{place}")
    with psycopg.connect(f"postgresql://transformer:{place}", autocommit=True) as transformer:
        create_marts(transformer)
        _fill(transformer, _ACCOUNTS, accounts=accounts)
        _fill(transformer, _DAYS, accounts=accounts, first=AS_OF - timedelta(days=DAYS - 1), last=AS_OF)
        transformer.execute(_INDEXES)
        transformer.execute("vacuum analyze")
    return server, make_engine(f"postgresql+psycopg://application:{place}")


def _a_day_later(admin: psycopg.Connection, accounts: int) -> int:
    """The next build: a day more of everything, and a sentence of most that is another one."""
    day = AS_OF + timedelta(days=1)
    _fill(admin, _DAYS, accounts=accounts, first=day, last=day)
    admin.execute("update marts.dim_accounts set as_of_date = %s, days_to_renewal = days_to_renewal - 1", [day])
    admin.execute("update marts.fct_invoices set days_overdue = days_overdue + 1")
    admin.execute("vacuum analyze")
    return _publish(admin, day)


def _evaluated(engine: Engine, title: str, *, now: datetime, build_id: int) -> Figure:
    began = time.perf_counter()
    try:
        with unit_of_work(engine) as db:
            report: EvaluationReport = service.evaluate(db, now=now, build_id=build_id)
    except OperationalError as refused:  # the server ends a statement that takes too long, and with it the evaluation
        why = str(refused.orig)
        return Figure(title, why, f"{EVALUATION_PROMISE_SECONDS:.0f} s", math.inf)
    seconds = time.perf_counter() - began
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return Figure(
        title,
        f"{seconds:.1f} s; {report.generated + report.held_out:,} raised, {report.over_budget:,} over budget, "
        f"{report.refreshed:,} refreshed, {report.auto_resolved:,} cleared; at most {gib:.1f} GiB",
        f"{EVALUATION_PROMISE_SECONDS:.0f} s",
        seconds / EVALUATION_PROMISE_SECONDS,
    )


def _pages(engine: Engine, title: str, ask: Callable[[Engine, int], object]) -> Figure:
    taken: list[float] = []
    for number in range(PAGES + 3):
        began = time.perf_counter()
        ask(engine, number)
        taken.append(1000 * (time.perf_counter() - began))
    taken = taken[3:]
    p95 = percentile(taken, 0.95)
    return Figure(
        title,
        f"p50 {percentile(taken, 0.5):.0f} ms, p95 {p95:.0f} ms",
        f"{PAGE_PROMISE_MS:.0f} ms",
        p95 / PAGE_PROMISE_MS,
    )


def _person(engine: Engine, number: int, role: Role) -> Identity:
    email = f"person{number}@force24.example"
    with unit_of_work(engine) as db:
        made = create_user(db, now=NOW, email=email, display_name=f"Person {number}", role=role, password=uuid4().hex)
    return Identity(user_id=made.user_id, email=email, display_name=made.display_name, role=role)


def measure() -> list[Figure]:
    """Every size."""
    return [figure for accounts in SIZES for figure in of_size(accounts)]


def of_size(accounts: int) -> list[Figure]:
    """Fill, evaluate, let a day pass, evaluate, and read pages."""
    with tempfile.TemporaryDirectory() as folder:
        server, engine = _filled(Path(folder), accounts)
        try:
            size = f"{accounts:,} accounts"
            with psycopg.connect(server.dsn("warehouse"), autocommit=True) as admin:
                csm, lead = _person(engine, 1, Role.CSM), _person(engine, 0, Role.ADMIN)
                first = _evaluated(engine, f"{size}: the first evaluation", now=NOW, build_id=_publish(admin, AS_OF))
                build_id = _a_day_later(admin, accounts)
                later = NOW + timedelta(days=1)
                second = _evaluated(engine, f"{size}: the evaluation a day later", now=later, build_id=build_id)

            def page(who: Identity) -> Callable[[Engine, int], object]:
                def ask(engine: Engine, _number: int) -> object:
                    with read(engine) as db:
                        return service.list_open(db, identity=who, limit=50)

                return ask

            return [
                first,
                second,
                _pages(engine, f"{size}: a page of 50 suggestions, a CSM's", page(csm)),
                _pages(engine, f"{size}: a page of 50 suggestions, of everybody", page(lead)),
            ]
        finally:
            engine.dispose()
            server.stop()
