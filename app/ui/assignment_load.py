"""Who carries how much: bars of the chosen measure, and everybody's figures with who is away."""

from datetime import date
from uuid import UUID

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.actions.assignment import Candidate
from app.actions.model import Workload
from app.ui import assignment_data, charts, choices, figures, frame, tables, visit

MEASURES = ("Actions", "Hours", "Accounts", "MRR")
_NOTES = {
    "Actions": ":red[overdue] and :blue[other open actions]",
    "Hours": ":blue[booked this week], :red[over capacity]; the line is the capacity",
    "Accounts": "with the books they cover",
    "MRR": "€ a month, with the books they cover",
}


def show(load: list[Workload]) -> None:
    """The bars, then the table."""
    here = visit.current()
    books = assignment_data.candidates(here)
    with st.container(border=True, gap="xsmall", key="load"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Load**", width="content")
            measure = choices.one("Measure", MEASURES if books else MEASURES[:2], "measure", start="Actions")
        if not load:
            st.markdown(":gray[Nobody works actions yet.]")
            return
        st.markdown(f":small[:gray[{_NOTES[measure]}]]")
        charts.draw(
            bars(load, books, measure, dark=charts.is_dark()),
            key=f"load_{measure.lower()}",
            alt=f"{measure} per person; the table below has the figures",
        )
    _table(load, books, here.today)


def bars(load: list[Workload], books: dict[UUID, Candidate], measure: str, *, dark: bool) -> go.Figure:
    """One bar a person, longest on top: what is worrying of it in red first, then the rest."""
    colours = charts.palette(dark)
    rows = [(charts.plain(one.display_name), *_parts(one, books.get(one.user_id), measure)) for one in load]
    rows.sort(key=lambda row: row[1] + row[2])
    figure = charts.base(colours, height=26 * max(len(rows), 1) + 12, left=108, right=58, top=2, bottom=2)
    names = [row[0] for row in rows]
    # a name stands once, also when two people share it
    places = list(range(len(rows)))
    for values, ink in (([row[1] for row in rows], colours.red), ([row[2] for row in rows], colours.accent)):
        figure.add_bar(
            y=places, x=values, orientation="h", marker={"color": ink}, width=0.52, customdata=names, hoverinfo="skip"
        )
    for place, (_, red, rest, capacity, told) in zip(places, rows, strict=True):
        figure.add_annotation(
            y=place, x=red + rest, text=told, showarrow=False, xanchor="left", xshift=6, font={"color": colours.text}
        )
        if capacity is not None:
            figure.add_shape(
                type="line", x0=capacity, x1=capacity, y0=place - 0.4, y1=place + 0.4, line={"color": colours.muted}
            )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(showgrid=False, ticks="", tickvals=places, ticktext=names)
    return figure


def _parts(one: Workload, book: Candidate | None, measure: str) -> tuple[float, float, float | None, str]:
    """Red part, the rest, capacity where there is one, and the figure as it is written."""
    if measure == "Hours":
        over = max(0, one.booked_minutes - one.weekly_capacity_minutes)
        told = f"{figures.hours(one.booked_minutes)} of {figures.hours(one.weekly_capacity_minutes)} h"
        return over / 60, (one.booked_minutes - over) / 60, one.weekly_capacity_minutes / 60, told
    if measure == "Accounts":
        count = book.account_count if book else 0
        return 0, count, None, str(count)
    if measure == "MRR":
        mrr = book.mrr_eur if book else 0.0
        return 0, mrr, None, figures.money_short(mrr)
    return one.overdue_count, one.open_count - one.overdue_count, None, str(one.open_count)


def away(one: Workload, today: date) -> str:
    """`with Tom Okafor to Mon 30 Nov`; a dash for somebody who is there."""
    if one.covered_by is None:
        return "–"
    until = f" to {figures.day(one.away_until, today=today)}" if one.away_until else ""
    return f"with {one.covered_by}{until}"


def _table(load: list[Workload], books: dict[UUID, Candidate], today: date) -> None:
    cells = pd.DataFrame(
        {
            "name": [one.display_name for one in load],
            "accounts": [books[one.user_id].account_count if one.user_id in books else None for one in load],
            "mrr": [round(books[one.user_id].mrr_eur) if one.user_id in books else None for one in load],
            "open": [one.open_count for one in load],
            "late": [one.overdue_count for one in load],
            "hours": [
                f"{figures.hours(one.booked_minutes)} of {figures.hours(one.weekly_capacity_minutes)} h" for one in load
            ],
            "away": [away(one, today) for one in load],
        }
    )
    columns = {
        "name": tables.text("Person", 100),
        "accounts": tables.number("Accounts", 66, "%d", metric="account_count"),
        "mrr": tables.number("MRR, €", 62, metric="mrr"),
        "open": tables.number("Open", 46, "%d", metric="open_actions"),
        "late": tables.number("Overdue", 62, "%d", metric="overdue_actions"),
        "hours": tables.spelled("Hours", 74, metric="booked_hours"),
        "away": tables.text("Book is", 150),
    }
    if all(one.covered_by is None for one in load):
        del columns["away"]
    tables.show(cells, columns, key="load_table", alt="Accounts, revenue, actions and hours per person")
    frame.problem("load")
