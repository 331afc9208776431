"""The page Explore: the question at the left, clicked together; what it gives at the right."""

import streamlit as st

from app.db import read
from app.explore import statement
from app.explore.marts import marts
from app.sandbox import reach
from app.ui import explore_builder, explore_filters, explore_result, explore_save, explore_state, frame, page_style
from app.ui import visit as visits

SPLIT = (1, 2.6)
NARROW = (1, 2.2)


def show() -> None:
    """Draw it. The question stays beside its answer on a narrow window too: what a click changes has to be seen."""
    build_id = visits.current().build_id
    with read() as db:
        known = marts(reach.relations(db))
    if not known:
        frame.empty("There are no marts yet.", "They are here once the first build is published.")
        return
    question = explore_state.begin(known)
    mart = known[question.mart]
    left, right = st.columns(NARROW if page_style.is_narrow() else SPLIT, gap="small")
    with left:
        explore_builder.show(question, mart, known)
    with right:
        explore_builder.views(question, mart, known)
        explore_filters.chips(question, mart, known, build_id=build_id)
        frame.problem(explore_state.PLACE)
        explore_save.said()
        text = statement.of(question, known)
        with st.container(gap="small", key="explore_answer"):
            explore_result.show(question, mart, known, text, build_id=build_id)
