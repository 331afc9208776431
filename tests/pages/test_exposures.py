"""Every page has an exposure, and it names exactly the marts that the page reads: who changes one knows who is hit."""

from datetime import timedelta

import streamlit as st

from app.auth import Role
from app.db import engine
from app.reports.catalogue import REPORTS
from app.ui import navigation
from app.ui.account_page import TABS
from tests.app.factories import AS_OF, Estate, key_of
from tests.app.test_identity_links import unsure
from tests.exposures import declared, read_by
from tests.pages.conftest import Browser

CSM_PAGES = ("my-day", "accounts", "actions", "outcomes", "trust", "inbox", "preferences", "definitions")


def test_an_exposure_names_exactly_what_its_page_reads(browser: Browser, estate: Estate) -> None:
    unsure(estate)
    estate.health(key_of("Ashford Media"), [70.0, 70.0])
    estate.loads()
    maya, harriet = estate.user("Maya Lind"), estate.user("Harriet Cole", Role.ADMIN)
    action = estate.action(actor=maya)
    read: dict[str, set[str]] = {}

    def opened(address: str, **query: str) -> None:
        st.cache_data.clear()
        browser.page = Browser(estate).page
        browser.page.query_params.update(query)
        with read_by(engine()) as found:
            browser.open_address(address)
        read.setdefault(f"page_{address.replace('-', '_')}", set()).update(found)

    browser.sign_in(maya)
    for address in CSM_PAGES:
        opened(address)
    opened("actions", action=str(action.action_id))
    opened("accounts", as_of=(AS_OF - timedelta(days=1)).isoformat())
    for tab in TABS:
        opened("account", account=key_of("Ashford Media"), tab=tab)
    for name in REPORTS:
        opened("reports", report=name)
    browser.sign_in(harriet)
    for address in ("my-day", "accounts", "assignments", "settings"):
        opened(address)

    expected = {name: marts for name, marts in declared().items() if name.startswith("page_")}
    of_any_mart = {
        name: expected.pop(name) for name in ("page_explore", "page_sql", "page_proof")
    }  # whatever the reader names
    assert all(everything >= set().union(*expected.values()) for everything in of_any_mart.values())
    assert {f"page_{place.address.replace('-', '_')}" for place in navigation.PLACES} == {*expected, *of_any_mart}
    assert read == expected
