"""What goes wrong says what to do, where it happened, and keeps what was typed."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import ADMIN, CSM, SignIn, System, settled


def an_account(system: System) -> str:
    """Key of an account that is still a customer."""
    return system.sql("select account_key from marts.dim_accounts where is_active order by account_name limit 1")[0][0]


def new_action(page: Page, system: System, account_key: str) -> str:
    """Add an action on the account's page; returns its id."""
    before = {row[0] for row in system.sql("select action_id from app.actions")}
    page.goto(f"{system.url}/account?account={account_key}")
    page.get_by_role("button", name=re.compile("^Add action")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^Add action|^Create")).click()
    expect(dialog).to_be_hidden()
    (action_id,) = {row[0] for row in system.sql("select action_id from app.actions")} - before
    return action_id


def test_wrong_credentials_get_one_sentence_that_gives_nothing_away(system: System, sign_in: SignIn) -> None:
    page = sign_in(CSM, password="wrong wrong wrong")
    known = page.get_by_text(re.compile("e-mail or password", re.I)).first.inner_text()

    page = sign_in("nobody@force24.example", password="wrong wrong wrong")

    expect(page.get_by_text(known).first).to_be_visible()
    expect(page.get_by_label("E-mail")).to_be_visible()


def test_unknown_ids_in_the_address_get_a_sentence_not_a_trace(system: System, sign_in: SignIn) -> None:
    page = sign_in(CSM)
    expect(page.get_by_text("Changed since yesterday").first).to_be_visible()

    for path in (
        "/account?account=no-such-account",
        "/actions?action=00000000-0000-0000-0000-000000000000",
        "/actions?action=%27--",
    ):
        page.goto(f"{system.url}{path}")
        expect(
            page.get_by_text(re.compile("no (such )?(account|action)|not (found|there)|does not exist", re.I)).first
        ).to_be_visible()
        expect(page.get_by_text("Traceback")).to_have_count(0)


def test_two_people_on_one_action_the_second_is_told_and_keeps_the_text(system: System, sign_in: SignIn) -> None:
    first = sign_in(CSM)
    expect(first.get_by_text("Changed since yesterday").first).to_be_visible()
    action_id = new_action(first, system, an_account(system))
    first.goto(f"{system.url}/actions?action={action_id}")
    expect(first.get_by_role("button", name="In progress")).to_be_visible()
    second = sign_in(ADMIN)
    expect(second.get_by_role("link", name="Actions", exact=True)).to_be_visible()
    second.goto(f"{system.url}/actions?action={action_id}")
    expect(second.get_by_role("button", name="In progress")).to_be_visible()
    second.get_by_label("Note", exact=True).fill("half a thought")
    settled(second)  # a run that is still going would read what the first one changes, and have nothing to tell

    first.get_by_role("button", name="In progress").click()
    expect(first.get_by_text("Now in progress.").first).to_be_visible()
    second.get_by_role("button", name="In progress").click()

    expect(second.get_by_text(re.compile("changed|meanwhile|since", re.I)).first).to_be_visible()
    expect(second.get_by_label("Note", exact=True)).to_have_value("half a thought")
    assert system.sql(f"select status, version from app.actions where action_id = '{action_id}'") == [
        ["in_progress", "2"]
    ]
