"""What every number of the product counts: the definitions that stand beside them, in one place to search."""

from collections.abc import Iterable

import streamlit as st

from app.metrics import Metric, metrics
from app.ui import frame
from app.ui.text import escaped

LONGEST_SEARCH = 60


def show() -> None:
    """The definition that the address names first, then all that fit what is searched for."""
    known = metrics()
    named = known.get(st.query_params.get("metric", ""))
    if named is not None:
        with st.container(border=True, key="definition"):
            st.markdown(f"**{named.name}** :gray[{named.unit}]  \n{named.definition}")
            if named.columns:
                frame.aside("In the warehouse: " + ", ".join(f"`{column}`" for column in named.columns))
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
    st.markdown(_table(found))


def _fits(one: Metric, sought: str) -> bool:
    text = " ".join([one.name, one.unit, one.definition, *one.columns]).casefold()
    return all(word in text for word in sought.casefold().split())


def _table(rows: Iterable[Metric]) -> str:
    lines = ["| Number | Unit | What it counts | In the warehouse |", "|:--|:--|:--|:--|"]
    lines += [
        f"| **{one.name}** | :gray[{one.unit}] | {one.definition} | {' '.join(f'`{name}`' for name in one.columns)} |"
        for one in rows
    ]
    return "\n".join(lines)
