"""What every number of the product counts: the definitions that stand beside them, in one place to search."""

from collections.abc import Iterable

import streamlit as st

from app.auth import Permission, can
from app.metrics import Metric, metrics
from app.settings import get_settings
from app.ui import frame, navigation, visit
from app.ui.text import escaped

LONGEST_SEARCH = 60


def show() -> None:
    """The definition that the address names first, then all that fit what is searched for."""
    known = metrics()
    may_explore = can(visit.current().identity, Permission.RUN_SQL)
    named = known.get(st.query_params.get("metric", ""))
    if named is not None:
        with st.container(border=True, key="definition"):
            st.markdown(f"**{named.name}** :gray[{named.unit}]  \n{named.definition}")
            if named.columns:
                frame.aside("In the warehouse: " + ", ".join(f"`{column}`" for column in named.columns))
                if may_explore:
                    st.page_link(
                        navigation.address_of("explore"),
                        label="Explore",
                        icon=":material/explore:",
                        query_params={"metric": named.metric_id},
                    )
    sought = st.text_input(
        "Search", key="find", bind="query-params", max_chars=LONGEST_SEARCH, placeholder="MRR, overdue, held out …"
    )
    found = [one for one in known.values() if _fits(one, sought or "")]
    if not found:
        frame.empty(
            f"No definition has “{escaped(sought)}” in it.",
            "Search for a part of the name, or of a column of the warehouse.",
            icon=":material/search_off:",
        )
        return
    st.markdown(_table(found, may_explore=may_explore))


def _fits(one: Metric, sought: str) -> bool:
    text = " ".join([one.name, one.unit, one.definition, *one.columns]).casefold()
    return all(word in text for word in sought.casefold().split())


def _table(rows: Iterable[Metric], *, may_explore: bool) -> str:
    ways = " Explore |" if may_explore else ""
    lines = [f"| Number | Unit | What it counts | In the warehouse |{ways}", "|:--|:--|:--|:--|" + ":--|" * may_explore]
    for one in rows:
        places = " ".join(f"`{name}`" for name in one.columns)
        # a cell of its own: beside the names a link would be told by its colour alone
        way = f" {f'[Ask]({_explore(one)})' if one.columns else ''} |" if ways else ""
        lines.append(f"| **{one.name}** | :gray[{one.unit}] | {one.definition} | {places} |{way}")
    return "\n".join(lines)


def _explore(one: Metric) -> str:
    """The whole address of a number in Explore: a link of text opens beside this page."""
    settings = get_settings()
    page = "/pages/explore" if settings.public_url else "/explore"
    return f"{settings.front_url.rstrip('/')}{page}?metric={one.metric_id}"
