"""Notices: told once, to the right person, never of one's own doing, and as one e-mail per change."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.actions import bulk
from app.actions import service as actions
from app.actions.bulk import Assign, BulkResult
from app.actions.model import Action
from app.auth import Identity, Role
from app.notices import outbox
from app.notices import service as notices
from app.notices.outbox import list_messages
from app.notices.service import NewNotice, NoticeKind
from app.settings import get_settings
from app.users import deactivate
from tests.app.factories import NOW, Estate, a_key


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server is configured; nothing is sent."""
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("PUBLIC_URL", "https://accounts.example/")
    get_settings.cache_clear()


def told(estate: Estate, name: str, *, only_unread: bool = False) -> list[notices.Notice]:
    with estate.work() as db:
        return notices.inbox(db, identity=estate.people[name], only_unread=only_unread)


def mails(estate: Estate) -> list[tuple[str, str]]:
    with estate.work() as db:
        return [(one.recipient, one.subject) for one in list_messages(db, actor=estate.user("Ada Boss", Role.ADMIN))]


def a_notice(estate: Estate, key: str = "event-1", **values: object) -> NewNotice:
    maya = estate.user()
    defaults = {"user_id": maya.user_id, "kind": NoticeKind.ASSIGNED, "title": "Yours now", "dedupe_key": key}
    return NewNotice(**(defaults | values))  # pyright: ignore[reportArgumentType]


def test_the_same_event_is_told_once(estate: Estate, mail: None) -> None:
    with estate.work() as db:
        first = notices.notify_all(db, now=NOW, told=[a_notice(estate)])
        again = notices.notify_all(db, now=NOW, told=[a_notice(estate)])

    assert (first, again) == (1, 0)
    assert len(told(estate, "Maya Lind")) == 1
    assert mails(estate) == [("maya.lind@force24.example", "Yours now")]


def test_two_hundred_notices_of_one_change_are_one_e_mail(estate: Estate, mail: None) -> None:
    many = [a_notice(estate, f"event-{number}") for number in range(200)]

    with estate.work() as db:
        notices.notify_all(db, now=NOW, told=many)

    with estate.work() as db:
        [message] = list_messages(db, actor=estate.user("Ada Boss", Role.ADMIN))
    assert message.subject == "200 notices: Yours now"
    assert "And 170 more: https://accounts.example/pages/inbox" in message.body


def test_without_a_mail_server_there_are_notices_and_no_message(estate: Estate) -> None:
    with estate.work() as db:
        notices.notify_all(db, now=NOW, told=[a_notice(estate)])

    assert len(told(estate, "Maya Lind")) == 1
    assert mails(estate) == []


def test_who_wants_no_e_mail_gets_the_notice_alone(estate: Estate, mail: None) -> None:
    notice = a_notice(estate)
    estate.admin.execute("update app.users set has_notice_mail = false")

    with estate.work() as db:
        notices.notify_all(db, now=NOW, told=[notice])

    assert len(told(estate, "Maya Lind")) == 1
    assert mails(estate) == []


def test_a_deactivated_person_is_told_nothing(estate: Estate, mail: None) -> None:
    notice = a_notice(estate)
    with estate.work() as db:
        deactivate(db, actor=None, now=NOW, user_id=notice.user_id)

    with estate.work() as db:
        assert notices.notify_all(db, now=NOW, told=[notice]) == 0

    assert told(estate, "Maya Lind") == []


def test_a_change_that_is_rolled_back_tells_nobody(estate: Estate, mail: None) -> None:
    notice = a_notice(estate)

    with estate.engine.connect() as db:
        notices.notify_all(db, now=NOW, told=[notice])
        db.rollback()

    assert told(estate, "Maya Lind") == []
    assert mails(estate) == []


def test_reading_marks_own_notices_and_nobody_elses(estate: Estate) -> None:
    tom = estate.user("Tom Reed")
    with estate.work() as db:
        notices.notify_all(
            db,
            now=NOW,
            told=[a_notice(estate), a_notice(estate, "event-2"), a_notice(estate, user_id=tom.user_id)],
        )
    theirs = told(estate, "Tom Reed")[0]

    with estate.work() as db:
        marked = notices.mark_read(
            db, identity=estate.user(), now=NOW, notice_ids=[told(estate, "Maya Lind")[0].notice_id, theirs.notice_id]
        )
        left = notices.unread_count(db, identity=estate.user())
        of_tom = notices.unread_count(db, identity=tom)

    assert (marked, left, of_tom) == (1, 1, 1)
    with estate.work() as db:
        assert notices.mark_read(db, identity=estate.user(), now=NOW) == 1
    assert told(estate, "Maya Lind", only_unread=True) == []


def test_the_newest_notice_comes_first(estate: Estate) -> None:
    with estate.work() as db:
        notices.notify_all(db, now=NOW, told=[a_notice(estate, title="Older")])
        notices.notify_all(db, now=NOW + timedelta(minutes=1), told=[a_notice(estate, "event-2", title="Newer")])

    assert [one.title for one in told(estate, "Maya Lind")] == ["Newer", "Older"]


def test_one_told_by_another_is_linked_to_the_action(estate: Estate, mail: None) -> None:
    estate.account()
    estate.publish()
    ada, maya = estate.user("Ada Boss", Role.ADMIN), estate.user()

    action = estate.action(actor=ada, owner_user_id=maya.user_id)

    [notice] = told(estate, "Maya Lind")
    assert (notice.kind, notice.action_id) == (NoticeKind.ASSIGNED, action.action_id)
    assert notice.title == "Ada Boss gave you: Call the champion"
    with estate.work() as db:
        [message] = list_messages(db, actor=ada)
    assert f"https://accounts.example/pages/actions?action={action.action_id}" in message.body


def test_nobody_is_told_of_what_they_did_themselves(estate: Estate) -> None:
    estate.account()
    estate.publish()
    maya = estate.user()
    action = estate.action(actor=maya)

    with estate.work() as db:
        actions.add_note(db, actor=maya, now=NOW, action_id=action.action_id, body="Called.", idempotency_key=a_key())

    assert told(estate, "Maya Lind") == []


def test_both_owners_are_told_when_an_action_changes_hands(estate: Estate) -> None:
    estate.account()
    estate.publish()
    ada, maya, tom = estate.user("Ada Boss", Role.ADMIN), estate.user(), estate.user("Tom Reed")
    action = estate.action(actor=maya)

    with estate.work() as db:
        actions.reassign(
            db,
            actor=ada,
            now=NOW,
            action_ids=[action.action_id],
            owner_user_id=tom.user_id,
            idempotency_key=a_key(),
        )

    assert [one.kind for one in told(estate, "Maya Lind")] == [NoticeKind.TAKEN_AWAY]
    assert [one.kind for one in told(estate, "Tom Reed")] == [NoticeKind.ASSIGNED]
    assert told(estate, "Ada Boss") == []


def test_an_edit_of_the_owner_tells_as_a_reassignment_does(estate: Estate) -> None:
    estate.account()
    estate.publish()
    ada, maya, tom = estate.user("Ada Boss", Role.ADMIN), estate.user(), estate.user("Tom Reed")
    action = estate.action(actor=maya)

    with estate.work() as db:
        actions.edit_action(
            db,
            actor=ada,
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            changes={"owner_user_id": tom.user_id},
            idempotency_key=a_key(),
        )

    assert [one.kind for one in told(estate, "Maya Lind")] == [NoticeKind.TAKEN_AWAY]
    assert [one.kind for one in told(estate, "Tom Reed")] == [NoticeKind.ASSIGNED]


def test_the_owner_is_told_of_a_colleagues_note_with_its_words(estate: Estate) -> None:
    estate.account()
    estate.publish()
    maya, tom = estate.user(), estate.user("Tom Reed")
    action = estate.action(actor=maya)

    with estate.work() as db:
        actions.add_note(
            db, actor=tom, now=NOW, action_id=action.action_id, body="They rang me back.", idempotency_key=a_key()
        )

    [notice] = told(estate, "Maya Lind")
    assert notice.kind == NoticeKind.NOTE_ADDED
    assert "They rang me back." in notice.body


def test_the_owner_is_told_when_an_action_comes_back(estate: Estate) -> None:
    estate.account()
    estate.publish()
    maya = estate.user()
    action = estate.action(actor=maya)
    until = NOW.date() + timedelta(days=4)
    with estate.work() as db:
        actions.transition(
            db,
            actor=maya,
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            to_status="snoozed",
            reason="On holiday",
            snoozed_until=until,
            idempotency_key=a_key(),
        )

    with estate.work() as db:
        actions.wake_snoozed(db, now=NOW + timedelta(days=4))
        actions.wake_snoozed(db, now=NOW + timedelta(days=4))

    assert [one.kind for one in told(estate, "Maya Lind")] == [NoticeKind.CAME_BACK]


def test_a_notice_of_an_unknown_person_is_dropped(estate: Estate) -> None:
    with estate.work() as db:
        assert notices.notify_all(db, now=NOW, told=[a_notice(estate, user_id=uuid4())]) == 0


def given(estate: Estate, actor: Identity, *of: Action, to: Identity | None, at: datetime = NOW) -> BulkResult:
    with estate.work() as db:
        return bulk.apply(
            db,
            actor=actor,
            now=at,
            change=Assign(owner_user_id=to.user_id if to else None),
            items=[(action.action_id, action.version) for action in of],
            idempotency_key=a_key(),
        )


def undone(estate: Estate, actor: Identity, bulk_id: UUID | None) -> None:
    assert bulk_id
    with estate.work() as db:
        bulk.undo(db, actor=actor, now=NOW + timedelta(seconds=30), bulk_id=bulk_id, idempotency_key=a_key())


def due_mails(estate: Estate, now: datetime) -> list[str]:
    """Whom a deliverer would write to at that moment."""
    with estate.work() as db:
        found = iter(lambda: outbox.begin_attempt(db, now=now), None)
        return sorted(message.recipient for message in found)


@pytest.fixture
def boss(estate: Estate, published: None) -> Identity:
    return estate.user("Harriet Cole", Role.ADMIN)


def test_mail_of_an_assignment_leaves_when_it_can_no_longer_be_undone(
    estate: Estate, boss: Identity, mail: None
) -> None:
    maya, tom = estate.user(), estate.user("Tom Okafor")
    given(estate, boss, estate.action(actor=maya), to=tom)

    assert len(told(estate, "Tom Okafor")) == 1
    assert due_mails(estate, NOW + timedelta(seconds=64)) == []
    assert due_mails(estate, NOW + timedelta(seconds=65)) == [maya.email, tom.email]


def test_an_assignment_that_was_undone_is_told_to_nobody(estate: Estate, boss: Identity, mail: None) -> None:
    tom = estate.user("Tom Okafor")
    result = given(estate, boss, estate.action(actor=estate.user()), to=tom)
    undone(estate, boss, result.bulk_id)

    assert (told(estate, "Tom Okafor"), told(estate, "Maya Lind"), mails(estate)) == ([], [], [])


def test_who_had_read_of_an_assignment_is_told_that_it_was_undone(estate: Estate, boss: Identity, mail: None) -> None:
    tom = estate.user("Tom Okafor")
    result = given(estate, boss, estate.action(actor=estate.user(), title="Call Jo"), to=tom)
    with estate.work() as db:
        notices.mark_read(db, identity=tom, now=NOW)
    undone(estate, boss, result.bulk_id)

    assert [one.title for one in told(estate, "Tom Okafor", only_unread=True)] == [
        "Harriet Cole took from you: Call Jo"
    ]


def test_who_was_sent_of_an_assignment_is_told_that_it_was_undone(estate: Estate, boss: Identity, mail: None) -> None:
    tom = estate.user("Tom Okafor")
    result = given(estate, boss, estate.action(actor=estate.user()), to=tom)
    due_mails(estate, NOW + timedelta(seconds=65))
    undone(estate, boss, result.bulk_id)

    assert [one.kind for one in told(estate, "Tom Okafor")] == [NoticeKind.TAKEN_AWAY, NoticeKind.ASSIGNED]


def test_a_message_of_several_assignments_is_sent_with_those_that_stay(
    estate: Estate, boss: Identity, mail: None
) -> None:
    tom = estate.user("Tom Okafor")
    kept, back = (estate.action(actor=boss, title=title) for title in ("Kept", "Taken back"))
    changed = {one.title: one for one in given(estate, boss, kept, back, to=tom).changed}
    given(estate, boss, changed["Taken back"], to=None, at=NOW + timedelta(seconds=20))

    assert [one.title for one in told(estate, "Tom Okafor")] == ["Harriet Cole gave you: Kept"]
    with estate.work() as db:
        [message] = list_messages(db, actor=boss)
    assert (message.subject, "Taken back" in message.body) == ("Harriet Cole gave you: Kept", False)


def test_what_is_taken_after_the_minute_is_told_beside_what_was_given(
    estate: Estate, boss: Identity, mail: None
) -> None:
    tom = estate.user("Tom Okafor")
    [action] = given(estate, boss, estate.action(actor=boss), to=tom).changed
    given(estate, boss, action, to=None, at=NOW + timedelta(minutes=2))

    assert [one.kind for one in told(estate, "Tom Okafor")] == [NoticeKind.TAKEN_AWAY, NoticeKind.ASSIGNED]
    assert len(mails(estate)) == 2
