"""Which accounts a rule may see: all, those of one segment alone, or all but those of one.

It is a parameter of the rule like its thresholds: setting it makes a new version, so that every suggestion says by its
rule's version what was so when it was raised.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from app.segments import members
from app.segments import service as segments
from app.suggestions.parameters import TIES
from app.suggestions.rules import Rule


@dataclass(frozen=True, slots=True)
class Seen:
    """The keys of a segment, and whether a rule sees those alone or all but those; everything without keys."""

    keys: frozenset[str] | None = None
    are_excepted: bool = False

    def holds(self, account_key: str) -> bool:
        """Whether the rule sees this account."""
        return self.keys is None or (account_key in self.keys) != self.are_excepted


def seen_by(db: Connection, active: Iterable[Rule], *, today: date) -> dict[str, Seen]:
    """What each rule sees in the published build, by rule: one statement for each segment that any is tied to.

    Raises NotFound for a segment that is gone, which no write allows: a rule without its limit would speak of accounts
    that it must leave alone.
    """
    by_segment: dict[str, frozenset[str]] = {}
    seen = {}
    for rule in active:
        segment_id = rule.only_segment or rule.except_segment
        if segment_id is None:
            seen[rule.rule_id] = Seen()
            continue
        if segment_id not in by_segment:
            criteria = segments.shared_segment(db, UUID(segment_id)).asked()
            by_segment[segment_id] = frozenset(members.account_keys(db, criteria, today=today))
        seen[rule.rule_id] = Seen(by_segment[segment_id], are_excepted=rule.only_segment is None)
    return seen


def hold(db: Connection, params: Mapping[str, Any]) -> None:
    """The segment that the parameters of a rule name stays as it is until the end of the transaction.

    Raises NotFound, also for one that is not visible to all.
    """
    for name in TIES:
        if segment_id := params.get(name):
            segments.shared_segment(db, UUID(segment_id))
