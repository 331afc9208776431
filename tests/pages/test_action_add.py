"""Adding an action: what it starts with, what follows from what, and how little it takes."""

from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import configuration
from app.actions.defaults import Defaults
from app.auth import Identity, Role
from app.calendar import Calendar, add_business_days
from app.ui import action_form
from app.ui.action_form import Prefill
from tests.app.factories import NOW, Estate, a_key, key_of
from tests.pages.conftest import Browser

TODAY = NOW.date()  # a Friday
NAME = "new_action_any"


def _adding(browser: Browser, who: Identity, account_key: str | None = key_of("Ashford Media")) -> AppTest:
    """The dialog as its first run draws it: AppTest runs whole pages, and the next one would close it."""
    page = browser.sign_in(who).open("actions")
    if account_key:
        page.session_state["add_account"] = account_key
    page.button(key="add_action").click().run()
    return browser.checked()


def _send(page: AppTest) -> Any:
    return next(button for button in page.button if str(button.key) == f"{NAME}_reason:send")


def _defaults(estate: Estate, maya: Identity) -> Defaults:
    with estate.work() as db:
        return Defaults(
            types=configuration.active(db, configuration.ActionTypes),
            reasons=configuration.active(db, configuration.ActionReasons),
            interventions=configuration.active(db, configuration.Interventions),
            calendar=Calendar(),
            today=TODAY,
        )


def _publish(estate: Estate, name: str, value: object) -> None:
    with estate.work() as db:
        configuration.publish(
            db,
            actor=estate.user("Harriet Cole", Role.ADMIN),
            now=NOW,
            name=name,
            value=value,
            expected_version=1,
            idempotency_key=a_key(),
        )


def test_an_account_is_all_that_must_be_chosen(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _adding(browser, maya)

    _send(page).click().run()

    browser.checked()
    made = estate.admin.execute(
        "select title, action_type, intervention, priority, owner_user_id, source from app.actions"
    ).fetchone()
    assert made == ("Diagnostic call", "risk", "diagnostic_call", "high", maya.user_id, "manual")


def test_without_an_account_nothing_is_made_and_the_question_is_asked(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    page = _adding(browser, maya, None)

    _send(page).click().run()

    browser.checked()
    assert "Which account is it for?" in str(page.session_state["problem:add_action"])
    assert estate.one("select count(*) from app.actions") == 0


def test_the_treatment_proposes_the_kind_and_the_kind_priority_and_due_date(
    estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults, state = _defaults(estate, maya), dict[str, Any]()
    monkeypatch.setattr(action_form.st, "session_state", state)
    action_form._propose("n", Prefill(), defaults)
    assert (state["n_type"], state["n_priority"]) == ("risk", defaults.priority_of("risk"))

    state["n_intervention"] = "roadmap_talk"
    action_form._treatment_chosen("n", defaults)

    kind = defaults.interventions.of("roadmap_talk").action_type
    assert state["n_type"] == kind != "risk"
    assert state["n_priority"] == defaults.priority_of(kind)
    assert state["n_due"] == add_business_days(TODAY, defaults.types.of(kind).due_offset_bd)


def test_what_was_set_by_hand_stays_when_the_kind_changes(
    estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults, state = _defaults(estate, maya), dict[str, Any]()
    monkeypatch.setattr(action_form.st, "session_state", state)
    action_form._propose("n", Prefill(), defaults)
    state |= {"n_priority": "low", "n_intervention": "roadmap_talk"}

    action_form._treatment_chosen("n", defaults)

    assert state["n_priority"] == "low"
    assert state["n_due"] == defaults.due_of(state["n_type"])


def test_the_due_date_skips_the_days_off_of_the_company(browser: Browser, estate: Estate, maya: Identity) -> None:
    _publish(
        estate,
        "company_holidays",
        {"days": [(TODAY + timedelta(days=number)).isoformat() for number in range(1, 30)]},
    )

    due = _adding(browser, maya).date_input(key=f"{NAME}_due").value

    assert isinstance(due, date)
    assert due >= TODAY + timedelta(days=30)


def test_reasons_are_those_of_the_kind_and_join_what_is_typed(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _adding(browser, maya)
    reasons = page.pills(key=f"{NAME}_why")
    assert "Health drop" in reasons.options
    assert "Onboarding stalled" not in reasons.options
    reasons.set_value("health_drop")
    next(area for area in page.text_area if str(area.key) == f"{NAME}_reason:box").set_value("from 71 to 40")

    _send(page).click().run()

    browser.checked()
    assert estate.one("select reason from app.actions") == "Health drop: from 71 to 40"


def test_a_reason_alone_is_kept_as_its_code(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _adding(browser, maya)
    page.pills(key=f"{NAME}_why").set_value("health_drop")

    _send(page).click().run()

    assert estate.one("select reason from app.actions") == "health_drop"


def test_the_stakeholder_comes_from_the_contacts_of_the_account(
    browser: Browser, estate: Estate, maya: Identity, champion: str
) -> None:
    page = _adding(browser, maya)
    picker = page.selectbox(key=f"{NAME}_stakeholder")
    assert picker.options == [f"{champion} · champion"]
    picker.set_value(champion)

    _send(page).click().run()

    assert estate.one("select stakeholder from app.actions") == champion


def test_a_playbook_can_be_started_from_the_same_dialog(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _adding(browser, maya)

    assert page.button(key="add_playbook").label == "Start a playbook instead"


def test_what_is_no_longer_offered_cannot_be_chosen(browser: Browser, estate: Estate, maya: Identity) -> None:
    with estate.work() as db:
        value = configuration.active(db, configuration.Interventions).model_dump(mode="json")
    value["diagnostic_call"]["is_offered"] = False
    _publish(estate, "interventions", value)

    page = _adding(browser, maya)

    assert "Diagnostic call" not in page.selectbox(key=f"{NAME}_intervention").options
