"""Trust: the verdict, each source with what rests on it, and what was refused."""

from datetime import timedelta

import pytest

from app import identity_links
from app.auth import Identity, Role
from app.suggestions import data_issues
from app.suggestions import service as suggestions
from app.ui import data_issue_dialog, identity_worklist, visit
from tests.app.factories import NOW, Estate, key_of
from tests.app.test_identity_links import decide, unsure
from tests.app.test_lineage import publish
from tests.pages.conftest import Browser, texts


def test_a_source_behind_its_promise_is_named_with_the_rules_that_wait_for_it(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    estate.loads()
    estate.load("stripe", "invoices", "succeeded", NOW - timedelta(hours=2))
    estate.load("zendesk", "tickets", "succeeded", NOW - timedelta(hours=80))
    estate.load("zendesk", "tickets", "failed", NOW)

    page = browser.sign_in(maya).open("trust")

    assert "**Zendesk \\(support\\)** is behind the promise of 26 hours" in texts(page)
    sources = page.dataframe[0].value.set_index("source")
    assert sources.loc["Zendesk (support)", ["state", "rules"]].tolist() == [["Stale"], "R5"]
    assert sources.loc["Stripe (billing)", ["state", "rules"]].tolist() == [["Fresh"], "R7, R8, R10, R12"]
    assert "Nothing waits in quarantine" in texts(page)

    page.segmented_control(key="source").set_value("stripe").run()
    streams = browser.checked().dataframe[1].value
    assert streams["stream"].tolist() == ["Stripe (billing), invoices"]


def test_before_the_first_load_the_page_says_so(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = browser.sign_in(maya).open("trust")

    assert "not been" in texts(page) or "No " in texts(page)
    assert not page.dataframe


def test_an_analyst_decides_whose_a_record_is_and_a_csm_only_reads(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure(estate)
    estate.loads()
    estate.account("Bright & Co")
    estate.load("zendesk", "tickets", "succeeded", NOW)
    page = browser.sign_in(maya).open("trust")
    row = page.dataframe[1].value.iloc[0]
    assert (row["record"], row["kind"], row["named"], row["hanging"]) == (
        "Ashford",
        ["Torn"],
        "Ashford Media",
        "3 tickets",
    )
    assert "Analysts and admins decide" in texts(page)

    alex = estate.user("Alex Stone", Role.ANALYST)
    with estate.work() as db:
        (issue,) = identity_links.issues(db)
    monkeypatch.setattr(identity_worklist, "show", lambda *_: identity_worklist.ask(issue, visit.current()))
    page = browser.sign_in(alex).reload("trust")
    assert page.button(key="identity_why_i1:send").disabled
    page.radio(key="identity_choice_i1").set_value("other").run()
    page.selectbox(key="identity_account_i1").set_value(key_of("Bright & Co")).run()
    page.text_area(key="identity_why_i1:box").input("Asked them on the phone").run()
    page.button(key="identity_why_i1:send").click().run()
    browser.checked()
    assert estate.one("select account_key from app.identity_links") == key_of("Bright & Co")


def test_a_decision_is_shown_until_the_build_that_takes_it(browser: Browser, estate: Estate, maya: Identity) -> None:
    key = unsure(estate)
    estate.loads()
    estate.load("zendesk", "tickets", "succeeded", NOW)
    decide(estate, key)

    page = browser.sign_in(maya).open("trust")

    assert page.dataframe[1].value.loc[0, "decided"] == "Ashford Media, by Alex Stone"


def test_while_an_earlier_build_stands_put_back_the_page_says_so(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    estate.loads()
    estate.load("stripe", "invoices", "succeeded", NOW)
    first = estate.publish()
    estate.transformer.execute("update marts.publications set restored_build_id = 7 where build_id = %s", [first])

    page = browser.sign_in(maya).open("trust")

    assert "**Build 7 was put back**" in texts(page)
    assert page.dataframe[-1].value["back"].tolist()[0] == "build 7 put back"


def test_what_rests_on_what_is_told_for_a_step_and_a_stale_source_names_what_it_holds_up(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    publish(estate)
    estate.loads()
    estate.load("stripe", "invoices", "succeeded", NOW - timedelta(hours=80))
    browser.sign_in(maya)
    browser.page.query_params["node"] = "stg_invoices"
    page = browser.open_address("trust")

    assert "**stg\\_invoices** :gray[staging] :red-badge" in texts(page)
    assert "Held up by it:] Page Accounts" in texts(page)

    page.selectbox(key="node").set_value("dim_contacts").run()
    assert "**dim\\_contacts** :gray[mart] :green-badge" in texts(browser.checked())


def test_a_data_issue_opened_from_a_card_is_looked_into_on_the_page(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.loads()
    estate.load("stripe", "invoices", "succeeded", NOW)
    estate.set("dim_accounts", key_of("Ashford Media"), overdue_invoice_count=1, oldest_overdue_days=40)
    estate.health(key_of("Ashford Media"), [70.0] * 3)
    estate.invoice(key_of("Ashford Media"))
    with estate.work() as db:
        suggestions.evaluate(db, now=NOW, build_id=estate.one("select max(build_id) from marts.publications"))
    estate.admin.execute("update app.users set is_asked_pulse = false")
    assert "Nobody says that a figure is wrong" in texts(browser.sign_in(maya).open("trust"))

    page = browser.open("my_day")
    next(menu for menu in page.menu_button if menu.label == "Dismiss").click("wrong_data").run()
    next(button for button in browser.checked().button if button.label == "Say what is wrong").click().run()
    page.run()  # as when the minute for taking it back is over
    assert page.text_area[0].label == "What is wrong, if you like"
    issue_id = estate.one("select issue_id from app.data_issues")
    # a dialog reruns alone in a browser; here the page draws what it holds
    monkeypatch.setattr(
        data_issue_dialog, "opened", lambda: data_issue_dialog.show(data_issues.issue, issue_id, visit.current())
    )
    page = browser.open("my_day")
    page.text_area[0].input("It was *paid* on Monday").run()
    next(button for button in page.button if button.label == "Save").click().run()
    browser.checked()
    assert estate.one("select note from app.data_issue_reports") == "It was *paid* on Monday"

    page = browser.open("trust")
    row = next(frame.value for frame in page.dataframe if "said" in frame.value).iloc[0]
    assert (row["account"], row["figure"], row["rule"]) == ("Ashford Media", "Oldest overdue days", "R7")

    alex = browser.sign_in(estate.user("Alex Stone", Role.ANALYST))
    page = alex.reload("trust")
    assert r"\*paid\*" in texts(page)
    page.text_area[0].input("Stripe had it late").run()
    next(button for button in page.button if button.label == "Resolve").click().run()
    assert "Stripe had it late" in texts(alex.checked())
    assert estate.one("select status from app.data_issues") == "resolved"
    assert estate.one("select count(*) from app.notices where user_id = %s", maya.user_id) == 1
