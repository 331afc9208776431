"""What an admin sets: shipped whole, checked before it counts, never overwritten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, get_args

import pytest

from app import audit, configuration
from app.actions.vocabulary import ActionType, Intervention, Priority
from app.audit import Subject
from app.auth import Identity, Role
from app.configuration import (
    ActionReasons,
    ActionTypes,
    CompanyHolidays,
    Escalation,
    InterventionCode,
    Interventions,
    PriorityCode,
    Retention,
    TypeCode,
    Version,
)
from app.errors import AppError, IdempotencyConflict, InvalidInput, NotFound, NotPermitted, StaleVersion
from tests.app.factories import NOW, Estate, a_key

ESCALATION = {"digest_day": 1, "owner_and_admin_day": 3, "decision_day": 7}
LATER = {"digest_day": 2, "owner_and_admin_day": 4, "decision_day": 10}
RULE_REASONS = {
    "health_drop", "usage_decline", "no_activity", "champion_left", "support_pressure", "detractor", "payment",
    "low_seat_use", "onboarding_stalled", "renewal_checkpoint", "silent_account", "growth", "risk_high",
    "opinions_differ",
}  # fmt: skip


@pytest.fixture
def admin(estate: Estate) -> Identity:
    return estate.user("Harriet Cole", Role.ADMIN)


def publish(estate: Estate, actor: Identity, name: str, value: object, version: int = 1, **given: Any) -> Version:
    with estate.work() as db:
        return configuration.publish(
            db,
            actor=actor,
            now=given.get("now", NOW),
            name=name,
            value=value,
            expected_version=version,
            idempotency_key=given.get("key", a_key()),
        )


def test_every_name_ships_with_a_first_version_that_is_complete(estate: Estate) -> None:
    with estate.work() as db:
        shipped = {
            kind: configuration.active(db, kind)  # pyright: ignore[reportArgumentType]
            for kind in configuration.NAMES
        }
        assert all(configuration.active_version(db, name).version == 1 for name in configuration.KINDS)
        types, treatments = configuration.active(db, ActionTypes), configuration.active(db, Interventions)
        reasons, escalation = configuration.active(db, ActionReasons), configuration.active(db, Escalation)

    assert len(shipped) == 7
    assert set(types.root) == set(ActionType)
    assert set(treatments.root) == set(Intervention)
    assert {reason.code for reason in reasons.root} > RULE_REASONS
    assert escalation.model_dump() == ESCALATION
    assert shipped[Retention] == Retention(
        archive_after_days=90, expire_after_days=60, forget_statements_after_days=365
    )
    assert shipped[CompanyHolidays] == CompanyHolidays(days=())
    assert treatments.effort()["business_review"] > treatments.effort()["billing_fix"]


def test_types_and_treatments_stand_in_the_order_of_their_lists_and_not_as_they_are_stored(estate: Estate) -> None:
    with estate.work() as db:
        types, treatments = configuration.active(db, ActionTypes), configuration.active(db, Interventions)

    assert list(types.root) == list(get_args(TypeCode))
    assert list(treatments.root) == list(get_args(InterventionCode))


def test_the_codes_of_configuration_are_those_of_an_action() -> None:
    assert get_args(TypeCode) == tuple(ActionType)
    assert get_args(InterventionCode) == tuple(Intervention)
    assert get_args(PriorityCode) == tuple(Priority)


def test_publishing_makes_a_new_version_active_and_keeps_the_old_one(estate: Estate, admin: Identity) -> None:
    made = publish(estate, admin, "escalation", LATER)

    with estate.work() as db:
        assert configuration.active(db, Escalation).decision_day == 10
        known = configuration.versions(db, actor=admin, name="escalation")
    assert made == known[0]
    assert [(one.version, one.is_active, one.created_by_name) for one in known] == [
        (2, True, "Harriet Cole"),
        (1, False, None),
    ]
    assert known[1].value == ESCALATION


def test_a_change_is_told_field_by_field_with_before_and_after(estate: Estate, admin: Identity) -> None:
    publish(estate, admin, "escalation", ESCALATION | {"decision_day": 9})

    with estate.work() as db:
        event, version = audit.trail(db, actor=admin, subject=Subject.CONFIGURATION, subject_id="escalation")
    assert (version.before, version.after) == (1, 2)
    assert (event.field, event.before, event.after, event.actor_name) == ("decision_day", 7, 9, "Harriet Cole")


def test_a_value_that_is_the_same_makes_no_version(estate: Estate, admin: Identity) -> None:
    assert publish(estate, admin, "escalation", Escalation(**ESCALATION)).version == 1

    with estate.work() as db:
        assert audit.trail(db, actor=admin, subject=Subject.CONFIGURATION) == []


def test_whoever_started_from_an_older_version_is_told_what_changed(estate: Estate, admin: Identity) -> None:
    publish(estate, admin, "escalation", LATER)

    with pytest.raises(StaleVersion) as stale:
        publish(estate, admin, "escalation", ESCALATION | {"decision_day": 9})

    assert stale.value.current.value == LATER
    assert {change.field for change in stale.value.changes} == {"the version", *LATER}
    assert "Harriet Cole" in stale.value.message


def test_of_two_who_publish_at_once_one_wins_and_one_version_is_active(estate: Estate, admin: Identity) -> None:
    def attempt(day: int) -> object:
        try:
            return publish(estate, admin, "escalation", LATER | {"decision_day": day})
        except AppError as error:
            return error

    with ThreadPoolExecutor(max_workers=6) as pool:
        answers = list(pool.map(attempt, range(10, 16)))

    assert sum(isinstance(answer, Version) for answer in answers) == 1
    assert sum(isinstance(answer, StaleVersion) for answer in answers) == 5
    assert estate.one("select count(*) from app.configurations where name = 'escalation' and is_active") == 1


def test_the_same_request_twice_makes_one_version(estate: Estate, admin: Identity) -> None:
    key = a_key()

    first, second = (publish(estate, admin, "escalation", LATER, key=key) for _ in range(2))

    assert first == second
    with pytest.raises(IdempotencyConflict):
        publish(estate, admin, "escalation", LATER | {"decision_day": 20}, key=key)


@pytest.mark.parametrize("role", [Role.CSM, Role.ANALYST])
def test_only_an_admin_configures(estate: Estate, role: Role) -> None:
    somebody = estate.user("Somebody Else", role)

    with pytest.raises(NotPermitted):
        publish(estate, somebody, "escalation", LATER)
    with estate.work() as db, pytest.raises(NotPermitted):
        configuration.versions(db, actor=somebody, name="escalation")


UNUSABLE: list[tuple[str, object]] = [
    ("escalation", ESCALATION | {"decision_day": 3}),
    ("escalation", ESCALATION | {"digest_day": 0}),
    ("escalation", {"digest_day": 1}),
    ("escalation", ESCALATION | {"more": 1}),
    ("escalation", None),
    ("retention", {"archive_after_days": 0, "expire_after_days": 60, "forget_statements_after_days": 365}),
    ("retention", {"archive_after_days": 90, "expire_after_days": 60, "forget_statements_after_days": 29}),
    ("company_holidays", {"days": ["2026-12-24", "2026-12-24"]}),
    ("company_holidays", {"days": ["2026-12-31", "2026-12-24"]}),
    ("company_holidays", {"days": ["2026-02-30"]}),
    ("action_types", {}),
    ("action_types", {"hunting": {"label": "x", "priority": "high", "due_offset_bd": 1, "is_offered": True}}),
    ("interventions", {"training": {"label": "x", "effort_minutes": 1, "action_type": "risk", "is_offered": True}}),
    ("action_reasons", [{"code": "Not A Code", "label": "x", "action_type": "risk", "is_offered": True}]),
    ("action_reasons", [{"code": "nul", "label": "a\x00b", "action_type": "risk", "is_offered": True}]),
    ("action_reasons", [{"code": "blank", "label": "  ", "action_type": "risk", "is_offered": True}]),
    ("action_reasons", [{"code": "twice", "label": "x", "action_type": "risk", "is_offered": True}] * 2),
    ("action_reasons", []),
]


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_what_cannot_hold_is_refused_with_a_sentence(estate: Estate, admin: Identity, name: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        publish(estate, admin, name, value)

    assert refused.value.message.endswith(".")
    assert refused.value.value == value
    assert estate.one("select count(*) from app.configurations") == 7


def test_a_type_may_be_renamed_and_no_longer_offered_but_one_must_stay(estate: Estate, admin: Identity) -> None:
    with estate.work() as db:
        types = configuration.active_version(db, "action_types").value

    changed = types | {"renewal": types["renewal"] | {"label": "Extension", "is_offered": False}}
    publish(estate, admin, "action_types", changed)
    nothing = {code: setting | {"is_offered": False} for code, setting in types.items()}

    with estate.work() as db:
        assert configuration.active(db, ActionTypes).of("renewal").label == "Extension"
        assert not configuration.active(db, ActionTypes).of("renewal").is_offered
    with pytest.raises(InvalidInput, match="At least one"):
        publish(estate, admin, "action_types", nothing, version=2)


def test_a_reason_is_added_and_an_old_one_stays_in_the_list(estate: Estate, admin: Identity) -> None:
    with estate.work() as db:
        reasons = configuration.active_version(db, "action_reasons").value
    new = {"code": "new_law", "label": "New law", "action_type": "risk", "is_offered": True}

    publish(estate, admin, "action_reasons", [*reasons, new])

    with estate.work() as db:
        known = configuration.active(db, ActionReasons)
    assert known.label("new_law") == "New law"
    assert known.label("typed_by_hand") == "Typed by hand"
    with pytest.raises(InvalidInput, match="new_law"):
        publish(estate, admin, "action_reasons", reasons, version=2)


def test_company_holidays_are_dates(estate: Estate, admin: Identity) -> None:
    publish(estate, admin, "company_holidays", CompanyHolidays(days=(date(2026, 12, 24), date(2026, 12, 31))))

    with estate.work() as db:
        assert configuration.active(db, CompanyHolidays).days == (date(2026, 12, 24), date(2026, 12, 31))


def test_a_name_that_does_not_exist_is_not_found(estate: Estate, admin: Identity) -> None:
    with pytest.raises(NotFound):
        publish(estate, admin, "colours", {})
    with estate.work() as db, pytest.raises(NotFound):
        configuration.versions(db, actor=admin, name="colours")
