"""A rule decides on few days of every account and speaks on many days of some: both must say the same."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from app.suggestions import repository, service
from app.suggestions.inputs.registry import Inputs
from app.suggestions.rules import Rule, rule_from_params
from app.suggestions.triggers.registry import LOGIC
from tests.app.factories import AS_OF, NOW, Estate

SERIES = ("R1", "R2", "R3", "R8", "R12", "R13")
# what a suggestion that stands would be cleared by
FIGURES = {
    "R1": {"before": 70},
    "R2": {"baseline_7d": 20},
    "R3": {"last_activity_on": (AS_OF - timedelta(days=9)).isoformat()},
}


def _lived(estate: Estate, dice: Random, number: int) -> None:
    """An account whose every series falls, rises and has gaps somewhere near the days that decide."""
    key = estate.account(f"Account {number}", seats_paid=10, customer_since_date=AS_OF - timedelta(days=200))
    days, at = dice.choice((5, 20, 40, 60)), dice.randrange(1, 20)
    scores = [80.0] * (days - min(at, days)) + [dice.choice((40.0, 60.0, 79.0))] * min(at, days)
    estate.health(key, [None if dice.random() < 0.03 else score for score in scores])
    ratio = dice.choice((0.3, 0.6, 0.95))
    estate.set("fct_account_health_daily", key, seat_use_value=ratio)
    low = dice.choice((0, 0, 4, 12))
    estate.usage(key, [(dice.choice((4, 4, 20)) if back < low else 20, 20) for back in reversed(range(days))])
    grown = dice.choice((50, 80))
    quiet = dice.choice((0, 9, 40))
    estate.set("fct_usage_daily", key, key_activity_30d=grown, key_activity_prev_30d=50, days_since_key_activity=quiet)
    estate.risk(key, *[(0.6, dice.choice(("High", "High", "Critical", "Medium"))) for _ in range(dice.randrange(1, 9))])


def _decided(rule: Rule, inputs: dict[str, object], key: str) -> tuple[str | None, bool]:
    logic, mine = LOGIC[rule.rule_id], inputs.get(key)
    if mine is None:
        return None, logic.absence_clears
    finding = logic.trigger(rule, mine)
    return finding and finding.priority, logic.has_cleared(rule, mine, FIGURES.get(rule.rule_id, {}))


def test_few_days_of_all_accounts_decide_as_all_days_do(estate: Estate) -> None:
    dice = Random(7)
    for number in range(60):
        _lived(estate, dice, number)
    estate.publish()
    seen: dict[str, set[tuple[bool, bool]]] = {}

    with estate.work() as db:
        active = [rule_from_params(*row) for row in repository.active_rules(db)]
        for hold_days in (None, 0, 6):
            rules = [rule if hold_days is None else replace(rule, hold_days=hold_days) for rule in active]
            inputs = Inputs(db, rules)
            for rule in (one for one in rules if one.rule_id in SERIES):
                few, whole = inputs.deciding(rule), inputs.whole(rule)
                of_some = inputs.whole(rule, sorted(whole.by_account)[:7])

                assert few.as_of == whole.as_of == AS_OF
                assert of_some.by_account == {key: whole.by_account[key] for key in sorted(whole.by_account)[:7]}
                for key in whole.by_account:
                    decided = _decided(rule, few.by_account, key)
                    assert decided == _decided(rule, whole.by_account, key), (rule.rule_id, hold_days, key)
                    seen.setdefault(rule.rule_id, set()).add((decided[0] is not None, decided[1]))

    for rule_id in SERIES:
        assert {fired for fired, _ in seen[rule_id]} == {True, False}, rule_id
        assert {cleared for _, cleared in seen[rule_id]} == {True, False}, rule_id


@pytest.mark.parametrize("name", ["generated", "refreshed"])
def test_an_evaluation_takes_as_many_statements_for_many_accounts_as_for_few(estate: Estate, name: str) -> None:
    asked: dict[int, int] = {}
    for count in (1, 2, 12):  # the first finds nothing that is open
        keys = [estate.account(f"{count} {no}", csm_email=f"csm{count}-{no}@force24.example") for no in range(count)]
        for fallen_to in (40.0, 30.0) if name == "refreshed" else (40.0,):
            estate.clear("fct_account_health_daily")
            for key in keys:
                estate.health(key, [80.0] * 20 + [fallen_to] * 5)
            build = estate.publish()
            with estate.work() as db, estate.counted() as statements:
                report = service.evaluate(db, now=NOW, build_id=build)
        assert getattr(report, name) == count
        asked[count] = len(statements)

    assert asked[2] == asked[12]
