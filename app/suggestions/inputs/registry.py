"""What each rule reads, by its id. Rules that read the same share one statement in a run."""

from collections.abc import Callable
from functools import cached_property

from sqlalchemy import Connection

from app.suggestions.inputs import billing, health, milestones, relationship, risk, support, usage
from app.suggestions.inputs.reading import RuleInputs
from app.suggestions.rules import Rule


class Inputs:
    """The inputs of one evaluation, each read when a rule first asks for it."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    @cached_property
    def _usage(self) -> RuleInputs:
        return usage.usage(self._db)

    @cached_property
    def _seats(self) -> RuleInputs:
        return usage.seats(self._db)

    @cached_property
    def _people(self) -> RuleInputs:
        return relationship.people(self._db)

    def of(self, rule: Rule) -> RuleInputs:
        """The input of a rule for all active accounts."""
        return _READERS[rule.rule_id](self, rule)


_READERS: dict[str, Callable[[Inputs, Rule], RuleInputs]] = {
    "R1": lambda run, rule: health.health(run._db, window_days=rule.days("window_days").days),
    "R2": lambda run, rule: run._usage,
    "R3": lambda run, rule: run._usage,
    "R4": lambda run, rule: run._people,
    "R5": lambda run, rule: support.tickets(run._db),
    "R6": lambda run, rule: relationship.answers(run._db),
    "R7": lambda run, rule: billing.payments(run._db),
    "R8": lambda run, rule: run._seats,
    "R9": lambda run, rule: milestones.onboardings(run._db, until_days=rule.days("until_day").days),
    "R10": lambda run, rule: milestones.renewals(run._db),
    "R11": lambda run, rule: run._people,
    "R12": lambda run, rule: run._seats,
    "R13": lambda run, rule: risk.risks(run._db),
    "R14": lambda run, rule: risk.opinions(run._db),
}
