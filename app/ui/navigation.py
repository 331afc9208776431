"""Which pages there are, who sees which, and the thin bar above them when no shell is around.

Every page is registered for everybody who is signed in, so that a link to one that a role may not use answers with a
sentence instead of Streamlit's "Page not found"; the bar shows only what a role may use. Paths are relative to the
entry file: `pages/` must not lie beside it, or Streamlit would serve pages without running the entry point first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app.auth import Identity, Role
from app.ui import inbox_data, session_component
from app.ui.text import escaped

PAGES = Path(__file__).resolve().parents[2] / "pages"


@dataclass(frozen=True)
class Place:
    """One page: its file, address, name, icon, and the roles whose bar shows it."""

    file: str
    address: str
    title: str
    icon: str
    roles: tuple[Role, ...] = ()


EVERYBODY = (Role.CSM, Role.ADMIN, Role.ANALYST)
PLACES = (
    Place("my_day.py", "my-day", "My day", ":material/today:", (Role.CSM, Role.ADMIN)),
    Place("accounts.py", "accounts", "Accounts", ":material/domain:", EVERYBODY),
    Place("account.py", "account", "Account", ":material/apartment:"),
    Place("proof.py", "proof", "Proof", ":material/fact_check:"),
    Place("definitions.py", "definitions", "Definitions", ":material/menu_book:"),
    Place("actions.py", "actions", "Actions", ":material/checklist:", EVERYBODY),
    Place("outcomes.py", "outcomes", "Outcomes", ":material/flag:", EVERYBODY),
    Place("reports.py", "reports", "Reports", ":material/monitoring:", EVERYBODY),
    Place("trust.py", "trust", "Trust", ":material/verified:", EVERYBODY),
    Place("explore.py", "explore", "Explore", ":material/explore:", (Role.ADMIN, Role.ANALYST)),
    Place("sql.py", "sql", "SQL", ":material/database:", (Role.ADMIN, Role.ANALYST)),
    Place("assignments.py", "assignments", "Assignments", ":material/group:", (Role.ADMIN,)),
    Place("settings.py", "settings", "Settings", ":material/settings:", (Role.ADMIN,)),
    Place("inbox.py", "inbox", "Inbox", ":material/inbox:"),
    Place("preferences.py", "preferences", "Preferences", ":material/tune:"),
)
MOST_COUNTED = 99
HOMES = {Role.CSM: "my-day", Role.ADMIN: "assignments", Role.ANALYST: "accounts"}


def _page(place: Place, *, is_visible: bool) -> StreamlitPage:
    return st.Page(
        PAGES / place.file,
        title=place.title,
        icon=place.icon,
        url_path=place.address,
        visibility="visible" if is_visible else "hidden",
    )


def address_of(address: str) -> Path:
    """What `st.switch_page` takes for an address of PLACES."""
    return PAGES / next(place.file for place in PLACES if place.address == address)


def account_link(account_key: str, name: str, *, prefix: str = "", suffix: str = "") -> None:
    """A link to an account: its name in bold between our own Markdown."""
    label = f"{prefix}**{escaped(name, limit=40)}**{suffix}"
    st.page_link(address_of("account"), label=label, query_params={"account": account_key})


def for_visitor(show: Callable[[], None]) -> StreamlitPage:
    """Nobody is signed in: the form stands at every address, so that the link that was opened is kept."""
    pages = [st.Page(show, title="Sign in", url_path="sign-in", default=True)]
    for place in PLACES:

        def page() -> None:
            show()

        pages.append(st.Page(page, title="Sign in", url_path=place.address))
    return st.navigation(pages, position="hidden")


def for_user(identity: Identity) -> StreamlitPage:
    """All pages, those of the role visible; the bare address leads to the role's home page."""

    def home() -> None:
        st.switch_page(address_of(HOMES[identity.role]))

    pages = [_page(place, is_visible=identity.role in place.roles) for place in PLACES]
    start = st.Page(home, title="Home", url_path="home", default=True, visibility="hidden")
    return st.navigation([start, *pages], position="hidden")


def bar(identity: Identity) -> None:
    """Product, pages, unread notices and the person: one thin line, left out when the shell around us has its own."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small", key="bar"
    ):
        with st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center"):
            st.markdown("**Account intelligence**", width="content")
            st.space("xxsmall")
            for place in PLACES:
                if identity.role in place.roles:
                    st.page_link(PAGES / place.file, label=place.title, icon=place.icon)
        with st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center"):
            unread = inbox_data.unread_count(identity)
            st.page_link(
                address_of("inbox"),
                label=f"Inbox :blue-badge[**{min(unread, MOST_COUNTED)}{'+' if unread > MOST_COUNTED else ''}**]"
                if unread
                else "Inbox",
                icon=":material/inbox:",
                help=f"{unread} unread" if unread else "Nothing unread",
            )
            session_component.person_menu(identity, {"Preferences": address_of("preferences")})
