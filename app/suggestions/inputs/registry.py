"""What each rule reads, by its id. Rules that read the same share one statement in a run.

A rule whose input is a series by day is read twice: for all accounts the few days that its trigger and its clearing
look at, and for the accounts of which something is said the days of the picture. Of 100,000 accounts most say nothing.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from app.suggestions.inputs import billing, health, milestones, relationship, risk, support, usage
from app.suggestions.inputs.reading import Cut, RuleInputs
from app.suggestions.parameters import REACH
from app.suggestions.rules import Rule
from app.suggestions.triggers.registry import LOGIC


class Inputs:
    """The inputs of one evaluation of these rules, each read when a rule first asks for it."""

    def __init__(self, db: Connection, rules: Sequence[Rule]) -> None:
        self._db = db
        self._rules = rules
        self._known: dict[str, RuleInputs] = {}

    def deciding(self, rule: Rule) -> RuleInputs:
        """All that decides whether the rule fires and clears, of all active accounts; not all of what it would say."""
        name = _SHARED.get(rule.rule_id, rule.rule_id)
        if name not in self._known:
            self._known[name] = self._read_deciding(name, rule)
        return self._known[name]

    def _read_deciding(self, name: str, rule: Rule) -> RuleInputs:
        if name in _WHOLE:
            return _WHOLE[name](self._db, rule)
        sharing = [one for one in self._rules if _SHARED.get(one.rule_id, one.rule_id) == name]
        days_back = {back for one in sharing for back in LOGIC[one.rule_id].days_back(one)}
        return _SERIES[name](self._db, rule, Cut(days_back=days_back))

    def whole(self, rule: Rule, account_keys: Sequence[str] | None = None) -> RuleInputs:
        """The same with the whole series and reasons, of some accounts or of all."""
        name = _SHARED.get(rule.rule_id, rule.rule_id)
        if name in _WHOLE:
            return self.deciding(rule)
        days_back = range(REACH[rule.rule_id])
        return _SERIES[name](self._db, rule, Cut(days_back=days_back, account_keys=account_keys, with_reasons=True))


_SHARED = {"R2": "usage", "R3": "usage", "R4": "people", "R8": "seats", "R11": "people", "R12": "seats"}
_SERIES: dict[str, Callable[[Connection, Rule, Cut], RuleInputs]] = {
    "R1": lambda db, rule, cut: health.health(db, cut, window_days=rule.days("window_days").days),
    "usage": lambda db, rule, cut: usage.usage(db, cut),
    "seats": lambda db, rule, cut: usage.seats(db, cut),
    "R13": lambda db, rule, cut: risk.risks(db, cut),
}
_WHOLE: dict[str, Callable[[Connection, Rule], RuleInputs]] = {
    "people": lambda db, rule: relationship.people(db),
    "R5": lambda db, rule: support.tickets(db),
    "R6": lambda db, rule: relationship.answers(db),
    "R7": lambda db, rule: billing.payments(db),
    "R9": lambda db, rule: milestones.onboardings(db, until_days=rule.days("until_day").days),
    "R10": lambda db, rule: milestones.renewals(db),
    "R14": lambda db, rule: risk.opinions(db),
}
