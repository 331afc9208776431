"""More than a process can do: in order, told when to come back, and over when it is over."""

import asyncio

import pytest

from api import turns
from api.turns import Turns
from app.errors import Overloaded


def test_turns_are_taken_in_order_and_whoever_finds_the_line_full_is_told_at_once() -> None:
    async def go() -> list[str]:
        told: list[str] = []
        line, done = Turns(at_once=1, waiting=2), asyncio.Event()

        async def ask(name: str) -> None:
            try:
                async with line.one():
                    told.append(name)
                    await done.wait()
                    if name == "first":
                        raise ValueError
            except Overloaded as error:
                told.append(f"{name} comes back in {error.retry_after_seconds} s")
            except ValueError:
                pass

        async with asyncio.TaskGroup() as asked:
            for name in ("first", "second", "third", "fourth"):
                asked.create_task(ask(name))
            await asyncio.sleep(0)
            done.set()
        async with line.one():
            told.append("later")
        return told

    assert asyncio.run(go()) == ["first", "fourth comes back in 2 s", "second", "third", "later"]


def test_a_line_that_does_not_move_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)

    async def go() -> None:
        line = Turns(at_once=1, waiting=2)
        async with line.one(), line.one():
            pass

    with pytest.raises(Overloaded):
        asyncio.run(go())
