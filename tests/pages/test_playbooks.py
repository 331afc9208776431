"""Playbooks on the screen: started from an account, followed there and in the action, edited by an admin."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.actions import service as actions
from app.auth import Identity, Role
from app.playbooks import service
from app.playbooks.model import PlaybookDraft, Run, StepDraft
from app.ui import (
    account_page,
    action_panel,
    frame,
    playbook_admin,
    playbook_data,
    playbook_drafts,
    playbook_editor,
    playbook_progress,
    playbook_start,
    visit,
)
from tests.app.factories import NOW, Estate, a_key, an_outcome, key_of
from tests.pages.conftest import Browser, labels, texts

ASHFORD = key_of("Ashford Media")


@pytest.fixture
def harriet(estate: Estate, maya: Identity) -> Identity:
    return estate.user("Harriet Cole", Role.ADMIN)


def started(estate: Estate, actor: Identity, playbook_id: str = "risk") -> Run:
    with estate.work() as db:
        return service.start(
            db, actor=actor, now=NOW, playbook_id=playbook_id, account_key=ASHFORD, idempotency_key=a_key()
        )


def ended(estate: Estate, actor: Identity, run: Run, open_steps: str = "kept") -> None:
    with estate.work() as db:
        service.stop(
            db,
            actor=actor,
            now=NOW,
            run_id=run.run_id,
            expected_version=run.version,
            reason="They :red[signed] elsewhere",
            open_steps=open_steps,
            idempotency_key=a_key(),
        )


def publish(estate: Estate, actor: Identity, version: int, **values: Any) -> None:
    defaults: dict[str, Any] = {
        "playbook_id": "risk",
        "name": "Risk",
        "description": "",
        "action_type": "risk",
        "steps": (StepDraft(title="Only this", intervention="training", offset_bd=3),),
    }
    with estate.work() as db:
        service.publish(
            db,
            actor=actor,
            now=NOW,
            draft=PlaybookDraft(**(defaults | values)),
            expected_version=version,
            idempotency_key=a_key(),
        )


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click().run()


def mount(monkeypatch: pytest.MonkeyPatch, draw: Callable[[], None]) -> None:
    """Draw something as the content of the account page: AppTest reruns whole pages, and that closes a dialog."""

    def page() -> None:
        with frame.page("Mounted"):
            draw()

    monkeypatch.setattr(account_page, "choose", page)


# on the account


def test_the_button_opens_the_choice_of_playbooks(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = browser.sign_in(maya).open("account", account=ASHFORD)
    assert "None is running here" in texts(page)

    press(page, "start_playbook")

    assert len(browser.checked().selectbox(key=f"playbook_choice_{ASHFORD}").options) == 6
    assert "**Ashford Media**" in texts(page)
    assert "start_playbook_now" not in [button.key for button in page.button]


def test_a_playbook_is_started_after_its_steps_were_shown(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount(monkeypatch, lambda: playbook_start.choose(ASHFORD, visit.current()))
    page = browser.sign_in(maya).open("account")

    assert "**Ashford Media**" not in texts(page)  # whoever opens it has named the account
    page.selectbox(key=f"playbook_choice_{ASHFORD}").select("risk").run()
    shown = page.dataframe[-1].value
    assert not estate.one("select count(*) from app.actions")
    press(page, "start_playbook_now")

    browser.checked()
    assert shown["due"].tolist()[:2] == ["Fri 20 Nov", "Mon 23 Nov"]
    assert set(shown["owner"]) == {"Maya Lind"}
    assert estate.one("select count(*) from app.actions where source = 'playbook'") == len(shown) == 7
    assert any("Risk started: 7 actions, the first due Fri 20 Nov" in toast.value for toast in page.toast)


def test_steps_that_come_after_the_renewal_are_counted_before_the_start(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount(monkeypatch, lambda: playbook_start.choose(ASHFORD, visit.current()))
    page = browser.sign_in(maya).open("account")

    def told(renewal: str) -> str:
        estate.transformer.execute(
            "update marts.dim_accounts set renewal_date = %s where account_key = %s", [renewal, ASHFORD]
        )
        estate.publish()
        page.selectbox(key=f"playbook_choice_{ASHFORD}").select("risk").run()
        return texts(browser.checked())

    assert "1 of 7 steps is due after the renewal on Mon 21 Dec" in told("2026-12-21")
    assert "6 of 7 steps are due after the renewal on Fri 20 Nov" in told("2026-11-20")
    assert "after the renewal" not in told("2026-11-02")  # it has been


def test_who_takes_over_is_chosen_before_a_handover_starts_and_gets_its_later_steps(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    tom = estate.user("Tom Okafor")
    mount(monkeypatch, lambda: playbook_start.choose(ASHFORD, visit.current()))
    page = browser.sign_in(maya).open("account")

    page.selectbox(key=f"playbook_choice_{ASHFORD}").select("handover").run()
    assert "Choose who takes over" in texts(browser.checked())
    assert "start_playbook_now" not in [button.key for button in page.button]
    assert page.selectbox(key=f"playbook_taker_{ASHFORD}").options == ["Maya Lind · has the account", "Tom Okafor"]
    page.selectbox(key=f"playbook_taker_{ASHFORD}").select(str(tom.user_id)).run()
    assert browser.checked().dataframe[-1].value["owner"].tolist() == ["Maya Lind"] * 2 + ["Tom Okafor"] * 4
    press(page, "start_playbook_now")

    browser.checked()
    assert (
        estate.one(
            "select count(*) from app.actions as a join app.users as u on a.owner_user_id = u.user_id"
            " where u.display_name = 'Tom Okafor'"
        )
        == 4
    )


def test_another_start_date_moves_the_days_of_the_preview(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount(monkeypatch, lambda: playbook_start.choose(ASHFORD, visit.current()))
    page = browser.sign_in(maya).open("account")
    page.selectbox(key=f"playbook_choice_{ASHFORD}").select("risk").run()

    page.date_input(key=f"playbook_from_{ASHFORD}").set_value(NOW.date().replace(month=12, day=1)).run()

    assert browser.checked().dataframe[-1].value["due"].tolist()[:2] == ["Tue 1 Dec", "Wed 2 Dec"]


def test_what_the_server_refuses_is_said_in_the_dialog_and_the_choice_stays(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount(monkeypatch, lambda: playbook_start.choose(ASHFORD, visit.current()))
    page = browser.sign_in(maya).open("account")
    page.selectbox(key=f"playbook_choice_{ASHFORD}").select("risk").run()
    started(estate, estate.user("Tom Okafor"))

    press(page, "start_playbook_now")

    assert any("is already running on this account" in error.value for error in browser.checked().error)
    assert page.selectbox(key=f"playbook_choice_{ASHFORD}").value == "risk"


def test_one_that_is_running_is_said_and_cannot_be_started_beside_itself(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(estate, maya)
    mount(monkeypatch, lambda: playbook_start.choose(ASHFORD, visit.current()))
    page = browser.sign_in(maya).open("account")

    page.selectbox(key=f"playbook_choice_{ASHFORD}").select("risk").run()

    assert "Risk is running here since Fri 20 Nov: 0 of 7 steps are done" in texts(browser.checked())
    assert page.button(key="start_playbook_now").disabled


def test_the_account_shows_how_far_each_playbook_is_with_a_way_to_each_action(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    run = started(estate, maya)
    page = browser.sign_in(maya).open("account", account=ASHFORD)

    assert "Check the facts before anybody calls" in texts(page)
    second = run.steps[1]
    press(page, f"open_step_{second.action_id.hex}")

    browser.checked()
    assert ":gray[Playbook] **Risk** :gray[step] **2** :gray[of 7" in texts(page)
    assert any("Open questions first" in text.value for text in page.text)


def test_an_analyst_sees_the_playbooks_and_starts_or_stops_none(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    run = started(estate, maya)
    page = browser.sign_in(estate.user("Alex Stone", Role.ANALYST)).open("account", account=ASHFORD)

    assert "**Risk**" in texts(page)
    assert not {"Start playbook", "Stop"} & set(labels(page))
    assert f"open_step_{run.steps[0].action_id.hex}" in [button.key for button in page.button]


def test_a_colleague_whose_account_it_is_not_gets_no_stop(browser: Browser, estate: Estate, maya: Identity) -> None:
    started(estate, maya)
    page = browser.sign_in(estate.user("Tom Okafor")).open("account", account=ASHFORD)

    assert "Start playbook" in labels(page)
    assert "Stop" not in labels(page)


@pytest.mark.parametrize(("fate", "status"), [("cancelled", "cancelled"), ("kept", "new")])
def test_stopping_asks_what_becomes_of_open_steps_and_why(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch, fate: str, status: str
) -> None:
    run = started(estate, maya)
    key = run.run_id.hex
    mount(monkeypatch, lambda: playbook_progress.ask_to_stop(playbook_data.run(run.run_id), visit.current()))
    page = browser.sign_in(maya).open("account")

    assert page.button(key=f"stop_why_{key}:send").disabled
    page.radio(key=f"stop_fate_{key}").set_value(fate).run()
    page.text_area(key=f"stop_why_{key}:box").input("They signed elsewhere")
    press(page, f"stop_why_{key}:send")

    browser.checked()
    assert estate.one("select stop_reason from app.playbook_runs") == "They signed elsewhere"
    assert estate.one("select count(*) from app.actions where status = %s", status) == 7
    assert any("7 actions" in toast.value and fate in toast.value for toast in page.toast)


def test_the_stop_button_opens_the_question_with_what_is_open(browser: Browser, estate: Estate, maya: Identity) -> None:
    run = started(estate, maya)
    page = browser.sign_in(maya).open("account", account=ASHFORD)

    press(page, f"stop_{run.run_id.hex}")

    assert "What becomes of the 7 open steps?" in texts(browser.checked())
    assert page.radio(key=f"stop_fate_{run.run_id.hex}").value is None


def test_a_stop_that_somebody_else_was_faster_with_is_said(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(estate, maya)
    mount(monkeypatch, lambda: playbook_progress.ask_to_stop(playbook_data.run(run.run_id), visit.current()))
    page = browser.sign_in(maya).open("account")
    ended(estate, maya, run)

    page.radio(key=f"stop_fate_{run.run_id.hex}").set_value("cancelled").run()

    assert "nothing to stop" in texts(browser.checked())


def test_ended_playbooks_keep_their_story_and_foreign_text_stays_text(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    ended(estate, maya, started(estate, maya))
    page = browser.sign_in(maya).open("account", account=ASHFORD)

    written = texts(page)
    assert "None is running here" in written
    assert "stopped Fri 20 Nov, open steps kept: They \\:red\\[signed\\]" in written


# in the action


def opened(browser: Browser, who: Identity, action_id: UUID, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    mount(monkeypatch, lambda: action_panel.show(action_id))
    return browser.sign_in(who).open("account")


def test_an_action_tells_its_place_in_the_playbook_and_what_comes_next(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(estate, maya)
    page = opened(browser, maya, run.steps[0].action_id, monkeypatch)

    written = texts(page)
    assert ":gray[Playbook] **Risk** :gray[step] **1** :gray[of 7 · 0 done]" in written
    assert ":gray[Next:] Call the champion\\: what has changed?" in written
    assert "Before:" not in written


def test_a_reason_somebody_gave_is_shown_and_the_one_it_came_with_only_once(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = started(estate, maya).steps[:2]
    with estate.work() as db:
        actions.edit_action(
            db,
            actor=maya,
            now=NOW,
            action_id=second.action_id,
            expected_version=1,
            changes={"reason": "They rang us"},
            idempotency_key=a_key(),
        )

    page = opened(browser, maya, first.action_id, monkeypatch)
    assert not [text.value for text in page.text if "Playbook Risk" in text.value]
    page = opened(browser, maya, second.action_id, monkeypatch)
    assert "They rang us" in [text.value for text in page.text]


def test_an_action_of_no_playbook_says_nothing_of_one(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(browser, maya, estate.action(actor=maya).action_id, monkeypatch)

    assert "Playbook" not in texts(page)


# the editor


def admin_page(browser: Browser, who: Identity, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    """The editor in the place of a page: the page it will stand on is another module's."""
    mount(monkeypatch, playbook_admin.admin)
    return browser.sign_in(who).open("account", **query)


def edited_as(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """AppTest cannot type into a table: let it answer what an edit would."""

    def answer(rows: pd.DataFrame, **_: Any) -> pd.DataFrame:
        return change(rows.copy())

    monkeypatch.setattr(st, "data_editor", answer)


def test_the_list_names_every_playbook_with_what_runs(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(estate, harriet)

    written = texts(admin_page(browser, harriet, monkeypatch))

    assert "**Playbooks** :small[:gray[6]]" in written
    assert "**Risk**  \n:small[:gray[risk · 7 steps · version 1 · 1 running]]" in written


def test_nothing_can_be_published_before_something_changed(
    browser: Browser, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = admin_page(browser, harriet, monkeypatch)

    press(page, "playbook_edit_risk")

    assert "came with the product" in texts(browser.checked())
    assert page.button(key="playbook_publish_risk").disabled
    assert not page.error


def test_edited_steps_are_previewed_compared_and_published_as_a_new_version(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {
        "offset_bd": 3,
        "title": "Write to the board",
        "intervention": "executive_reach_out",
        "priority": "high",
        "owner": "starter",
        "guidance": None,
    }
    edited_as(monkeypatch, lambda rows: pd.concat([rows, pd.DataFrame([extra])], ignore_index=True))
    page = admin_page(browser, harriet, monkeypatch, playbook="risk")

    preview = page.dataframe[-1].value
    assert preview["title"].tolist()[3] == "4 Write to the board"
    assert "Added\\: Write to the board" in texts(page)
    edited_as(monkeypatch, lambda rows: rows if len(rows) == 8 else pd.concat([rows, pd.DataFrame([extra])]))
    press(page, "playbook_publish_risk")

    browser.checked()
    assert (
        estate.one("select jsonb_array_length(steps) from app.playbooks where playbook_id = 'risk' and is_active") == 8
    )
    assert any("Risk published as version 2" in toast.value for toast in page.toast)


def test_what_is_wrong_is_said_by_row_and_keeps_publishing_off(
    browser: Browser, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[1, "title"] = None
        rows.loc[2, "offset_bd"] = None
        return rows

    edited_as(monkeypatch, spoil)
    page = admin_page(browser, harriet, monkeypatch, playbook="risk")

    written = texts(page)
    assert "Row 2\\: the title is empty" in written
    assert "Row 3\\: due must be 0 to 260 business days" in written
    assert page.button(key="playbook_publish_risk").disabled


def test_an_unfinished_edit_is_there_again_after_a_reload(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = admin_page(browser, harriet, monkeypatch, playbook="risk")
    page.text_input(key="playbook_risk_1_0_name").set_value("Risk, unfinished").run()

    again = Browser(estate).sign_in(harriet)
    browser.token = again.token
    reloaded = again.open("account", playbook="risk")

    assert reloaded.text_input(key="playbook_risk_1_0_name").value == "Risk, unfinished"
    assert "**not published**" in texts(reloaded)
    press(reloaded, "playbook_discard_risk")
    assert again.checked().text_input(key="playbook_risk_1_1_name").value == "Risk"
    assert playbook_drafts.find(harriet.user_id, "risk") is None


def test_a_colleague_who_published_first_is_named_and_the_edit_stays(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = admin_page(browser, harriet, monkeypatch, playbook="risk")
    page.text_input(key="playbook_risk_1_0_name").set_value("Mine").run()
    publish(estate, estate.user("Ines Vogel", Role.ADMIN), 1)

    press(page, "playbook_publish_risk")
    assert "Ines Vogel changed this while you were working on it" in texts(browser.checked())
    assert page.text_input(key="playbook_risk_2_0_name").value == "Mine"
    press(page, "playbook_publish_risk")

    browser.checked()
    assert estate.one("select name from app.playbooks where playbook_id = 'risk' and version = 3") == "Mine"


def test_an_editor_without_edits_shows_what_a_colleague_published(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = admin_page(browser, harriet, monkeypatch, playbook="risk")
    publish(estate, estate.user("Ines Vogel", Role.ADMIN), 1, name="Theirs")

    page.run()

    assert browser.checked().text_input(key="playbook_risk_2_0_name").value == "Theirs"
    assert page.button(key="playbook_publish_risk").disabled


def test_a_new_playbook_is_made_from_an_empty_form(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[0, "title"] = "Call them"
        return rows

    edited_as(monkeypatch, fill)
    page = admin_page(browser, harriet, monkeypatch)
    press(page, "playbook_new")
    page.text_input(key="playbook_new_0_0_name").set_value("Win back").run()
    press(page, "playbook_publish_new")

    browser.checked()
    assert estate.one("select created_by from app.playbooks where playbook_id = 'win_back'") == harriet.user_id
    assert page.query_params["playbook"] == "win_back"


def test_retiring_says_what_goes_on_and_takes_it_off_the_list_to_start(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(estate, harriet)
    page = admin_page(browser, harriet, monkeypatch, playbook="risk")
    assert "1 run that began goes on" in texts(page)

    press(page, "playbook_retire_it_risk")

    browser.checked()
    assert "retired" in texts(page)
    assert page.button(key="playbook_publish_risk").label == "Publish as version 2 and bring it back"
    assert not page.button(key="playbook_publish_risk").disabled
    with estate.work() as db:
        assert "risk" not in [playbook.playbook_id for playbook in service.list_playbooks(db)]


def test_an_older_version_can_be_taken_up_again_but_never_over_unpublished_edits(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(estate, harriet, 1, name="Shorter")
    page = admin_page(browser, harriet, monkeypatch, playbook="risk")

    press(page, "playbook_from_risk_1")

    assert browser.checked().text_input(key="playbook_risk_2_1_name").value == "Risk"
    assert page.button(key="playbook_from_risk_1").disabled
    press(page, "playbook_publish_risk")
    assert estate.one("select name from app.playbooks where playbook_id = 'risk' and is_active") == "Risk"


def test_nobody_but_an_admin_gets_the_editor(browser: Browser, maya: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    page = admin_page(browser, maya, monkeypatch)

    assert "Your role (csm) may not do this" in texts(page).replace("\\", "")
    assert "playbook_new" not in [button.key for button in page.button]


def test_rows_of_the_table_and_steps_are_the_same_thing() -> None:
    draft = playbook_drafts.blank()
    rows = playbook_editor.rows_of(draft)
    rows.loc[1] = [None] * len(playbook_editor.COLUMNS)

    assert playbook_editor.steps_of(rows) == draft.steps


def test_the_oldest_of_too_many_unfinished_edits_falls_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbook_drafts, "MOST", 2)
    edit = playbook_drafts.Kept(draft=playbook_drafts.blank(), base_version=None)
    people = [UUID(int=number) for number in (1, 2, 3)]

    for person in people:
        playbook_drafts.keep(person, "new", edit)

    assert [playbook_drafts.find(person, "new") for person in people] == [None, edit, edit]
    for person in people:
        playbook_drafts.forget(person, "new")


def test_a_closed_step_counts_as_done_on_the_account(browser: Browser, estate: Estate, maya: Identity) -> None:
    run = started(estate, maya)
    with estate.work() as db:
        actions.close_action(
            db,
            actor=maya,
            now=NOW,
            action_id=run.steps[0].action_id,
            expected_version=1,
            outcome=an_outcome(),
            idempotency_key=a_key(),
        )

    page = browser.sign_in(maya).open("account", account=ASHFORD)

    assert ":gray[Check the facts before anybody calls]" in texts(page)
    assert ":green-badge[Closed]" in texts(page)
