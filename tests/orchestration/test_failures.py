"""Transient or permanent: the table that every step's retries rest on."""

from dataclasses import dataclass

import dagster as dg
import psycopg
import psycopg2
import pytest
import sqlalchemy.exc

from app.errors import MartUnavailable
from extract.errors import SourceRejected, SourceUnavailable, StreamBusy, TruncatedExtract
from orchestration import failures
from orchestration.dbt_in_process import rows_written


@dataclass
class Attempt:
    retry_number: int = 0


TRANSIENT = [
    SourceUnavailable("The source did not answer."),
    StreamBusy("Another run holds the stream."),
    psycopg.OperationalError("connection refused"),
    psycopg2.OperationalError("server closed the connection unexpectedly"),
    sqlalchemy.exc.OperationalError("select 1", {}, Exception("connection refused")),
]
PERMANENT = [
    SourceRejected("The token is wrong."),
    TruncatedExtract("3 of 400 rows came."),
    psycopg.OperationalError('connection failed: FATAL:  password authentication failed for user "loader"'),
    psycopg.OperationalError('connection failed: FATAL:  database "warehouse" does not exist'),
    psycopg.errors.UndefinedTable('relation "marts.dim_accounts" does not exist'),
    MartUnavailable("publications"),
    ValueError("a bug"),
]


def named(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__name__}"


@pytest.mark.parametrize("error", TRANSIENT, ids=named)
def test_what_may_pass_by_itself_is_tried_again_with_growing_pauses(error: Exception) -> None:
    pauses = []
    for number in range(failures.MAX_RETRIES):
        raised = failures.retry_or_fail(error, step="load", attempt=Attempt(number))
        assert isinstance(raised, dg.RetryRequested)
        pauses.append(raised.seconds_to_wait)

    assert pauses == sorted(set(pauses))
    assert isinstance(failures.retry_or_fail(error, step="load", attempt=Attempt(failures.MAX_RETRIES)), dg.Failure)


@pytest.mark.parametrize("error", PERMANENT, ids=named)
def test_what_needs_a_person_stops_at_once(error: Exception) -> None:
    raised = failures.retry_or_fail(error, step="load", attempt=Attempt())

    assert isinstance(raised, dg.Failure)
    assert raised.allow_retries is False


def test_a_failure_is_one_sentence_with_its_step_and_hint() -> None:
    raised = failures.retry_or_fail(MartUnavailable("publications"), step="suggestions", attempt=Attempt())

    assert isinstance(raised, dg.Failure)
    assert raised.description is not None
    assert raised.description.startswith("suggestions: There are no figures yet")
    assert "\n" not in raised.description


def test_a_short_error_text_is_named_by_its_class() -> None:
    assert failures.sentence(KeyError("id")) == "KeyError: 'id'"


@pytest.mark.parametrize(
    ("status", "rows"),
    [("SELECT 12", 12), ("INSERT 0 7", 7), ("INSERT 5", 5), ("MERGE 3", 3), ("CREATE VIEW", None), ("pass", None)],
)
def test_rows_are_read_from_the_command_tag(status: str, rows: int | None) -> None:
    assert rows_written(status) == rows
