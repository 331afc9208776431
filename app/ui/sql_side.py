"""Beside the editor: the tables with grain and columns, the queries that are kept, and what was run before."""

import streamlit as st

from app.auth import Identity
from app.clock import real_now
from app.db import read
from app.sandbox import ledger, queries
from app.sandbox.ledger import Entry, Purpose, Verdict
from app.sandbox.queries import SavedQuery
from app.sandbox.reach import Relation
from app.ui import figures, frame, sql_editor, sql_save, visit
from app.ui.text import escaped, shortened

_VERDICTS = {
    Verdict.ANSWERED: ":green-badge[answered]",
    Verdict.REFUSED: ":orange-badge[refused]",
    Verdict.FAILED: ":red-badge[failed]",
    Verdict.ENDED: ":orange-badge[ended]",
    None: ":gray-badge[running]",
}
_SHOWN = 20  # of the history


def show(relations: tuple[Relation, ...]) -> None:
    """Draw the three lists as tabs."""
    here = visit.current()
    tables, saved, history = st.tabs(["Tables", "Saved", "History"])
    with read() as db:
        kept = queries.list_queries(db, identity=here.identity)
        told = ledger.history(db, identity=here.identity, limit=_SHOWN)
    with tables:
        _tables(relations)
    with saved:
        _saved(here.identity, kept)
    with history:
        _history(told)


def _tables(relations: tuple[Relation, ...]) -> None:
    sought = st.text_input(
        "Find a table or column", key="sql_sought", placeholder="Find a table or column", label_visibility="collapsed"
    ).strip().lower()  # fmt: skip
    found = [one for one in relations if not sought or _names(one, sought)]
    if not found:
        frame.aside("No table or column of this name." if relations else "There are no tables yet.")
    for relation in found:
        grain = f" :small[:gray[{escaped(relation.grain, limit=60)}]]" if relation.description else ""
        with st.expander(f"{escaped(relation.name)}{grain}"):
            st.markdown(escaped(relation.description, limit=600) if relation.description else ":gray[Not described.]")
            lines = (
                f"**{escaped(one.name)}** :gray[{escaped(one.kind)}]"
                + (f" :small[{escaped(one.description, limit=300)}]" if one.description else "")
                for one in relation.fields
            )
            st.markdown("\n".join(f"- {line}" for line in lines))
            st.button(
                "Select from it",
                icon=":material/north_east:",
                key=f"sql_from_{relation.name}",
                on_click=sql_editor.insert_table,
                args=(relation.name,),
            )


def _names(relation: Relation, sought: str) -> bool:
    return sought in relation.name or any(sought in one.name for one in relation.fields)


def _saved(identity: Identity, kept: list[SavedQuery]) -> None:
    if not kept:
        frame.aside("Nothing is saved yet. *Save* below the editor keeps a statement under a name.")
    for query in kept:
        is_own = query.owner_user_id == identity.user_id
        who = ("shared" if query.is_shared else "private") if is_own else f"by {query.owner_name}"
        with st.expander(f"{escaped(query.name, limit=60)} :small[:gray[{escaped(who)}, version {query.version}]]"):
            _query(query, is_own=is_own)


def _query(query: SavedQuery, *, is_own: bool) -> None:
    text = query.text
    if query.version > 1:
        with read() as db:
            versions = queries.versions(db, identity=visit.current().identity, query_id=query.query_id)
        by_number = {one.version: one for one in versions}
        number = st.selectbox(
            "Version",
            list(by_number),
            format_func=lambda one: f"{one}, {figures.event_time(by_number[one].saved_at, now=visit.current().now)}",
            key=f"sql_version_{query.query_id}",
        )
        text = by_number[number].text if number in by_number else text
    st.code(text, language="sql", wrap_lines=True)
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Open", key=f"sql_open_{query.query_id}", on_click=_open, args=(query, text, is_own))
        if is_own:
            st.button(
                "Remove",
                icon=":material/delete:",
                key=f"sql_remove_{query.query_id}",
                on_click=sql_save.SAVE.remove,
                args=(query.query_id, query.version),
            )


def _open(query: SavedQuery, text: str, is_own: bool) -> None:
    sql_editor.load(text)
    sql_save.SAVE.opened(query if is_own else None)


def _history(told: list[Entry]) -> None:
    if not told:
        frame.aside("Statements that you run are listed here.")
    for entry in told:
        seconds = f"{(entry.duration_ms or 0) / 1000:.1f} s"
        rows = f", {figures.count(entry.row_count, 'row')}" if entry.row_count is not None else ""
        if entry.is_cut:
            rows += ", more was left out"
        if entry.purpose is Purpose.FILE:
            rows += " in a file"
        st.button(
            escaped(shortened(entry.text, limit=44), limit=44),
            key=f"sql_again_{entry.statement_id}",
            type="tertiary",
            on_click=sql_editor.load,
            args=(entry.text,),
            help="Put it into the editor",
        )
        frame.aside(
            f"{_VERDICTS[entry.verdict]} {figures.event_time(entry.started_at, now=real_now())}, {seconds}{rows}"
        )
        if entry.message:
            frame.aside(escaped(entry.message, limit=300))
