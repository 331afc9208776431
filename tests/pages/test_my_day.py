"""My day: what is due, in which order, and the answers to suggestions."""

from datetime import date, timedelta

import pytest

from app import clock
from app.auth import Role
from app.marts import version
from app.suggestions import service as suggestions
from tests.app.factories import AS_OF, NOW, Estate, a_key, key_of
from tests.pages.conftest import Browser, labels, texts

TODAY = NOW.date()


def _due(estate: Estate, action_id: object, due: date) -> None:
    """A due date in the past, which no service takes."""
    estate.admin.execute(
        "update app.actions set due_date = %s, version = version + 1 where action_id = %s", [due, action_id]
    )


def test_overdue_comes_before_today_and_more_revenue_at_risk_before_less(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    for name, at_risk in (("Small Ltd", 10), ("Large Ltd", 900), ("Today Ltd", 5000)):
        estate.account(name, mrr_at_risk_eur=at_risk)
    for name, days in (("Today Ltd", 0), ("Small Ltd", 4), ("Large Ltd", 1)):
        action = estate.action(actor=maya, account_key=key_of(name), title=f"For {name}", due_date=TODAY)
        _due(estate, action.action_id, TODAY - timedelta(days=days))

    page = browser.sign_in(maya).open("my_day")

    rows = page.dataframe[0].value
    assert rows["account"].tolist() == ["Large Ltd", "Small Ltd", "Today Ltd"]
    assert rows["what"].tolist() == ["For Large Ltd", "For Small Ltd", "For Today Ltd"]
    assert rows["how"].tolist()[0].startswith("Diagnostic call")
    assert [next(iter(due)) for due in rows["due"]] == ["Overdue 1 d", "Overdue 4 d", "Today"]


def test_with_nothing_due_one_sentence_says_so_and_what_comes_next(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    estate.account()
    estate.action(actor=maya, due_date=TODAY + timedelta(days=3))

    page = browser.sign_in(maya).open("my_day")

    assert "Nothing is overdue or due today" in texts(page)
    assert "Next is Ashford Media" in texts(page)


def test_before_the_first_build_actions_are_there_and_figures_say_that_they_are_not(
    browser: Browser, estate: Estate
) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    estate.account()
    estate.action(actor=maya, due_date=TODAY)
    estate.clear("publications")

    page = browser.sign_in(maya).open("my_day")

    assert page.dataframe[0].value["account"].tolist() == ["Ashford Media"]
    assert "no figures yet" in texts(page)


def test_late_figures_are_said_in_words(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish(AS_OF - timedelta(days=3))

    page = browser.sign_in(maya).open("my_day")

    assert "the last 3 days are missing" in page.warning[0].value.replace("\\", "")


def test_a_page_that_a_publication_overtakes_is_drawn_anew_from_the_one_build(
    browser: Browser, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    maya = estate.user("Maya Lind")
    estate.account()
    estate.publish(AS_OF - timedelta(days=3))
    with estate.work() as db:
        answers = [version.published(db)]
    estate.publish()
    estate.action(actor=maya, due_date=TODAY)
    browser.sign_in(maya).page.run()
    newest = version.published
    monkeypatch.setattr(version, "published", lambda db: answers.pop() if answers else newest(db))

    page = browser.page.switch_page("../pages/my_day.py").run()

    browser.checked()
    assert not answers
    assert not page.warning, "figures of the new build stand below the age of the former one"


@pytest.fixture
def suggested(estate: Estate) -> Estate:
    """One suggestion on Maya's account: an invoice 40 days overdue. She is not asked how the account feels before."""
    estate.user("Maya Lind")
    estate.admin.execute("update app.users set is_asked_pulse = false")
    build = estate.publish()
    key = estate.account(overdue_invoice_count=1, oldest_overdue_days=40)
    estate.health(key, [70.0] * 3)
    estate.invoice(key)
    with estate.work() as db:
        suggestions.evaluate(db, now=NOW, build_id=build)
    assert estate.one("select count(*) from app.suggestions where status in ('generated', 'shown')") == 1
    return estate


def test_a_card_says_what_stands_behind_it_when_it_is_asked(browser: Browser, suggested: Estate) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")
    accept = next(button for button in page.button if button.label == "Accept")
    assert "What else was eligible" not in texts(page)

    page.session_state[str(accept.key).replace("accept_", "behind_")] = True
    said = texts(page.run())

    assert "ends on Thu 19 Nov" in said
    assert "**What else was eligible** :gray[commercial offer (0%), of all draws]" in said
    assert "it was never suggested before" in said
    assert "descriptive, not proof" in said
    assert suggested.one("select status from app.suggestions") == "viewed"
    page.run()
    assert suggested.one("select count(*) from app.suggestion_events where kind = 'viewed'") == 1


def test_a_suggestion_that_is_accepted_becomes_one_action_and_leaves_the_list(
    browser: Browser, suggested: Estate
) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")
    accept = next(button for button in page.button if button.label == "Accept")

    accept.click().run()

    browser.checked()
    assert suggested.one("select count(*) from app.actions where source = 'suggestion'") == 1
    assert "Accept" not in labels(page)
    assert "accepted, due" in texts(page)
    assert not page.toast, "what floats over the page covers controls"


def test_one_tap_dismisses_a_suggestion_with_its_reason(browser: Browser, suggested: Estate) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")
    dismiss = next(menu for menu in page.menu_button if menu.label == "Dismiss")

    dismiss.click("already_handled").run()

    assert suggested.one("select dismissal_reason from app.suggestions") == "already_handled"
    assert "Nothing is suggested" in texts(page)


def test_a_suggestion_answered_elsewhere_is_told_and_not_answered_twice(browser: Browser, suggested: Estate) -> None:
    maya = suggested.user("Maya Lind")
    page = browser.sign_in(maya).open("my_day")
    dismiss = next(menu for menu in page.menu_button if menu.label == "Dismiss")
    with suggested.work() as db:
        offered = suggestions.list_open(db, identity=maya)[0]
        suggestions.dismiss(
            db,
            actor=maya,
            now=NOW,
            suggestion_id=offered.suggestion_id,
            expected_version=offered.version,
            reason="duplicate",
            idempotency_key=a_key(),
        )

    dismiss.click("bad_timing").run()

    browser.checked()
    assert suggested.one("select dismissal_reason from app.suggestions") == "duplicate"


def test_what_is_shown_is_recorded_for_the_owner_of_the_account_only(browser: Browser, suggested: Estate) -> None:
    harriet = suggested.user("Harriet Cole", Role.ADMIN)
    browser.sign_in(harriet).open("my_day")
    assert suggested.one("select count(*) from app.suggestions where status = 'shown'") == 0

    own = Browser(suggested).sign_in(suggested.user("Maya Lind"))
    browser.token = own.token
    own.open("my_day")

    assert suggested.one("select count(*) from app.suggestions where status = 'shown'") == 1


def test_changes_since_yesterday_name_the_account_literally(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    key = estate.account("Evil ![x](http://evil.example/x.png) **Ltd**")
    estate.put(
        "fct_account_events",
        event_key="e1",
        account_key=key,
        occurred_at=NOW - timedelta(hours=20),
        event_kind="champion_left",
        title="Champion :material/home: left",
        importance=2,
    )

    page = browser.sign_in(maya).open("my_day")

    told = next(link.proto.label for link in page.get("page_link") if "Evil" in link.proto.label)
    assert "![x](" not in told
    assert ":material/home:" not in told.replace(":material/person_off:", "")


@pytest.mark.parametrize(("menu", "choice"), [("Dismiss", "already_handled"), ("Snooze", "Next week")])
def test_an_answer_can_be_taken_back_for_a_minute_and_given_again(
    browser: Browser, suggested: Estate, menu: str, choice: str
) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")
    next(button for button in page.menu_button if button.label == menu).click(choice).run()
    assert "Undo" in labels(browser.checked())

    next(button for button in page.button if button.label == "Undo").click().run()

    browser.checked()
    assert suggested.one("select status from app.suggestions") == "shown"
    assert "Accept" in labels(page)
    next(button for button in page.menu_button if button.label == menu).click(choice).run()
    browser.checked()
    assert suggested.one("select status from app.suggestions") == {"Dismiss": "dismissed", "Snooze": "snoozed"}[menu]


def test_after_its_minute_an_answer_stands(
    browser: Browser, suggested: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")
    next(menu for menu in page.menu_button if menu.label == "Dismiss").click("already_handled").run()

    monkeypatch.setattr(clock, "real_now", lambda: NOW + timedelta(seconds=61))
    page.run()

    assert "Undo" not in labels(browser.checked())


def test_the_keys_are_listed_in_the_menu_of_the_person(browser: Browser, estate: Estate) -> None:
    estate.publish()
    page = browser.sign_in(estate.user("Maya Lind")).open("my_day")

    next(menu for menu in page.menu_button if menu.label == "Maya Lind").click("Keyboard shortcuts").run()

    assert "Add an action" in texts(browser.checked())


def test_an_accepted_suggestion_leads_to_its_action_and_can_be_taken_back(browser: Browser, suggested: Estate) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")
    next(button for button in page.button if button.label == "Accept").click().run()
    title = suggested.one("select title from app.actions")

    next(button for button in page.button if button.label == title).click().run()

    assert "In progress" in labels(browser.checked())
    next(button for button in page.button if button.label == "Undo").click().run()
    browser.checked()
    assert suggested.one("select status from app.actions") == "cancelled"
    assert suggested.one("select status from app.suggestions") == "shown"
    next(button for button in page.button if button.label == "Accept").click().run()
    browser.checked()
    assert suggested.one("select status from app.actions") == "new"


def test_an_acceptance_that_was_undone_is_in_no_view_of_the_work_but_kept(browser: Browser, suggested: Estate) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")
    next(button for button in page.button if button.label == "Accept").click().run()
    next(button for button in page.button if button.label == "Undo").click().run()
    title = suggested.one("select title from app.actions")

    page = browser.reload("actions", **{"as": "board"})
    assert title not in texts(page) + str(labels(page))
    page.segmented_control(key="as").set_value("calendar").run()
    assert not [key for key in (str(button.key) for button in browser.checked().button) if key.startswith("due_")]
    page.segmented_control(key="as").set_value("list").run()
    assert "Nothing is open" in texts(browser.checked())
    page.pills(key="status").set_value(["Cancelled"]).run()
    assert browser.checked().dataframe[0].value["title"].tolist() == [title]
    page.pills(key="status").set_value([]).run()
    page.toggle(key="archived").set_value(True).run()
    assert browser.checked().dataframe[0].value["title"].tolist() == [title]
