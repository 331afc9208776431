"""Inbox: who is told what, what reading means, and the count in the bar."""

from typing import Any
from uuid import uuid4

from streamlit.testing.v1 import AppTest

from app.actions import service
from app.auth import Identity, Role
from app.notices.service import NoticeKind, notify
from app.ui import inbox
from tests.app.factories import NOW, Estate, a_key
from tests.pages.conftest import Browser, labels, texts


def _given(estate: Estate, to: Identity, title: str = "Call **their** CFO") -> None:
    """An action that an admin gives to somebody."""
    admin = estate.user("Harriet Cole", Role.ADMIN)
    action = estate.action(actor=admin, title=title)
    with estate.work() as db:
        service.reassign(
            db,
            actor=admin,
            now=NOW,
            action_ids=[action.action_id],
            owner_user_id=to.user_id,
            idempotency_key=a_key(),
        )


def _line(page: AppTest, start: str) -> Any:
    return next(button for button in page.button if start in button.label)


def _bar_link(page: AppTest) -> str:
    return next(link.proto.label for link in page.get("page_link") if link.proto.label.startswith("Inbox"))


def test_the_bar_counts_what_is_unread_and_an_open_line_is_read(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    _given(estate, maya)
    page = browser.sign_in(maya).open("inbox")
    assert _bar_link(page) == "Inbox :blue-badge[**1**]"

    _line(page, "Harriet Cole gave you").click().run()

    browser.checked()
    assert _bar_link(page) == "Inbox"
    assert "Call \\*\\*their\\*\\* CFO" in texts(page)


def test_foreign_text_in_a_notice_is_shown_literally(browser: Browser, estate: Estate, maya: Identity) -> None:
    _given(estate, maya, title="![x](http://evil.example/x.png) :material/home:")

    label = _line(browser.sign_in(maya).open("inbox"), "gave you").label

    assert "![x](" not in label
    assert ":material/home:" not in label


def test_all_are_read_at_once_but_not_those_that_came_in_between(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    _given(estate, maya)
    page = browser.sign_in(maya).open("inbox")
    with estate.work() as db:
        notify(db, now=NOW, user_id=maya.user_id, kind=NoticeKind.HANDOVER, title="Just now", dedupe_key="late")

    page.button(key="read_all").click().run()

    browser.checked()
    assert estate.one("select title from app.notices where read_at is null") == "Just now"
    assert any("1 notice marked as read" in toast.value for toast in page.toast)


def test_unread_only_leaves_out_what_was_read(browser: Browser, estate: Estate, maya: Identity) -> None:
    _given(estate, maya)
    page = browser.sign_in(maya).open("inbox")
    next(button for button in page.button if str(button.key).startswith("read_") and button.key != "read_all").click()
    page.run()

    page.segmented_control(key="notices").set_value("unread").run()

    assert "You have read everything" in texts(page)
    assert "Mark all read" not in labels(page)


def test_an_inbox_without_anything_says_what_will_come(browser: Browser, maya: Identity) -> None:
    assert "Nothing has happened yet" in texts(browser.sign_in(maya).open("inbox"))


def test_more_than_a_screenful_is_shown_in_steps(browser: Browser, estate: Estate, maya: Identity) -> None:
    with estate.work() as db:
        for number in range(inbox.STEP + 2):
            notify(
                db,
                now=NOW,
                user_id=maya.user_id,
                kind=NoticeKind.NOTE_ADDED,
                title=f"Number {number}",
                account_key="a",
                dedupe_key=str(uuid4()),
            )
    page = browser.sign_in(maya).open("inbox")
    assert sum("Number" in button.label for button in page.button) == inbox.STEP

    page.button(key="more_notices").click().run()

    assert sum("Number" in button.label for button in page.button) == inbox.STEP + 2


def test_nobody_reads_the_notices_of_others(browser: Browser, estate: Estate, maya: Identity) -> None:
    _given(estate, maya)

    page = browser.sign_in(estate.user("Alex Stone", Role.ANALYST)).open("inbox")

    assert "gave you" not in "".join(button.label for button in page.button)
    assert _bar_link(page) == "Inbox"
