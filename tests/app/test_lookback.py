"""What a rule would have done over past days: counted with plain values, and seen as evaluation sees it."""

import itertools
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.auth import Role
from app.errors import InvalidInput, NotPermitted, StaleVersion
from app.ratings import rate
from app.suggestions import lookback, parameters, repository, rule_versions
from app.suggestions.inputs.registry import Inputs
from app.suggestions.lookback import CHURN_WITHIN, NOT_KEPT, Life, Past, compare, steps
from app.suggestions.past.lives import estate as estate_of
from app.suggestions.past.registry import PAST
from app.suggestions.rules import rule_from_params
from app.suggestions.triggers.health import HealthInput
from app.suggestions.triggers.registry import LOGIC
from tests.app.factories import AS_OF, NOW, Estate, a_key
from tests.app.test_rules import R1

LAST = date(2026, 11, 19)
EASY = replace(R1, version=2, hold_days=0, thresholds={**R1.thresholds, "drop_high": 5})


def _life(name: str, *, left_on: date | None = None) -> Life:
    return Life(account_key=name, account_name=name.title(), csm="Maya", since=date(2020, 1, 1), left_on=left_on)


def _past(**drops: dict[date, float]) -> Past:
    """Accounts whose score fell by so many points on these days, against 80 before, for a fortnight."""

    def scores(falls: dict[date, float], day: date) -> dict[date, float | None]:
        found: dict[date, float | None] = {}
        for back in range(60):
            at = day - timedelta(days=back)
            fallen = [by for began, by in falls.items() if began <= at < began + timedelta(days=14)]
            found[at] = 80.0 - (fallen[0] if fallen else 0.0)
        return found

    def at(day: date) -> dict[str, HealthInput]:
        return {
            name: HealthInput(
                account_key=name, as_of=day, scores=scores(falls, day), contributions={}, contributions_before={}
            )
            for name, falls in drops.items()
        }

    return Past(since=date(2020, 1, 1), at=at)


def _compared(past: Past, *lives: Life, then: Any = EASY) -> lookback.Comparison:
    found = compare(R1, then, past=past, lives={one.account_key: one for one in lives}, last=LAST, expire_after_days=14)
    assert found is not None
    return found


def test_a_change_is_told_by_what_it_raises_more_and_what_it_no_longer_does() -> None:
    old = LAST - timedelta(days=150)
    past = _past(deep={old: 30}, slight={old: 8}, calm={})

    found = _compared(past, _life("deep"), _life("slight"), _life("calm"))

    assert (found.now.accounts, found.then.accounts) == (1, 2)
    assert (found.only_now, found.only_then) == (0, 1)
    assert [one.account_name for one in found.gained] == ["Slight"]
    assert found.then.by_csm == {"Maya": 2}


def test_who_left_within_90_days_counts_as_called_right_and_young_firings_count_in_no_share() -> None:
    old, young = LAST - timedelta(days=150), LAST - timedelta(days=20)
    past = _past(soon={old: 30}, late={old: 30}, stays={old: 30}, fresh={young: 30})
    soon = _life("soon", left_on=old + timedelta(days=60))
    late = _life("late", left_on=old + timedelta(days=120))

    found = _compared(past, soon, late, _life("stays"), _life("fresh")).now

    assert found.precision is not None
    assert (found.precision.count, found.precision.of) == (1, 3)
    assert found.caught is not None
    assert (found.caught.count, found.caught.of) == (1, 2)
    assert found.young == 1
    assert found.lead_days is not None
    assert 50 < found.lead_days <= 60


def test_what_held_on_the_first_day_is_not_counted_and_an_account_that_has_left_raises_nothing() -> None:
    first = LAST - lookback.REACH
    past = _past(standing={first - timedelta(days=3): 30}, gone={LAST - timedelta(days=30): 30})

    found = _compared(past, _life("standing"), _life("gone", left_on=LAST - timedelta(days=60)))

    assert found.now.firings == 0


def test_an_open_one_is_not_raised_again_before_it_expired_and_cooled_down() -> None:
    forever = Past(
        since=date(2020, 1, 1),
        at=lambda day: {
            "a": HealthInput(account_key="a", as_of=day, scores={}, contributions={}, contributions_before={})
        },
    )
    logic = LOGIC["R1"]
    fired: list[date] = []

    def always(_rule: Any, given: HealthInput) -> Any:
        fired.append(given.as_of)
        return type("Finding", (), {"priority": "high", "sentence": "", "evidence": {"figures": {"before": 99}}})()

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LOGIC, "R1", replace(logic, trigger=always, has_cleared=lambda *_: False))
        found = _compared(forever, _life("a"), then=R1)

    days = sorted(set(fired))
    assert {(later - earlier).days for earlier, later in itertools.pairwise(days)} == {35}  # 21 open, 14 rest
    assert found.now.firings == len(days) - 1


def test_too_little_history_says_nothing() -> None:
    assert steps(LAST, None) == []
    past = replace(_past(a={}), since=LAST - timedelta(days=6))
    assert compare(R1, EASY, past=past, lives={"a": _life("a")}, last=LAST, expire_after_days=14) is None


def test_every_rule_can_be_looked_back_on_and_says_what_is_not_kept() -> None:
    assert LOGIC.keys() == PAST.keys() == NOT_KEPT.keys() == parameters.THRESHOLDS.keys()
    assert timedelta(days=90) == CHURN_WITHIN


# --- against a real PostgreSQL ---------------------------------------------------------------------------------------

# said in sentences, and decides nothing
_ONLY_SAID = {"contributions", "contributions_before", "drivers", "activity"}


def _lived(estate: Estate) -> str:
    """An account with something for every rule."""
    key = estate.account(
        renewal_date=AS_OF + timedelta(days=80),
        days_to_renewal=80,
        customer_since_date=AS_OF - timedelta(days=60),
        seats_paid=10,
        plan="Essentials",
        last_contact_date=AS_OF - timedelta(days=100),
    )
    estate.health(key, [80.0] * 57 + [60.0] * 3, seat_use_value=0.3)
    estate.usage(key, [(20, 20)] * 55 + [(5, 20)] * 5)
    estate.risk(key, *[(0.6, "High")] * 60)
    estate.invoice(key, has_failed_payment=True)
    estate.put(
        "fct_account_events",
        event_key="e1",
        account_key=key,
        occurred_at=NOW - timedelta(days=3),
        event_kind="payment_failed",
    )
    estate.put(
        "fct_engagements", engagement_key="g1", account_key=key, is_two_way=True, occurred_at=NOW - timedelta(101)
    )
    for number, solved in enumerate((None, None, None, NOW - timedelta(days=90))):
        estate.put(
            "fct_tickets",
            ticket_id=number,
            account_key=key,
            priority="urgent",
            created_at=NOW - timedelta(days=100 if solved else 5),
            solved_at=solved,
            is_open=solved is None,
        )
    estate.put(
        "dim_contacts",
        contact_key="c1",
        account_key=key,
        contact_name="Jane",
        email="jane@ashford.example",
        stakeholder_role="champion",
        has_left=True,
        has_bounced=False,
        left_date=AS_OF - timedelta(days=4),
    )
    estate.put(
        "fct_nps_responses",
        response_key="r1",
        account_key=key,
        score=3,
        respondent_email="jane@ashford.example",
        responded_at=NOW - timedelta(days=9),
    )
    return key


def test_on_the_last_day_the_look_back_sees_what_evaluation_sees(estate: Estate) -> None:
    key = _lived(estate)
    estate.publish()
    with estate.work() as db:
        rate(
            db,
            actor=estate.user(),
            now=NOW - timedelta(2),
            account_key=key,
            score=5,
            note=None,
            idempotency_key=a_key(),
        )
    fired: set[str] = set()

    with estate.work() as db:
        rules = [rule_from_params(*row) for row in repository.active_rules(db)]
        known, inputs = estate_of(db), Inputs(db, rules)
        for rule in rules:
            past = PAST[rule.rule_id](db, known, AS_OF - lookback.REACH)
            seen = {name: one for name, one in past.at(AS_OF).items() if past.covers(rule, one)}
            read = inputs.whole(rule).by_account

            assert seen.keys() == read.keys(), rule.rule_id
            for name, given in read.items():
                for field in fields(given):
                    if field.name not in _ONLY_SAID:
                        assert getattr(seen[name], field.name) == getattr(given, field.name), (rule.rule_id, field.name)
                fired |= {rule.rule_id} if LOGIC[rule.rule_id].trigger(rule, seen[name]) else set()

    assert {"R1", "R2", "R4", "R5", "R6", "R7", "R9", "R10", "R11", "R13", "R14"} <= fired


# --- versions --------------------------------------------------------------------------------------------------------


def _wanted(estate: Estate, **changes: Any) -> dict[str, Any]:
    with estate.work() as db:
        active = next(
            one
            for one in rule_versions.active(db, actor=estate.user("Harriet Cole", Role.ADMIN))
            if one.rule_id == "R1"
        )
    return parameters.nested("R1", parameters.flat("R1", active.params) | changes)


def _publish(estate: Estate, wanted: dict[str, Any], *, expected: int = 1, who: str = "Harriet Cole") -> Any:
    with estate.work() as db:
        return rule_versions.publish(
            db,
            actor=estate.user(who, Role.CSM if who == "Maya Lind" else Role.ADMIN),
            now=NOW,
            rule_id="R1",
            wanted=wanted,
            reason="Too many false alarms",
            expected_version=expected,
            idempotency_key=a_key(),
        )


def test_a_published_version_holds_is_audited_and_an_old_one_can_be_put_back(estate: Estate) -> None:
    before = _wanted(estate)
    made = _publish(estate, _wanted(estate, drop_high=20, interventions=["training", "diagnostic_call"]))

    assert (made.version, made.created_by_name, made.reason) == (2, "Harriet Cole", "Too many false alarms")
    with estate.work() as db:
        rules = {row[0]: rule_from_params(*row) for row in repository.active_rules(db)}
    assert rules["R1"].threshold("drop_high") == 20
    assert rules["R1"].interventions == ("training", "diagnostic_call")
    assert rules["R1"].title == "Find out why health dropped"
    audited = estate.admin.execute(
        "select field, reason from app.audit_events where subject_kind = 'rule' and subject_id = 'R1' order by event_id"
    ).fetchall()
    assert [field for field, _ in audited] == ["the version", "drop_high", "interventions"]
    with pytest.raises(StaleVersion):
        _publish(estate, before, expected=1)

    back = _publish(estate, before, expected=2)

    assert back.version == 3
    with estate.work() as db:
        known = rule_versions.versions(db, actor=estate.user("Harriet Cole", Role.ADMIN), rule_id="R1")
    assert [(one.version, one.is_active) for one in known] == [(3, True), (2, False), (1, False)]
    assert known[0].params == known[2].params


_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"drop_high": 30}, "drop_critical"),
    ({"hold_days": -1}, "hold_days"),
    ({"hold_days": 40, "window_days": 30}, "hold_days"),
    ({"cool_down_days": 2.5}, "cool_down_days"),
    ({"drop_high": float("nan")}, "drop_high"),
    ({"interventions": []}, "interventions"),
    ({"interventions": ["training", "training"]}, "interventions"),
    ({"interventions": ["witchcraft"]}, "interventions"),
    ({}, "params"),
]


def test_what_cannot_hold_is_refused_by_its_name_and_rules_are_for_admins(estate: Estate) -> None:
    for changes, field in _REFUSED:
        with pytest.raises(InvalidInput) as refused:
            _publish(estate, _wanted(estate, **changes))

        assert refused.value.field == field
    with pytest.raises(NotPermitted):
        _publish(estate, _wanted(estate, drop_high=20), who="Maya Lind")
    with estate.work() as db, pytest.raises(NotPermitted):
        rule_versions.look_back(db, actor=estate.user(), rule_id="R1", wanted={})
    assert estate.one("select max(version) from app.rules where rule_id = 'R1'") == 1


def test_a_rule_asks_for_an_event_before_it_speaks_of_a_change_and_only_what_can_hold_is_asked_for_days(
    estate: Estate,
) -> None:
    with estate.work() as db:
        shipped = {rule_id: params for rule_id, _, params in repository.active_rules(db)}
    for rule_id, name in (("R2", "least_previous_7d"), ("R2", "least_previous_30d"), ("R12", "least_previous_30d")):
        without = {**shipped[rule_id], "thresholds": {**shipped[rule_id]["thresholds"], name: 0}}
        assert [field for field, _ in parameters.problems(rule_id, without)] == [name]
    assert "hold_days" not in parameters.flat("R11", shipped["R11"])
    assert parameters.changed("R11", shipped["R11"], {"hold_days": 10})["hold_days"] == 0


def test_every_shipped_rule_passes_its_own_checks_and_round_trips(estate: Estate) -> None:
    with estate.work() as db:
        for rule_id, _, params in repository.active_rules(db):
            flat = parameters.flat(rule_id, params)
            assert parameters.problems(rule_id, params) == [], rule_id
            assert parameters.changed(rule_id, params, parameters.nested(rule_id, flat)) == params, rule_id
