"""Health migration: the matrix of bands, whose cells lead to their accounts by a click or by the table beside it."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.marts.version import reading_build
from app.reports import migration
from app.reports.migration import BANDS, Row
from app.reports.reach import on_screen
from app.reports.wanted import Wanted
from app.ui import action_panel, charts, figures, frame, page_style, reports_words, tables
from app.ui.text import escaped
from app.ui.visit import Visit

MOST_ROWS = 14
_CELL = "cell"
_KEY = "report_matrix"


def show(rows: Sequence[Row], wanted: Wanted, here: Visit) -> None:
    """The matrix, its cells as a list, and the accounts of the chosen one."""
    assert here.publication is not None  # noqa: S101 -- there are rows
    as_of = here.publication.as_of_date
    days = [migration.last_day(month, as_of) for month in (wanted.start, wanted.end)]
    cells = {(one.from_band, one.to_band): one for one in rows}
    left, right = page_style.split([1.35, 1], "migration")
    with left:
        frame.aside(f"Down: band on {figures.full_day(days[0])}. Across: on {figures.full_day(days[1])}.")
        st.plotly_chart(
            matrix(cells, dark=charts.is_dark()),
            theme=None,
            key=_KEY,
            on_select=_clicked,
            selection_mode=("points",),
            config=charts.QUIET,
            alt="Accounts and MRR by band at both ends; the table beside it has the same figures",
        )
    with right:
        _list(rows)
    chosen = _chosen(cells)
    if chosen is not None:
        _members(chosen, wanted, here)


def matrix(cells: Mapping[tuple[str, str], Row], *, dark: bool) -> go.Figure:
    """Five bands by five, the count large and the MRR below it; where health got worse red, better green, same grey."""
    colours = charts.palette(dark)
    figure = charts.base(colours, height=330, left=112, top=30, bottom=8)
    names = [reports_words.band(code) for code in BANDS]
    rank = {"G": 3, "Y": 2, "R": 1, migration.NO_CUSTOMER: 0}
    largest = max((one.account_count for one in cells.values()), default=1)
    for (start, end), one in cells.items():
        if "–" in (start, end) or start == end:
            colour = colours.grey
        else:
            colour = colours.green if rank[end] > rank[start] else colours.red
        x, y = BANDS.index(end), BANDS.index(start)
        figure.add_shape(
            type="rect", x0=x - 0.48, x1=x + 0.48, y0=y - 0.46, y1=y + 0.46, line_width=0, layer="below",
            fillcolor=charts.rgba(colour, 0.1 + 0.3 * (one.account_count / largest) ** 0.5),
        )  # fmt: skip
    figure.add_scatter(
        x=[BANDS.index(end) for _, end in cells],
        y=[BANDS.index(start) for start, _ in cells],
        mode="markers+text",
        marker={"symbol": "square", "size": 44, "color": colours.grey, "opacity": 0.01},
        selected={"marker": {"opacity": 0.12}},
        unselected={"marker": {"opacity": 0.01}, "textfont": {"color": colours.text}},
        text=[
            f"<b>{one.account_count}</b><br>{figures.money_short(one.mrr_eur).replace(chr(92), '')}"
            for one in cells.values()
        ],
        textfont={"color": colours.text},
        customdata=[f"{start}>{end}" for start, end in cells],
        hovertemplate="%{text}<extra></extra>",
    )
    ticks = {"tickvals": list(range(len(BANDS))), "ticktext": names, "tickfont": {"color": colours.text}, "ticks": ""}
    figure.update_xaxes(side="top", range=[-0.5, len(BANDS) - 0.5], **ticks)
    figure.update_yaxes(range=[len(BANDS) - 0.5, -0.5], showgrid=False, **ticks)
    figure.update_layout(clickmode="event+select")
    return figure


def _choose(cell: str) -> None:
    st.query_params[_CELL] = cell


def _clicked() -> None:
    """A click on the picture names its cell; what no picture sends is left out."""
    cell = charts.clicked(_KEY)
    if isinstance(cell, str):
        _choose(cell)


def _chosen(cells: Mapping[tuple[str, str], Row]) -> Row | None:
    start, _, end = st.query_params.get(_CELL, "").partition(">")
    return cells.get((start, end))


def _open(rows: Sequence[Row]) -> None:
    place = tables.clicked_row("cell_open")
    if place is not None and 0 <= place < len(rows):
        _choose(f"{rows[place].from_band}>{rows[place].to_band}")


def _list(rows: Sequence[Row]) -> None:
    ordered = sorted(rows, key=lambda one: (one.from_band == one.to_band, -one.mrr_eur))
    table = pd.DataFrame(
        {
            "move": [f"{reports_words.band(one.from_band)} → {reports_words.band(one.to_band)}" for one in ordered],
            "accounts": [one.account_count for one in ordered],
            "mrr": [round(one.mrr_eur) for one in ordered],
        }
    )
    columns = {
        "move": tables.link("From → to", "cell_open", partial(_open, ordered), 220),
        "accounts": tables.number("Accounts", 76, "%d", metric="accounts_moved"),
        "mrr": tables.number("MRR, €", 84, metric="mrr_moved"),
    }
    tables.show(table, columns, key="report_table_migration", alt="Moves between bands", most=9)


def _go(keys: Sequence[str]) -> None:
    place = tables.clicked_row("member_open")
    if place is not None and 0 <= place < len(keys):
        action_panel.open_account(keys[place])


def _members(cell: Row, wanted: Wanted, here: Visit) -> None:
    assert here.publication is not None  # noqa: S101 -- there are rows
    with reading_build(here.build_id) as db:
        found = migration.members(
            db,
            wanted=wanted,
            reach=on_screen(here.identity),
            as_of=here.publication.as_of_date,
            from_band=cell.from_band,
            to_band=cell.to_band,
        )
    frame.heading(
        f"{escaped(reports_words.band(cell.from_band))} → {escaped(reports_words.band(cell.to_band))}",
        f"{figures.count(cell.account_count, 'account')}, {figures.money(cell.mrr_eur)} MRR"
        + (f"; the first {len(found)}" if len(found) < cell.account_count else ""),
    )
    table = pd.DataFrame(
        {
            "account": [tables.plain(tables.fitted(one.account_name, 230)) for one in found],
            "csm": [one.csm_name or "–" for one in found],
            "before": [None if one.from_score is None else round(one.from_score) for one in found],
            "after": [None if one.to_score is None else round(one.to_score) for one in found],
            "mrr": [round(one.mrr_eur) for one in found],
        }
    )
    columns = {
        "account": tables.link("Account", "member_open", partial(_go, [one.account_key for one in found]), 230),
        "csm": tables.text("CSM", 140),
        "before": tables.number("Health then", 92, "%d", metric="health_score"),
        "after": tables.number("Health later", 96, "%d", metric="health_score"),
        "mrr": tables.number("MRR, €", 90, metric="mrr_moved"),
    }
    tables.show(table, columns, key="report_members", alt="Accounts of the chosen cell", most=MOST_ROWS)
