"""What a click in Explore costs, from question to rows, through gate and sandbox; and what it costs those who work
beside it.

Each question takes turns with the others, so that whatever else the machine does hits all. Nothing of the demo changes:
the statements run as its analyst, and are not told of in its history.
"""

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from sqlalchemy import create_engine

from app.errors import StatementEnded, StatementFailed
from app.explore import checks, statement
from app.explore.marts import Mart, marts
from app.explore.question import Dimension, Filter, Function, Measure, Question, Test, Unit, View
from app.sandbox import columnar, gate, reach, runner
from app.sandbox.columnar import Copy
from app.sandbox.runner import Limits, Server
from app.sandbox.watchdog import Reader
from bench.report import Figure, percentile
from local.state import Environment, State

ROUNDS = 8
LIMITS = Limits(rows=5_000)
PROMISE_MS = 1_000.0
SLOWER_PROMISE_RATIO = 1.2
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


@dataclass(frozen=True)
class Asked:
    """What one question took, and whether the sandbox's limits let it end."""

    milliseconds: float
    is_answered: bool


@dataclass(frozen=True)
class Desk:
    """An analyst's way to the marts: the sandbox's server, and what may be asked of it."""

    server: Server
    known: Mapping[str, Mart]
    copy: Copy | None

    @classmethod
    def at(cls, *, analyst: str, application: str, copies: Path) -> "Desk":
        """The desk of a warehouse, by the addresses of the two roles and the folder of its columnar copies."""
        engine = create_engine(application.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as db:
            known = marts(reach.relations(db))
            copy = columnar.of_published(db, copies)
        engine.dispose()
        return cls(Server(dsn=analyst, watcher_dsn=application), known, copy)

    def ask(self, question: Question) -> Asked:
        """From question to rows, or to the sentence that there are none."""
        began = time.perf_counter()
        checks.checked(question, self.known)
        text = gate.checked(statement.of(question, self.known), schema=reach.SCHEMA, relations=list(self.known))
        try:
            if self.copy and self.copy.has(text):
                columnar.run(self.copy, text, limits=LIMITS, patience=self.server.patience, reader=Reader())
            else:
                runner.run(self.server, text, {}, limits=LIMITS)
        except (StatementEnded, StatementFailed):
            return Asked(1000 * (time.perf_counter() - began), is_answered=False)
        return Asked(1000 * (time.perf_counter() - began), is_answered=True)


def clicks(desk: Desk, title: str) -> Figure:
    """All questions in turns; the first round warms the server and does not count."""
    taken: list[list[float]] = [[] for _ in QUESTIONS]
    unanswered = 0
    for number in range(ROUNDS + 1):
        for place, question in enumerate(QUESTIONS):
            asked = desk.ask(question)
            if number:
                taken[place].append(asked.milliseconds)
                unanswered += not asked.is_answered
    every = [one for times in taken for one in times]
    slowest = max(range(len(QUESTIONS)), key=lambda place: percentile(taken[place], 0.5))
    p50, p95 = percentile(every, 0.5), percentile(every, 0.95)
    named = f"{QUESTIONS[slowest].view} of {QUESTIONS[slowest].mart}"
    return Figure(
        f"{title}a click in Explore, {len(QUESTIONS)} questions"
        + (" of the columnar copy" if desk.copy else " of PostgreSQL"),
        f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, {unanswered} of {len(every)} ended by a limit; "
        f"the slowest ({named}) p50 {percentile(taken[slowest], 0.5):.0f} ms",
        f"p95 {PROMISE_MS:.0f} ms",
        p95 / PROMISE_MS,
    )


def beside(desk: Desk, title: str, pages: Callable[[], Sequence[float]]) -> Figure:
    """What `pages` take in milliseconds while an analyst asks one question after the other without a pause, against
    what they take alone. The two take turns.
    """
    alone: list[float] = []
    accompanied: list[float] = []
    for _ in range(ROUNDS):
        alone += pages()
        is_over = threading.Event()
        questions = itertools.cycle(QUESTIONS)

        def explore(over: threading.Event = is_over, asked: Iterator[Question] = questions) -> None:
            while not over.is_set():
                desk.ask(next(asked))

        analyst = threading.Thread(target=explore)
        analyst.start()
        accompanied += pages()
        is_over.set()
        analyst.join()
    before, after = statistics.fmean(alone), statistics.fmean(accompanied)
    return Figure(
        f"{title}what CSM pages ask, beside an analyst who clicks without a pause",
        f"mean {after:.1f} ms, p95 {percentile(accompanied, 0.95):.1f} ms; alone {before:.1f} ms, "
        f"p95 {percentile(alone, 0.95):.1f} ms",
        f"{SLOWER_PROMISE_RATIO} times alone",
        after / before / SLOWER_PROMISE_RATIO,
    )


def measure() -> list[Figure]:
    """Clicks on the running demo's marts."""
    environment = Environment.existing(State.default())
    if environment is None:
        raise SystemExit("Nothing to measure: make demo DETACH=1 first.")
    application = environment.dsn("application", "warehouse")
    copies = Path(environment.variables["COLUMNAR_DIR"])
    desk = Desk.at(analyst=environment.dsn("analyst", "warehouse"), application=application, copies=copies)
    with psycopg.connect(application) as plain:
        counted = plain.execute("select count(*) from marts.dim_accounts").fetchone()
    return [clicks(desk, f"{counted[0]:,} accounts: " if counted else "")]
