"""My day: causes of changes, days for what a day's build found, hours that are booked, and a way to the rest."""

from datetime import UTC, datetime, timedelta

import pytest

from app.auth import Role
from app.suggestions import service as suggestions
from app.ui import event_words, figures, suggestion_card
from app.ui.text import with_bold_figures
from tests.app.factories import NOW, Estate
from tests.pages.conftest import Browser, labels, texts

A_BUILD = datetime(2026, 11, 18, 23, 59, 59, tzinfo=UTC)


def test_a_change_tells_its_cause_and_its_day_instead_of_an_invented_time(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    estate.put(
        "fct_account_events",
        event_key="e1",
        account_key=estate.account(),
        occurred_at=A_BUILD + timedelta(days=1),
        event_kind="band_change",
        title="Health Green to Yellow",
        detail="76 to 68, mostly key activity (-8)",
        importance=2,
    )

    written = texts(browser.sign_in(maya).open("my_day")).replace("\\", "")

    assert "76 to 68, mostly key activity (−8)" in written
    assert "Thu 19 Nov" in written
    assert "23:59" not in written


def test_the_week_is_what_is_booked_against_capacity(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    estate.account()
    estate.action(actor=maya, due_date=NOW.date())
    estate.admin.execute("update app.users set weekly_capacity_minutes = 1200")

    written = texts(browser.sign_in(maya).open("my_day"))

    assert "of 20 h** :gray[booked this week]" in written
    assert "**0 of 20 h**" not in written


def test_an_administrator_without_actions_has_ways_on(browser: Browser, estate: Estate) -> None:
    estate.publish()

    page = browser.sign_in(estate.user("Harriet Cole", Role.ADMIN)).open("my_day")

    assert {"assignments", "accounts", "actions"} <= {link.proto.page for link in page.get("page_link")}
    assert "Nothing is overdue or due today" in texts(page)


def test_more_suggestions_than_shown_are_one_click_away(
    browser: Browser, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestion_card, "SHOWN", 3)
    harriet = estate.user("Harriet Cole", Role.ADMIN)
    build = estate.publish()
    for number in range(5):
        name = f"Late Payer {number}"
        key = estate.account(name, csm_email=None, overdue_invoice_count=1, oldest_overdue_days=40)
        estate.health(key, [70.0] * 3)
        estate.invoice(key, f"in_{number}")
    with estate.work() as db:
        suggestions.evaluate(db, now=NOW, build_id=build)
    page = browser.sign_in(harriet).open("my_day")
    assert labels(page).count("Accept") == 3

    next(button for button in page.button if button.label == "Show 2 more").click().run()

    assert labels(browser.checked()).count("Accept") == 5
    [menu for menu in page.menu_button if menu.label == "Dismiss"][3].click("already_handled").run()
    in_order = [button.label for button in browser.checked().button if button.label in ("Accept", "Undo")]
    assert in_order == ["Accept"] * 3 + ["Undo", "Accept"]


def test_days_without_a_time_are_days_in_summer_too() -> None:
    assert figures.event_time(datetime(2026, 7, 1, 23, 59, 59, tzinfo=UTC), now=NOW) == "Wed 1 Jul"
    assert figures.event_time(datetime(2026, 11, 18, 14, 10, tzinfo=UTC), now=NOW) == "Wed 14:10"


def test_an_invoice_number_is_not_bolded_in_pieces_and_a_drop_has_a_minus() -> None:
    shown = with_bold_figures("Invoice ABD801A3-0015 is 40 days late (-18)").replace("\\", "")

    assert shown == "Invoice ABD801A3-0015 is **40** days late (−**18**)"


def test_details_of_events_are_words() -> None:
    assert event_words.event_detail("urgent · a@b.example") == "Urgent · a@b.example"
    assert event_words.event_detail("no answer · Declan White") == "No answer · Declan White"
    assert event_words.event_detail("GBP 342.00, 1 attempts so far") == "GBP 342.00, 1 attempt so far"
    assert event_words.event_detail("USD 1,984.00, due 2026-11-21") == "USD 1,984.00, due 21 Nov 2026"
    assert event_words.event_detail("normal") == "Normal"
    assert event_words.event_detail(None) == ""
