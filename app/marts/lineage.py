"""What is made of what in the published build: raw tables, models and marts, and the pages, routes and jobs that read
them.

Source: marts.model_versions of the newest of marts.publications, one row per mart with every step above it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.db import reading_mart
from app.marts.proof import CHAIN, Step

READER = "reader"

_CHAINS = text(
    """
    select m.chain
    from (select model_versions from marts.publications order by build_id desc limit 1) as p
    join marts.model_versions as m on m.version = p.model_versions ->> m.mart
    order by m.mart
    """
)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Every step by name, readers as steps of layer `reader`; and by name who reads each directly."""

    steps: Mapping[str, Step]
    readers: Mapping[str, tuple[str, ...]]

    def above(self, name: str) -> Iterator[str]:
        """Everything that a step is made of, nearest first, each once, without itself."""
        return _walk(name, lambda one: self.steps[one].reads)

    def below(self, name: str) -> Iterator[str]:
        """Everything that rests on a step, nearest first, each once, without itself."""
        return _walk(name, lambda one: self.readers.get(one, ()))


def _walk(name: str, of: Callable[[str], Iterable[str]]) -> Iterator[str]:
    waiting, seen = list(of(name)), {name}
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        yield one
        waiting.extend(of(one))


def _joined(steps: Iterable[Step]) -> Lineage:
    known = {step.name: step for step in steps}
    for step in list(known.values()):
        for label in step.read_by:
            held = known.get(label, Step(name=label, layer=READER, path="", digest=""))
            reads = tuple(sorted({*held.reads, step.name}))
            known[label] = Step(name=label, layer=READER, path="", digest="", reads=reads)
    readers: dict[str, list[str]] = {}
    for step in known.values():
        for name in step.reads:
            readers.setdefault(name, []).append(step.name)
    return Lineage(steps=known, readers={name: tuple(sorted(found)) for name, found in readers.items()})


def lineage(db: Connection) -> Lineage:
    """The steps of all published marts; empty before the first build. Raises MartUnavailable."""
    with reading_mart("model_versions"):
        chains = [CHAIN.validate_python(chain) for chain in db.execute(_CHAINS).scalars()]
    return _joined(step for chain in chains for step in chain)
