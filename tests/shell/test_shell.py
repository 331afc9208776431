"""The shell around the pages: address, title, theme, session and keyboard in step with what the frame shows."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FrameLocator, Page, expect
from pyotp.totp import TOTP

from app.auth import Identity, Role
from app.clock import real_now
from tests.api.asking import a_new_action, key
from tests.app.factories import PASSWORD, Estate, key_of
from tests.shell.conftest import Opened, enter


def inside(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def shows(page: Page, heading: str, address: str) -> None:
    """The frame shows the page, and address and title say so. Playwright's own `url` lags behind replaceState."""
    expect(inside(page).get_by_role("heading", name=heading).first).to_be_visible()
    page.wait_for_function("address => location.pathname + location.search === address", arg=address)
    page.wait_for_function("heading => document.title.startsWith(heading)", arg=heading)


def test_a_link_opened_by_nobody_leads_there_after_signing_in(opened: Opened, maya: Identity) -> None:
    page = opened(None, "/pages/accounts?band=R")
    enter(page, maya, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("wrong")

    enter(page, maya)

    shows(page, "Accounts", "/pages/accounts?band=R")


@pytest.mark.parametrize("path", ["/sign-in?next=//evil.example", "/sign-in?next=%2F%5Cevil.example"])
def test_c13_signing_in_never_leads_elsewhere(opened: Opened, origin: str, maya: Identity, path: str) -> None:
    page = opened(maya, path)

    assert str(page.evaluate("location.href")).startswith(f"{origin}/pages/")


def test_the_rail_is_by_role_and_the_start_too(
    opened: Opened, maya: Identity, harriet: Identity, alex: Identity
) -> None:
    found = {}
    for who in (maya, harriet, alex):
        page = opened(who)
        found[who.role] = [
            page.get_by_role("navigation").get_by_role("link").all_inner_texts(),
            page.evaluate("location.pathname"),
            page.get_by_role("button", name="Add action", exact=False).count() > 0,
        ]

    assert found == {
        "csm": [["My day", "Accounts", "Actions", "Outcomes", "Reports", "Trust"], "/pages/my-day", True],
        "admin": [
            [
                "My day",
                "Accounts",
                "Actions",
                "Outcomes",
                "Reports",
                "Trust",
                "Explore",
                "SQL",
                "Assignments",
                "Settings",
            ],
            "/pages/assignments",
            True,
        ],
        "analyst": [
            ["Accounts", "Actions", "Outcomes", "Reports", "Trust", "Explore", "SQL"],
            "/pages/accounts",
            False,
        ],
    }


def test_an_address_that_is_no_page_is_said_at_once_with_the_pages_there_are(opened: Opened, alex: Identity) -> None:
    page = opened(None, "/pages/nonsense?a=1")
    enter(page, alex)
    content = page.get_by_role("main")

    expect(content.get_by_role("heading", name="There is no page at this address.")).to_be_visible()
    assert page.title() == "No such page · Account intelligence"
    assert page.locator("iframe").count() == 0
    assert content.get_by_role("link").all_inner_texts() == [
        *("Accounts", "Actions", "Outcomes", "Reports", "Trust", "Explore", "SQL"),
        "Inbox",
    ]

    content.get_by_role("link", name="Accounts").click()

    shows(page, "Accounts", "/pages/accounts")
    expect(page.locator("iframe.is-ready")).to_be_visible()


def test_going_from_page_to_page_keeps_the_frame_and_back_and_forward_are_single_steps(
    opened: Opened, maya: Identity
) -> None:
    page = opened(maya, "/pages/my-day")
    page.evaluate("document.querySelector('iframe').contentWindow.kept = true")
    page.get_by_role("navigation").get_by_role("link", name="Accounts").click()
    shows(page, "Accounts", "/pages/accounts")
    page.get_by_role("navigation").get_by_role("link", name="Actions").click()
    shows(page, "Actions", "/pages/actions")

    page.go_back()
    shows(page, "Accounts", "/pages/accounts")
    page.go_back()
    shows(page, "My day", "/pages/my-day")
    page.go_forward()
    shows(page, "Accounts", "/pages/accounts")

    assert page.evaluate("document.querySelector('iframe').contentWindow.kept") is True


def test_search_finds_an_account_and_a_person_by_keyboard_alone(opened: Opened, maya: Identity) -> None:
    page = opened(maya, "/pages/my-day")
    page.keyboard.press("Control+k")
    page.keyboard.type("ada q")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Ada Quill")

    page.keyboard.press("Enter")

    account = key_of("Ashford Media")
    page.wait_for_function("key => location.search.includes(`account=${key}`)", arg=account)
    expect(inside(page).get_by_text("Ashford Media").first).to_be_visible()


def test_ctrl_k_works_while_the_page_has_the_focus(opened: Opened, maya: Identity) -> None:
    page = opened(maya, "/pages/accounts")
    inside(page).get_by_role("heading", name="Accounts").first.click()

    page.keyboard.press("Control+k")

    expect(page.get_by_role("combobox", name="Search accounts, people and actions")).to_be_focused()


def test_an_action_is_added_from_anywhere_and_what_was_typed_survives(
    opened: Opened, maya: Identity, estate: Estate
) -> None:
    page = opened(maya, "/pages/accounts")
    page.keyboard.press("a")
    page.get_by_label("Account", exact=True).fill("birch")
    expect(page.locator("#add-account-list [aria-selected=true]")).to_contain_text("Birch Logistics")
    page.keyboard.press("Enter")
    page.keyboard.type("Ask about the new warehouse")
    page.keyboard.press("Escape")
    page.reload()
    page.locator("iframe.is-ready").wait_for()

    page.keyboard.press("a")
    expect(page.get_by_label("Title")).to_have_value("Ask about the new warehouse")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").filter(has_text="Added")).to_be_visible()
    count = "select count(*) from app.actions where title = 'Ask about the new warehouse' and account_key = %s"
    assert estate.one(count, key_of("Birch Logistics")) == 1
    # as the admins have set it, though nobody chose anything
    started = "select priority from app.actions where title = 'Ask about the new warehouse' and due_date is not null"
    assert estate.one(started) == "high"


def adding(page: Page, account: str) -> None:
    """The dialog, with the account chosen by the keyboard and the focus on what comes next."""
    page.keyboard.press("a")
    page.get_by_label("Account", exact=True).fill(account)
    expect(page.locator("#add-account-list [aria-selected=true]")).to_contain_text(account)
    page.keyboard.press("Enter")
    # with the key, not soon after: what is typed next would go astray
    assert page.evaluate("document.activeElement.id") == "add-what"


def test_a_stakeholder_is_picked_from_who_is_there_now_or_typed(opened: Opened, maya: Identity, estate: Estate) -> None:
    page = opened(maya, "/pages/my-day")
    adding(page, "Ashford Media")
    page.keyboard.type("Ask for the budget")
    field = page.get_by_role("combobox", name="Stakeholder")
    field.focus()
    page.keyboard.press("ArrowDown")
    listed = page.get_by_role("listbox", name="Stakeholders").get_by_role("option")
    expect(listed).to_have_text([re.compile("Ada Quill.*Head of CRM · decision maker")])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("Ada Quill")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Added: Ask for the budget")).to_be_visible()

    adding(page, "Ashford Media")
    field.press_sequentially("Ad")
    expect(listed).to_have_count(1)
    page.keyboard.press("Enter")  # no arrow chose anybody: the name stays as typed
    expect(page.get_by_role("status").filter(has_text="Added: Diagnostic call")).to_be_visible()

    stakeholder = "select stakeholder from app.actions where title = %s order by created_at desc limit 1"
    assert estate.one(stakeholder, "Ask for the budget") == "Ada Quill"
    assert estate.one(stakeholder, "Diagnostic call") == "Ad"


def test_a_date_is_said_in_words_as_it_changes(opened: Opened, maya: Identity) -> None:
    page = opened(maya, "/pages/my-day")
    page.keyboard.press("a")
    due, words = page.get_by_label("Due"), page.locator("#add-due-words")
    day = next(day for count in range(14, 21) if (day := real_now().date() + timedelta(days=count)).weekday() == 5)

    expect(words).to_contain_text(re.compile(r"\w{3} \d+ \w{3} \d{4} · in \d+ business day"))
    due.fill(day.isoformat())
    expect(words).to_have_text(
        f"Sat {day.day} {day:%b %Y} · not a business day, in {(day - real_now().date()).days} days"
    )

    # no whole date: what is proposed counts again, and the field says so when it is left
    due.fill("")
    expect(words).to_contain_text("business day")
    due.blur()
    expect(due).not_to_have_value("")


def test_a_playbook_is_started_from_anywhere_once_its_steps_were_seen(
    opened: Opened, maya: Identity, estate: Estate
) -> None:
    page = opened(maya, "/pages/my-day")
    page.keyboard.press("a")
    page.get_by_text("Playbook", exact=True).click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("alert")).to_contain_text("Which account")
    page.get_by_label("Account", exact=True).fill("Ashford")
    expect(page.locator("#add-account-list [aria-selected=true]")).to_contain_text("Ashford Media")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Playbook")).to_be_focused()
    page.keyboard.type("Adoption")

    steps = page.get_by_role("region", name="Steps").locator("tbody tr")
    expect(steps.first).to_contain_text(re.compile(r"1.*\w{3} \d+ \w{3}Maya Lind"))
    assert estate.one("select count(*) from app.playbook_runs") == 0
    count = steps.count()
    page.get_by_role("button", name=f"Start: {count} actions").click()

    told = page.get_by_role("status").filter(has_text=f"Adoption started on Ashford Media: {count} actions")
    told.get_by_role("link", name="Open the account").click()
    page.wait_for_function("key => location.search.includes(`account=${key}`)", arg=key_of("Ashford Media"))
    expect(inside(page).get_by_text("Adoption").first).to_be_visible()
    assert estate.one("select count(*) from app.actions where playbook_run_id is not null") == count

    # once at a time: said before it is tried
    page.keyboard.press("a")
    expect(page.get_by_label("Account", exact=True)).to_have_value("Ashford Media")
    page.get_by_text("Playbook", exact=True).click()
    page.get_by_role("combobox", name="Playbook").select_option("adoption")
    expect(page.get_by_text(f"0 of {count} steps are done")).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_be_disabled()


def test_one_escape_closes_and_the_focus_is_where_it_was(opened: Opened, maya: Identity) -> None:
    page = opened(maya, "/pages/accounts")
    dialog = page.get_by_role("dialog")
    typed = inside(page).get_by_role("searchbox", name="Search accounts")
    typed.click()
    page.keyboard.press("Control+k")
    page.keyboard.type("ashford")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Ashford Media")

    page.keyboard.press("Escape")
    page.keyboard.type("bir")  # at once: not a letter is lost
    expect(dialog).to_have_count(0)
    expect(typed).to_have_value("bir")

    add = page.get_by_role("button", name="Add action")
    add.click()
    page.keyboard.type("ashf")
    expect(page.locator("#add-account-list [aria-selected=true]")).to_contain_text("Ashford Media")
    page.keyboard.press("Escape")
    expect(page.locator("#add-account-list")).to_be_hidden()  # a list that is open comes first
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(add).to_be_focused()

    add.click()
    page.get_by_label("Title").fill("Half a title")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(add).to_be_focused()

    add.click()
    page.keyboard.press("Control+k")  # one thing in place of another, and away with it
    page.keyboard.press("Control+k")
    expect(dialog).to_have_count(0)
    expect(add).to_be_focused()


def test_the_bar_says_how_fresh_the_figures_are_and_which_source_is_late(
    opened: Opened, maya: Identity, estate: Estate
) -> None:
    page = opened(maya, "/pages/my-day")
    mark = page.locator("app-freshness").get_by_role("button")
    expect(mark).to_have_accessible_name(re.compile(r"^Fresh: data of \d\d:\d\d, .*(ago|now)$"))
    expect(mark).to_have_text("Fresh")
    try:
        estate.admin.execute("update ops.load_run set ended_at = now() - interval '30 hours'")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(mark).to_have_text("Late")
    finally:
        estate.admin.execute("update ops.load_run set ended_at = now()")

    mark.click()
    row = page.get_by_role("group", name="How fresh the figures are").get_by_role("row", name="HubSpot")
    expect(row).to_contain_text(re.compile("30 h ago.*within 26 h.*Late"))
    page.keyboard.press("Escape")
    expect(row).not_to_be_visible()
    expect(mark).to_be_focused()


def test_a08_what_the_shell_asks_by_itself_does_not_keep_the_session_alive(opened: Opened, estate: Estate) -> None:
    who = estate.user("Ida Away")
    page = opened(who, "/pages/my-day")
    shows(page, "My day", "/pages/my-day")
    page.wait_for_timeout(1500)  # what follows the page's first run
    estate.admin.execute(
        "update app.sessions set last_seen_at = now() - interval '5 minutes' where user_id = %s", [who.user_id]
    )

    asked = [page.expect_response(lambda one, name=name: name in one.url) for name in ("/api/notices", "/api/pipeline")]
    with asked[0], asked[1]:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    idle = "select now() - last_seen_at >= interval '5 minutes' from app.sessions where user_id = %s"
    assert estate.one(idle, who.user_id) is True


@pytest.mark.parametrize("width", [1440, 1024])
def test_no_name_of_the_rail_is_wider_than_its_place(opened: Opened, harriet: Identity, width: int) -> None:
    page = opened(harriet, "/pages/assignments", width=width)

    room = page.evaluate(
        """() => [...document.querySelectorAll('.rail a')].map(link => {
            const [outer, inner] = [link, link.querySelector('span')].map(it => it.getBoundingClientRect());
            return [link.innerText, inner.left - outer.left, outer.right - inner.right];
        })"""
    )
    assert [name for name, left, right in room if min(left, right) < 2] == []


def test_the_page_is_shown_once_it_has_drawn_and_not_before(opened: Opened, maya: Identity) -> None:
    page = opened(None, "/pages/my-day")
    enter(page, maya)

    headings = page.locator("iframe").evaluate(
        """frame => new Promise(resolve => {
            const look = () => frame.classList.contains('is-ready')
                && resolve(frame.contentDocument.querySelectorAll('h1').length);
            new MutationObserver(look).observe(frame, { attributeFilter: ['class'] });
            look();
        })"""
    )
    assert headings == 1


def test_the_theme_reaches_the_frame_without_loading_it_anew(opened: Opened, maya: Identity) -> None:
    page = opened(maya, "/pages/my-day")
    page.evaluate("document.querySelector('iframe').contentWindow.kept = true")
    page.get_by_role("button", name="You: Maya Lind").click()
    page.get_by_text("Dark", exact=True).click()

    expect(inside(page).locator(".stApp")).to_have_css("background-color", "rgb(19, 21, 26)")
    expect(page.locator("body")).to_have_css("background-color", "rgb(19, 21, 26)")
    assert "Inter" in inside(page).get_by_role("heading").first.evaluate("it => getComputedStyle(it).fontFamily")
    assert page.evaluate("document.querySelector('iframe').contentWindow.kept") is True


def test_a05_a_session_that_ends_is_told_once_and_the_page_comes_back(
    opened: Opened, maya: Identity, estate: Estate
) -> None:
    page = opened(maya, f"/pages/account?account={key_of('Ashford Media')}")
    expect(inside(page).get_by_text("Ashford Media").first).to_be_visible()
    estate.admin.execute("update app.sessions set revoked_at = now() where user_id = %s", [maya.user_id])

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the tab is looked at again
    expect(page.get_by_role("status").filter(has_text="Your session has ended")).to_have_count(1)
    enter(page, maya)

    expect(inside(page).get_by_text("Ashford Media").first).to_be_visible()
    address = f"/pages/account?account={key_of('Ashford Media')}"
    page.wait_for_function("address => location.pathname + location.search === address", arg=address)


@pytest.mark.parametrize("told_by", ["shell", "frame"])
def test_a08_a_note_half_typed_survives_a_session_that_ended_for_idleness_and_the_sign_in(
    opened: Opened, maya: Identity, estate: Estate, told_by: str
) -> None:
    action = estate.action(actor=maya, account_key=key_of("Ashford Media"))
    page = opened(maya, f"/pages/actions?action={action.action_id}")
    text = f"They asked for a call on Monday, told by the {told_by}"
    note = inside(page).get_by_label("Note", exact=True)
    note.press_sequentially(text)
    page.wait_for_load_state("networkidle")  # what is still under way would be told first
    if told_by == "frame":  # the shell asks by itself every so often, and may be first
        for asked in ("**/api/notices*", "**/api/pipeline*"):
            page.route(asked, lambda route: route.abort())
    estate.admin.execute(
        "update app.sessions set last_seen_at = now() - interval '31 minutes' where user_id = %s", [maya.user_id]
    )

    if told_by == "shell":
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    else:  # the page notices it when the note is sent, which saves nothing
        inside(page).get_by_role("button", name="Save note").click()
        page.unroute_all()
    expect(page.get_by_role("status").filter(has_text="Your session has ended")).to_have_count(1)
    assert estate.one("select count(*) from app.action_notes where body = %s", text) == 0
    enter(page, maya)

    expect(inside(page).get_by_label("Note", exact=True)).to_have_value(text)
    inside(page).get_by_role("button", name="Save note").click()
    expect(inside(page).get_by_label("Note", exact=True)).to_have_value("")
    assert estate.one("select count(*) from app.action_notes where body = %s", text) == 1


def test_a04_signing_out_ends_it_in_the_other_tab_too(opened: Opened, origin: str, maya: Identity) -> None:
    page = opened(maya, "/pages/my-day")
    other = page.context.new_page()
    other.goto(f"{origin}/pages/accounts")
    other.locator("iframe.is-ready").wait_for()

    page.get_by_role("button", name="You: Maya Lind").click()
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("E-mail")).to_be_visible()
    expect(other.get_by_label("E-mail")).to_be_visible()
    expect(page.get_by_text("Your session has ended")).to_have_count(0)


def test_the_inbox_counts_while_nobody_reloads(opened: Opened, origin: str, maya: Identity, harriet: Identity) -> None:
    page = opened(maya, "/pages/my-day")
    inbox = page.get_by_role("link", name="Inbox")
    expect(inbox).to_have_accessible_name("Inbox, nothing unread")
    with httpx.Client(base_url=f"{origin}/api", headers={"content-type": "application/json"}) as admin:
        admin.post("/session", json={"email": harriet.email, "password": PASSWORD}).raise_for_status()
        given = a_new_action(key_of("Ashford Media"), owner_user_id=str(maya.user_id))
        admin.post("/actions", json=given, headers=key()).raise_for_status()

    page.get_by_role("navigation").get_by_role("link", name="Accounts").click()

    expect(inbox).to_have_accessible_name("Inbox, 1 unread")


def test_c10_messages_that_are_not_the_frames_change_nothing(opened: Opened, maya: Identity) -> None:
    page = opened(maya, "/pages/my-day")
    shows(page, "My day", "/pages/my-day")
    forged: list[Any] = [
        {"stCommVersion": 1, "type": "SET_PAGE_TITLE", "title": "Owned"},
        {"stCommVersion": 1, "type": "SET_QUERY_PARAM", "queryParams": "?owned=1"},
        {"stCommVersion": 1, "type": "SET_APP_PAGES", "appPages": [{"pageScriptHash": "x", "urlPathname": "sign-in"}]},
        "text",
        None,
    ]

    page.evaluate("all => all.forEach(one => window.postMessage(one, '*'))", forged)
    page.wait_for_timeout(500)

    shows(page, "My day", "/pages/my-day")


def test_within_the_shell_a_page_leaves_adding_to_the_shells_own_button(opened: Opened, maya: Identity) -> None:
    page = opened(maya, "/pages/actions")
    expect(inside(page).get_by_role("heading", name="Actions")).to_be_visible()

    expect(page.get_by_role("button", name="Add action")).to_be_visible()
    expect(inside(page).get_by_role("button", name="Add action")).to_have_count(0)


def test_the_shells_own_button_knows_the_account_shown_and_an_admin_chooses_the_owner(
    opened: Opened, harriet: Identity, maya: Identity, estate: Estate
) -> None:
    page = opened(harriet, f"/pages/account?account={key_of('Ashford Media')}")
    expect(inside(page).get_by_text("Ashford Media").first).to_be_visible()

    page.get_by_role("button", name="Add action").click()
    expect(page.get_by_label("Account", exact=True)).to_have_value("Ashford Media")
    page.get_by_label("Title").fill("Call about the renewal")
    page.get_by_label("Owner").select_option(label="Maya Lind")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("status").filter(has_text="Added")).to_be_visible()
    owner = "select owner_user_id from app.actions where title = 'Call about the renewal'"
    assert estate.one(owner) == maya.user_id


def test_the_code_of_an_authenticator_app_is_asked_for_once_there_is_one(opened: Opened, estate: Estate) -> None:
    who = estate.user("Nora Second")
    page = opened(who, "/pages/my-day")
    page.goto(f"{page.evaluate('location.origin')}/security")
    page.get_by_role("button", name="Set up an authenticator app").click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    app = TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.get_by_label("Code that the app shows now").fill(app.now())
    page.keyboard.press("Enter")
    expect(page.get_by_text("Set up: signing in asks for a code.")).to_be_visible()

    other = opened(None, "/app/accounts")
    enter(other, who)
    expect(other.get_by_role("alert")).to_contain_text("code of your authenticator app")
    expect(other.get_by_label("Code from your authenticator app")).to_be_focused()
    # each code counts once: the next one
    other.keyboard.type(app.at(datetime.now(UTC), counter_offset=1))
    other.keyboard.press("Enter")

    shows(other, "Accounts", "/pages/accounts")


def test_who_must_have_a_second_factor_sets_it_up_before_anything_else(opened: Opened, estate: Estate) -> None:
    who = estate.user("Otto Reader", Role.ANALYST)
    estate.admin.execute(
        "insert into app.second_factor_roles (role, required_by, required_at) values ('analyst', %s, now())",
        [who.user_id],
    )
    try:
        page = opened(None, "/pages/accounts?band=R")
        enter(page, who)
        expect(page.get_by_text("Your role needs a second factor.")).to_be_visible()
        page.get_by_role("button", name="Set up an authenticator app").click()
        app = TOTP(page.locator(".secret").inner_text().replace(" ", ""))
        page.get_by_label("Code that the app shows now").fill(app.now())
        page.keyboard.press("Enter")

        shows(page, "Accounts", "/pages/accounts?band=R")
    finally:
        estate.admin.execute("delete from app.second_factor_roles")


def test_a_token_for_a_program_is_made_shown_once_listed_and_revoked(
    opened: Opened, origin: str, estate: Estate
) -> None:
    who = estate.user("Tess Integrator")
    page = opened(who, "/pages/my-day")
    estate.admin.execute(
        "update app.sessions set confirmed_at = now() - interval '1 hour' where user_id = %s", [who.user_id]
    )
    page.goto(f"{origin}/security")
    page.get_by_label("New token for").fill("Reporting")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("app-tokens .secret").inner_text()

    def uses() -> int:
        return httpx.get(f"{origin}/api/accounts", headers={"authorization": f"Bearer {secret}"}).status_code

    assert uses() == 200
    page.reload()
    expect(page.get_by_text("· read, and take files ·")).to_be_visible()
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name="Revoke the token Reporting").click()
    expect(page.get_by_text("None. A program that acts for you needs one.")).to_be_visible()
    assert uses() == 401


def test_an_admin_says_whose_role_needs_a_second_factor(
    opened: Opened, origin: str, harriet: Identity, maya: Identity, estate: Estate
) -> None:
    try:
        page = opened(maya, "/pages/my-day")
        page.goto(f"{origin}/security")
        expect(page.get_by_text("This browser")).to_be_visible()
        expect(page.get_by_role("heading", name="Who needs a second factor")).to_have_count(0)

        page = opened(harriet, "/pages/accounts")
        page.goto(f"{origin}/security")
        page.get_by_role("button", name="Require of role Analyst").click()
        expect(page.get_by_role("button", name="Require no longer of role Analyst")).to_be_visible()
        assert estate.one("select role from app.second_factor_roles") == "analyst"

        # who has none of their own is not locked out by themselves
        page.get_by_role("button", name="Require of role Administrator").click()
        expect(page.get_by_role("alert")).to_contain_text("Set up your own authenticator app first.")

        page.get_by_role("button", name="Require no longer of role Analyst").click()
        expect(page.get_by_role("button", name="Require of role Analyst")).to_be_visible()
        assert estate.one("select count(*) from app.second_factor_roles") == 0
    finally:
        estate.admin.execute("delete from app.second_factor_roles")


def test_another_browser_of_mine_is_listed_and_ended(opened: Opened, estate: Estate) -> None:
    who = estate.user("Petra Twice")
    other = opened(who, "/pages/my-day")
    page = opened(who, "/pages/my-day")
    page.get_by_role("button", name="You: Petra Twice").click()
    page.get_by_role("link", name="Sign-in and security").click()
    expect(page.get_by_text("This browser")).to_be_visible()

    page.get_by_role("button", name="End the session in Chrome on Linux").click()

    expect(page.get_by_role("button", name="End the session in Chrome on Linux")).to_have_count(0)
    other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(other.get_by_text("Your session has ended")).to_be_visible()


def test_who_is_no_admin_is_told_so_before_the_orchestrator_and_led_back_to_work(
    opened: Opened, maya: Identity
) -> None:
    page = opened(None, "/to-orchestrator")
    enter(page, maya)
    expect(page.get_by_text("The orchestrator is for admins.")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_count(0)

    page.get_by_role("link", name="Back to your work").click()

    shows(page, "My day", "/pages/my-day")


def test_an_admin_who_has_just_signed_in_is_led_straight_on_to_the_orchestrator(
    opened: Opened, harriet: Identity
) -> None:
    page = opened(harriet, "/pages/accounts")
    page.get_by_role("button", name="You: Harriet Cole").click()
    with (
        page.expect_popup() as opening,
        page.context.expect_event("request", lambda one: one.url.endswith("/orchestrator")),
    ):
        page.get_by_role("link", name="Orchestrator").click()

    expect(opening.value.get_by_label("Password")).to_have_count(0)


def test_only_an_admin_is_led_to_the_orchestrator(opened: Opened, estate: Estate, maya: Identity) -> None:
    page = opened(maya, "/pages/my-day")
    page.get_by_role("button", name="You: Maya Lind").click()
    expect(page.get_by_role("link", name="Orchestrator")).to_have_count(0)

    who = estate.user("Nora Late", Role.ADMIN)
    page = opened(who, "/pages/accounts")
    estate.admin.execute(
        "update app.sessions set confirmed_at = now() - interval '1 hour' where user_id = %s", [who.user_id]
    )
    page.get_by_role("button", name="You: Nora Late").click()
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Orchestrator").click()
    asking = opening.value
    asking.get_by_label("Password").fill("not the password")
    asking.keyboard.press("Enter")
    expect(asking.get_by_role("alert")).to_contain_text("wrong")
    asking.get_by_label("Password").fill(PASSWORD)
    with asking.expect_request(lambda one: one.url.endswith("/orchestrator")):
        asking.keyboard.press("Enter")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1024, "dark")])
def test_axe_finds_nothing_in_any_state(opened: Opened, maya: Identity, width: int, scheme: str) -> None:
    # the frame's own content is the pages' matter: here the shell is looked at
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "iframes": False}
    axe, found = Axe(), {}

    def look(page: Page, state: str) -> None:
        page.wait_for_timeout(400)  # colours are measured when nothing moves any more
        violations = axe.run(page, options=options).response["violations"]
        found[state] = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations]

    look(opened(None, scheme=scheme, width=width), "sign-in")
    page = opened(maya, "/pages/my-day", scheme=scheme, width=width)
    look(page, "layout")
    page.get_by_role("button", name="You: Maya Lind").click()
    look(page, "menu")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("a")
    expect(page.get_by_role("option").filter(has_text="Ada Quill")).to_be_visible()
    look(page, "search")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    look(page, "add")
    page.keyboard.press("Control+Enter")
    look(page, "add without an account")
    page.get_by_label("Account", exact=True).fill("Ashford")
    expect(page.locator("#add-account-list [aria-selected=true]")).to_contain_text("Ashford Media")
    look(page, "accounts")
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name="Stakeholder").click()
    expect(page.get_by_role("option").filter(has_text="Ada Quill")).to_be_visible()
    look(page, "stakeholders")
    page.get_by_text("Playbook", exact=True).click()
    page.get_by_role("combobox", name="Playbook").select_option("handover")
    look(page, "taker")
    page.get_by_role("combobox", name="Who takes over").select_option(label="Maya Lind")
    expect(page.get_by_role("region", name="Steps")).to_be_visible()
    look(page, "playbook")
    page.keyboard.press("Escape")
    page.locator("app-freshness").get_by_role("button").click()
    look(page, "freshness")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    look(page, "keys")
    origin = page.evaluate("location.origin")
    page.goto(f"{origin}/security")
    expect(page.get_by_text("This browser")).to_be_visible()
    look(page, "security")
    page.goto(f"{origin}/to-orchestrator")
    expect(page.get_by_text("for admins")).to_be_visible()
    look(page, "for admins")
    page.goto(f"{origin}/pages/nonsense")
    expect(page.get_by_role("heading", name="There is no page")).to_be_visible()
    look(page, "no such page")

    assert {state: violations for state, violations in found.items() if violations} == {}


def test_nothing_is_refused_by_a_policy_without_exceptions(opened: Opened, maya: Identity) -> None:
    page = opened(None)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    enter(page, maya)
    page.locator("iframe.is-ready").wait_for()
    page.keyboard.press("Control+k")

    # Streamlit looks for its base path below a deep link and finds none there: harmless
    assert [text for text in said if "404" not in text and "401" not in text] == []
