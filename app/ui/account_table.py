"""The portfolio: table, map and what the selection adds up to, in one panel that reruns alone."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.auth import Permission, can
from app.segments.service import Segment
from app.ui import (
    action_dialog,
    action_panel,
    charts,
    data,
    export_files,
    exports,
    figures,
    filters,
    frame,
    page_style,
    portfolio,
    portfolio_charts,
    segment_data,
    segment_panel,
    tables,
    visit,
    words,
)
from app.ui.action_form import Prefill

COLUMNS = {
    "Owner": "csm_name",
    "Band": "band",
    "Health": "health",
    "90 days": "trend",
    "Risk, 90 d": "risk",
    "At risk, €": "at_risk",
    "MRR, €": "mrr",
    "Renewal": "renewal",
    "Contact": "contact",
    "Next action": "next",
    "Next due": "next_due",
    "Segment": "segment",
    "Plan": "plan",
}
AT_FIRST = ("Band", "Health", "90 days", "Risk, 90 d", "At risk, €", "MRR, €", "Renewal", "Contact", "Next action")
NEXT_WIDTH = 152  # what is left of the table beside the map
# among accounts of others, whose they are says more than ninety days of each
OF_OTHERS = ("Owner", *(name for name in AT_FIRST if name != "90 days"))


def _cells(accounts: pd.DataFrame, today: Any) -> pd.DataFrame:
    """Portfolio rows as the table shows them; the order is kept."""
    return pd.DataFrame(
        {
            "account": [tables.plain(tables.fitted(name, 146)) for name in accounts["account_name"]],
            "csm_name": accounts["csm_name"].tolist(),
            "band": [[words.band_letter(band)] for band in accounts["health_band"]],
            "health": accounts["health_score"].round(0).tolist(),
            "trend": [tables.trend_cell(values) for values in accounts["health_trend_90d"]],
            "risk": list(map(_risk, accounts["churn_probability_90d"], accounts["churn_risk_band"])),
            "at_risk": accounts["mrr_at_risk_eur"].astype(float).round(0).tolist(),
            "mrr": accounts["mrr_eur"].astype(float).round(0).tolist(),
            "renewal": accounts["days_to_renewal"].tolist(),
            "contact": accounts["contact_days"].tolist(),
            "segment": accounts["segment"].tolist(),
            "plan": accounts["plan"].tolist(),
        }
        | (_planned(accounts, today) if portfolio.knows_actions(accounts) else {})
    )


def _planned(accounts: pd.DataFrame, today: Any) -> dict[str, list[str]]:
    return {
        "next": [_next(*pair, today) for pair in zip(accounts["next_title"], accounts["next_due"], strict=True)],
        "next_due": [figures.due(due, today) if pd.notna(due) else "–" for due in accounts["next_due"]],
    }


def _risk(probability: float | None, band: str | None) -> str:
    """`0.33 H`: the number first, so that sorting the column sorts by it."""
    if probability is None or pd.isna(probability):
        return "–"
    return f"{probability:.2f} {band[0]}" if isinstance(band, str) and band else f"{probability:.2f}"


def _next(title: Any, due: Any, today: Any) -> str:
    """The due day first: a long title is cut, the day must not be."""
    if pd.isna(title):
        return "none"
    return tables.fitted(f"{figures.due(due, today)}: {title}" if pd.notna(due) else str(title), NEXT_WIDTH + 8)


def _configuration(on_open: Any) -> dict[str, Any]:
    return {
        "account": tables.link("Account", "account_open", on_open, 140),
        "csm_name": tables.text("Owner", 92),
        "band": tables.band_chip(52),
        "health": tables.number("Health", 58, "%d", metric="health_score"),
        "trend": tables.trend(66),
        "risk": tables.spelled("Risk, 90 d", 74, metric="churn_probability"),
        "at_risk": tables.number("At risk, €", 78, metric="mrr_at_risk"),
        "mrr": tables.number("MRR, €", 64, metric="mrr"),
        "renewal": tables.number("Renewal", 66, "%d d", metric="days_to_renewal"),
        "contact": tables.number("Contact", 64, "%d d", metric="days_since_contact"),
        "next": tables.text("Next action", NEXT_WIDTH),
        "next_due": tables.text("Next due", 96),
        "segment": tables.text("Segment", 96),
        "plan": tables.text("Plan", 96),
    }


def _go(keys: list[str], day: date | None) -> None:
    row = tables.clicked_row("account_open")
    if row is not None and 0 <= row < len(keys):
        action_panel.open_account(keys[row], as_of=day)


@frame.panel
def show(view: str, day: date | None) -> None:
    """Filters, table and map of today, or of a past day. A box drawn on the map narrows the table; ticked rows of today
    can get an action each."""
    here = visit.current()
    with st.skeleton(height=620):
        everything = data.portfolio_with_actions(here) if day is None else segment_data.portfolio_on(here, day)
    segment = segment_panel.begin()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="account_filters"):
        chosen = filters.account_filter(
            view,
            owners=sorted(everything["csm_name"].dropna().unique()),
            segments=sorted(everything["segment"].dropna().unique()),
            plans=sorted(everything["plan"].dropna().unique()),
            knows_actions=day is None,
        )
        segment_panel.control(segment, chosen, day)
    within = segment_data.account_keys(here, segment.asked(), day) if segment is not None else None
    matching = portfolio.narrowed(everything, chosen, owner_emails=here.identity.owner_emails, within=within)
    left, right = page_style.split([2.15, 1], "accounts")
    with right:
        boxed = _map(matching) if len(matching) else set()
    rows = matching.loc[[key for key in matching.index if key in boxed]] if boxed else matching
    with left:
        _list(rows, len(everything), Looked(chosen, segment, day), bool(boxed))
    with right:
        _sum(rows)


@dataclass(frozen=True)
class Looked:
    """What the table shows: the chips, the segment with them, and the past day, None for today."""

    chosen: portfolio.AccountFilter
    segment: Segment | None
    day: date | None


def _offer_files(rows: pd.DataFrame, looked: Looked, here: visit.Visit) -> None:
    """The accounts on the screen as files, all columns; of somebody else's accounts a CSM takes none away."""
    count = len(exports.within_reach(rows, here.identity))
    with st.popover("Export", icon=":material/download:", key="export_chip"):
        with st.container(horizontal=True, width="content", gap="xsmall"):
            for wanted, name in export_files.FILES.items():
                address = data.export_address(
                    looked.chosen,
                    wanted,
                    segment_id=looked.segment.segment_id if looked.segment else None,
                    as_of=looked.day,
                )
                st.link_button(name, address, disabled=not count)
        if count < len(rows):
            frame.aside(f"{count} of these {len(rows)}: your own accounts.")


def _list(rows: pd.DataFrame, total: int, looked: Looked, is_boxed: bool) -> None:
    here, chosen, is_today = visit.current(), looked.chosen, looked.day is None
    # at the left: Streamlit's own tool bar of a table floats over what stands above its right end
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        has_risk = is_today or bool(rows["churn_risk_band"].notna().any()) or not len(rows)
        order = "by MRR at risk" if has_risk else "by name: risk was not kept yet on this day"
        note = "in the box on the map" if is_boxed else order
        st.markdown(
            f"**{figures.grouped(len(rows))} of {figures.count(total, 'account')}** :gray[{note}]", width="content"
        )
        buttons = st.container(horizontal=True, width="content", gap="xsmall")
    if not len(rows):
        frame.empty(
            "No account matches.", "Take a filter away, or look at another view.", icon=":material/filter_alt_off:"
        )
        return
    keys = rows.index.tolist()
    known = {name: column for name, column in COLUMNS.items() if is_today or column not in ("next", "next_due")}
    at_first = [name for name in (AT_FIRST if chosen.view == "mine" else OF_OTHERS) if name in known]
    with buttons:
        create = st.container(width="content")
        with st.popover("Columns", icon=":material/view_column:", key="columns_chip"):
            names = st.multiselect(
                "Columns",
                list(known),
                default=at_first,
                key=f"columns_{'mine' if chosen.view == 'mine' else 'others'}{'' if is_today else '_then'}",
                persist_state="session",
                width=300,
            )
        _offer_files(rows, looked, here)
    configuration = _configuration(partial(_go, keys, looked.day))
    columns = ["account", *(column for name, column in known.items() if name in (names or at_first))]
    may_create = is_today and can(here.identity, Permission.CREATE_ACTION)
    shown = {
        "data": _cells(rows, here.today)[columns],
        "column_config": {name: configuration[name] for name in columns},
        "hide_index": True,
        "row_height": tables.ROW,
        "height": tables.height(len(rows), most=18),
        "key": f"accounts_{hash((chosen, is_boxed, looked.segment and looked.segment.segment_id, looked.day))}",
        "alt": "Accounts, most MRR at risk first",
        "placeholder": "–",
    }
    if not may_create:
        st.dataframe(**shown)  # nothing could be done with a ticked row
        return
    picked = st.dataframe(**shown, on_select="rerun", selection_mode="multi-row")
    ticked = [keys[row] for row in picked["selection"]["rows"] if row < len(keys)]
    label = "Create actions" if len(ticked) != 1 else "Create action"
    if create.button(label, icon=":material/add_task:", disabled=not ticked, key="create_for_ticked"):
        action_dialog.add(ticked, Prefill())


def _map(matching: pd.DataFrame) -> set[str]:
    """The map; returns the keys inside a box drawn on it, empty for none."""
    with st.container(border=True, gap="xsmall", key="portfolio_map_panel"):
        frame.heading("Portfolio map", "size: MRR · drag a box to select rows")
        event = st.plotly_chart(
            portfolio_charts.portfolio_map(matching, dark=charts.is_dark()),
            theme=None,
            key="portfolio_map",
            on_select="rerun",
            selection_mode=("box",),
            config={**charts.QUIET, "doubleClick": "reset"},
            alt="Health against days to renewal, one point per account",
        )
    points = event["selection"]["points"] if event else []
    return {point["customdata"][0] for point in points if point.get("customdata")}


def _sum(rows: pd.DataFrame) -> None:
    total = portfolio.summary(rows)
    with st.container(border=True, gap="xsmall", key="selection_summary"):
        st.markdown("**In this selection**")
        st.markdown(
            f":gray[MRR] **{figures.money_short(total.mrr_eur)}** "
            f":gray[· at risk] **{figures.money_short(total.mrr_at_risk_eur)}** "
            f":gray[· renewing in 90 days] **{total.renewing_count}**"
        )
        planned = "" if total.idle_count is None else f":gray[No next action] **{total.idle_count}** :gray[·] "
        st.markdown(
            f"{planned}:gray[{'silent' if planned else 'Silent'} over 90 days] **{total.silent_count}** "
            f":gray[· too little data for a band] **{total.uncovered_count}**"
        )
