"""The tracker as people use it together: ticked actions, playbooks, the queue, messages, a server that restarts."""

import os
import re
import signal
import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from app.actions.writing import UNDOABLE_FOR
from local.state import State, read_env
from tests.e2e.conftest import ADMIN, CSM, SignIn, System

ROW, HEAD = 32, 36  # of a table, in pixels
LONG = "Ünïcödé 🙂 line\n" * 1_333 + "end"  # just under 20,000 characters


@pytest.fixture(scope="module")
def as_admin(system: System) -> Iterator[httpx.Client]:
    """The API as an admin, as an integration uses it."""
    with httpx.Client(base_url=system.variables["API_URL"], timeout=30) as client:
        answer = client.post("/session", json={"email": ADMIN, "password": system.password})
        assert answer.status_code == 201, answer.text
        yield client


def an_action(client: httpx.Client, system: System, *, owner: str | None, **values: object) -> str:
    """A new action given to `owner`, or left to the queue; returns its id."""
    (account_key,) = system.sql("select account_key from marts.dim_accounts where is_active order by 1 limit 1")[0]
    owner_id = system.sql(f"select user_id from app.users where email = '{owner}'")[0][0] if owner else None
    body = {
        "account_key": account_key,
        "title": "Look into it",
        "action_type": "risk",
        "intervention": "diagnostic_call",
        "owner_user_id": owner_id,
        **values,
    }
    answer = client.post("/actions", json=body, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text
    return answer.json()["action_id"]


def statuses(system: System, ids: list[str]) -> set[str]:
    quoted = ", ".join(f"'{one}'" for one in ids)
    return {row[0] for row in system.sql(f"select status from app.actions where action_id in ({quoted})")}


def tick(table: Locator, row: int) -> None:
    """Click the box of a row; a table is a canvas, so by place."""
    place = table.locator("canvas").first.bounding_box()
    assert place
    table.page.mouse.click(place["x"] + 18, place["y"] + HEAD + ROW * row + ROW // 2)


def home_of(page: Page) -> None:
    """Wait until the first page after signing in has been drawn."""
    expect(page.get_by_text("Changed since yesterday").first).to_be_visible()


def at_rest(page: Page) -> None:
    """Wait until the page is drawn whole: a key pressed before has nobody to hear it."""
    expect(page.get_by_role("button", name="Add action")).to_be_visible()
    expect(page.locator("[data-test-script-state='notRunning']")).to_be_visible()


def drafts(page: Page) -> list[str]:
    """What the browser keeps of what was typed."""
    kept = page.evaluate("Object.entries(localStorage).filter(([place]) => place.includes(':draft:'))")
    return [value for _, value in kept]


def test_ticked_actions_are_snoozed_after_a_preview_and_put_back_within_the_minute(
    system: System, sign_in: SignIn, as_admin: httpx.Client
) -> None:
    word = f"Harbour {uuid4().hex[:6]}"
    ids = [an_action(as_admin, system, owner=CSM, title=f"{word} {number}") for number in range(2)]
    page = sign_in(CSM)
    home_of(page)
    page.goto(f"{system.url}/actions?find={word.replace(' ', '+')}")
    expect(page.get_by_text("2 open")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first

    tick(table, 0)
    expect(page.get_by_text("1 action ticked")).to_be_visible()
    tick(table, 1)
    expect(page.get_by_text("2 actions ticked")).to_be_visible()
    page.get_by_label("Why", exact=True).fill("They are closed until January")
    page.reload()
    tick(table, 0)
    expect(page.get_by_text("1 action ticked")).to_be_visible()
    tick(table, 1)
    expect(page.get_by_label("Why", exact=True)).to_have_value("They are closed until January")
    apply = page.get_by_role("button", name="Snooze 2 actions")
    expect(apply).to_be_enabled()
    assert statuses(system, ids) == {"new"}  # a preview changes nothing
    apply.click()
    expect(page.get_by_text(re.compile("2 actions snoozed until")).first).to_be_visible()
    assert statuses(system, ids) == {"snoozed"}
    expect(page.get_by_label("Why", exact=True)).to_be_hidden()
    assert drafts(page) == []

    page.get_by_role("button", name=re.compile("^Undo")).first.click()
    expect(page.get_by_text("2 actions are as before").first).to_be_visible()
    assert statuses(system, ids) == {"new"}


def test_an_action_takes_nothing_more_once_another_was_clicked_and_keeps_a_number_not_left(
    system: System, sign_in: SignIn, as_admin: httpx.Client
) -> None:
    word = f"Lighthouse {uuid4().hex[:6]}"
    for number in range(2):
        an_action(as_admin, system, owner=CSM, title=f"{word} {number}")
    page = sign_in(CSM)
    home_of(page)
    page.goto(f"{system.url}/actions?find={word.replace(' ', '+')}")
    panel = page.locator(".st-key-action_panel")
    expect(panel.get_by_label("Note", exact=True)).to_be_visible()
    at_rest(page)
    before = panel.inner_text()
    table = page.get_by_test_id("stDataFrame").first.locator("canvas").first
    place = table.bounding_box()
    assert place
    # what a person sees before the click: the name under the cursor is one that can be clicked
    page.mouse.move(place["x"] + 140, place["y"] + HEAD + ROW + ROW // 2, steps=4)
    expect(table).to_have_css("cursor", "pointer")

    page.mouse.down()
    page.mouse.up()

    out_of_reach = "() => { const p = document.querySelector('.st-key-action_panel'); return !p || p.inert }"
    assert page.evaluate(out_of_reach), "the former action can still be written on"
    expect(panel).not_to_have_text(before)
    expect(panel.get_by_label("Note", exact=True)).to_be_enabled()
    expect(panel).not_to_have_attribute("inert", "")

    # a number that was typed and not left is there after a reload
    panel.get_by_label("Minutes", exact=True).last.press_sequentially("45")
    page.wait_for_function(
        "() => Object.entries(localStorage).some(([place, kept]) => place.endsWith(':choices') && /:45[,}]/.test(kept))"
    )
    page.reload()
    expect(panel.get_by_label("Minutes", exact=True).last).to_have_value("45")


def test_a_playbook_started_on_an_account_is_its_actions_and_stops_with_them(system: System, sign_in: SignIn) -> None:
    (account_key,) = system.sql("select account_key from marts.dim_accounts where is_active order by 1 desc limit 1")[0]
    page = sign_in(CSM)
    home_of(page)
    page.goto(f"{system.url}/account?account={account_key}")
    page.get_by_role("button", name="Start playbook").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Playbook").click()
    page.get_by_role("option", name=re.compile("^Renewal")).click()
    start = dialog.get_by_role("button", name=re.compile("^Start: "))
    expect(start).to_be_enabled()
    start.click()
    expect(page.get_by_text(re.compile("0 of . steps done")).first).to_be_visible()
    made = system.sql(f"select status, source from app.actions where account_key = '{account_key}'")
    assert len([row for row in made if row == ["new", "playbook"]]) >= 5

    page.get_by_role("button", name="Stop", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Cancel them").click()
    dialog.get_by_label(re.compile("why", re.I)).first.fill("They leave the renewal to their head office.")
    dialog.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.get_by_text("None is running here.").first).to_be_visible()
    (run,) = system.sql(f"select open_steps from app.playbook_runs where account_key = '{account_key}'")
    assert run == ["cancelled"]
    assert not system.sql(
        f"select 1 from app.actions where account_key = '{account_key}' and source = 'playbook' and status = 'new'"
    )


def test_the_next_of_the_queue_is_the_gravest_and_becomes_mine(
    system: System, sign_in: SignIn, as_admin: httpx.Client
) -> None:
    an_action(as_admin, system, owner=None, title="Something small", priority="low")
    gravest = an_action(as_admin, system, owner=None, title="The house is on fire", priority="critical")
    page = sign_in(CSM)
    home_of(page)
    page.goto(f"{system.url}/actions?who=unassigned")

    page.get_by_role("button", name=re.compile("^Take the next")).click()

    expect(page.get_by_text("Yours now:").first).to_be_visible()
    (owner,) = system.sql(
        "select u.email from app.actions a join app.users u on u.user_id = a.owner_user_id"
        f" where a.action_id = '{gravest}'"
    )
    assert owner == [CSM]


def test_who_was_given_work_finds_it_in_the_inbox_and_in_the_mail(
    system: System, sign_in: SignIn, as_admin: httpx.Client
) -> None:
    title = f"Ask about the invoice {uuid4().hex[:6]}"
    an_action(as_admin, system, owner=CSM, title=title)

    ours = f"app.outbox where body like '%{title}%'"
    # what can be undone is not mailed yet; then the time to undo it has passed
    waits = f"select next_attempt_at - created_at >= interval '{UNDOABLE_FOR.total_seconds()} s' from {ours}"
    assert system.sql(waits) == [["True"]]
    system.sql(f"update app.outbox set next_attempt_at = now() where message_id in (select message_id from {ours})")
    system.local("run", "-m", "orchestration.launch", "message_delivery", "--wait")

    address = f"{system.variables['MAILBOX_URL']}/messages"
    until = time.monotonic() + 60  # the sensor may have been faster, and its run may still be going
    while not (mail := [one for one in httpx.get(address, params={"to": CSM}).json() if title in str(one)]):
        assert time.monotonic() < until, "no message arrived"
        time.sleep(1)
    assert len(mail) == 1
    page = sign_in(CSM)
    home_of(page)
    page.goto(f"{system.url}/inbox")
    expect(page.get_by_text(re.compile(title)).first).to_be_visible()


def test_two_tabs_of_one_person_see_each_others_changes_before_they_write(
    system: System, sign_in: SignIn, as_admin: httpx.Client
) -> None:
    action_id = an_action(as_admin, system, owner=CSM)
    first = sign_in(CSM)
    home_of(first)
    first.goto(f"{system.url}/actions?action={action_id}")
    expect(first.get_by_role("button", name="In progress")).to_be_visible()
    second = first.context.new_page()
    second.goto(f"{system.url}/actions?action={action_id}")
    expect(second.get_by_role("button", name="In progress")).to_be_visible()

    second.get_by_role("button", name="In progress").dblclick()  # twice is once
    expect(second.get_by_text("Now in progress.").first).to_be_visible()
    first.get_by_role("button", name="In progress").click()

    expect(first.get_by_text(re.compile("changed|meanwhile|since", re.I)).first).to_be_visible()
    assert system.sql(f"select status, version from app.actions where action_id = '{action_id}'") == [
        ["in_progress", "2"]
    ]


def test_two_people_edit_one_action_and_the_second_chooses_field_by_field(
    system: System, sign_in: SignIn, as_admin: httpx.Client
) -> None:
    action_id = an_action(as_admin, system, owner=CSM, reason="Usage fell")
    page = sign_in(CSM)
    home_of(page)
    page.goto(f"{system.url}/actions?action={action_id}")
    page.get_by_role("button", name="Edit").click()
    title = page.get_by_label("Title")
    title.fill("Mine of the title")
    title.press("Tab")
    reason = page.get_by_label("Why now", exact=True)
    reason.fill("Mine of the reason")
    theirs = {"version": 1, "title": "Theirs of the title", "reason": "Theirs of the reason", "priority": "critical"}
    answer = as_admin.patch(f"/actions/{action_id}", json=theirs, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 200, answer.text

    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text(re.compile("changed the same meanwhile"))).to_be_visible()
    expect(page.get_by_role("button", name="Save changes")).to_be_disabled()
    expect(page.get_by_text(re.compile("choose first: title, why now"))).to_be_visible()
    page.get_by_role("radiogroup", name="Title: which to keep").get_by_role("radio", name="Keep mine").click()
    page.get_by_role("radiogroup", name="Why now: which to keep").get_by_role("radio", name="Take theirs").click()
    expect(page.get_by_role("button", name="Save changes")).to_be_enabled()
    page.get_by_role("button", name="Save changes").click()

    expect(page.get_by_text(re.compile("^Changes saved"))).to_be_visible()
    assert system.sql(f"select title, reason, priority from app.actions where action_id = '{action_id}'") == [
        ["Mine of the title", "Theirs of the reason", "critical"]
    ]
    assert drafts(page) == []


def test_a_start_after_an_unclean_end_is_quick_and_loses_neither_data_nor_the_session_nor_what_was_typed(
    system: System, sign_in: SignIn, as_admin: httpx.Client
) -> None:
    action_id = an_action(as_admin, system, owner=CSM)
    page = sign_in(CSM)
    home_of(page)
    page.goto(f"{system.url}/actions?action={action_id}")
    page.get_by_label("Note", exact=True).fill(LONG)

    kept = "select count(*) from raw_hubspot.companies"
    before = system.sql(kept)
    state = State(system.folder)
    os.kill(state.read_json(state.services_file)["supervisor"]["pid"], signal.SIGKILL)
    time.sleep(1)
    started = system.local("up", "--detach")
    page.reload()

    assert "Ready after" in started.stdout
    assert "Pipeline run" not in started.stdout
    assert system.sql(kept) == before
    assert system.local("status").returncode == 0
    assert read_env(system.folder / "env") == system.variables

    expect(page.get_by_label("Note", exact=True)).to_have_value(LONG)
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_label("Note", exact=True)).to_have_value("")
    assert system.sql(
        f"select char_length(body), md5(body) = md5('{LONG}') from app.action_notes where action_id = '{action_id}'"
    ) == [[str(len(LONG)), "True"]]


def test_an_action_is_added_and_opened_without_a_mouse(system: System, sign_in: SignIn, as_admin: httpx.Client) -> None:
    (name,) = system.sql(
        "select account_name from marts.dim_accounts where is_active order by length(account_name) desc"
    )[0]
    title = f"By keys {uuid4().hex[:6]}"
    page = sign_in(CSM)
    home_of(page)
    page.goto(f"{system.url}/actions")
    at_rest(page)

    page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Account")).to_be_focused()
    page.keyboard.type(name)
    expect(page.get_by_role("option", name=name)).to_be_visible()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Start a playbook instead")).to_be_enabled()  # the account is chosen
    expect(dialog.get_by_role("combobox", name="Account")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        if dialog.get_by_label("Title").evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type(title)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile(f"^Added: {title}"))).to_be_visible()

    assert system.sql(f"select account_name, source from app.actions where title = '{title}'") == [[name, "manual"]]
    # without a due date it comes after the one just made
    other = an_action(as_admin, system, owner=CSM, title=f"{title} again")
    page.goto(f"{system.url}/actions?find={title[-6:]}")
    expect(page.get_by_text("2 open")).to_be_visible()
    at_rest(page)
    page.get_by_test_id("stDataFrame").first.locator("canvas").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#glide-cell-1-1")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"action={other}"))
