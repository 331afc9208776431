"""What a statement can take, hold and tell, and what is left when it ends: on a real server, with the gate open."""

import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg
import pytest

from app.errors import StatementEnded, StatementFailed
from app.sandbox import gate, runner
from app.sandbox.gate import Statement
from app.sandbox.runner import CELL_CHARACTERS, Answer, Limits, Server
from app.sandbox.watchdog import Patience, Reader, Reason, Watchdog
from tests.app.factories import Estate
from tests.sandbox.conftest import HURRY, dsn_of
from tests.sandbox.test_layers import as_it_is

SLOW = (
    "select count(*) from generate_series(1, 30000) as a (x), generate_series(1, 30000) as b (y) where a.x * b.y = -1"
)


def checked(text: str, relations: frozenset[str]) -> Statement:
    """As the gate takes it."""
    return gate.checked(text, schema="marts", relations=relations)


def left_over(estate: Estate) -> int:
    """Connections of analysts that are still there."""
    return estate.one(
        "select count(*) from pg_stat_activity where usename = 'analyst' and datname = current_database()"
    )


def soon(estate: Estate, *, seconds: float) -> bool:
    """Whether no connection of an analyst is left within so long."""
    until = time.monotonic() + seconds
    while left_over(estate):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_an_answer_has_the_kinds_that_files_and_tables_know(server: Server, relations: frozenset[str]) -> None:
    text = """select account_name, mrr_eur, mrr_eur > 1 as is_large, date '2026-11-20' as day, :n::int + 1 as n,
              timestamp '2026-11-20 09:30' as moment, array['x'] as list, null as nothing, :word as word, 1 as n
              from dim_accounts where account_name = :name -- last"""
    answer = runner.run(server, checked(text, relations), {"n": "41", "name": "Brook & Co", "word": "'; drop --"})

    assert [(column.name, column.kind.__name__) for column in answer.columns] == [
        *(("account_name", "str"), ("mrr_eur", "float"), ("is_large", "bool"), ("day", "date"), ("n", "int")),
        *(("moment", "datetime"), ("list", "str"), ("nothing", "str"), ("word", "str"), ("n", "int")),
    ]
    [row] = answer.rows
    assert row[:3] == ("Brook & Co", 1150.0, True)
    assert [str(cell) for cell in row[3:]] == [
        *("2026-11-20", "42", "2026-11-20 09:30:00+00:00", "{x}", "None", "'; drop --", "1"),
    ]
    assert not answer.is_cut


@pytest.mark.parametrize(
    "text",
    [
        SLOW,
        "with recursive n (x) as (select 1 union all select x + 1 from n) select count(*) from n where x < 0",
        r"select count(*) from generate_series(1, 3000) a, generate_series(1, 3000) b where a || 'xx' || b ~ '(.+)z\1'",
        "select md5(g::text) from generate_series(1, 5000000) as g order by 1",
        "select length(string_agg('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '')) from generate_series(1, 30000000)",
    ],
)
def test_s05_a_statement_that_takes_too_much_is_ended_in_time(
    estate: Estate, server: Server, relations: frozenset[str], text: str
) -> None:
    began = time.monotonic()

    with pytest.raises((StatementEnded, StatementFailed)):
        runner.run(server, checked(text, relations), {})

    assert time.monotonic() - began < HURRY.cancel_seconds + 0.5
    assert soon(estate, seconds=1)


def test_s05_the_watchdog_ends_what_has_switched_off_its_own_time_out(estate: Estate, server: Server) -> None:
    name = "sandbox of a test"
    with (
        closing(psycopg.connect(server.dsn, application_name=name, autocommit=True)) as analyst,
        Watchdog(server.watcher_dsn, name=name, patience=HURRY, reader=Reader()) as watchdog,
    ):
        analyst.execute("set statement_timeout = 0; set transaction_timeout = 0")
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            analyst.execute(SLOW.encode())

        assert time.monotonic() - began < HURRY.cancel_seconds + 0.5
        assert watchdog.reason is Reason.TIME
        # nothing runs that could be cancelled: the connection itself goes
        time.sleep(HURRY.terminate_seconds - HURRY.cancel_seconds + 0.5)
        with pytest.raises(psycopg.OperationalError):
            analyst.execute("select 1")


def test_s06_an_answer_is_cut_by_rows_by_size_and_by_cell(server: Server, relations: frozenset[str]) -> None:
    def run(text: str, **limits: int) -> Answer:
        return runner.run(patient, checked(text, relations), {}, limits=Limits(**limits))

    patient = replace(server, patience=Patience())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = run("select g from generate_series(1, 1000000) as g")
    size = run(
        "select string_agg(h::text, '') as t from generate_series(1, 9) as g, generate_series(1, 900) as h group by g",
        size_bytes=10_000,
    )
    cell = run("select json_agg(g) as everything, 1 as one from generate_series(1, 300000) as g")
    exact = run("select g from generate_series(1, 5) as g", rows=5)

    assert (len(rows.rows), rows.is_cut) == (1000, True)
    assert (len(size.rows), size.is_cut) == (4, True)
    assert (len(cell.rows[0][0]), cell.rows[0][1], cell.is_cut) == (CELL_CHARACTERS, 1, True)
    assert (len(exact.rows), exact.is_cut) == (5, False)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 100  # megabytes
    with pytest.raises(StatementFailed, match="more than 200 columns"):
        run("select " + ", ".join(["1"] * 201))
    with pytest.raises(StatementFailed, match="too large"):
        run("select " + ", ".join(["1"] * 3000))


def test_s04_nothing_of_a_session_outlives_a_statement(estate: Estate, server: Server) -> None:
    owner = replace(server, dsn=dsn_of(estate, "transformer"))
    forged = as_it_is("select set_config('app.user', 'harriet', false), set_config('statement_timeout', '0', false)")

    assert runner.run(owner, forged, {}).rows == [("harriet", "0")]
    after = as_it_is("select current_setting('app.user', true), current_setting('statement_timeout')")

    assert runner.run(owner, after, {}).rows == [(None, "1s")]


@contextmanager
def running(server: Server, text: str) -> Iterator[Reader]:
    """A statement that runs in another thread, until it is ended."""
    reader = Reader()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(runner.run, server, as_it_is(text), {}, reader=reader)
        time.sleep(0.3)
        yield reader
        assert isinstance(answer.exception(), StatementEnded)


def test_s09_a_build_that_swaps_a_table_and_the_application_wait_for_no_statement(
    estate: Estate, server: Server
) -> None:
    patient = replace(server, patience=Patience(cancel_seconds=20, terminate_seconds=22))
    with running(patient, f"{SLOW} and exists (select from dim_accounts)"):
        began = time.monotonic()
        with estate.work() as db:
            db.exec_driver_sql("update app.users set version = version")
        with estate.transformer.transaction():
            estate.transformer.execute("alter table marts.dim_accounts rename to dim_accounts_before")
            estate.transformer.execute("alter table marts.dim_accounts_before rename to dim_accounts")

        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        "select account_name::int from dim_accounts",
        "select account_name::date from dim_accounts",
        "select ('{' || account_name)::json from dim_accounts",
        "select 1 / (length(account_name) - length(account_name)) from dim_accounts",
        "select (select account_name from dim_accounts)",
        "select account_name::jsonb -> 1 from dim_accounts",
        "select to_date(account_name, 'YYYY-MM-DD') from dim_accounts",
        "select to_number(account_name, '99G') from dim_accounts",
        "select 'x' ~ ('(' || account_name) from dim_accounts",
        "select account_name::uuid from dim_accounts",
    ],
)
def test_s11_no_error_reads_a_value_out(server: Server, relations: frozenset[str], text: str) -> None:
    with pytest.raises(StatementFailed) as failure:
        runner.run(server, checked(text, relations), {})

    said = f"{failure.value.message} {failure.value.hint}"
    assert not any(name in said for name in ("Ashford", "Brook", "Cobalt"))


def test_what_is_wrong_with_names_is_said_with_its_place(server: Server, relations: frozenset[str]) -> None:
    with pytest.raises(StatementFailed, match=r'Column "nme" does not exist \(line 2, column 2\)'):
        runner.run(server, checked("select :x,\n nme from dim_accounts", relations), {"x": "1"})


def test_s12_a_reader_who_leaves_ends_the_statement_within_two_seconds(estate: Estate, server: Server) -> None:
    patient = replace(server, patience=Patience(cancel_seconds=20, terminate_seconds=22))

    with running(patient, SLOW) as reader:
        assert left_over(estate) == 1
        reader.leave()

    assert soon(estate, seconds=2)


def test_a_plan_is_told_and_nothing_runs(server: Server, relations: frozenset[str]) -> None:
    told = runner.plan(
        server, checked("select md5(g::text) from generate_series(1, 99999999) g order by 1", relations), {}
    )

    assert "Sort" in told
