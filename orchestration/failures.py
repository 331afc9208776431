"""Which failure is tried again and which one stops a run: decided here for every step.

Transient: the source or the warehouse does not answer. A step that fails so is tried again after a pause, at most
three times. Everything else is permanent: trying a refused token or a failing dbt test again only costs time and
hides the sentence a person must read. `allow_retries=False` keeps Dagster's own retry policies off it as well.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import dagster as dg
import psycopg
import psycopg2
import sqlalchemy.exc

from app.errors import AppError, Busy
from extract.errors import SourceUnavailable, StreamBusy

MAX_RETRIES = 3
# Seconds before the second, third and fourth attempt. The HTTP client has waited out rate limits before it gives up,
# so these pauses are for a source that restarts.
BACKOFF_SECONDS = (10.0, 30.0, 90.0)

# psycopg for the loads, psycopg2 inside dbt, SQLAlchemy in the application's services.
_TRANSIENT: tuple[type[Exception], ...] = (
    SourceUnavailable,
    StreamBusy,
    psycopg.OperationalError,
    psycopg2.OperationalError,
    sqlalchemy.exc.OperationalError,
    Busy,
)
# Refusals of a connection that come as the same class, without an SQLSTATE, and will be repeated for ever.
_REFUSALS = re.compile(r"authentication failed|no pg_hba\.conf entry|(?:role|database) \S+ does not exist")


class Attempt(Protocol):
    """What a step knows about itself: `retry_number` is 0 on the first attempt."""

    @property
    def retry_number(self) -> int: ...


def is_transient(error: BaseException) -> bool:
    """True when the same step may succeed in a minute without anybody doing anything."""
    return isinstance(error, _TRANSIENT) and not _REFUSALS.search(str(error))


def sentence(error: BaseException) -> str:
    """One line for a person: the error's own first line, and its class when the line alone says little."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return text if len(text) > 20 else f"{type(error).__name__}: {text}".rstrip(": ")


def failure(step: str, message: str, *, metadata: Mapping[str, str] | None = None) -> dg.Failure:
    """The permanent failure of a step, told in one sentence."""
    return dg.Failure(description=f"{step}: {message}", metadata=dict(metadata or {}), allow_retries=False)


def retry_or_fail(error: Exception, *, step: str, attempt: Attempt) -> Exception:
    """What to raise instead of `error`: RetryRequested while it is transient and attempts are left, else Failure."""
    if not is_transient(error):
        hint = getattr(error, "hint", None) if isinstance(error, AppError) else None
        return failure(step, f"{sentence(error)} {hint}" if hint else sentence(error))
    if attempt.retry_number >= MAX_RETRIES:
        return failure(step, f"{sentence(error)} (gave up after {MAX_RETRIES + 1} attempts)")
    return dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=BACKOFF_SECONDS[attempt.retry_number])


@contextmanager
def sorted_out(step: str, attempt: Attempt) -> Iterator[None]:
    """Errors of the block leave it as RetryRequested or Failure; those two pass through as they are."""
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        raise retry_or_fail(error, step=step, attempt=attempt) from error
