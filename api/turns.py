"""Requests take turns at the database: a few at once, some more wait in line, and the rest are told to come back.

FastAPI runs each step of a request in a pool of 40 threads. Left to themselves, more requests than connections stop
each other for good: every thread waits for a connection, while those who have one wait for a thread. At 200 requests a
second all failed, and at 40 a second they went on failing afterwards. So nobody takes a thread before their turn.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import Overloaded

AT_ONCE = 4  # one interpreter runs one at a time, while others wait for the database; ten starve the loop that reads
WAITING = 60  # about a second's work: who came later would have given up
PATIENCE_SECONDS = 5.0  # as for a connection; waiting so long means that the database is slow


class Turns:
    """`at_once` have their turn, up to `waiting` stand in line, in the order they came."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._waiting = waiting
        self._in_line = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it for the block. Raises Overloaded when the line is full or does not move."""
        if self._free.locked() and self._in_line >= self._waiting:
            raise Overloaded()
        self._in_line += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise Overloaded() from None
        finally:
            self._in_line -= 1
        try:
            yield
        finally:
            self._free.release()
