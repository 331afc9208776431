"""The page SQL: tables, kept queries and history at the left; editor, values and answer at the right."""

import streamlit as st

from app.db import read
from app.errors import InvalidInput
from app.sandbox import gate, reach
from app.sandbox.service import LONGEST_VALUE
from app.ui import page_style, sql_editor, sql_result, sql_run, sql_save, sql_side, visit

SPLIT = (1, 2.4)
_ASKED_FOR = "sql:asked_for"


def show() -> None:
    """Draw it; on a narrow window the editor stands above the lists."""
    if page_style.is_narrow():
        main, side = page_style.split(SPLIT[::-1], "sql")
    else:
        side, main = page_style.split(SPLIT, "sql")
    here = visit.current()
    with read() as db:
        relations = reach.relations(db)
    with main:
        sql_editor.editor(
            user_id=str(here.identity.user_id),
            relations=relations,
            run=sql_run.ask("run"),
            plan=sql_run.ask("plan"),
        )
        values = _values()
        sql_save.control()
        answer = st.container()
    # before the statement runs: the lists can be read while it does
    with side:
        sql_side.show(relations)
    with answer:
        if sql_run.answer_asked(here.identity, values):
            st.rerun()  # the history has one more
        sql_result.show()


def _values() -> dict[str, str | None]:
    """A field for the value of each `:name` in the editor; an empty one is null, once there was a field to fill in."""
    try:
        names = gate.parameters(sql_editor.text())
    except InvalidInput:  # half a statement; running it says what is wrong
        return {}
    known = st.session_state.get(_ASKED_FOR, ())
    st.session_state[_ASKED_FOR] = names
    if new := [name for name in names if name not in known]:
        sql_run.put_off(new)
    if not names:
        return {}
    with st.container(horizontal=True, gap="small"):
        given = {
            name: st.text_input(
                f":{name}".replace("_", "\\_"),
                key=f"sql_value_{name}",
                max_chars=LONGEST_VALUE,
                placeholder="null",
                width=180,
            )
            for name in names
        }
    return {name: value or None for name, value in given.items()}
