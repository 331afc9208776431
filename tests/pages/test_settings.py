"""Settings: what is shown before it is published, people and where their work goes, messages, and the trail."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import audit, configuration, sessions, users
from app.audit import AuditEvent, Kind, Subject
from app.auth import Identity, Role, resolve
from app.handovers import service as handovers
from app.handovers.model import HandoverDraft
from app.notices import outbox
from app.settings import get_settings
from app.ui import settings_audit, settings_lists, settings_user
from app.ui.settings_drafts import differences, merged, plausible
from tests.app.factories import NOW, PASSWORD, Estate, a_key
from tests.pages.conftest import Browser, labels, texts


@pytest.fixture
def harriet(estate: Estate) -> Identity:
    """An admin over one published account."""
    estate.publish()
    estate.account()
    return estate.user("Harriet Cole", Role.ADMIN)


def _open(browser: Browser, who: Identity, part: str) -> AppTest:
    return browser.sign_in(who).open("settings", part=part)


def _editing(monkeypatch: pytest.MonkeyPatch, **cells: Any) -> None:
    """A table editor in which the first row was changed; AppTest cannot type into cells."""

    def edited(given: pd.DataFrame, **_: Any) -> pd.DataFrame:
        changed = given.copy()
        for field, value in cells.items():
            if field in changed:
                changed.loc[0, field] = value
        return changed

    monkeypatch.setattr(st, "data_editor", edited)


@pytest.mark.parametrize("role", [Role.CSM, Role.ANALYST])
def test_settings_are_for_admins(browser: Browser, estate: Estate, role: Role) -> None:
    page = browser.sign_in(estate.user("Somebody Else", role)).open("settings")

    assert "This page is for administrators" in texts(page)
    assert not page.tabs


@pytest.mark.parametrize("part", ["Users", "Interventions", "Retention", "Holidays", "Playbooks", "Messages", "Audit"])
def test_every_part_opens_before_the_first_build(browser: Browser, estate: Estate, part: str) -> None:
    page = _open(browser, estate.user("Harriet Cole", Role.ADMIN), part)

    assert not page.error


@pytest.mark.parametrize("front", ["https://accounts.example.com", ""])
def test_users_lead_to_where_a_role_is_asked_for_a_second_factor(
    browser: Browser, harriet: Identity, monkeypatch: pytest.MonkeyPatch, front: str
) -> None:
    monkeypatch.setenv("PUBLIC_URL", front)
    get_settings.cache_clear()

    said = texts(_open(browser, harriet, "Users"))

    assert ("[Sign-in and security](https://accounts.example.com/security)" in said) == bool(front)


def test_an_edited_table_outlives_a_reload_and_a_colleagues_version_in_between(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as typing:
        _editing(typing, label="Board *change*")
        _open(browser, harriet, "Types and reasons")
    del browser.kept["settings:types"]  # the table beside it, into which the same was typed
    with estate.work() as db:
        value = configuration.active_version(db, "action_reasons").value
        configuration.publish(
            db,
            actor=estate.user("Ben Amos", Role.ADMIN),
            now=NOW,
            name="action_reasons",
            value=[{**one, "is_offered": False} for one in value],
            expected_version=1,
            idempotency_key=a_key(),
        )

    page = browser.reload("settings", part="Types and reasons")
    browser.give_back("settings:reasons")

    assert "Ben Amos published version 2 meanwhile:" in texts(page)
    page.button(key="reasons_publish").click().run()
    browser.checked()
    with estate.work() as db:
        stored = configuration.active_version(db, "action_reasons").value
    assert stored[0]["label"] == "Board *change*"
    assert not any(one["is_offered"] for one in stored)
    assert browser.kept == {}


def test_numbers_and_holidays_outlive_a_reload(browser: Browser, harriet: Identity) -> None:
    page = _open(browser, harriet, "Retention")
    page.number_input(key="retention_0_archive_after_days").set_value(77).run()
    page = browser.reload("settings", part="Retention")
    browser.give_back("settings:retention")
    assert page.number_input(key="retention_1_archive_after_days").value == 77
    page.button(key="retention_discard").click().run()
    assert page.number_input(key="retention_2_archive_after_days").value != 77
    assert browser.kept == {}

    page = browser.reload("settings", part="Holidays")
    first, last = NOW.date() + timedelta(days=1), NOW.date() + timedelta(days=2)
    page.date_input(key="holidays_0_days_new").set_value((first, last)).run()
    page = browser.reload("settings", part="Holidays")
    browser.give_back("settings:holidays")
    assert len(page.pills[0].options) == 2


@pytest.mark.parametrize(
    ("rows", "is_taken"),
    [
        ({"risk": {"label": "Danger", "is_offered": True}}, True),
        ({"risk": {"label": "Danger", "is_offered": True}, "new_one": {"label": "New", "is_offered": False}}, True),
        ({"risk": {"label": "Danger"}}, False),
        ({"risk": {"label": 5, "is_offered": True}}, False),
        ({"Other!": {"label": "New", "is_offered": True}}, False),
        (["risk"], False),
    ],
)
def test_rows_of_a_browser_are_taken_only_when_the_table_could_have_made_them(rows: Any, is_taken: bool) -> None:
    base = {"risk": {"label": "Risk", "is_offered": True}}

    assert plausible(rows, base, settings_lists.is_code) is is_taken


def test_the_fields_of_a_person_outlive_a_reload_but_no_password_does(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    page = _open(browser, harriet, "Users")
    page.button(key="add_user").click().run()
    page.text_input(key="user_field_new_name").set_value("Nina Berg")
    page.text_input(key="user_field_new_password").set_value("several plain words here").run()

    page = browser.reload("settings", part="Users")
    page.button(key="add_user").click().run()
    browser.give_back("user:new")

    assert page.text_input(key="user_field_new_name").value == "Nina Berg"
    assert browser.kept == {"user:new": {"name": "Nina Berg"}}


def test_a_change_is_shown_before_it_is_published_and_is_then_active(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    _editing(monkeypatch, due_offset_bd=4)
    page = _open(browser, harriet, "Due and escalation")
    assert "**Risk** due after business days: 2 → **4**" in texts(page)
    assert estate.one("select version from app.configurations where name = 'action_types' and is_active") == 1

    page.button(key="dues_publish").click().run()

    browser.checked()
    with estate.work() as db:
        assert configuration.active(db, configuration.ActionTypes).of("risk").due_offset_bd == 4
    assert any("Version 2 is active" in toast.value for toast in page.toast)


def test_what_a_colleague_published_meanwhile_stays(browser: Browser, estate: Estate, harriet: Identity) -> None:
    page = _open(browser, harriet, "Retention")
    page.number_input(key="retention_0_archive_after_days").set_value(120).run()
    other = estate.user("Other Admin", Role.ADMIN)
    with estate.work() as db:
        configuration.publish(
            db,
            actor=other,
            now=NOW,
            name="retention",
            value={"archive_after_days": 90, "expire_after_days": 45, "forget_statements_after_days": 365},
            expected_version=1,
            idempotency_key=a_key(),
        )

    page.button(key="retention_publish").click().run()
    assert "Other Admin published version 2 meanwhile" in texts(page)
    assert "changed this while you were working" not in texts(page), "it is said once"
    assert page.number_input(key="retention_0_archive_after_days").value == 120
    page.button(key="retention_publish").click().run()

    browser.checked()
    with estate.work() as db:
        active = configuration.active(db, configuration.Retention)
    assert (active.archive_after_days, active.expire_after_days) == (120, 45)


def test_a_value_that_makes_no_sense_is_refused_with_what_was_chosen_kept(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    page = _open(browser, harriet, "Due and escalation")
    page.number_input(key="escalation_0_digest_day").set_value(9).run()

    page.button(key="escalation_publish").click().run()

    assert "Each step must come later" in texts(page).replace("\\", "")
    assert page.number_input(key="escalation_0_digest_day").value == 9
    page.button(key="escalation_discard").click().run()
    assert page.number_input(key="escalation_1_digest_day").value == 1


def test_company_holidays_are_added_as_a_stretch(browser: Browser, estate: Estate, harriet: Identity) -> None:
    page = _open(browser, harriet, "Holidays")
    first = NOW.date() + timedelta(days=35)

    page.date_input(key="holidays_0_days_new").set_value((first, first + timedelta(days=2))).run()
    page.button(key="holidays_publish").click().run()

    browser.checked()
    with estate.work() as db:
        assert len(configuration.active(db, configuration.CompanyHolidays).days) == 3


def test_only_what_this_person_changed_is_put_on_what_is_active() -> None:
    base = {"risk": {"label": "Risk", "due": 2}, "renewal": {"label": "Renewal", "due": 5}}
    active = {"risk": {"label": "Danger", "due": 2}, "renewal": {"label": "Renewal", "due": 5}}
    edited = {"risk": {"label": "Risk", "due": 3}, "renewal": {"label": "Renewal", "due": 5}}

    result = merged(active, base, edited)

    assert result["risk"] == {"label": "Danger", "due": 3}
    assert differences(active, result, {"due": "due after"}) == ["**Danger** due after: 2 → **3**"]


def test_a_new_reason_gets_a_code_of_its_own_and_one_without_a_name_waits() -> None:
    base = {"growth": {"label": "Growth", "action_type": "expansion", "is_offered": True}}
    cells = pd.DataFrame(
        [
            {"label": "Growth", "action_type": "Expansion", "is_offered": True},
            {"label": "Growth!", "action_type": "Risk", "is_offered": True},
            {"label": None, "action_type": None, "is_offered": None},
        ]
    )

    rows = settings_lists.rows_of(cells, base)

    assert list(rows) == ["growth", "growth_2"]
    assert rows["growth_2"] == {"label": "Growth!", "action_type": "risk", "is_offered": True}
    assert settings_lists.code_of("1% more", []) == "reason_1_more"


def _dialog(browser: Browser, page: AppTest, user_id: UUID) -> AppTest:
    """The dialog of a person; AppTest cannot click a cell."""
    page.session_state["settings:user"] = str(user_id)
    page.run()
    return browser.checked()


def test_a_person_is_changed_in_one_go_and_each_change_is_in_the_trail(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    tom = estate.user("Tom Okafor")
    page = _dialog(browser, _open(browser, harriet, "Users"), tom.user_id)
    key = f"user_field_{tom.user_id.hex}"
    assert page.button(key="user_save").disabled
    page.number_input(key=f"{key}_hours").set_value(12.5)
    page.selectbox(key=f"{key}_role").select("admin").run()

    page.button(key="user_save").click().run()

    browser.checked()
    row = estate.admin.execute(
        "select role, weekly_capacity_minutes from app.users where user_id = %s", [tom.user_id]
    ).fetchone()
    assert row == ("admin", 750)
    assert estate.one("select count(*) from app.audit_events where subject_kind = 'user' and kind = 'changed'") == 2


def test_somebody_new_may_sign_in_and_a_weak_password_keeps_the_form(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    page = _open(browser, harriet, "Users")
    page.button(key="add_user").click().run()
    page.text_input(key="user_field_new_name").set_value("Nina Berg")
    page.text_input(key="user_field_new_email").set_value("nina.berg@force24.example")
    page.text_input(key="user_field_new_password").set_value("short").run()
    page.button(key="user_create").click().run()
    assert "needs at least" in texts(page).replace("\\", "")
    assert page.text_input(key="user_field_new_name").value == "Nina Berg"

    page.text_input(key="user_field_new_password").set_value("several plain words here").run()
    page.button(key="user_create").click().run()

    browser.checked()
    assert estate.one("select role from app.users where email = 'nina.berg@force24.example'") == "csm"


def test_deactivating_asks_where_the_work_goes_and_shows_it_first(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    token = Browser(estate).sign_in(maya).token
    estate.action(actor=maya, title="Call the champion")
    page = _dialog(browser, _open(browser, harriet, "Users"), maya.user_id)
    page.toggle(key="user_field_leaving").set_value(True).run()
    assert "Deactivate Maya Lind" not in labels(page)

    page.selectbox(key="user_field_receiver").select(str(tom.user_id)).run()
    assert "**1 account**" in texts(page)
    assert page.dataframe[-1].value["title"].tolist() == ["Call the champion"]
    page.button(key="user_deactivate").click().run()

    browser.checked()
    assert estate.one("select owner_user_id from app.actions") == tom.user_id
    assert not estate.one("select is_active from app.users where user_id = %s", maya.user_id)
    with estate.work() as db:
        assert resolve(db, token=token, now=NOW) is None


def test_the_work_of_somebody_who_leaves_may_go_back_to_the_queue(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya = estate.user("Maya Lind")
    estate.action(actor=maya)
    page = _dialog(browser, _open(browser, harriet, "Users"), maya.user_id)
    page.toggle(key="user_field_leaving").set_value(True).run()
    page.selectbox(key="user_field_receiver").select("queue").run()

    page.button(key="user_deactivate").click().run()

    browser.checked()
    assert estate.one("select owner_user_id is null from app.actions")


def test_sessions_end_though_business_time_is_ahead_of_them(estate: Estate, harriet: Identity) -> None:
    maya = estate.user("Maya Lind")
    token = Browser(estate).sign_in(maya).token

    with estate.work() as db:
        sessions.end_all_of(db, actor=harriet, now=NOW + timedelta(days=90), user_id=maya.user_id)

    with estate.work() as db:
        assert resolve(db, token=token, now=NOW) is None


def _has_app(estate: Estate, who: Identity) -> bool:
    return estate.one("select count(*) from app.second_factors where user_id = %s", who.user_id) == 1


def test_a05_a_lost_authenticator_app_is_taken_away_and_its_person_signed_out(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    token = Browser(estate).sign_in(maya).token
    estate.second_factor(maya)
    page = _dialog(browser, _open(browser, harriet, "Users"), tom.user_id)
    assert "Take the authenticator app away…" not in [one.label for one in page.toggle]
    page = _dialog(browser, page, maya.user_id)

    page.toggle(key="user_field_factor").set_value(True).run()
    assert _has_app(estate, maya)
    page.button(key="user_take_factor").click().run()

    browser.checked()
    assert not _has_app(estate, maya)
    assert "user_field_factor" not in [one.key for one in page.toggle]
    with estate.work() as db:
        assert resolve(db, token=token, now=NOW) is None


def test_a05_an_old_proof_takes_no_authenticator_app_away_but_the_admins_own_password_does(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya = estate.user("Maya Lind")
    estate.second_factor(maya)
    page = _open(browser, harriet, "Users")
    estate.admin.execute("update app.sessions set confirmed_at = confirmed_at - interval '16 minutes'")
    page = _dialog(browser, page, maya.user_id)
    page.toggle(key="user_field_factor").set_value(True).run()

    page.button(key="user_take_factor").click().run()
    assert "fresh proof" in texts(page)
    page.text_input(key="user_field_factor_password").set_value("not it at all").run()
    page.button(key="user_take_factor").click().run()
    assert "password is wrong" in texts(page)
    assert page.text_input(key="user_field_factor_password").value == ""
    assert _has_app(estate, maya)
    page.text_input(key="user_field_factor_password").set_value(PASSWORD).run()
    page.button(key="user_take_factor").click().run()

    browser.checked()
    assert not _has_app(estate, maya)


def test_only_what_differs_of_a_person_is_written(estate: Estate, harriet: Identity) -> None:
    with estate.work() as db:
        user = users.get_user(db, estate.user("Maya Lind").user_id)

    assert settings_user.changes(user, {"display_name": "Maya Lind", "owner_email": ""}) == {"owner_email": ""}


def test_a_message_that_was_given_up_is_shown_with_its_error_and_sent_again(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "is_configured", lambda _: True)
    with estate.work() as db:
        outbox.enqueue(
            db,
            now=NOW,
            channel=outbox.Channel.EMAIL,
            recipient="maya@force24.example",
            subject="Two notices",
            body="Body",
            dedupe_key="one",
        )
    estate.admin.execute("update app.outbox set status = 'given_up', attempts = 8, last_error = 'Refused.'")
    page = _open(browser, harriet, "Messages")
    assert page.dataframe[0].value["error"].tolist() == ["Refused."]
    assert "1 given up" in texts(page)
    message_id = estate.one("select message_id from app.outbox")

    with estate.work() as db:
        outbox.retry(db, actor=harriet, now=NOW, message_id=message_id, idempotency_key=a_key())

    page.segmented_control(key="state").set_value("Waiting").run()
    assert page.dataframe[0].value["attempts"].tolist() == [0]


def test_the_trail_says_who_changed_what_from_what_to_what(browser: Browser, estate: Estate, harriet: Identity) -> None:
    tom = estate.user("Tom Okafor")
    with estate.work() as db:
        users.set_capacity(db, actor=harriet, now=NOW, user_id=tom.user_id, weekly_capacity_minutes=600)

    page = _open(browser, harriet, "Audit")

    first = page.dataframe[0].value.iloc[0]
    assert (first["who"], first["what"], first["field"]) == (
        "Harriet Cole",
        "User: Tom Okafor",
        "weekly capacity minutes",
    )
    assert (first["before"], first["after"]) == ("1200", "600")
    page.selectbox(key="what").select("Hand-overs").run()
    assert "No change matches" in texts(page) or "Nothing has been changed" in texts(page)


def test_the_trail_names_the_actions_and_accounts_that_are_meant(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    estate.publish()
    account_key = estate.account()
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    estate.action(actor=maya, title="Ask about the invoice", account_key=account_key)
    cover = HandoverDraft(
        from_user_id=maya.user_id, to_user_id=tom.user_id, starts_on=NOW.date(), reason="Leave", moves="all_open"
    )
    with estate.work() as db:
        handovers.begin(db, actor=harriet, now=NOW, draft=cover, idempotency_key=a_key())
        audit.record(
            db,
            author=audit.Author.of(harriet),
            now=NOW,
            subject=Subject.PLAYBOOK_RUN,
            subject_id=uuid4(),
            kind=Kind.CREATED,
            after={"account_key": account_key, "action_ids": [uuid4()]},
        )

    rows = _open(browser, harriet, "Audit").dataframe[0].value

    assert rows.loc[rows["field"] == "moved actions", "after"].tolist() == ["Ask about the invoice"]
    told = " ".join(rows["after"])
    assert "account: As" in told
    assert "20 Nov 2026 09:30" in told
    assert not re.search(r"[0-9a-f]{8}", told), "no id is left"


def test_of_two_objects_the_trail_names_only_what_differs() -> None:
    event = AuditEvent(
        event_id=1,
        at=NOW,
        actor_user_id=None,
        actor_name="Harriet Cole",
        actor_kind="user",
        subject_kind=Subject.CONFIGURATION,
        subject_id="action_types",
        kind=Kind.CHANGED,
        field="risk",
        before={"label": "Risk", "due_offset_bd": 2, "is_offered": True},
        after={"label": "Risk", "due_offset_bd": 3, "is_offered": False},
        reason=None,
    )

    token = replace(event, field=f"token {uuid4()}", before=None, after="revoked")
    assert settings_audit.change(token, {}) == ("token", "–", "revoked")
    assert settings_audit.change(event, {}) == (
        "risk",
        "due offset bd: 2, is offered: yes",
        "due offset bd: 3, is offered: no",
    )


def _published(estate: Estate, **changes: int) -> None:
    with estate.work() as db:
        active = configuration.active_version(db, "retention")
        configuration.publish(
            db,
            actor=estate.user("Ben Amos", Role.ADMIN),
            now=NOW,
            name="retention",
            value={**active.value, **changes},
            expected_version=active.version,
            idempotency_key=a_key(),
        )


def _number(page: AppTest, field: str) -> Any:
    return next(one for one in page.number_input if str(one.key).endswith(field))


def test_a_version_published_while_the_fields_stand_is_not_undone_by_another_change(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    page = _open(browser, harriet, "Retention")
    _published(estate, archive_after_days=120)

    _number(page, "expire_after_days").set_value(45).run()
    assert "Ben Amos published version 2 meanwhile" in texts(page)
    page.button(key="retention_publish").click().run()

    browser.checked()
    with estate.work() as db:
        active = configuration.active_version(db, "retention").value
    assert (active["archive_after_days"], active["expire_after_days"]) == (120, 45)


@pytest.mark.parametrize(("button", "expected"), [("retention_publish", 33), ("retention_theirs", 120)])
def test_of_a_field_that_two_admins_changed_the_second_is_told_and_chooses(
    browser: Browser, estate: Estate, harriet: Identity, button: str, expected: int
) -> None:
    page = _open(browser, harriet, "Retention")
    _number(page, "archive_after_days").set_value(33).run()
    _published(estate, archive_after_days=120)
    page.run()
    assert "90 → **120**" in texts(page)
    assert "Publish 1 change, 1 over theirs" in labels(page)

    page.button(key=button).click().run()

    browser.checked()
    assert _number(page, "archive_after_days").value == expected
    with estate.work() as db:
        assert configuration.active_version(db, "retention").value["archive_after_days"] == expected
