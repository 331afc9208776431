"""The tracker as list, board and calendar: one set, its filters, its groups, and views that are saved."""

from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import saved_views
from app.actions import service
from app.actions.lifecycle import Status
from app.actions.model import Action, ActionFilter
from app.auth import Identity, Role
from app.calendar import Calendar
from app.ui import action_calendar_days, action_filters, action_groups, action_moves
from tests.app.factories import NOW, Estate, a_key, an_outcome, key_of
from tests.pages.conftest import Browser, labels, texts

TODAY = NOW.date()  # a Friday


@pytest.fixture
def maya(estate: Estate) -> Identity:
    """A CSM with two published accounts."""
    estate.publish()
    estate.account()
    estate.account("Brook & Co")
    return estate.user("Maya Lind")


def _moved(estate: Estate, who: Identity, action: Action, to: str, **given: Any) -> None:
    with estate.work() as db:
        service.transition(
            db,
            actor=who,
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            to_status=to,
            idempotency_key=a_key(),
            **given,
        )


def _closed(estate: Estate, who: Identity, action: Action, days_ago: int = 0) -> None:
    with estate.work() as db:
        service.close_action(
            db,
            actor=who,
            now=NOW - timedelta(days=days_ago),
            action_id=action.action_id,
            expected_version=1,
            outcome=an_outcome(done_date=TODAY - timedelta(days=days_ago)),
            idempotency_key=a_key(),
        )


def _three(estate: Estate, maya: Identity) -> list[Action]:
    """One new and due today, one in progress and due on Monday, one closed today."""
    first = estate.action(actor=maya, title="Call them", due_date=TODAY)
    second = estate.action(
        actor=maya,
        title="Train them",
        action_type="lifecycle",
        due_date=TODAY + timedelta(days=3),
        account_key=key_of("Brook & Co"),
    )
    _moved(estate, maya, second, "in_progress")
    third = estate.action(actor=maya, title="Review them", due_date=TODAY)
    _closed(estate, maya, third)
    return [first, second, third]


def _titles(page: AppTest) -> list[str]:
    return page.dataframe[0].value["title"].tolist()


def _cards(page: AppTest) -> set[str]:
    return {
        button.label
        for button in page.button
        if str(button.key).startswith("card_") and str(button.key).endswith("_open")
    }


def _due(page: AppTest) -> list[str]:
    return [button.label for button in page.button if str(button.key).startswith("due_")]


def test_list_board_and_calendar_show_the_same_set(browser: Browser, estate: Estate, maya: Identity) -> None:
    _three(estate, maya)
    page = browser.sign_in(maya).open("actions")

    assert _titles(page) == ["Call them", "Train them", "Review them"]
    page.segmented_control(key="as").set_value("board").run()
    assert _cards(browser.checked()) == {"Call them", "Train them", "Review them"}
    page.segmented_control(key="as").set_value("calendar").run()
    assert len(_due(browser.checked())) == 3


def test_what_ended_before_this_week_is_not_in_the_set_unless_its_status_is_chosen(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya, title="Of last week", now=NOW - timedelta(days=20))
    _closed(estate, maya, action, days_ago=8)
    estate.action(actor=maya, title="Open")

    page = browser.sign_in(maya).open("actions")

    assert _titles(page) == ["Open"]
    page.pills(key="status").set_value(["Closed"]).run()
    assert _titles(browser.checked()) == ["Of last week"]


def test_the_heads_of_the_board_count_what_is_there_and_not_what_is_drawn(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    for number in range(14):
        estate.action(actor=maya, title=f"Number {number}")

    page = browser.sign_in(maya).open("actions", **{"as": "board"})

    assert "**Not started** :gray[14]" in texts(page)
    assert len(_cards(page)) == 12
    next(button for button in page.button if button.label == "Show 2 more").click().run()
    assert len(_cards(browser.checked())) == 14


def test_a_card_of_what_ended_tells_how(browser: Browser, estate: Estate, maya: Identity) -> None:
    _closed(estate, maya, estate.action(actor=maya))
    _moved(estate, maya, estate.action(actor=maya), "cancelled", reason="duplicate")

    page = browser.sign_in(maya).open("actions", **{"as": "board"})

    assert "20 Nov · :green[Successful]" in texts(page)
    assert "20 Nov · Duplicate" in texts(page)
    assert labels(page).count("Reopen…") == 2


def test_a_card_moves_where_a_click_is_enough_and_opens_where_more_is_needed(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    page = browser.sign_in(maya).open("actions", **{"as": "board"})
    menu = next(menu for menu in page.menu_button if menu.label == "Move")

    menu.click("in_progress").run()

    browser.checked()
    assert estate.one("select status from app.actions") == "in_progress"
    next(button for button in page.button if button.label == "Undo").click().run()
    assert estate.one("select status from app.actions") == "new"
    next(menu for menu in browser.checked().menu_button if menu.label == "Move").click("in_progress").run()
    next(menu for menu in browser.checked().menu_button if menu.label == "Move").click("close").run()
    browser.checked()
    assert estate.one("select status from app.actions") == "in_progress"
    assert page.segmented_control(key=f"outcome_{action.action_id.hex}_result")


def test_the_title_of_a_card_has_the_page_drawn_anew_which_alone_draws_the_drawer(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    # AppTest runs the whole page at every click, a browser runs the panel of the board alone
    action = estate.action(actor=maya)
    page = browser.sign_in(maya).open("actions", **{"as": "board"})
    asked: list[bool] = []
    monkeypatch.setattr(action_moves, "note_moved", lambda: asked.append(True))

    page.button(key=f"card_{action.action_id.hex}_open").click().run()

    assert asked == [True]
    assert page.segmented_control(key=f"outcome_{action.action_id.hex}_result")


def test_a_card_that_is_blocked_asks_first_what_stands_in_the_way(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.move(maya, estate.action(actor=maya), "in_progress")
    page = browser.sign_in(maya).open("actions", **{"as": "board"})

    next(menu for menu in page.menu_button if menu.label == "Move").click("blocked").run()

    assert estate.one("select status from app.actions") == "in_progress"
    next(area for area in browser.checked().text_area if area.label == "Why").set_value("Legal is reading it")
    next(button for button in page.button if button.label == "Now blocked").click().run()
    browser.checked()
    event = estate.detail(action.action_id).events[-1]
    assert (event.after, event.reason) == ("blocked", "Legal is reading it")
    assert "is now blocked" in texts(page)


def test_cards_of_others_have_no_menu(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya)

    page = browser.sign_in(estate.user("Tom Okafor")).open("actions", **{"as": "board", "who": "all"})

    assert _cards(page) == {"Call the champion"}
    assert not [menu for menu in page.menu_button if menu.label == "Move"]


def test_late_work_stands_in_one_strip_before_the_calendar(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=TODAY)
    estate.admin.execute(
        "update app.actions set due_date = %s, version = version + 1 where action_id = %s",
        [TODAY - timedelta(days=40), action.action_id],
    )

    page = browser.sign_in(maya).open("actions", **{"as": "calendar", "span": "week"})

    assert "1 action overdue before this" in texts(page)
    assert any("−40 d" in button.label for button in page.button)


def test_the_calendar_of_an_address_shows_that_week(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, due_date=date(2026, 12, 17))

    page = browser.sign_in(maya).open("actions", **{"as": "calendar", "span": "week", "on": "2026-12-15"})

    assert "**Mon 14 Dec to Sun 20 Dec**" in texts(page)
    assert _due(page) == ["Call the champion"]
    page.button(key="calendar_later").click().run()
    assert _due(browser.checked()) == []


def test_groups_are_rows_of_the_list_and_fold(browser: Browser, estate: Estate, maya: Identity) -> None:
    _three(estate, maya)

    page = browser.sign_in(maya).open("actions", group="type")

    assert _titles(page) == ["▼ Risk · 2", "Call them", "Review them", "▼ Lifecycle · 1", "Train them"]


def test_filters_narrow_every_view_and_an_empty_set_says_what_to_do(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    _three(estate, maya)
    page = browser.sign_in(maya).open("actions", type="Lifecycle")

    assert _titles(page) == ["Train them"]
    page.pills(key="priority").set_value(["Critical"]).run()

    assert "No action matches" in texts(browser.checked())


def test_everybodys_actions_can_be_narrowed_to_one_person(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, title="Hers")
    estate.action(actor=estate.user("Tom Okafor"), title="His")
    page = browser.sign_in(maya).open("actions", who="all")
    assert sorted(_titles(page)) == ["Hers", "His"]

    page.pills(key="owner").set_value("Tom Okafor").run()

    assert _titles(browser.checked()) == ["His"]


def test_a_saved_view_opens_for_a_colleague_when_it_is_shared(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, title="Hers", action_type="renewal")
    page = browser.sign_in(maya).open("actions", who="all", type="Renewal")
    page.text_input(key="view_form_name").set_value("Renewals")
    page.toggle(key="view_form_shared").set_value(True)
    page.button(key="view_save").click().run()
    browser.checked()
    kept = estate.one("select query from app.saved_views")
    assert kept == {"as": ["List"], "who": ["Everybody"], "type": ["Renewal"]}
    view_id = str(estate.one("select view_id from app.saved_views"))

    other = Browser(estate).sign_in(estate.user("Tom Okafor"))
    browser.token = other.token
    opened = other.open("actions", saved=view_id)

    assert _titles(opened) == ["Hers"]
    assert opened.segmented_control(key="who").value == "all"
    assert opened.pills(key="type").value == ["Renewal"]


def test_a_link_to_a_private_view_of_somebody_else_is_a_sentence(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    with estate.work() as db:
        view = saved_views.save(
            db,
            actor=maya,
            now=NOW,
            page="actions",
            name="Mine alone",
            query={"who": ["Mine"]},
            is_shared=False,
            idempotency_key=a_key(),
        )

    page = browser.sign_in(estate.user("Tom Okafor")).open("actions", saved=str(view.view_id))

    assert "does not exist, or is not shared" in texts(page)


def test_the_owner_of_a_view_renames_and_removes_it(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = browser.sign_in(maya).open("actions", type="Renewal")
    page.text_input(key="view_form_name").set_value("Renewals")
    page.button(key="view_save").click().run()
    view = estate.admin.execute("select view_id, version from app.saved_views").fetchone()
    assert view
    page.text_input(key=f"view_form_{view[0].hex}_{view[1]}_name").set_value("My renewals")
    page.button(key="view_save").click().run()
    browser.checked()
    assert estate.one("select name from app.saved_views") == "My renewals"

    page.button(key="view_remove").click().run()

    browser.checked()
    assert estate.one("select archived_at is not null from app.saved_views")


def test_an_analyst_ticks_nothing(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya)

    page = browser.sign_in(estate.user("Alex Stone", Role.ANALYST)).open("actions")

    assert _titles(page) == ["Call the champion"]
    assert "Take the next" not in labels(page)


def test_a_month_is_whole_weeks_and_a_week_is_seven_days() -> None:
    for span, around, first, end in (
        ("month", date(2026, 2, 14), date(2026, 1, 26), date(2026, 3, 2)),
        ("month", date(2027, 2, 1), date(2027, 2, 1), date(2027, 3, 1)),
        ("week", date(2026, 12, 31), date(2026, 12, 28), date(2027, 1, 4)),
    ):
        assert action_calendar_days.first_day(span, around) == first
        assert action_calendar_days.end_day(span, around) == end
    christmas = action_calendar_days.weeks("week", date(2026, 12, 25), [], Calendar())[0]
    assert [day.is_holiday for day in christmas] == [False, False, False, False, True, False, False]
    assert [day.is_off for day in christmas] == [False, False, False, False, True, True, True]


def test_going_forth_and_back_returns_to_the_same_period() -> None:
    for span in action_calendar_days.SPANS:
        for days in range(0, 800, 13):
            day = date(2026, 1, 1) + timedelta(days=days)
            there = action_calendar_days.moved(span, day, 1)
            back = action_calendar_days.moved(span, there, -1)
            assert action_calendar_days.first_day(span, back) == action_calendar_days.first_day(span, day)


def test_what_is_late_is_open_and_awake(estate: Estate, maya: Identity) -> None:
    late = action_filters.wanted(ActionFilter(), (), who="all", today=TODAY, is_late=True)

    assert set(late.parts[0].statuses) == {
        Status.NEW,
        Status.IN_PROGRESS,
        Status.BLOCKED,
        Status.WAITING_ON_CUSTOMER,
    }
    nothing = action_filters.wanted(ActionFilter(), (Status.CLOSED,), who="all", today=TODAY, is_late=True)
    assert nothing.parts == ()


def test_every_action_is_in_exactly_one_group(estate: Estate, maya: Identity) -> None:
    rows = []
    for offset in (0, 1, 3, 12, 40):
        estate.action(actor=maya, due_date=TODAY + timedelta(days=offset))
    with estate.work() as db:
        rows = service.list_actions(db, filter=ActionFilter())

    for by in action_groups.GROUPINGS:
        groups = action_groups.grouped(rows, by, TODAY)
        assert sorted(row.action_id for group in groups for row in group.rows) == sorted(row.action_id for row in rows)
    names = [group.name for group in action_groups.grouped(rows, "due", TODAY)]
    assert names == ["Today", "This week", "Next week", "Later"]


def test_a_day_of_the_calendar_tells_what_the_work_is_and_leads_to_its_list(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    for number in range(6):
        estate.action(actor=maya, title=f"Number {number}", due_date=TODAY)
    estate.action(actor=maya, title="Another day", due_date=TODAY + timedelta(days=1))
    page = browser.sign_in(maya).open("actions", **{"as": "calendar"})
    assert all(label.startswith("Number ") and ":gray[Ashford Media]" in label for label in _due(page)[:3])

    next(button for button in page.button if button.label == ":gray[3 more]").click().run()

    assert sorted(_titles(browser.checked())) == [f"Number {number}" for number in range(6)]
    page.button(key="day_chip").click().run()
    assert "Another day" in _titles(browser.checked())


@pytest.mark.parametrize(
    ("view", "least", "most"),
    [
        ({"room": 1200, "isNarrow": False}, 16, 26),
        ({"room": 1600, "isNarrow": False}, 30, 44),
        ({"room": 880, "isNarrow": True}, 12, 22),
        ({"room": "wide"}, 16, 26),
    ],
    ids=str,
)
def test_a_title_of_the_list_is_cut_with_an_ellipsis_where_its_column_ends(
    browser: Browser, estate: Estate, maya: Identity, view: dict, least: int, most: int
) -> None:
    estate.action(actor=maya, title="Ask why the newsletter stopped and what it would take", priority="critical")
    browser.page.session_state["page_style:view"] = view

    page = browser.sign_in(maya).open("actions", who="all")

    [row] = page.dataframe[0].value.to_dict("records")
    assert row["title"].endswith("…")
    assert "Ask why the newsletter stopped and what it would take".startswith(row["title"][:-1].strip())
    assert least <= len(row["title"]) <= most
    assert row["priority"] == ["C"]
