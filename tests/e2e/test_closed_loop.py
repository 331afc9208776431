"""The product's promise, in a browser: see a risk, act, record how it ended, find it measured."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import SignIn, System

NOTE = "Called Nadia, the new admin: two automations were paused by mistake. 🙂"
CLOSING = "Walked through the pauses together; sends are back on."


def csm_with_a_suggestion(system: System) -> str:
    """E-mail of the CSM with the most open suggestions."""
    rows = system.sql(
        "select csm_email from app.suggestions where status in ('generated', 'shown', 'viewed')"
        " and csm_email is not null group by 1 order by count(*) desc, 1 limit 1"
    )
    assert rows, "the estate raised no suggestion"
    return rows[0][0]


def test_a_suggestion_accepted_worked_and_closed_comes_back_measured(system: System, sign_in: SignIn) -> None:
    csm = csm_with_a_suggestion(system)
    before = {row[0] for row in system.sql("select action_id from app.actions")}
    page = sign_in(csm)

    # see it and take it; how the account feels is asked before it is shown
    # unless this CSM looked at the page earlier today
    take, skip = (page.get_by_role("button", name=name, exact=name == "Skip") for name in ("Accept", "Skip"))
    take.or_(skip).first.wait_for()
    if skip.count():
        skip.first.click()
    take.first.click()
    expect(page.get_by_text(re.compile("accepted, .*became the action")).first).to_be_visible()
    (action_id,) = {row[0] for row in system.sql("select action_id from app.actions")} - before

    # work it
    page.goto(f"{system.url}/actions?action={action_id}")
    page.get_by_role("button", name="In progress").click()
    expect(page.get_by_text("Now in progress.").first).to_be_visible()
    page.get_by_label("Note", exact=True).fill(NOTE)
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_text(NOTE).first).to_be_visible()
    expect(page.get_by_label("Note", exact=True)).to_have_value("")

    # close it: the button stays off until all that closing needs is there
    expect(page.get_by_role("button", name="Close action")).to_be_disabled()
    for layer in ("As planned", "Positive", "Successful"):
        page.get_by_role("radio", name=layer, exact=True).click()
    page.get_by_label("Closing note").fill(CLOSING)
    page.get_by_role("button", name="Close action").click()
    expect(page.get_by_text(re.compile("^Closed. ")).first).to_be_visible()

    # when its time has come, the warehouse has it and measures it, and the page shows it; nobody typed it in
    system.local("run", "-m", "simulator", "advance", "--days", "31")
    system.pipeline()
    (row,) = system.sql(
        "select o.execution, o.customer_response, o.result, o.answer, o.treatment_done, a.status,"
        " o.measured_30d_status, o.retention_30d is not null, o.measured_30d_date > o.decided_date,"
        " o.measured_60d_status"
        " from marts.fct_action_outcomes o join marts.fct_actions a using (action_id)"
        f" where o.action_id = '{action_id}'"
    )
    assert row[:6] == ["done_as_planned", "positive", "successful", "accepted", "True", "closed"]
    assert row[6:] == ["measured", "True", "True", "pending"]
    page.goto(f"{system.url}/actions?action={action_id}")
    expect(page.get_by_text("4 Measured outcome")).to_be_visible()
    expect(page.get_by_text(re.compile("not before")).first).to_be_visible()
