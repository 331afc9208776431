"""What answers from the columnar copy: the same limits as in the database, and nothing but the copy within reach."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Timer

import duckdb
import pytest

from app.auth import Role
from app.errors import StatementEnded, StatementFailed, TooManyStatements
from app.sandbox import columnar, gate, reach, service
from app.sandbox.columnar import Copy
from app.sandbox.gate import Statement
from app.sandbox.runner import SCREEN, Answer, Engine, Limits
from app.sandbox.watchdog import Patience, Reader
from app.settings import get_settings
from orchestration.columnar import write
from tests.app.factories import Estate, key_of
from tests.sandbox.conftest import HURRY, dsn_of

DAYS = 400
# reads every pair of days, and of them every pair: no machine ends it
ENDLESS = (
    "select count(*) from fct_usage_daily as a cross join fct_usage_daily as b cross join fct_usage_daily as c"
    " cross join fct_usage_daily as d"
    " where a.active_user_count + b.active_user_count + c.active_user_count < d.active_user_count"
)


@pytest.fixture(scope="module")
def copies(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the copies, with one of the estate's build, in which an account has days."""
    for number in range(DAYS):
        day = date(2025, 1, 1) + timedelta(days=number)
        estate.put("fct_usage_daily", account_key=key_of("Cobalt"), usage_date=day, active_user_count=number)
    estate.publish()
    folder = tmp_path_factory.mktemp("columnar")
    assert write(dsn_of(estate, "transformer"), folder)
    yield folder
    estate.transformer.execute("delete from marts.fct_usage_daily")


@pytest.fixture
def copy(installed: Estate, copies: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """The copy as the installation finds it."""
    monkeypatch.setenv("COLUMNAR_DIR", str(copies))
    get_settings.cache_clear()
    with installed.work() as db:
        found = columnar.of_installation(db)
    assert found is not None
    return found


def checked(text: str) -> Statement:
    return gate.checked(text, schema=reach.SCHEMA, relations=["fct_usage_daily", "dim_accounts", "publications"])


def ran(
    copy: Copy, text: str, *, limits: Limits = SCREEN, reader: Reader | None = None, patience: Patience = HURRY
) -> Answer:
    return columnar.run(copy, checked(text), limits=limits, patience=patience, reader=reader or Reader())


def test_s05_a_question_that_takes_too_long_is_ended_in_time(copy: Copy) -> None:
    began = time.monotonic()

    with pytest.raises(StatementEnded, match="longer than 1 s"):
        ran(copy, ENDLESS)

    assert time.monotonic() - began < HURRY.cancel_seconds + 1


def test_s05_a_question_that_nobody_waits_for_is_ended_at_once(copy: Copy) -> None:
    reader, began = Reader(), time.monotonic()
    Timer(0.3, reader.leave).start()

    with pytest.raises(StatementEnded, match="cancelled"):
        ran(copy, ENDLESS, reader=reader, patience=Patience(cancel_seconds=20, terminate_seconds=22))

    assert time.monotonic() - began < 3


def test_s06_an_answer_is_cut_by_rows_by_size_and_by_columns(copy: Copy) -> None:
    rows = ran(copy, "select * from fct_usage_daily order by usage_date", limits=Limits(rows=10))
    small = ran(copy, "select * from fct_usage_daily", limits=Limits(size_bytes=1_000))

    assert (len(rows.rows), rows.has_more_rows, rows.engine) == (10, True, Engine.COPY)
    assert small.has_more_rows
    assert len(small.rows) < 100
    with pytest.raises(StatementFailed, match="more than 3 columns"):
        ran(copy, "select * from fct_usage_daily", limits=Limits(columns=3))


def test_s05_a_question_takes_no_more_memory_than_its_own(copy: Copy) -> None:
    with pytest.raises(StatementFailed, match="more memory"):
        ran(
            replace(copy, memory_mb=24),
            f"select '{'x' * 1_000}' || (a.active_user_count * 1000 + b.active_user_count)::text as wide"
            " from fct_usage_daily as a cross join fct_usage_daily as b order by 1",
            patience=Patience(cancel_seconds=30, terminate_seconds=32),
        )


def test_s05_more_than_a_few_at_once_are_told_to_wait(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "_PATIENCE_SECONDS", 0.1)
    taken = 0
    try:
        while columnar._AT_ONCE.acquire(blocking=False):
            taken += 1

        with pytest.raises(TooManyStatements):
            ran(copy, "select count(*) from fct_usage_daily")
    finally:
        for _ in range(taken):
            columnar._AT_ONCE.release()
    assert ran(copy, "select count(*) from fct_usage_daily").rows == [(DAYS,)]


def test_s01_with_the_gate_switched_off_nothing_but_the_marts_that_are_named_can_be_opened(
    copy: Copy, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with columnar._opened(copy, checked("select 1 from fct_usage_daily")) as own:
        for text in (
            f"select * from read_csv('{secret}')",
            f"select * from '{secret}'",
            "select * from read_text('/etc/hostname')",
            f"copy fct_usage_daily to '{tmp_path / 'stolen.csv'}'",
            f"attach '{tmp_path / 'other.db'}'",
            "install httpfs",
            "load httpfs",
            "set enable_external_access = true",
            "set memory_limit = '8GB'",
            "set allowed_directories = ['/']",
            "select * from dim_accounts",
        ):
            with pytest.raises(duckdb.Error):
                own.execute(text)
        assert own.execute("select count(*) from fct_usage_daily").fetchall() == [(DAYS,)]
    assert list(tmp_path.iterdir()) == [secret]


def test_the_copy_answers_where_it_can_and_the_database_all_else(
    installed: Estate, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyst = installed.user("Alex Stone", role=Role.ANALYST)

    def asked(text: str, *, may_use_copy: bool = True) -> tuple[Engine, list[tuple[object, ...]]]:
        answer = service.run(analyst, text, {}, may_use_copy=may_use_copy)
        return answer.engine, answer.rows

    count = "select count(*) as n from fct_usage_daily"
    assert asked(count) == (Engine.COPY, [(DAYS,)])
    assert asked(count, may_use_copy=False) == (Engine.DATABASE, [(DAYS,)])
    # changes between publications, so it is in no copy
    assert asked("select count(*) > 0 as n from publications") == (Engine.DATABASE, [(True,)])
    # known to PostgreSQL alone
    assert asked("select justify_days(interval '40 days') from fct_usage_daily")[0] is Engine.DATABASE
    installed.publish()
    assert asked(count) == (Engine.DATABASE, [(DAYS,)])
    monkeypatch.delenv("COLUMNAR_DIR")
    get_settings.cache_clear()
    assert asked(count) == (Engine.DATABASE, [(DAYS,)])
    told = "select count(*) from app.sql_statements where verdict = 'answered' and user_id = %s"
    assert installed.one(told, analyst.user_id) == 6
