"""People as administration changes them, what they set themselves, and the trail that tells both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection

from app import audit, users
from app.audit import AuditEvent, Kind, Subject
from app.auth import Identity, Role
from app.errors import InvalidInput, NotFound, NotPermitted, StaleVersion
from app.users import Digest, User
from tests.app.factories import NOW, PASSWORD, Estate


@pytest.fixture
def maya(estate: Estate) -> Identity:
    return estate.user()


@pytest.fixture
def admin(estate: Estate) -> Identity:
    return estate.user("Harriet Cole", Role.ADMIN)


def told(estate: Estate, admin: Identity, user_id: UUID) -> list[AuditEvent]:
    """What the trail says of a person, oldest first."""
    with estate.work() as db:
        return audit.trail(db, actor=admin, subject=Subject.USER, subject_id=user_id)[::-1]


def test_a_new_person_is_told_whole_and_without_a_password(estate: Estate, maya: Identity, admin: Identity) -> None:
    (created,) = told(estate, admin, maya.user_id)

    assert (created.kind, created.before, created.actor_kind) == (Kind.CREATED, None, "operator")
    assert created.after["email"] == maya.email
    assert "password" not in str(created.after)
    assert PASSWORD not in estate.one("select string_agg(e::text, ' ') from app.audit_events as e")


CHANGES: list[tuple[str, Callable[[Connection, Identity, UUID], Any], Any, Any]] = [
    ("role", lambda db, who, one: users.change_role(db, actor=who, now=NOW, user_id=one, role="analyst"), "csm",
     "analyst"),
    ("weekly_capacity_minutes",
     lambda db, who, one: users.set_capacity(db, actor=who, now=NOW, user_id=one, weekly_capacity_minutes=600), 1200,
     600),
    ("is_active", lambda db, who, one: users.deactivate(db, actor=who, now=NOW, user_id=one), True, False),
    ("display_name",
     lambda db, who, one: users.set_profile(db, actor=who, now=NOW, user_id=one, display_name=" Maya L "), "Maya Lind",
     "Maya L"),
    ("owner_email",
     lambda db, who, one: users.set_profile(db, actor=who, now=NOW, user_id=one, owner_email="Maya@crm.example"),
     "maya.lind@force24.example", "maya@crm.example"),
    ("owner_email", lambda db, who, one: users.set_profile(db, actor=who, now=NOW, user_id=one, owner_email=""),
     "maya.lind@force24.example", None),
    ("time_zone",
     lambda db, who, one: users.set_profile(db, actor=who, now=NOW, user_id=one, time_zone="Europe/Berlin"),
     "Europe/London", "Europe/Berlin"),
    ("holiday_region",
     lambda db, who, one: users.set_profile(db, actor=who, now=NOW, user_id=one, holiday_region="DE-BY"), "GB-ENG",
     "DE-BY"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "change", "before", "after"), CHANGES)
def test_every_change_of_a_person_is_an_event_with_before_and_after(
    estate: Estate, maya: Identity, admin: Identity, field: str, change: Callable[..., User], before: Any, after: Any
) -> None:
    with estate.work() as db:
        changed = change(db, admin, maya.user_id)

    event = told(estate, admin, maya.user_id)[-1]
    assert (event.kind, event.field, event.before, event.after) == (Kind.CHANGED, field, before, after)
    assert (event.actor_user_id, event.at) == (admin.user_id, NOW)
    assert changed.version == 2


@pytest.mark.parametrize(("field", "change", "before", "after"), CHANGES)
def test_the_same_change_again_is_no_change(
    estate: Estate, maya: Identity, admin: Identity, field: str, change: Callable[..., User], before: Any, after: Any
) -> None:
    for _ in range(2):
        with estate.work() as db:
            changed = change(db, admin, maya.user_id)

    assert changed.version == 2
    assert len(told(estate, admin, maya.user_id)) == 2


def test_reactivating_is_told_too(estate: Estate, maya: Identity, admin: Identity) -> None:
    with estate.work() as db:
        users.deactivate(db, actor=admin, now=NOW, user_id=maya.user_id)
        users.reactivate(db, actor=admin, now=NOW + timedelta(hours=1), user_id=maya.user_id)

    assert [(one.field, one.after) for one in told(estate, admin, maya.user_id)[1:]] == [
        ("is_active", False),
        ("is_active", True),
    ]


def test_the_trail_says_that_a_password_changed_and_never_to_what(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    with estate.work() as db:
        users.change_password(
            db, actor=maya, now=NOW, current_password=PASSWORD, new_password="entirely different words"
        )

    event = told(estate, admin, maya.user_id)[-1]
    assert (event.field, event.before, event.after, event.actor_user_id) == ("password", None, "changed", maya.user_id)
    written = estate.one("select string_agg(e::text, ' ') from app.audit_events as e")
    assert "different words" not in written
    assert "argon2" not in written


def test_people_set_their_own_zone_holidays_digest_and_mail(estate: Estate, maya: Identity, admin: Identity) -> None:
    with estate.work() as db:
        mine = users.set_preferences(
            db,
            actor=maya,
            now=NOW,
            time_zone="Asia/Tokyo",
            holiday_region="JP",
            digest="weekly",
            has_notice_mail=False,
        )
        again = users.get_user(db, maya.user_id)

    assert again == mine
    assert (mine.time_zone, mine.holiday_region, mine.digest, mine.has_notice_mail) == (
        "Asia/Tokyo",
        "JP",
        Digest.WEEKLY,
        False,
    )
    events = told(estate, admin, maya.user_id)[1:]
    assert {one.field: one.after for one in events} == {
        "time_zone": "Asia/Tokyo",
        "holiday_region": "JP",
        "digest": "weekly",
        "has_notice_mail": False,
    }
    assert {one.actor_user_id for one in events} == {maya.user_id}


def test_a_preference_that_is_not_given_stays(estate: Estate, maya: Identity) -> None:
    with estate.work() as db:
        users.set_preferences(db, actor=maya, now=NOW, digest="never")
        mine = users.set_preferences(db, actor=maya, now=NOW, time_zone="Europe/Berlin")

    assert (mine.digest, mine.time_zone, mine.holiday_region) == (Digest.NEVER, "Europe/Berlin", "GB-ENG")


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Mars/Olympus"), ("time_zone", ""), ("time_zone", "a\x00b"), ("holiday_region", "GB-XXX"),
     ("holiday_region", "gb-eng"), ("digest", "hourly")],
)  # fmt: skip
def test_a_preference_nobody_can_follow_is_refused(estate: Estate, maya: Identity, field: str, value: Any) -> None:
    with estate.work() as db, pytest.raises(InvalidInput) as refused:
        users.set_preferences(db, actor=maya, now=NOW, **{field: value})

    assert refused.value.field == field


@pytest.mark.parametrize("role", [Role.CSM, Role.ANALYST])
def test_only_an_admin_sets_a_profile(estate: Estate, maya: Identity, role: Role) -> None:
    somebody = estate.user("Somebody Else", role)

    with estate.work() as db, pytest.raises(NotPermitted):
        users.set_profile(db, actor=somebody, now=NOW, user_id=maya.user_id, display_name="X")


def test_a_profile_takes_no_owner_of_somebody_else_and_no_empty_name(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    tom = estate.user("Tom Okafor")

    unusable: list[tuple[str, Any]] = [
        ("owner_email", tom.email),
        ("owner_email", "nonsense"),
        ("display_name", " "),
    ]
    for field, value in unusable:
        with estate.work() as db:
            with pytest.raises(InvalidInput) as refused:
                users.set_profile(db, actor=admin, now=NOW, user_id=maya.user_id, **{field: value})
            assert (refused.value.field, refused.value.value) == (field, value)
    assert len(told(estate, admin, maya.user_id)) == 1


def test_whoever_started_from_an_older_version_of_a_person_is_told(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    with estate.work() as db:
        users.set_capacity(db, actor=admin, now=NOW, user_id=maya.user_id, weekly_capacity_minutes=60)

    with estate.work() as db, pytest.raises(StaleVersion) as stale:
        users.set_profile(db, actor=admin, now=NOW, user_id=maya.user_id, display_name="Other", expected_version=1)
    assert stale.value.current.weekly_capacity_minutes == 60


def test_a_person_who_does_not_exist_is_not_found(estate: Estate, admin: Identity) -> None:
    with estate.work() as db:
        with pytest.raises(NotFound):
            users.get_user(db, UUID(int=7))
        with pytest.raises(NotFound):
            users.set_profile(db, actor=admin, now=NOW, user_id=UUID(int=7), display_name="X")


def test_a21_the_first_admin_is_made_once_even_by_two_at_once(estate: Estate) -> None:
    def make(number: int) -> str:
        try:
            with estate.work() as db:
                return users.create_first_admin(
                    db, now=NOW, email=f"first{number}@force24.example", display_name="First", password=PASSWORD
                ).email
        except InvalidInput as error:
            return error.field

    with ThreadPoolExecutor(max_workers=4) as pool:
        made = list(pool.map(make, range(4)))
    estate.admin.execute("update app.users set is_active = false where role = 'admin'")

    assert sorted(made)[1:] == ["role"] * 3
    assert make(5) == "role", "a deactivated admin was one too"
