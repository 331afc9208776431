"""Actions: only legal moves, notes that are not lost, two people on one action, and the outcome."""

from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import clock
from app.actions import service
from app.actions.model import Action
from app.auth import Identity, Role
from app.calendar import Calendar
from app.handovers import service as handovers
from app.handovers.model import HandoverDraft
from app.ui import action_why
from tests.app.factories import NOW, Estate, a_key, an_outcome
from tests.pages.conftest import Browser, labels, texts


@pytest.fixture
def maya(estate: Estate) -> Identity:
    """A CSM with one published account."""
    estate.publish()
    estate.account()
    return estate.user("Maya Lind")


def _button(page: AppTest, label: str) -> Any:
    return next(button for button in page.button if button.label == label)


def _sent(page: AppTest, start: str) -> Any:
    """The send button of the composer whose key begins with `start`."""
    return next(
        button for button in page.button if str(button.key).startswith(start) and str(button.key).endswith(":send")
    )


def _box(page: AppTest, start: str) -> Any:
    return next(area for area in page.text_area if str(area.key).startswith(start))


def _opened(browser: Browser, action: Action, who: Identity) -> AppTest:
    return browser.sign_in(who).open("actions", action=str(action.action_id))


def test_only_legal_moves_are_drawn(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _opened(browser, estate.action(actor=maya), maya)

    assert "In progress" in labels(page)
    assert "Blocked" not in labels(page)
    assert "Waiting on customer" not in labels(page)
    _button(page, "In progress").click().run()
    browser.checked()

    assert {"Now blocked", "Now waiting on customer"} <= set(labels(page))
    assert "In progress" not in labels(page)
    assert estate.one("select status from app.actions") == "in_progress"


def _slots(page: AppTest, action: Action) -> list[str]:
    """Labels of the moves between the started statuses, in the order they are drawn, pressable or not."""
    found = [block.proto.popover.label for block in page.get("popover")]
    return [one for one in ("Blocked", "Waiting on customer") if one in found]


def test_moves_between_started_statuses_keep_their_places(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    for label in ("In progress", "Now blocked", "In progress"):
        assert _slots(page, action) == ["Blocked", "Waiting on customer"]
        assert [button.label for button in page.button if button.label == "In progress"] == ["In progress"]
        _button(page, label).click().run()
        browser.checked()


@pytest.mark.parametrize(("typed", "reason"), [("Legal is reading it", "Legal is reading it"), ("", None)])
def test_what_stands_in_the_way_is_offered_to_be_said(
    browser: Browser, estate: Estate, maya: Identity, typed: str, reason: str | None
) -> None:
    page = _opened(browser, estate.move(maya, estate.action(actor=maya), "in_progress"), maya)
    box = next(area for area in page.text_area if "_blocked_why" in str(area.key))
    box.set_value(typed)

    _button(page, "Now blocked").click().run()

    browser.checked()
    told = "select reason from app.action_events where field = 'status' order by event_id desc"
    assert estate.one(told) == reason
    assert ("Legal is reading it" in texts(page)) is (reason is not None)


def test_somebody_elses_action_can_be_noted_on_but_not_moved(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, estate.user("Tom Okafor"))

    assert "In progress" not in labels(page)
    assert "only the owner, their cover or an admin" in texts(page)
    _box(page, "note_").set_value("Their admin called me")
    _sent(page, "note_").click().run()

    assert estate.one("select author_name from app.action_notes") == "Tom Okafor"


def test_whoever_covers_for_its_owner_moves_an_action_that_stayed_with_them(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action, harriet, tom = estate.action(actor=maya), estate.user("Harriet Cole", Role.ADMIN), estate.user("Tom Okafor")
    cover = HandoverDraft(
        from_user_id=maya.user_id, to_user_id=tom.user_id, starts_on=NOW.date(), reason="Annual leave", moves="none"
    )
    with estate.work() as db:
        handovers.begin(db, actor=harriet, now=NOW, draft=cover, idempotency_key=a_key())
    page = _opened(browser, action, tom)

    _button(page, "In progress").click().run()

    browser.checked()
    moved = estate.detail(action.action_id).action
    assert (moved.status, moved.owner_user_id) == ("in_progress", maya.user_id)


def test_an_analyst_reads_an_action_and_writes_nothing(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _opened(browser, estate.action(actor=maya), estate.user("Alex Stone", Role.ANALYST))

    assert not page.text_area
    assert not {"In progress", "Add action", "Edit"} & set(labels(page))


def test_a_note_is_stored_once_however_often_its_form_is_sent(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _opened(browser, estate.action(actor=maya), maya)
    _box(page, "note_").set_value("Called at 10:20.\n**Not bold** ![x](http://evil.example/x.png)")

    _sent(page, "note_").click().run()
    _sent(page, "note_").click().run()

    browser.checked()
    assert estate.one("select count(*) from app.action_notes") == 1
    assert any("![x](http://evil.example/x.png)" in element.value for element in page.text), "shown as plain text"
    assert not any("![x](" in element.value for element in page.markdown)


def test_a_refused_note_is_explained_and_not_acknowledged(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _opened(browser, estate.action(actor=maya), maya)
    _box(page, "note_").set_value("x" * 20_001)

    _sent(page, "note_").click().run()

    assert "20,001 characters" in page.error[0].value.replace("\\", "")
    assert _box(page, "note_").value == "x" * 20_001
    assert estate.one("select count(*) from app.action_notes") == 0


def test_the_second_of_two_people_is_told_what_changed_and_can_go_on(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    harriet = estate.user("Harriet Cole", Role.ADMIN)
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    with estate.work() as db:
        service.edit_action(
            db,
            actor=harriet,
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            changes={"title": "Call <b>their</b> CFO"},
            idempotency_key=a_key(),
        )

    _button(page, "In progress").click().run()

    told = page.warning[0].value.replace("\\", "")
    assert "Harriet Cole" in told
    assert "title is now Call <b>their</b> CFO" in told
    assert estate.one("select status from app.actions") == "new"
    _button(page, "In progress").click().run()
    assert estate.one("select status from app.actions") == "in_progress"
    assert estate.one("select title from app.actions") == "Call <b>their</b> CFO"


def test_closing_names_what_is_missing_and_then_records_all_layers(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    key = f"outcome_{action.action_id.hex}"
    assert _sent(page, key).disabled
    assert _sent(page, key).help == "missing: execution, response, result"

    page.segmented_control(key=f"{key}_execution").set_value("done_differently")
    page.segmented_control(key=f"{key}_response").set_value("neutral")
    page.segmented_control(key=f"{key}_result").set_value("too_early").run()
    _box(page, key).set_value("They want to wait for the new year.")
    _sent(page, key).click().run()

    browser.checked()
    recorded = estate.admin.execute(
        "select execution, customer_response, result, done_intervention, closing_note from app.action_outcomes"
    ).fetchone()
    assert recorded == (
        "done_differently",
        "neutral",
        "too_early",
        "diagnostic_call",
        "They want to wait for the new year.",
    )
    assert estate.one("select status from app.actions") == "closed"
    assert "They want to wait" in texts(page)


def test_a_stale_closing_keeps_the_text_and_goes_through_at_the_next_click(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    key = f"outcome_{action.action_id.hex}"
    for field, value in (("execution", "done_as_planned"), ("response", "positive"), ("result", "successful")):
        page.segmented_control(key=f"{key}_{field}").set_value(value)
    page.run()
    with estate.work() as db:
        service.edit_action(
            db,
            actor=maya,
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            changes={"priority": "high"},
            idempotency_key=a_key(),
        )
    _box(page, key).set_value("Done on the phone")
    _sent(page, key).click().run()
    assert "changed this while you were working" in texts(page)
    assert _box(page, key).value == "Done on the phone"

    _sent(page, key).click().run()

    assert estate.one("select closing_note from app.action_outcomes") == "Done on the phone"


def test_the_measured_outcome_is_not_before_its_day_and_never_an_input(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    with estate.work() as db:
        service.close_action(
            db,
            actor=maya,
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            outcome=an_outcome(),
            idempotency_key=a_key(),
        )

    page = _opened(browser, action, maya)

    assert "Days count from Fri 20 Nov, when it was decided" in texts(page)
    assert "not before Sun 20 Dec" in texts(page)
    assert not page.segmented_control or all(control.key in ("who", "as") for control in page.segmented_control)


def test_what_the_warehouse_measured_is_shown(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    estate.put(
        "fct_action_outcomes",
        decision_id=str(action.decision_id),
        account_key=action.account_key,
        action_id=str(action.action_id),
        policy_id="human",
        arm="human",
        decided_at=NOW,
        decided_date=NOW.date(),
        measured_30d_status="measured",
        health_change_30d=12.4,
        usage_change_ratio_30d=-0.2,
        trigger_cleared_30d=True,
        measured_60d_status="censored",
        measured_90d_status="pending",
    )

    page = _opened(browser, action, maya)

    assert "trigger cleared, health +12, usage −20%" in texts(page)
    assert "cannot be measured" in texts(page)


def test_a_link_to_an_action_opens_it_even_when_the_filters_would_hide_it(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya, title="Call the champion")
    page = _opened(browser, action, estate.user("Tom Okafor"))

    assert "**Call the champion**" in texts(page)


@pytest.mark.parametrize("given", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_link_to_nothing_is_a_sentence_or_the_list(
    browser: Browser, estate: Estate, maya: Identity, given: str
) -> None:
    estate.action(actor=maya, title="Call the champion")
    page = browser.sign_in(maya).open("actions", action=given)

    assert "does not exist" in texts(page) or "**Call the champion**" in texts(page)


def test_a_snooze_tells_until_when_and_why_and_can_be_undone(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    key = f"move_{action.action_id.hex}_1"
    page.date_input(key=f"{key}_until").set_value(NOW.date() + timedelta(days=10))
    page.text_area(key=f"{key}_snooze_why:box").set_value("their *migration*")

    _button(page, "Snooze it").click().run()

    assert "until Mon 30 Nov" in texts(page)
    assert "their \\*migration\\*" in texts(page)
    _button(page, "Undo").click().run()
    assert estate.one("select status from app.actions") == "new"


def test_cancelling_takes_its_reason_from_the_list(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _opened(browser, estate.action(actor=maya), maya)

    next(menu for menu in page.menu_button if menu.label == "Cancel the action…").click("no_longer_relevant").run()

    browser.checked()
    assert estate.one("select cancel_reason from app.actions") == "no_longer_relevant"


@pytest.mark.parametrize(
    ("today", "offered"),
    [
        ("2026-11-17", {"Tomorrow": "2026-11-18", "In a week": "2026-11-24", "In two weeks": "2026-12-01"}),
        ("2026-11-20", {"Monday": "2026-11-23", "In a week": "2026-11-27", "In two weeks": "2026-12-04"}),
        # a week later is New Year's Day, and Boxing Day, a Saturday, has Monday as its substitute
        ("2026-12-25", {"Tuesday": "2026-12-29", "In a week": "2027-01-04", "In two weeks": "2027-01-08"}),
    ],
)
def test_the_quick_choices_of_a_snooze_are_business_days(today: str, offered: dict[str, str]) -> None:
    days = action_why.snooze_days(date.fromisoformat(today), Calendar())

    assert {name: day.isoformat() for name, day in days.items() if name != "In a month"} == offered


def test_a_quick_choice_sets_the_day_of_the_snooze(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    key = f"move_{action.action_id.hex}_1"

    page.button(key=f"{key}_until_in_two_weeks").click().run()

    chosen = action_why.snooze_days(NOW.date(), Calendar())["In two weeks"]
    assert page.date_input(key=f"{key}_until").value == chosen


def test_a_snooze_until_a_day_off_says_which_business_day_it_means_and_ends_then(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    key = f"move_{action.action_id.hex}_1"

    page.date_input(key=f"{key}_until").set_value(date(2026, 12, 26)).run()
    assert "Sat 26 Dec is a day off: it comes back on **Tue 29 Dec**" in texts(browser.checked())
    page.text_area(key=f"{key}_snooze_why:box").set_value("Christmas")
    _button(page, "Snooze it").click().run()

    assert "Snoozed: it comes back by itself on Tue 29 Dec" in [
        one.value.rstrip(".") for one in browser.checked().success
    ]
    assert not page.toast, "what floats over the page covers controls"
    assert estate.one("select snoozed_until from app.actions") == date(2026, 12, 29)


def test_a_refused_snooze_says_so_beside_its_reason(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    key = f"move_{action.action_id.hex}_1"
    page.text_area(key=f"{key}_snooze_why:box").set_value("   ")

    page.button(key=f"{key}_snooze_why:send").click().run()

    popover = next(block for block in page.get("popover") if block.proto.popover.label == "Snooze")
    assert len(popover.error) == 1
    assert estate.one("select status from app.actions") == "new"


def test_a_reopened_action_tells_why(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    next(menu for menu in page.menu_button if menu.label == "Cancel the action…").click("no_longer_relevant").run()
    key = f"move_{action.action_id.hex}_2_reopen_why"
    page.text_area(key=f"{key}:box").set_value("They asked again")

    page.button(key=f"{key}:send").click().run()

    assert estate.one("select status from app.actions") == "in_progress"
    assert "They asked again" in texts(browser.checked())


def test_what_happened_in_one_moment_is_told_in_its_order_newest_first(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.move(maya, estate.move(maya, estate.action(actor=maya), "in_progress"), "blocked")
    with estate.work() as db:
        service.add_note(
            db, actor=maya, now=NOW, action_id=action.action_id, body="Their lawyers", idempotency_key=a_key()
        )
    action = estate.move(maya, action, "in_progress")

    page = _opened(browser, action, maya)

    told = [one.value for one in page.markdown if one.value.startswith("**Maya**")]
    assert [("Their lawyers" in one, "Blocked" in one, "added this action" in one) for one in told] == [
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, False),
        (False, False, True),
    ]


def test_an_analyst_sees_the_story_without_a_heading_of_notes(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _opened(browser, estate.action(actor=maya), estate.user("Alex Stone", Role.ANALYST))

    assert "**Notes**" not in texts(page)
    assert "added this action" in texts(page)


def test_an_undo_is_told_as_one(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = _opened(browser, estate.action(actor=maya), maya)
    next(menu for menu in page.menu_button if menu.label == "Cancel the action…").click("no_longer_relevant").run()

    _button(page, "Undo").click().run()

    assert "undid the move to cancelled" in texts(browser.checked())
    assert "Undone" not in "".join(one.value for one in page.markdown)


def test_the_way_back_from_a_move_brings_back_what_stood_in_the_way_and_ends_there(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    started = estate.move(maya, estate.action(actor=maya), "in_progress")
    action = estate.move(maya, started, "blocked", reason="Legal has it")
    page = _opened(browser, action, maya)
    _button(page, "In progress").click().run()
    assert not any(one.value.endswith(":small[Legal has it]") for one in browser.checked().markdown)

    _button(page, "Undo").click().run()

    assert any(one.value.endswith(":small[Legal has it]") for one in browser.checked().markdown)
    assert "undid the move to in progress" in texts(page)
    assert "Undo" not in [button.label for button in page.button]


def test_the_way_back_is_there_after_a_reload_for_whom_it_is_and_as_long_as_it_is(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    action, other = estate.action(actor=maya, now=NOW - timedelta(days=1)), estate.action(actor=maya, title="Other")
    page = _opened(browser, action, maya)
    _button(page, "In progress").click().run()

    assert "Undo" not in labels(browser.reload("actions", action=str(other.action_id)))
    page = browser.reload("actions", action=str(action.action_id))
    assert "Undo" in labels(page)
    assert "Undo" not in labels(
        browser.sign_in(estate.user("Harriet Cole", Role.ADMIN)).reload("actions", action=str(action.action_id))
    )
    page = browser.sign_in(maya).reload("actions", action=str(action.action_id))
    _button(page, "Undo").click().run()
    assert estate.one("select status from app.actions where title <> 'Other'") == "new"
    assert "Undo" not in labels(browser.checked())
    _button(page, "In progress").click().run()
    assert "Undo" in labels(browser.checked())
    monkeypatch.setattr(clock, "real_now", lambda: NOW + timedelta(seconds=61))
    assert "Undo" not in labels(browser.reload("actions", action=str(action.action_id)))


def test_a_closing_that_is_undone_leaves_what_was_typed_and_counts_for_nothing(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    page = _opened(browser, action, maya)
    key = f"outcome_{action.action_id.hex}"
    page.segmented_control(key=f"{key}_execution").set_value("done_differently")
    page.segmented_control(key=f"{key}_response").set_value("neutral")
    page.segmented_control(key=f"{key}_result").set_value("too_early")
    page.number_input(key=f"{key}_minutes").set_value(45).run()
    _box(page, key).set_value("The wrong one")
    _sent(page, key).click().run()
    assert {"Undo", "Reopen it"} <= {button.label for button in browser.checked().button}

    _button(page, "Undo").click().run()

    browser.checked()
    assert estate.admin.execute("select status, result, closed_at from app.actions").fetchone() == ("new", None, None)
    assert page.segmented_control(key=f"{key}_result").value == "too_early"
    assert page.number_input(key=f"{key}_minutes").value == 45
    assert _box(page, key).value == "The wrong one"
    with estate.work() as db:
        assert [load.minutes_this_week for load in service.workload(db, now=NOW)] == [0]


def test_what_a_change_takes_out_of_the_list_stays_open_with_its_way_back(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    estate.action(actor=maya, title="Second", due_date=NOW.date() + timedelta(days=9))
    action = estate.action(actor=maya, title="First", due_date=NOW.date())
    page = browser.sign_in(maya).open("actions", status="New")

    _button(page, "In progress").click().run()

    assert browser.checked().dataframe[0].value["title"].tolist() == ["Second"]
    assert "**First**" in texts(page)
    _button(page, "Undo").click().run()
    assert estate.detail(action.action_id).action.status == "new"
