"""Every page for every role: who sees it, that a new one is named here, and that nothing kept is shown to another."""

import re

import pytest
import streamlit as st

from app.auth import Role
from app.ui import navigation
from tests.app.factories import Estate, key_of
from tests.pages.conftest import Browser, texts

SIGNED_IN = (Role.CSM, Role.ADMIN, Role.ANALYST)
# who sees the content of a page; everybody else reads a sentence, and a visitor the form
SEEN_BY = {
    "my-day": (Role.CSM, Role.ADMIN),
    "accounts": SIGNED_IN,
    "account": SIGNED_IN,
    "actions": SIGNED_IN,
    "outcomes": SIGNED_IN,
    "reports": SIGNED_IN,
    "trust": SIGNED_IN,
    "proof": SIGNED_IN,
    "definitions": SIGNED_IN,
    "explore": (Role.ADMIN, Role.ANALYST),
    "sql": (Role.ADMIN, Role.ANALYST),
    "assignments": (Role.ADMIN,),
    "settings": (Role.ADMIN,),
    "inbox": SIGNED_IN,
    "preferences": SIGNED_IN,
}
NAMES = {Role.CSM: "Maya Lind", Role.ADMIN: "Harriet Cole", Role.ANALYST: "Alex Stone"}


def opened(estate: Estate, browser: Browser, role: Role, address: str) -> str:
    """What somebody of this role reads on a page, in a session of its own."""
    tab = Browser(estate).sign_in(estate.user(NAMES[role], role))
    browser.token = tab.token
    tab.page.query_params["account"] = key_of("Ashford Media")
    page = tab.open_address(address)
    tables = [table.value.to_csv() for table in page.dataframe]
    # what a form or a widget is numbered with differs by session
    return re.sub(r"[0-9a-f]{32}", "", "\n".join([texts(page), *tables]))


def test_z01_every_page_is_named_here_and_every_file_of_pages_is_a_page() -> None:
    assert {place.address for place in navigation.PLACES} == set(SEEN_BY)
    assert {path.name for path in navigation.PAGES.glob("*.py")} == {place.file for place in navigation.PLACES}


@pytest.mark.parametrize("role", SIGNED_IN, ids=str)
@pytest.mark.parametrize("address", SEEN_BY)
def test_z02_a_page_shows_its_content_to_whom_the_table_names(
    browser: Browser, estate: Estate, role: Role, address: str
) -> None:
    estate.publish()
    estate.account()

    shown = opened(estate, browser, role, address)

    assert ("This page is for" in shown) == (role not in SEEN_BY[address])


# of any two, each comes first in one of them
@pytest.mark.parametrize("order", [SIGNED_IN, SIGNED_IN[::-1]], ids="-".join)
def test_z06_whoever_opens_a_page_first_the_next_one_sees_their_own(
    browser: Browser, estate: Estate, order: tuple[Role, ...]
) -> None:
    estate.publish()
    estate.account()
    estate.account("Birch Logistics", csm_email="tom.okafor@force24.example")
    addresses = ("accounts", "account", "my-day")

    kept = {(role, address): opened(estate, browser, role, address) for address in addresses for role in order}
    true = {}
    for role, address in kept:
        st.cache_data.clear()
        true[role, address] = opened(estate, browser, role, address)

    assert kept == true
