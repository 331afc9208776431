"""What a click in Explore costs: questions to the demo's marts, from question to rows, through gate and sandbox.

Each question takes turns with the others, so that whatever else the machine does hits all. Nothing of the demo changes:
the statements run as its analyst, and are not told of in its history.
"""

import time
from dataclasses import replace

import psycopg
from sqlalchemy import create_engine

from app.explore import checks, statement
from app.explore.marts import marts
from app.explore.question import Dimension, Filter, Function, Measure, Question, Test, Unit, View
from app.sandbox import gate, reach, runner
from app.sandbox.runner import Limits, Server
from bench.report import Figure, percentile
from local.state import Environment, State

ROUNDS = 8
PROMISE_MS = 1_000.0
HEALTH, USAGE, ACCOUNTS, TICKETS = "fct_account_health_daily", "fct_usage_daily", "dim_accounts", "fct_tickets"
_ROWS = Measure(function=Function.COUNT)


def _by(column: str, unit: Unit | None = None) -> Dimension:
    return Dimension(column=column, unit=unit)


def _of(function: Function, column: str) -> Measure:
    return Measure(function=function, column=column)


_USED = Filter(column="active_user_count", test=Test.FROM, values=("1",))
_HEALTH_BY_DAY = Question(
    mart=HEALTH,
    view=View.LINE,
    groups=(_by("health_date", Unit.DAY),),
    measures=(_of(Function.AVERAGE, "score"),),
)
_USE_BY_MONTH = Question(
    mart=USAGE,
    view=View.LINE,
    groups=(_by("usage_date", Unit.MONTH),),
    measures=(_of(Function.SUM, "session_count"),),
)
_REVENUE = Question(mart=ACCOUNTS, view=View.BAR, groups=(_by("industry"),), measures=(_of(Function.SUM, "mrr_eur"),))
QUESTIONS = (
    _HEALTH_BY_DAY,
    replace(_HEALTH_BY_DAY, groups=(_by("health_date", Unit.WEEK),), split=_by("account.segment")),
    replace(_HEALTH_BY_DAY, measures=(_of(Function.MEDIAN, "score"),)),
    replace(_HEALTH_BY_DAY, view=View.HEAT, groups=(_by("health_date", Unit.MONTH), _by("account.industry"))),
    replace(_HEALTH_BY_DAY, view=View.HISTOGRAM, groups=(_by("score"),), measures=()),
    _USE_BY_MONTH,
    replace(_USE_BY_MONTH, split=_by("account.account_name")),
    replace(_USE_BY_MONTH, filters=(_USED,), measures=(_of(Function.DISTINCT, "account_key"),)),
    replace(_USE_BY_MONTH, view=View.TABLE, split=_by("account.plan"), measures=(_ROWS, *_USE_BY_MONTH.measures)),
    replace(
        _USE_BY_MONTH,
        view=View.SCATTER,
        groups=(_by("account.account_name"),),
        measures=(_of(Function.AVERAGE, "active_user_count"), _of(Function.SUM, "campaign_sent_count")),
    ),
    Question(
        mart=USAGE,
        view=View.COHORT,
        groups=(_by("usage_date", Unit.MONTH), _by("account_key")),
        filters=(_USED,),
    ),
    Question(mart=USAGE, view=View.ROWS, filters=(_USED,)),
    _REVENUE,
    replace(_REVENUE, split=_by("health_band")),
    Question(
        mart=TICKETS,
        view=View.BAR,
        groups=(_by("created_at", Unit.MONTH),),
        split=_by("priority"),
        measures=(_of(Function.MEDIAN, "first_reply_minutes"),),
    ),
)


def measure() -> list[Figure]:
    """Ask all questions in turns; the first round warms the server and does not count."""
    environment = Environment.existing(State.default())
    if environment is None:
        raise SystemExit("Nothing to measure: make demo DETACH=1 first.")
    application = environment.dsn("application", "warehouse")
    engine = create_engine(application.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as db:
        known = marts(reach.relations(db))
    engine.dispose()
    with psycopg.connect(application) as plain:
        counted = plain.execute("select count(*) from marts.fct_account_health_daily").fetchone()
    server = Server(dsn=environment.dsn("analyst", "warehouse"), watcher_dsn=application)
    taken: list[list[float]] = [[] for _ in QUESTIONS]
    for number in range(ROUNDS + 1):
        for place, question in enumerate(QUESTIONS):
            began = time.perf_counter()
            checks.checked(question, known)
            text = gate.checked(statement.of(question, known), schema=reach.SCHEMA, relations=list(known))
            runner.run(server, text, {}, limits=Limits(rows=5_000))
            if number:
                taken[place].append(1000 * (time.perf_counter() - began))
    every = [one for times in taken for one in times]
    slowest = max(range(len(QUESTIONS)), key=lambda place: percentile(taken[place], 0.5))
    p50, p95 = percentile(every, 0.5), percentile(every, 0.95)
    named = f"{QUESTIONS[slowest].view} of {QUESTIONS[slowest].mart}"
    rows = f"{counted[0]:,}" if counted else "no"
    return [
        Figure(
            f"a click in Explore, {len(QUESTIONS)} questions, {rows} days of health",
            f"p50 {p50:.0f} ms, p95 {p95:.0f} ms; the slowest ({named}) p50 {percentile(taken[slowest], 0.5):.0f} ms",
            f"p95 {PROMISE_MS:.0f} ms",
            p95 / PROMISE_MS,
        )
    ]
