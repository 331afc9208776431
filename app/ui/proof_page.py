"""Proof of one figure: what it says, by which formula, models and build, and the records, events and figures below it.

The address names the figure: mart, the parts of its row's key, column. So any page may lead here (`app.ui.proof_link`).
"""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from app.marts import proof
from app.marts.proof import Figure, Proof, Quantity, Usage
from app.marts.version import reading_build
from app.metrics import of_column
from app.ui import data, figure_line, figures, frame, navigation, page_style, proof_link, tables, visit, words
from app.ui.text import escaped

MOST_ROWS = 12


@st.cache_data(max_entries=100, show_spinner=False)
def _proof(build_id: int, mart: str, key: tuple[str, ...], column: str, scope: str) -> Proof:
    with reading_build(build_id) as db:
        return proof.prove(db, mart, key, column)


def show() -> None:
    """The figure that the address names."""
    here, asked = visit.current(), st.query_params
    mart, column, key = asked.get("mart", ""), asked.get("column", ""), tuple(asked.get_all("key"))
    if not (mart and column and key):
        frame.empty(
            "No figure is named in the address.",
            "On an account or on Trust, the name of a figure leads to its proof.",
            icon=":material/fact_check:",
        )
        return
    found = _proof(here.build_id, mart, key, column, here.identity.role)
    _head(found)
    if not any((found.quantities, found.usage, found.figures, found.application_row)):
        frame.empty("This column rests on no record.", "")
    for number, quantity in enumerate(found.quantities):
        _records(quantity, number)
    if found.usage:
        _events(found.usage)
    if found.figures:
        _figures(found.figures)
    if found.application_row:
        table, row_id = found.application_row
        frame.heading("Made here", "written by people in this application; no load brought it")
        st.markdown(f"Row `{row_id}` of `app.{table}`")
    _chain(found)


def _head(found: Proof) -> None:
    here = visit.current()
    name, key = proof_link.name_of(found.column), ", ".join(found.key)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="proof_head"):
        st.markdown(f"**{escaped(name)}** `{found.mart}.{found.column}` :gray[of] `{key}`", width="content")
        if found.account_key:
            whose = data.account_or_none(found.account_key, here)
            whose_name = whose.account_name if whose else "the account"
            navigation.account_link(found.account_key, whose_name, suffix=" :material/arrow_forward:")
    loads = found.loads
    newest = next(iter(loads.items()), None)
    defined = of_column(found.mart, found.column)
    figure_line.show(
        [
            figure_line.Figure(
                value=f"**{escaped(found.value or 'nothing')}**",
                name="as published",
            ),
            figure_line.Figure(
                value=f"**Build {found.build_id}**",
                name=f"published {figures.clock(found.published_at, now=here.now)}",
            ),
            figure_line.Figure(value=f"**{found.model_version}**", name="version of the models"),
            figure_line.Figure(
                value=f"**Load {newest[0]}**",
                name=f"the newest of {len(loads)}, {figures.clock(newest[1], now=here.now)}",
            )
            if newest
            else figure_line.Figure(value="**No load**", name="directly below this figure"),
        ],
        "proof_figure",
    )
    if defined and defined.definition != found.formula:
        st.markdown(f":gray[Definition]  {defined.definition}")
    st.markdown(f":gray[Formula]  {escaped(found.formula)}")


def _records(quantity: Quantity, number: int) -> None:
    on = f" on {figures.day(quantity.on_date)}" if quantity.on_date else ""
    total = f", together {figures.grouped(quantity.total, 2)}" if quantity.total is not None else ""
    shown = f", the newest {len(quantity.records)} shown" if quantity.count > len(quantity.records) else ""
    frame.heading(
        proof_link.name_of(quantity.name),
        f"{figures.count(quantity.count, 'source record')}{on}{total}{shown}",
    )
    if not quantity.records:
        frame.empty("No source record counts.", "The figure says that there is none.", icon=":material/inbox:")
        return
    now, rows = visit.current().now, quantity.records
    table = pd.DataFrame(
        {
            "source": [words.word(words.SOURCE_SYSTEMS, one.source) for one in rows],
            "stream": [one.stream for one in rows],
            "id": [one.source_id for one in rows],
            "part": [one.part if one.stream == "invoices" and one.part != one.source_id else "" for one in rows],
            "from": [figures.full_day(one.from_date) if one.from_date else "always" for one in rows],
            "to": [figures.full_day(one.to_date) if one.to_date else "still" for one in rows],
            "amount": [one.amount for one in rows],
            "load": [one.load_id for one in rows],
            "loaded": [figures.clock(one.loaded_at, now=now) for one in rows],
        }
    )
    columns = {
        "source": tables.text("Source", 126),
        "stream": tables.text("Table", 92),
        "id": tables.text("Id there", 160),
        "part": tables.text("Line", 160),
        "from": tables.text("Counts from", 104),
        "to": tables.text("Until before", 104),
        "amount": tables.number("Adds", 80, metric="proof_part"),
        "load": tables.number("Load", 60, "%d", metric=None),
        "loaded": tables.text("Loaded", 94),
    }
    if not any(table["part"]):
        del columns["part"]
    tables.show(table, columns, key=f"proof_records_{number}", alt=f"Records of {quantity.name}", most=MOST_ROWS)


def _events(usage: Usage) -> None:
    shown = f", the newest {len(usage.events)} shown" if usage.count > len(usage.events) else ""
    frame.heading(
        "Use of the product",
        f"{figures.count(usage.count, 'event')} of {figures.count(usage.user_count, 'user')} from"
        f" {figures.day(usage.first_date)} to {figures.day(usage.last_date)}{shown}",
    )
    if not usage.events:
        frame.empty("Nobody used the product in these days.", "", icon=":material/inbox:")
        return
    now, rows = visit.current().now, usage.events
    table = pd.DataFrame(
        {
            "id": [str(one.event_id) for one in rows],
            "event": [one.event_name for one in rows],
            "tenant": [str(one.tenant_id) for one in rows],
            "user": [str(one.user_id) if one.user_id is not None else "–" for one in rows],
            "at": [figures.clock(one.occurred_at, now=now) for one in rows],
            "load": [one.load_id for one in rows],
            "loaded": [figures.clock(one.loaded_at, now=now) for one in rows],
        }
    )
    columns = {
        "id": tables.text("Event", 120),
        "event": tables.text("What", 180),
        "tenant": tables.text("Tenant", 110),
        "user": tables.text("User", 110),
        "at": tables.text("When", 140),
        "load": tables.number("Load", 60, "%d", metric=None),
        "loaded": tables.text("Loaded", 140),
    }
    tables.show(table, columns, key="proof_events", alt="Events of the product", most=MOST_ROWS)


def _figures(rows: Sequence[Figure]) -> None:
    frame.heading("Made of these figures", "each has a proof of its own")
    table = pd.DataFrame(
        {
            "figure": [proof_link.name_of(one.column) for one in rows],
            "mart": [f"{one.mart}.{one.column}" for one in rows],
            "key": [", ".join(one.key) for one in rows],
            "value": [one.value or "–" for one in rows],
        }
    )
    columns = {
        "figure": tables.link("Figure", "proof_open", partial(_open, list(rows)), 220),
        "mart": tables.text("Mart and column", 330),
        "key": tables.text("Row", 340),
        "value": tables.spelled("Value", 160, metric="figure_published"),
    }
    tables.show(table, columns, key="proof_figures", alt="Figures that this one is made of", most=MOST_ROWS)


def _open(rows: list[Figure]) -> None:
    place = tables.clicked_row("proof_open")
    if place is not None:
        proof_link.go(rows[place].mart, rows[place].key, rows[place].column)


def _chain(found: Proof) -> None:
    layers = list(dict.fromkeys(step.layer for step in found.chain))
    frame.heading(
        "Models", f"{figures.count(len(found.chain), 'step')} from the mart down to raw tables, nearest first"
    )
    with st.expander(f"`{found.path}` and what is above it", key="proof_models"):
        table = pd.DataFrame(
            {
                "layer": [step.layer for step in found.chain],
                "name": [step.name for step in found.chain],
                "digest": [step.digest or "–" for step in found.chain],
                "path": [step.path or "as loaded" for step in found.chain],
            }
        )
        columns = {
            "layer": tables.chip("Layer", layers, ["gray"] * len(layers), 120),
            "name": tables.text("Name", 280),
            "digest": tables.text("Digest of its SQL", 130),
            "path": tables.text("File", page_style.room() // 2),
        }
        table["layer"] = [[layer] for layer in table["layer"]]
        tables.show(table, columns, key="proof_chain", alt="Models and raw tables above the figure", most=MOST_ROWS)
