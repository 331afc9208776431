"""One segment: what it holds in words, who uses it, and how its size changed."""

from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from app.segments.criteria import Criteria, of_today
from app.segments.members import SizeOnDay
from app.segments.service import Segment
from app.ui import charts, figures, frame, segment_data, visit
from app.ui.portfolio import VIEWS
from app.ui.text import escaped, shortened
from app.wording import listed

_NAME = 48  # letters of a name in a choice
SPANS = {"days": "90 days, by day", "weeks": "2 years, by week"}


def named(found: Sequence[Segment]) -> dict[str, str]:
    """Names by id that tell one from the other, as a choice in the browser needs it: two people may use the same."""
    often = Counter(shortened(one.name, limit=_NAME) for one in found)

    def name(one: Segment) -> str:
        short = shortened(one.name, limit=_NAME)
        return short if often[short] == 1 else f"{short} (by {one.owner_name}, {str(one.segment_id)[:4]})"

    return {str(one.segment_id): name(one) for one in found}


def in_words(criteria: Criteria) -> str:
    """What makes an account part of it, our own Markdown: `Health R or Y · renewal 90 days`."""
    parts = []
    if criteria.view == "mine":
        parts.append(f"accounts of {', '.join(map(escaped, criteria.owner_emails)) or 'nobody'}")
    elif criteria.view != "all":
        parts.append(VIEWS[criteria.view])
    for name, values in (
        ("health", criteria.bands),
        ("owner", criteria.owners),
        ("risk", criteria.risks),
        ("segment", criteria.segments),
        ("renewal", criteria.renewals),
        ("plan", criteria.plans),
    ):
        if values:
            parts.append(f"{name} {' or '.join(escaped(value, limit=40) for value in values)}")
    if criteria.search.strip():
        parts.append(f"name or domain holds “{escaped(criteria.search.strip(), limit=40)}”")
    if criteria.is_idle:
        parts.append("no next action")
    return " · ".join(parts) or "every active account"


def show(one: Segment, here: visit.Visit) -> None:
    """Name, what it is for, what it holds, which rules use it, and its size over time."""
    frame.heading(escaped(one.name, limit=80), f"by {escaped(one.owner_name, limit=40)}")
    if one.description:
        st.markdown(escaped(one.description, limit=500))
    criteria = one.asked()
    st.markdown(f":gray[Holds:] {in_words(criteria)}")
    if rules := segment_data.rules_using(one.segment_id):
        st.markdown(f":gray[Used by] {escaped(listed(rules), limit=300)}")
    _size(one, criteria, here)


def _size(one: Segment, criteria: Criteria, here: visit.Visit) -> None:
    with st.container(border=True, gap="xsmall", key="segment_size"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Size over time**", width="content")
            span = st.segmented_control(
                "Span",
                list(SPANS),
                format_func=lambda code: SPANS[code],
                default="days",
                required=True,
                key="segment_span",
                label_visibility="collapsed",
            )
        found = segment_data.history(here, criteria, **({"weeks": 105} if span == "weeks" else {"days": 90}))
        if len(found) < 2:
            st.markdown(":gray[There are not enough days yet to draw.]")
            return
        _pictures(found)
        frame.aside(_honesty(criteria, found))


def _pictures(found: list[SizeOnDay]) -> None:
    days = [size.day for size in found]
    dark, last = charts.is_dark(), found[-1]
    left, right = st.columns(2, gap="small")
    with left:
        counts = [float(size.account_count) for size in found]
        figure = _small(charts.lines(days, [("accounts", counts)], dark=dark, height=140))
        alt = f"{found[0].account_count} accounts at first, {last.account_count} at last"
        charts.draw(figure, key="segment_accounts", alt=alt)
    with right:
        worth = [None if size.mrr_eur is None else size.mrr_eur / 1000 for size in found]
        figure = _small(charts.lines(days, [("k€ MRR", worth)], dark=dark, height=140))
        charts.draw(figure, key="segment_mrr", alt=f"MRR, at last {figures.money_short(last.mrr_eur)}")


def _small(figure: go.Figure) -> go.Figure:
    """With room for few days below, and for a short name at the end of the line."""
    figure.update_xaxes(tickmode="auto", nticks=4, tickangle=0)
    return figure.update_layout(margin={"r": 66})


def _honesty(criteria: Criteria, found: list[SizeOnDay]) -> str:
    """What the picture rests on: which criteria are of each day, which are of today, and from when on it is kept."""
    said = ["Counted on each day, with records that came later"]
    if now := of_today(criteria):
        said.append(f"taken as of today: {listed(now)}")
    if criteria.risks or criteria.view == "idle":
        said.append(f"risk is kept from {figures.full_day(found[0].day)} on")
    known = [size.day for size in found if size.mrr_eur is not None]
    if not known:
        said.append("revenue by day is not kept yet")
    elif known[0] != found[0].day:
        said.append(f"revenue by day is kept from {figures.full_day(known[0])} on")
    return "; ".join(said) + "."
