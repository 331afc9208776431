"""Ends a statement from outside: when its time is over, nobody waits for it any more, or others wait because of it.

A statement can switch off its own time-out; what it cannot do is keep another role from ending it. First it is
cancelled, which leaves it a rollback; two seconds later its connection is ended, whatever it does. The watchdog asks on
a connection of its own, so that it does not wait for one behind the very statements that it should end.
"""

import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

import psycopg

LOG = logging.getLogger(__name__)
_AGAIN_SECONDS = 0.25
_LOOKS_SECONDS = 0.5  # between two looks whether somebody waits behind the statement; a quick one is never looked at
_CANCEL = "select pg_cancel_backend(pid) from pg_stat_activity where application_name = %s and usename = 'analyst'"
_TERMINATE = (
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s and usename = 'analyst'"
)

# a build that swaps a table waits for who reads the old one, and everybody who reads the new one waits behind it
_BLOCKS = """
    select exists (
        select from pg_locks as waiting
        join pg_stat_activity as s on s.pid = any(pg_blocking_pids(waiting.pid))
        where not waiting.granted and s.application_name = %s and s.usename = 'analyst'
    )
"""


class Reason(StrEnum):
    """Why a statement was ended."""

    TIME = "time"
    LEFT = "left"
    IN_THE_WAY = "in_the_way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds after which a statement is cancelled, and after which its connection is ended."""

    cancel_seconds: float = 5.0
    terminate_seconds: float = 7.0


class Reader:
    """Whoever waits for the answer. `leave` may be called from any thread, at any time."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self.has_left = False

    def leave(self) -> None:
        """Nobody waits any more: what runs for this reader is ended."""
        self.has_left = True
        self._woken.set()

    def wake(self) -> None:
        """The answer is there: whoever watches may look up."""
        self._woken.set()

    def wait(self, seconds: float) -> None:
        """Until somebody leaves or is woken, at most so long."""
        self._woken.wait(seconds)


class Watchdog:
    """Watches over one connection of role `analyst`, found by its `application_name`, for as long as the block lasts.

    `dsn` is of a role that may end it (`application`).
    """

    def __init__(self, dsn: str, *, name: str, patience: Patience, reader: Reader) -> None:
        self._dsn = dsn
        self._name = name
        self._patience = patience
        self._reader = reader
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watchdog of {name}", daemon=True)
        self._own: psycopg.Connection | None = None
        self.reason: Reason | None = None

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._reader.wake()
        self._thread.join()

    def _watch(self) -> None:
        with ExitStack() as until_done:
            self.reason = self._why(until_done)
            began = time.monotonic()
            grace = self._patience.terminate_seconds - self._patience.cancel_seconds
            # again and again: a statement that begins just now, or catches its cancellation, is met by the next one
            while self.reason and not self._done.is_set():
                self._ask(until_done, _TERMINATE if time.monotonic() - began >= grace else _CANCEL)
                self._done.wait(_AGAIN_SECONDS)

    def _why(self, until_done: ExitStack) -> Reason | None:
        """Wait until the statement is to be ended, and say why; None when it is done by itself."""
        over_at = time.monotonic() + self._patience.cancel_seconds
        while True:
            left_seconds = over_at - time.monotonic()
            self._reader.wait(min(_LOOKS_SECONDS, max(0.0, left_seconds)))
            if self._done.is_set():
                return None
            if self._reader.has_left:
                return Reason.LEFT
            if time.monotonic() >= over_at:
                return Reason.TIME
            if self._ask(until_done, _BLOCKS):
                return Reason.IN_THE_WAY

    def _ask(self, until_done: ExitStack, statement: str) -> bool:
        """The answer of the server to one of ours; False when there is none, to be asked again in a moment."""
        try:
            if self._own is None:
                self._own = until_done.enter_context(psycopg.connect(self._dsn, connect_timeout=2, autocommit=True))
            row = self._own.execute(statement.encode(), [self._name]).fetchone()
        except psycopg.Error as error:  # the server's own time-outs stand beside this
            LOG.warning("a statement could not be looked after: %s", type(error).__name__)
            self._own = None
            return False
        return bool(row and row[0])
