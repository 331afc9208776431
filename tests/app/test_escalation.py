"""Late work: counted in business days of whoever has it, told once per step, and anew for a new owner."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actions import escalation
from app.actions import service as actions
from app.actions.escalation import EscalationReport, escalate
from app.actions.model import Action, ActionFilter
from app.actions.vocabulary import ActorKind
from app.auth import Identity, Role
from app.calendar import Calendar
from app.configuration import Escalation, publish
from app.notices import outbox, service
from app.notices.service import NoticeKind
from app.settings import get_settings
from tests.app.factories import NOW, Estate, a_key

THRESHOLDS = Escalation(digest_day=1, owner_and_admin_day=3, decision_day=7)
DUE = date(2026, 11, 20)  # the Friday of NOW


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@pytest.fixture
def ada(estate: Estate) -> Identity:
    return estate.user("Ada Boss", Role.ADMIN)


@pytest.fixture
def late(estate: Estate, ada: Identity) -> Action:
    """Maya's action, due on NOW's Friday."""
    estate.account()
    estate.publish()
    return estate.action(actor=estate.user(), due_date=DUE)


def run(estate: Estate, now: datetime) -> EscalationReport:
    with estate.work() as db:
        return escalate(db, now=now)


def level(estate: Estate, action: Action) -> int:
    with estate.work() as db:
        return actions.get_action(db, action.action_id).action.escalation_level


def kinds(estate: Estate, name: str) -> list[NoticeKind]:
    with estate.work() as db:
        return [one.kind for one in service.inbox(db, identity=estate.people[name])]


def edit(estate: Estate, actor: Identity, action: Action, now: datetime, **changes: object) -> Action:
    with estate.work() as db:
        version = actions.get_action(db, action.action_id).action.version
        return actions.edit_action(
            db,
            actor=actor,
            now=now,
            action_id=action.action_id,
            expected_version=version,
            changes=changes,
            idempotency_key=a_key(),
        )


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 20), 0),
        (date(2026, 11, 22), 0),  # Sunday
        (date(2026, 11, 23), 1),
        (date(2026, 11, 24), 1),
        (date(2026, 11, 25), 2),
        (date(2026, 11, 30), 2),
        (date(2026, 12, 1), 3),
    ],
    ids=str,
)
def test_levels_follow_business_days(estate: Estate, late: Action, day: date, expected: int) -> None:
    run(estate, at(day))

    assert level(estate, late) == expected


def test_the_first_day_late_is_told_to_nobody(estate: Estate, late: Action) -> None:
    assert run(estate, at(date(2026, 11, 23))) == EscalationReport(named=1)

    assert kinds(estate, "Maya Lind") == kinds(estate, "Ada Boss") == []


def test_the_third_day_is_told_to_owner_and_admins_once(estate: Estate, late: Action) -> None:
    first, again = run(estate, at(date(2026, 11, 25))), run(estate, at(date(2026, 11, 26)))

    assert (first, again) == (EscalationReport(escalated=1), EscalationReport())
    assert kinds(estate, "Maya Lind") == kinds(estate, "Ada Boss") == [NoticeKind.ESCALATED]


def test_the_seventh_day_asks_the_admins_to_decide_and_lists_it(estate: Estate, late: Action) -> None:
    run(estate, at(date(2026, 11, 25)))

    assert run(estate, at(date(2026, 12, 1))) == EscalationReport(for_decision=1)
    assert kinds(estate, "Ada Boss") == [NoticeKind.DECISION_NEEDED, NoticeKind.ESCALATED]
    assert kinds(estate, "Maya Lind") == [NoticeKind.ESCALATED]
    with estate.work() as db:
        [listed] = actions.list_actions(db, filter=ActionFilter(least_escalation_level=3))
    assert listed.action_id == late.action_id


def test_the_story_says_that_the_job_did_it(estate: Estate, late: Action) -> None:
    run(estate, at(date(2026, 11, 23)))

    with estate.work() as db:
        event = actions.get_action(db, late.action_id).events[-1]
    assert (event.field, event.before, event.after) == ("escalation_level", 0, 1)
    assert (event.actor_name, event.actor_kind) == ("Escalation", ActorKind.JOB)


def test_after_a_month_without_a_run_the_owner_is_told_too(estate: Estate, late: Action) -> None:
    run(estate, at(date(2026, 12, 21)))

    assert kinds(estate, "Ada Boss") == [NoticeKind.DECISION_NEEDED]
    assert kinds(estate, "Maya Lind") == [NoticeKind.ESCALATED]


def test_an_admin_who_has_the_action_is_told_once(estate: Estate, ada: Identity) -> None:
    estate.account()
    estate.publish()
    estate.action(actor=ada, owner_user_id=ada.user_id, due_date=DUE)

    run(estate, at(date(2026, 11, 25)))

    assert kinds(estate, "Ada Boss") == [NoticeKind.ESCALATED]


def test_a_snoozed_action_is_not_late_and_one_that_comes_back_begins_anew(estate: Estate, late: Action) -> None:
    run(estate, at(date(2026, 11, 25)))
    with estate.work() as db:
        actions.transition(
            db,
            actor=estate.user(),
            now=at(date(2026, 11, 25)),
            action_id=late.action_id,
            expected_version=2,
            to_status="snoozed",
            reason="They are away",
            snoozed_until=date(2026, 12, 7),
            idempotency_key=a_key(),
        )

    assert run(estate, at(date(2026, 12, 4))) == EscalationReport(eased=1)
    with estate.work() as db:
        actions.wake_snoozed(db, now=at(date(2026, 12, 7)))
    run(estate, at(date(2026, 12, 8)))
    assert level(estate, late) == 1


def test_another_date_ends_the_escalation_at_once(estate: Estate, late: Action) -> None:
    run(estate, at(date(2026, 12, 1)))

    redated = edit(estate, estate.user(), late, at(date(2026, 12, 1)), due_date=date(2026, 12, 4))

    assert redated.escalation_level == 0
    assert run(estate, at(date(2026, 12, 4))) == EscalationReport()


def test_an_earlier_date_does_not_end_it(estate: Estate, late: Action) -> None:
    run(estate, at(date(2026, 12, 1)))

    redated = edit(estate, estate.user(), late, at(date(2026, 12, 1)), due_date=date(2026, 11, 19))

    assert redated.escalation_level == 3


def test_a_new_owner_has_the_days_anew(estate: Estate, late: Action, ada: Identity) -> None:
    run(estate, at(date(2026, 12, 1)))
    tom = estate.user("Tom Reed")

    moved = edit(estate, ada, late, at(date(2026, 12, 1)), owner_user_id=tom.user_id)
    same_day = run(estate, at(date(2026, 12, 1), 13))
    after_three_days = run(estate, at(date(2026, 12, 4)))

    assert moved.escalation_level == 0
    assert same_day == EscalationReport()
    assert after_three_days == EscalationReport(escalated=1)
    assert kinds(estate, "Tom Reed") == [NoticeKind.ESCALATED, NoticeKind.ASSIGNED]


def test_a_holiday_of_the_owners_region_is_not_a_day_late(estate: Estate, late: Action) -> None:
    estate.admin.execute("update app.users set holiday_region = 'US' where display_name = 'Maya Lind'")
    thanksgiving = date(2026, 11, 26)

    run(estate, at(thanksgiving))
    on_the_holiday = level(estate, late)
    run(estate, at(date(2026, 12, 1)))

    assert on_the_holiday == 2  # Monday, Tuesday, Wednesday
    assert level(estate, late) == 2  # England's seventh day is the sixth of the United States


def test_the_day_turns_in_the_owners_own_zone(estate: Estate, late: Action) -> None:
    estate.admin.execute("update app.users set time_zone = 'Pacific/Auckland' where display_name = 'Maya Lind'")

    run(estate, datetime(2026, 11, 22, 12, tzinfo=UTC))  # Monday there, Sunday in London

    assert level(estate, late) == 1


def test_other_thresholds_move_levels_both_ways(estate: Estate, late: Action, ada: Identity) -> None:
    run(estate, at(date(2026, 11, 25)))
    with estate.work() as db:
        publish(
            db,
            actor=ada,
            now=NOW,
            name="escalation",
            value={"digest_day": 5, "owner_and_admin_day": 8, "decision_day": 9},
            expected_version=1,
            idempotency_key=a_key(),
        )

    assert run(estate, at(date(2026, 11, 25))) == EscalationReport(eased=1)
    assert level(estate, late) == 0


def test_what_nobody_has_is_told_to_the_admins(estate: Estate, ada: Identity) -> None:
    estate.account()
    estate.publish()
    estate.action(actor=ada, due_date=DUE)

    run(estate, at(date(2026, 12, 1)))

    with estate.work() as db:
        [notice] = service.inbox(db, identity=ada)
    assert "nobody has it" in notice.body


def test_many_late_actions_are_one_e_mail_each_and_one_line_in_the_channel(
    estate: Estate, late: Action, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("NOTIFY_WEBHOOK_URL", "https://hooks.example.com/token")
    get_settings.cache_clear()
    for number in range(24):
        estate.action(actor=estate.user(), due_date=DUE, title=f"Call number {number}")

    run(estate, at(date(2026, 11, 25)))

    with estate.work() as db:
        sent = {(one.channel, one.recipient): one for one in outbox.list_messages(db, actor=ada)}
    assert sorted(recipient for _, recipient in sent) == [
        "ada.boss@force24.example",
        "maya.lind@force24.example",
        "team channel",
    ]
    told = sent[outbox.Channel.WEBHOOK, "team channel"]
    assert told.subject == "25 actions are late"
    assert told.body.endswith("And 5 more.")


def test_ended_work_is_left_alone(estate: Estate, late: Action) -> None:
    with estate.work() as db:
        actions.transition(
            db,
            actor=estate.user(),
            now=NOW,
            action_id=late.action_id,
            expected_version=1,
            to_status="cancelled",
            reason="duplicate",
            idempotency_key=a_key(),
        )

    assert run(estate, at(date(2026, 12, 1))) == EscalationReport()


@given(
    due=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    began=st.none() | st.integers(0, 60),
    hours=st.integers(0, 24 * 90),
)
def test_lateness_never_shrinks_with_time_and_never_grows_with_a_new_beginning(
    due: date, began: int | None, hours: int
) -> None:
    calendar, now = Calendar(), at(due) + timedelta(hours=hours)
    began_at = at(due) + timedelta(days=began) if began is not None else None

    late_days = escalation.days_late(due_date=due, began_at=began_at, calendar=calendar, now=now)
    later = escalation.days_late(due_date=due, began_at=began_at, calendar=calendar, now=now + timedelta(days=1))
    unbroken = escalation.days_late(due_date=due, began_at=None, calendar=calendar, now=now)

    assert 0 <= late_days <= unbroken
    assert late_days <= later <= late_days + 1
    assert escalation.level_of(late_days, THRESHOLDS) <= escalation.level_of(later, THRESHOLDS)
