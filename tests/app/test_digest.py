"""The digest: once a morning in each person's own days, only what waits, nothing twice, never an empty mail."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app import digest
from app.actions import service as actions
from app.actions.escalation import escalate
from app.auth import Identity, Role
from app.digest import Digest, DigestReport, send_due
from app.notices import outbox
from app.settings import get_settings
from app.suggestions.service import evaluate
from app.users import get_user
from tests.app.factories import NOW, Estate, a_key, key_of

TODAY = date(2026, 11, 20)  # NOW's Friday
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def mail(monkeypatch: pytest.MonkeyPatch, settings: None) -> None:
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("PUBLIC_URL", "https://accounts.example")
    get_settings.cache_clear()


def compose(estate: Estate, who: Identity, now: datetime = NOW) -> Digest | None:
    with estate.work() as db:
        return digest.compose(db, user=get_user(db, who.user_id), now=now)


def send(estate: Estate, now: datetime) -> DigestReport:
    with estate.work() as db:
        return send_due(db, now=now)


def prefer(estate: Estate, **values: str) -> None:
    for name, value in values.items():
        estate.admin.execute(f"update app.users set {name} = %s", [value])  # pyright: ignore[reportArgumentType]


def test_each_action_stands_in_one_part_with_its_link(estate: Estate, maya: Identity) -> None:
    early = NOW - timedelta(days=7)
    overdue = estate.action(actor=maya, now=early, title="Late call", due_date=date(2026, 11, 17))
    estate.action(actor=maya, title="Call today", due_date=TODAY)
    estate.action(actor=maya, title="Call on Sunday", due_date=date(2026, 11, 22))
    estate.action(actor=maya, title="Call next week", due_date=date(2026, 11, 23))
    estate.action(actor=maya, title="Call some day")

    told = compose(estate, maya)

    assert told is not None
    assert told.subject == "Your day: 1 overdue, 1 due today, 1 due this week"
    assert "- Ashford Media: Late call, due 17 November 2026, 3 business days late" in told.body
    assert f"https://accounts.example/pages/actions?action={overdue.action_id}" in told.body
    assert told.body.count("- Ashford Media") == 3
    assert "next week" not in told.body
    assert "some day" not in told.body


def test_with_nothing_waiting_there_is_no_digest(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, title="Call next month", due_date=date(2026, 12, 20))

    assert compose(estate, maya) is None
    assert send(estate, NOW) == DigestReport(empty=1)


def test_a_digest_goes_out_once_a_day(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, due_date=TODAY)

    reports = [send(estate, NOW + timedelta(minutes=15 * number)) for number in range(4)]

    assert reports == [DigestReport(enqueued=1)] + [DigestReport()] * 3
    assert send(estate, MONDAY) == DigestReport(enqueued=1)


@pytest.mark.parametrize(
    ("zone", "hour", "expected"),
    [
        ("Europe/London", 6, 0),
        ("Europe/London", 7, 1),
        ("America/New_York", 11, 0),
        ("America/New_York", 12, 1),
        ("Asia/Tokyo", 5, 1),
    ],
)
def test_seven_is_seven_where_the_person_is(
    estate: Estate, maya: Identity, zone: str, hour: int, expected: int
) -> None:
    estate.action(actor=maya, now=NOW - timedelta(days=7), due_date=date(2026, 11, 16))
    prefer(estate, time_zone=zone)

    assert send(estate, datetime(2026, 11, 20, hour, tzinfo=UTC)).enqueued == expected


def test_nobody_is_written_to_on_a_weekend_or_their_public_holiday(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, due_date=TODAY)
    prefer(estate, holiday_region="US")

    assert send(estate, datetime(2026, 11, 21, 12, tzinfo=UTC)) == DigestReport()
    assert send(estate, datetime(2026, 11, 26, 12, tzinfo=UTC)) == DigestReport()  # Thanksgiving
    assert send(estate, datetime(2026, 11, 27, 12, tzinfo=UTC)) == DigestReport(enqueued=1)


def test_a_weekly_digest_comes_on_the_first_day_somebody_works(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, due_date=TODAY)
    prefer(estate, digest="weekly")
    boxing_week = [datetime(2026, 12, day, 9, tzinfo=UTC) for day in range(28, 32)]

    sent = [send(estate, now).enqueued for now in boxing_week]

    assert sent == [0, 1, 0, 0]  # Monday the 28th stands in for Boxing Day


def test_who_wants_no_digest_gets_none(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, due_date=TODAY)
    prefer(estate, digest="never")

    assert send(estate, NOW) == DigestReport()


def test_without_a_mail_server_no_digest_is_kept(
    estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMTP_HOST")
    get_settings.cache_clear()
    estate.action(actor=maya, due_date=TODAY)

    assert send(estate, NOW) == DigestReport()


def test_what_came_back_from_snooze_is_named_until_the_next_digest(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, now=NOW - timedelta(days=7), title="Ask again")
    with estate.work() as db:
        actions.transition(
            db,
            actor=maya,
            now=NOW - timedelta(days=7),
            action_id=action.action_id,
            expected_version=1,
            to_status="snoozed",
            reason="They asked for it",
            snoozed_until=TODAY,
            idempotency_key=a_key(),
        )
        actions.wake_snoozed(db, now=datetime(2026, 11, 20, 0, 10, tzinfo=UTC))

    back = compose(estate, maya)

    assert back is not None
    assert back.subject == "Your day: 1 back from snooze"
    assert compose(estate, maya, MONDAY) is not None  # after a weekend Friday's return is still news
    assert compose(estate, maya, MONDAY + timedelta(days=1)) is None


def test_a_snoozed_action_is_not_in_the_digest(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=TODAY)
    with estate.work() as db:
        actions.transition(
            db,
            actor=maya,
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            to_status="snoozed",
            reason="Later",
            snoozed_until=date(2026, 12, 1),
            idempotency_key=a_key(),
        )

    assert compose(estate, maya) is None


def test_suggestions_on_own_accounts_are_named_and_nobody_elses(estate: Estate, maya: Identity) -> None:
    estate.account("Brook Agency", csm_email="tom.reed@force24.example", csm_name="Tom Reed")
    for name in ("Ashford Media", "Brook Agency"):
        estate.health(key_of(name), [80.0] * 10 + [60.0] * 3)
        estate.usage(key_of(name), [(50, 50)] * 4)
    build = estate.publish()
    with estate.work() as db:
        evaluate(db, now=NOW, build_id=build)

    told = compose(estate, maya)

    assert told is not None
    assert "suggestion" in told.subject
    assert "Ashford Media" in told.body
    assert "Brook Agency" not in told.body


def test_admins_are_told_what_they_must_decide(estate: Estate, maya: Identity) -> None:
    ada = estate.user("Ada Boss", Role.ADMIN)
    estate.action(actor=maya, due_date=TODAY)
    later = datetime(2026, 12, 1, 9, tzinfo=UTC)
    with estate.work() as db:
        escalate(db, now=later)

    for_ada, for_maya = compose(estate, ada, later), compose(estate, maya, later)

    assert for_ada is not None
    assert for_maya is not None
    assert for_ada.subject == "Your day: 1 to decide"
    assert "an admin must decide" in for_maya.body


def test_a_long_list_is_cut_and_says_by_how_much(estate: Estate, maya: Identity) -> None:
    for number in range(13):
        estate.action(actor=maya, title=f"Call {number}", due_date=TODAY)

    told = compose(estate, maya)

    assert told is not None
    assert told.subject == "Your day: 13 due today"
    assert "- and 3 more" in told.body


def test_the_message_is_plain_and_goes_to_the_persons_address(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, due_date=TODAY)
    send(estate, NOW)

    with estate.work() as db:
        [message] = outbox.list_messages(db, actor=estate.user("Ada Boss", Role.ADMIN))

    assert (message.recipient, message.user_id) == (maya.email, maya.user_id)
    assert "My day: https://accounts.example/pages/my-day" in message.body
