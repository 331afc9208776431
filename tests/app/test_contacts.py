"""Contacts with the customer: logged once, never changed, counted apart from notes and outcomes."""

from datetime import date
from typing import Any

import pytest

from app.actions import contacts, service
from app.actions.model import Action, Contact, ContactDraft
from app.auth import Identity, Role
from app.errors import InvalidInput, NotFound, NotPermitted, StaleVersion
from tests.app.factories import NOW, Estate, a_key, key_of


@pytest.fixture
def action(estate: Estate, maya: Identity) -> Action:
    return estate.action(actor=maya)


def log(estate: Estate, actor: Identity, action: Action, key: str | None = None, **contact: Any) -> Contact:
    draft = ContactDraft(**({"channel": "call", "was_reached": True} | contact))
    with estate.work() as db:
        return contacts.log_contact(
            db, actor=actor, now=NOW, action_id=action.action_id, contact=draft, idempotency_key=key or a_key()
        )


def test_a_contact_is_kept_with_who_logged_it_and_leaves_the_version_alone(
    estate: Estate, maya: Identity, action: Action
) -> None:
    tom = estate.user("Tom Okafor")

    logged = log(estate, tom, action, minutes=25, person_reached="Jo Hart", stakeholder_role_reached="champion")

    assert (logged.contacted_on, logged.logged_by_name, logged.minutes) == (date(2026, 11, 20), "Tom Okafor", 25)
    with estate.work() as db:
        detail = service.get_action(db, action.action_id)
    assert detail.contacts == (logged,)
    assert detail.action.version == 1
    assert (detail.events[-1].kind, detail.events[-1].after) == (
        "contact_logged",
        {"contact_id": str(logged.contact_id)},
    )


def test_contacts_come_with_the_newest_day_first_however_late_they_were_logged(
    estate: Estate, maya: Identity, action: Action
) -> None:
    today = log(estate, maya, action)
    earlier = log(estate, maya, action, contacted_on=date(2026, 11, 2), was_reached=False)
    other = estate.action(actor=maya, account_key=estate.account("Birch Labs"))
    log(estate, maya, other)

    with estate.work() as db:
        assert service.get_action(db, action.action_id).contacts == (today, earlier)
        assert contacts.account_contacts(db, account_key=key_of("Ashford Media")) == [today, earlier]


def test_a_double_click_logs_one_contact(estate: Estate, maya: Identity, action: Action) -> None:
    key = a_key()

    assert log(estate, maya, action, key) == log(estate, maya, action, key)

    assert estate.one("select count(*) from app.action_contacts") == 1


@pytest.mark.parametrize(
    ("field", "contact"),
    [
        ("contacted_on", {"contacted_on": date(2026, 11, 21)}),
        ("channel", {"channel": "pigeon"}),
        ("minutes", {"minutes": -1}),
        ("minutes", {"minutes": 6_001}),
        ("person_reached", {"person_reached": "x" * 201}),
        ("person_reached", {"person_reached": "Jo\x00"}),
        ("stakeholder_role_reached", {"stakeholder_role_reached": "cousin"}),
        ("was_reached", {"was_reached": False, "person_reached": "Jo Hart"}),
        ("was_reached", {"was_reached": False, "stakeholder_role_reached": "champion"}),
    ],
)
def test_a_contact_that_cannot_be_true_is_refused_by_its_field(
    estate: Estate, maya: Identity, action: Action, field: str, contact: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        log(estate, maya, action, **contact)

    assert refused.value.field == field
    assert estate.one("select count(*) from app.action_contacts") == 0


def test_an_analyst_logs_nothing_and_nobody_logs_on_what_does_not_exist(
    estate: Estate, maya: Identity, action: Action
) -> None:
    with pytest.raises(NotPermitted):
        log(estate, estate.user("Alex Stone", Role.ANALYST), action)
    with estate.work() as db, pytest.raises(NotFound):
        contacts.log_contact(
            db,
            actor=maya,
            now=NOW,
            action_id=maya.user_id,
            contact=ContactDraft(channel="call", was_reached=True),
            idempotency_key=a_key(),
        )


def test_a_contact_collides_with_nobodys_edit(estate: Estate, maya: Identity, action: Action) -> None:
    def edit(version: int, title: str) -> Action:
        with estate.work() as db:
            return service.edit_action(
                db,
                actor=maya,
                now=NOW,
                action_id=action.action_id,
                expected_version=version,
                changes={"title": title},
                idempotency_key=a_key(),
            )

    log(estate, maya, action)
    edited = edit(1, "Second")
    log(estate, maya, action)
    with pytest.raises(StaleVersion) as stale:
        edit(1, "Third")

    assert edited.version == 2
    assert [change.field for change in stale.value.changes] == ["title"]
