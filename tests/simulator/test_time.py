"""Days that pass: what they emit, how they survive being killed, and which clock each source shows."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import psycopg
import pytest

from simulator import advance as advancing
from simulator import estate, product
from simulator.__main__ import main
from simulator.advance import advance, real_today
from simulator.config import Settings, get_settings
from tests.simulator.conftest import ROOT, Vendors


def quiet(line: str) -> None:
    """No progress lines in tests."""


def counts(settings: Settings) -> dict[str, int]:
    """Rows per table of both databases."""
    found = {}
    for dsn, tables in (
        (settings.simulator_dsn, ["hubspot_objects", "stripe_objects", "stripe_events", "zendesk_objects"]),
        (settings.simulator_product_dsn, ["public.usage_events", "public.users"]),
    ):
        with psycopg.connect(dsn) as db:
            for table in tables:
                found[table] = (db.execute(f"select count(*) from {table}".encode()).fetchone() or (0,))[0]
    return found


def state(settings: Settings) -> tuple[int, int, int | None]:
    """(last day, offset, target) of an estate."""
    with psycopg.connect(settings.simulator_dsn) as db:
        row = db.execute("select last_day, offset_days, target_day from estate").fetchone()
    assert row
    return row[0], row[1], row[2]


def test_advancing_emits_usage_tickets_meetings_invoices_and_answers(small_estate: Settings) -> None:
    before = counts(small_estate)
    files = len(list(small_estate.simulator_surveys_folder.glob("*.csv")))

    generated = advance(small_estate, days=30, real_today=real_today(), report=quiet)

    after = counts(small_estate)
    assert generated == 30
    assert state(small_estate) == (real_today() + 29, 30, None)
    assert after["public.usage_events"] > before["public.usage_events"] + 1_500
    assert all(after[table] > before[table] for table in ("hubspot_objects", "stripe_objects", "zendesk_objects"))
    assert len(list(small_estate.simulator_surveys_folder.glob("*.csv"))) > files


def test_advancing_nothing_changes_nothing(small_estate: Settings) -> None:
    before = counts(small_estate)

    assert advance(small_estate, days=0, real_today=real_today(), report=quiet) == 0

    assert counts(small_estate) == before


def test_days_missed_while_nobody_served_are_generated_without_moving_the_clock(small_estate: Settings) -> None:
    generated = advance(small_estate, days=0, real_today=real_today() + 2, report=quiet)

    assert generated == 2
    assert state(small_estate) == (real_today() + 1, 0, None)


def test_an_advance_killed_between_product_and_vendors_is_finished_by_the_next_and_nothing_is_added(
    small_estate: Settings, monkeypatch: pytest.MonkeyPatch, make_settings: Callable[[], Settings]
) -> None:
    class Killed(BaseException):
        pass

    def kill(folder: Path, files: object) -> None:
        raise Killed

    advance(small_estate, days=2, real_today=real_today(), report=quiet)
    with monkeypatch.context() as patched:
        patched.setattr(advancing.surveys, "write_files", kill)
        with pytest.raises(Killed):
            advance(small_estate, days=3, real_today=real_today(), report=quiet)
    torn = counts(small_estate)
    assert state(small_estate) == (real_today() + 1, 2, real_today() + 4)

    advance(small_estate, days=3, real_today=real_today(), report=quiet)

    assert state(small_estate) == (real_today() + 4, 5, None)
    assert counts(small_estate)["public.usage_events"] > torn["public.usage_events"]
    unbroken = make_settings()
    advancing_from_scratch(unbroken)
    assert counts(unbroken) == counts(small_estate)


def advancing_from_scratch(settings: Settings) -> None:
    """The same estate and the same five days without an accident."""
    estate.seed(settings, accounts=18, days=60, number=7, today=real_today(), report=quiet)
    advance(settings, days=5, real_today=real_today(), report=quiet)


def test_a_seed_that_was_killed_leaves_no_estate_and_the_next_one_starts_over(
    make_settings: Callable[[], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*arguments: object, **options: object) -> None:
        raise Killed

    settings = make_settings()
    with monkeypatch.context() as patched:
        patched.setattr(estate.store, "save_world", kill)
        with pytest.raises(Killed):
            estate.seed(settings, accounts=18, days=60, number=7, today=real_today(), report=quiet)
    with pytest.raises(LookupError):
        advance(settings, days=1, real_today=real_today(), report=quiet)

    estate.seed(settings, accounts=18, days=60, number=7, today=real_today(), report=quiet)

    assert state(settings) == (real_today() - 1, 0, None)


def test_the_reader_of_the_product_database_sees_simulated_now(small_estate: Settings) -> None:
    advance(small_estate, days=3, real_today=real_today(), report=quiet)
    reader = small_estate.simulator_product_dsn.replace("//simulator:", "//product_reader:")

    with psycopg.connect(reader) as db:
        ((now, activity, newest),) = db.execute(
            "select now(), (select max(query_start) from pg_stat_activity), (select max(ingested_at) from usage_events)"
        ).fetchall()

    expected = datetime.now(UTC) + timedelta(days=3)
    assert abs(now - expected) < timedelta(minutes=1)
    assert abs(activity - expected) < timedelta(minutes=1)
    assert timedelta(0) < now - newest < timedelta(days=2)


def test_the_reader_may_not_write(small_estate: Settings) -> None:
    reader = small_estate.simulator_product_dsn.replace("//simulator:", "//product_reader:")

    with psycopg.connect(reader) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("delete from usage_events")


def test_the_owner_of_the_product_database_keeps_real_time(small_estate: Settings) -> None:
    advance(small_estate, days=2, real_today=real_today(), report=quiet)

    with product.connect(small_estate.simulator_product_dsn) as db:
        ((now,),) = db.execute("select now()").fetchall()

    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_http_answers_carry_the_simulated_date(vendors: Vendors) -> None:
    for client in (vendors.hubspot, vendors.stripe, vendors.zendesk):
        date = parsedate_to_datetime(client.get("/healthz").headers["date"])
        days = state(vendors.settings)[1]

        assert abs(date - timedelta(days=days) - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_advance_moves_the_date_of_a_running_server(vendors: Vendors) -> None:
    before = parsedate_to_datetime(vendors.hubspot.get("/healthz").headers["date"])

    advance(vendors.settings, days=1, real_today=real_today(), report=quiet)

    for _ in range(100):
        date = parsedate_to_datetime(vendors.hubspot.get("/healthz").headers["date"])
        if date - before > timedelta(hours=23):
            return
        time.sleep(0.1)
    pytest.fail("the server did not follow the clock")


def test_the_command_line_seeds_once_and_describes_what_is_there(
    make_settings: Callable[[], Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in make_settings().model_dump().items():
        monkeypatch.setenv(name.upper(), str(value))
    get_settings.cache_clear()

    assert main(["status"]) == 1
    assert main(["advance", "--days", "1"]) == 1
    assert main(["seed", "--accounts", "5", "--days", "30"]) == 0
    assert main(["seed", "--accounts", "5", "--days", "30"]) == 0
    assert main(["advance", "--days", "1"]) == 0
    assert main(["status"]) == 0

    said = capsys.readouterr().out
    assert "There is an estate already; nothing was changed." in said
    assert "1 days generated" in said
    assert "simulated today" in said
    get_settings.cache_clear()


def test_serving_without_an_estate_ends_with_a_sentence(make_settings: Callable[[], Settings]) -> None:
    environment = {name.upper(): str(value) for name, value in make_settings().model_dump().items()}
    prepared = subprocess.run(
        [sys.executable, "-m", "simulator", "status"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    served = subprocess.run(
        [sys.executable, "-m", "simulator", "serve"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "No estate yet" in prepared.stdout
    assert served.returncode == 1
    assert "python -m simulator seed" in served.stderr
