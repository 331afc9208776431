"""Runs the statement of the question once, while the page waits, and keeps what came until the question changes.

Everything goes the way of the SQL page: gate, analyst's connection, watchdog, and a row that tells who asked.
"""

from uuid import uuid4

import streamlit as st

from app.auth import Identity
from app.errors import AppError, StatementEnded
from app.explore import statement
from app.explore.marts import Mart
from app.explore.question import LONGEST_VALUE, Question
from app.sandbox import service
from app.sandbox.runner import Limits
from app.ui import sql_run, visit
from app.ui.sql_run import Came

MOST = Limits(rows=5_000)  # groups on the page
MOST_CHOICES = 200
_CAME = "explore:came"


def answer(text: str, *, build_id: int) -> Came:
    """What the statement gives, asked once for each build; a failure stays too, until `again`."""
    kept = st.session_state.get(_CAME)
    if kept is not None and kept[0] == (build_id, text):
        return kept[1]
    statement_id = uuid4()
    identity = visit.current().identity

    def keep(came: Came) -> Came:
        st.session_state[_CAME] = ((build_id, text), came)
        return came

    def cancelled() -> None:
        if _CAME in st.session_state:
            return  # it came while the click was on its way
        keep(Came(statement_id=statement_id, error=StatementEnded("The question was cancelled.")))

    # kept only when it came or was cancelled by hand: when the page is drawn anew for another reason, as after the
    # browser's first word on its width, it is asked again
    st.session_state.pop(_CAME, None)
    try:
        found = sql_run.waited_for(
            lambda reader: service.run(
                identity, text, {}, limits=MOST, reader=reader, statement_id=statement_id, may_use_copy=True
            ),
            key="explore_cancel",
            cancelled=cancelled,
        )
    except AppError as error:
        return keep(Came(statement_id=statement_id, error=error))
    return keep(Came(statement_id=statement_id, answer=found))


def again() -> None:
    """Callback: ask once more what did not get to its answer."""
    st.session_state.pop(_CAME, None)


def values(mart: Mart, column: str, *, build_id: int) -> list[str]:
    """The values that a column of texts has most often, to choose from. Raises as the sandbox does."""
    identity = visit.current().identity
    return _values(build_id, mart.name, column, identity.role, mart, identity)


@st.cache_data(max_entries=200, show_spinner=False)
def _values(build_id: int, name: str, column: str, scope: str, _mart: Mart, _identity: Identity) -> list[str]:
    question = Question(mart=name)
    text = statement.largest_values(question, column, {name: _mart}, most=MOST_CHOICES)
    found = service.run(_identity, text, {}, limits=Limits(rows=MOST_CHOICES), may_use_copy=True)
    return [str(row[0]) for row in found.rows if len(str(row[0])) <= LONGEST_VALUE]
