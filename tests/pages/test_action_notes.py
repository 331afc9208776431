"""Contacts that are logged, notes that are corrected, and choices that outlive a reload."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.actions import service
from app.auth import Identity, Role
from app.ui import action_story, data, outcome_form
from tests.app.factories import NOW, Estate, a_key
from tests.pages.conftest import Browser, labels, texts


def _button(page: AppTest, label: str) -> Any:
    return next(button for button in page.button if button.label == label)


def _with_form(browser: Browser, action_id: Any, who: Identity) -> AppTest:
    """The action with the form of a contact open."""
    page = browser.sign_in(who).open("actions", action=str(action_id))
    page.session_state[f"contact_{action_id.hex}_popover"] = True
    page.run()
    return browser.checked()


def test_a_contact_names_who_was_reached_with_the_role_the_crm_knows(
    browser: Browser, estate: Estate, maya: Identity, champion: str
) -> None:
    action = estate.action(actor=maya)
    page = _with_form(browser, action.action_id, maya)
    key = f"contact_{action.action_id.hex}"
    page.selectbox(key=f"{key}_who").set_value(champion)
    page.number_input(key=f"{key}_minutes").set_value(20)
    page.date_input(key=f"{key}_on").set_value(date(2026, 11, 18))

    _button(page, "Log it").click().run()

    browser.checked()
    logged = estate.admin.execute(
        "select channel, contacted_on, minutes, was_reached, person_reached, stakeholder_role_reached"
        " from app.action_contacts"
    ).fetchone()
    assert logged == ("call", date(2026, 11, 18), 20, True, champion, "champion")
    assert "with **Jane \\*Doe\\*** :gray[(champion, 20 min, on Wed 18 Nov)]" in texts(page)
    assert "1 contact, 20 min" in texts(page)


def test_a_contact_half_filled_in_outlives_a_reload_until_it_is_logged(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    page = _with_form(browser, action.action_id, maya)
    key = f"contact_{action.action_id.hex}"
    page.segmented_control(key=f"{key}_channel").set_value("meeting")
    page.number_input(key=f"{key}_minutes").set_value(45)
    page.date_input(key=f"{key}_on").set_value(date(2026, 11, 18)).run()

    page = browser.reload("actions", action=str(action.action_id))
    page.session_state[f"{key}_popover"] = True
    page.run()
    browser.give_back(f"contact:{action.action_id}")
    _button(page, "Log it").click().run()

    browser.checked()
    logged = estate.admin.execute("select channel, contacted_on, minutes from app.action_contacts").fetchone()
    assert logged == ("meeting", date(2026, 11, 18), 45)
    assert browser.kept == {}


def test_what_a_browser_gives_back_to_fields_is_taken_only_where_it_could_stand_there(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    key = f"contact_{action.action_id.hex}"
    browser.kept[f"contact:{action.action_id}"] = {
        "channel": "carrier pigeon",
        "on": "2031-01-01",
        "minutes": -5,
        "reached": [],
        "who": "x" * 500,
        "other": 1,
    }
    page = _with_form(browser, action.action_id, maya)

    browser.give_back(f"contact:{action.action_id}")

    assert page.segmented_control(key=f"{key}_channel").value == "call"
    assert page.date_input(key=f"{key}_on").value == NOW.date()
    assert page.number_input(key=f"{key}_minutes").value is None
    assert page.selectbox(key=f"{key}_who").value == "x" * 200


def test_an_attempt_without_reach_names_nobody(browser: Browser, estate: Estate, maya: Identity, champion: str) -> None:
    action = estate.action(actor=maya)
    page = _with_form(browser, action.action_id, maya)
    key = f"contact_{action.action_id.hex}"
    page.selectbox(key=f"{key}_who").set_value(champion).run()
    page.toggle(key=f"{key}_reached").set_value(False).run()
    assert page.selectbox(key=f"{key}_who").value is None

    _button(page, "Log it").click().run()

    browser.checked()
    assert estate.one("select was_reached or person_reached is not null from app.action_contacts") is False
    assert "nobody was reached" in texts(page)


def test_nobody_is_claimed_to_be_reached_until_somebody_says_so_or_is_named(
    browser: Browser, estate: Estate, maya: Identity, champion: str
) -> None:
    action = estate.action(actor=maya)
    page = _with_form(browser, action.action_id, maya)
    key = f"contact_{action.action_id.hex}"
    assert page.toggle(key=f"{key}_reached").value is False

    page.selectbox(key=f"{key}_who").set_value(champion).run()

    assert page.toggle(key=f"{key}_reached").value is True


def test_a_logged_contact_fills_in_how_the_action_is_closed_but_for_what_was_chosen_there(
    browser: Browser, estate: Estate, maya: Identity, champion: str
) -> None:
    action = estate.action(actor=maya)
    page = _with_form(browser, action.action_id, maya)
    key, outcome = f"contact_{action.action_id.hex}", f"outcome_{action.action_id.hex}"
    page.selectbox(key=f"{outcome}_channel").set_value("email").run()
    page.segmented_control(key=f"{key}_channel").set_value("meeting")
    page.number_input(key=f"{key}_minutes").set_value(25)
    page.selectbox(key=f"{key}_who").set_value(champion)

    _button(page, "Log it").click().run()
    browser.checked()

    assert page.selectbox(key=f"{outcome}_channel").value == "email", "what was chosen stays"
    assert page.number_input(key=f"{outcome}_minutes").value == 25
    assert page.selectbox(key=f"{outcome}_role").value == "champion"
    page = browser.reload("actions", action=str(action.action_id))
    assert page.selectbox(key=f"{outcome}_channel").value == "meeting", "and where nothing was, the contact's stands"


def test_a_colleague_logs_a_contact_and_an_analyst_does_not(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    page = _with_form(browser, action.action_id, estate.user("Tom Okafor"))
    _button(page, "Log it").click().run()
    assert estate.one("select logged_by_name from app.action_contacts") == "Tom Okafor"

    browser.sign_in(estate.user("Alex Stone", Role.ANALYST))
    page.run()

    assert "Log it" not in labels(browser.checked())


def test_a_correction_is_a_new_note_and_the_old_text_is_folded_below_it(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    with estate.work() as db:
        service.add_note(
            db, actor=maya, now=NOW, action_id=action.action_id, body="They have 41 seats", idempotency_key=a_key()
        )
    page = browser.sign_in(maya).open("actions", action=str(action.action_id))

    _button(page, "Correct").click().run()
    box = next(area for area in page.text_area if area.label == "Correction of your note")
    assert box.value == "They have 41 seats"
    box.set_value("They have 14 seats")
    next(button for button in page.button if button.label == "Save correction").click().run()

    browser.checked()
    assert estate.one("select count(*) from app.action_notes") == 2
    assert estate.one("select body from app.action_notes where corrects_note_id is not null") == "They have 14 seats"
    assert "They have 14 seats" in texts(page)
    assert [expander.label for expander in page.expander] == ["As it was before"]
    assert [element.value for element in page.expander[0].text] == ["They have 41 seats"]


def test_notes_of_others_offer_no_correction(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    with estate.work() as db:
        service.add_note(db, actor=maya, now=NOW, action_id=action.action_id, body="Mine", idempotency_key=a_key())

    page = browser.sign_in(estate.user("Tom Okafor")).open("actions", action=str(action.action_id))

    assert "Mine" in texts(page)
    assert "Correct" not in labels(page)


def test_what_a_browser_gives_back_is_taken_only_where_the_lists_know_it(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr(outcome_form.st, "session_state", state)

    outcome_form._restore(
        "k",
        {"execution": "done_as_planned", "response": ["positive"], "result": "invented", "minutes": 25, "other": "x"},
    )
    assert state == {"k_execution": "done_as_planned", "k_minutes": 25}
    outcome_form._restore("k", {"minutes": -5, "channel": "call"})
    assert state == {"k_execution": "done_as_planned", "k_minutes": 25, "k_channel": "call"}


def test_an_escalation_is_told_in_words(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=NOW.date())
    estate.admin.execute(
        "update app.actions set due_date = %s, escalation_level = 2, version = version + 1 where action_id = %s",
        [NOW.date() - timedelta(days=6), action.action_id],
    )

    page = browser.sign_in(maya).open("actions", action=str(action.action_id))

    assert "overdue 6 d] :orange[· escalated: owner and admins were told]" in texts(page)


def test_a_story_asks_for_names_once_however_often_the_action_was_passed_on(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = estate.action(actor=maya)
    harriet, tom = estate.user("Harriet Cole", Role.ADMIN), estate.user("Tom Okafor")
    for owner in (tom, maya, tom, maya):
        with estate.work() as db:
            service.reassign(
                db,
                actor=harriet,
                now=NOW,
                action_ids=[action.action_id],
                owner_user_id=owner.user_id,
                idempotency_key=a_key(),
            )
    people, asked = data.people, list[None]()
    monkeypatch.setattr(action_story, "data", SimpleNamespace(people=lambda: asked.append(None) or people()))

    page = browser.sign_in(maya).open("actions", action=str(action.action_id))

    assert texts(page).count("gave it to **Tom Okafor**, from Maya Lind") == 2
    assert len(asked) == 1
