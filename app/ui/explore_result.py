"""What the question gives: a picture whose marks can be clicked, or a table; its SQL, and files of it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.errors import StatementEnded
from app.explore import by_metric, drill, shown
from app.explore.checks import ROWS
from app.explore.marts import Mart
from app.explore.question import Question, Unit, View
from app.explore.statement import LARGEST_PARTS, OTHER, is_additive
from app.exports.columns import Column
from app.sandbox.runner import FILE, Answer
from app.ui import (
    charts,
    explore_charts,
    explore_files,
    explore_run,
    explore_save,
    explore_state,
    export_files,
    figures,
    frame,
    sql_editor,
    sql_save,
    tables,
    visit,
)
from app.ui.explore_drawn import Drawn
from app.ui.navigation import address_of
from app.ui.text import escaped

Marts = Mapping[str, Mart]
_MOST_ROWS = 16  # of the table without scrolling
_CLICKED = "Click a mark to look behind it: it becomes a filter."


def show(question: Question, mart: Mart, marts: Marts, text: str, *, build_id: int) -> None:
    """Run the statement and draw what came."""
    came = explore_run.answer(text, build_id=build_id)
    answer = came.answer
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="explore_head"):
        st.markdown(_counted(question, answer), width="stretch")
        explore_save.control(question, marts, text)
        with st.popover("Export", icon=":material/download:", disabled=answer is None or not answer.rows):
            with st.container(horizontal=True, width="content", gap="xsmall"):
                for wanted, name in export_files.FILES.items():
                    st.link_button(name, explore_files.address(question, wanted))
            frame.aside(_filed(question))
    if came.error is not None:
        _failed(came.error)
    elif answer is None or not answer.rows:
        frame.empty(
            "Nothing matches.",
            "No row passes these filters: take one away." if question.filters else "This mart holds no rows yet.",
            icon=":material/filter_alt_off:",
        )
    else:
        if answer.has_more_rows:
            _too_many(question)
        _rest(question, mart, answer)
        if by_metric.adds_days(question):
            frame.aside(
                "Every day of a period is added up: right for what happens (sends, activities), wrong for what stands"
                " (MRR, seats). For those take Day, or Average."
            )
        _draw(question, mart, marts, answer)
    _sql(text)


def _counted(question: Question, answer: Answer | None) -> str:
    if answer is None:
        return ""
    kind = {View.ROWS: "row", View.HISTOGRAM: "bin", View.COHORT: "cell"}.get(question.view, "group")
    count = figures.count(len(answer.rows), kind)
    if question.view is View.TABLE and question.split:
        at = len(question.groups)
        groups = figures.count(len({row[:at] for row in answer.rows}), "group")
        count = f"{groups}, {figures.count(len({row[at] for row in answer.rows}), 'part')}"
    return f"**{count}** :small[:gray[{answer.duration_ms:,} ms, {answer.engine}]]"


def _filed(question: Question) -> str:
    """What a file of it holds."""
    again = f"The question is asked again, for up to {FILE.rows:,}"
    if question.view is View.ROWS:
        return f"{again} rows."
    if question.view is View.TABLE:
        return f"The table as it stands here, figures unrounded. {again} groups."
    return f"The figures behind the picture, a row for each mark. {again} of them."


def _failed(error: Exception) -> None:
    if isinstance(error, StatementEnded):
        st.warning(
            f"{frame.sentence(error)} Filter to fewer days, or group by something coarser.", icon=":material/timer:"
        )
    else:
        st.error(frame.sentence(error), icon=":material/error:")
    st.button("Ask again", icon=":material/refresh:", key="explore_again", on_click=explore_run.again)


def _too_many(question: Question) -> None:
    most = f"{explore_run.MOST.rows:,}"
    if question.view is View.ROWS:
        said = f"The first {most} rows are shown. A file holds up to {FILE.rows:,}."
    elif question.view is View.TABLE and question.split:
        said = (
            f"There are more than {most} cells, and only the first of them are filled: an empty one may hold a figure."
            " Take the split away, group by something coarser, or filter."
        )
    else:
        said = (
            f"There are more than {most} groups, and only the first of them are shown: times from the newest on, else"
            " the largest. Group by something coarser, or filter."
        )
    st.warning(said, icon=":material/unfold_less:")


def _rest(question: Question, mart: Mart, answer: Answer) -> None:
    """Where a split has more parts than are shown, which ones those are."""
    at = 2 if question.view is View.HISTOGRAM else len(question.groups)
    if question.split and any(row[at] == OTHER for row in answer.rows):
        by = next((one for one in question.measures if is_additive(one)), ROWS)
        frame.aside(
            f"Split into the {LARGEST_PARTS} largest by {escaped(shown.figure_name(by, mart).lower())};"
            f" *{OTHER}* is all the others together."
        )


def _sql(text: str) -> None:
    with st.expander("SQL", icon=":material/code:"):
        st.code(text, language="sql", wrap_lines=True)
        if st.button("Go on in the SQL editor", icon=":material/north_east:", key="explore_to_sql"):
            sql_editor.load(text)
            sql_save.SAVE.opened(None)
            st.switch_page(address_of("sql"))


def _draw(question: Question, mart: Mart, marts: Marts, answer: Answer) -> None:
    if question.view in (View.TABLE, View.ROWS):
        _table(question, mart, answer)
        return
    drawn = Drawn(
        rows=answer.rows,
        groups=[shown.group_name(one, mart) for one in question.groups],
        split=shown.group_name(question.split, mart) if question.split else None,
        measures=[shown.figure_name(one, mart) for one in question.measures],
        units=[one.unit for one in question.groups],
        is_additive=[is_additive(one) for one in question.measures],
    )
    made = explore_charts.figure(question.view, drawn, dark=charts.is_dark())
    if made.figure is None:
        frame.empty("Nothing to draw.", "These groups hold no figures; the table shows them.", icon=":material/hide:")
        return
    key = f"explore_chart_{question.view}_{hash(question)}"

    def clicked() -> None:
        row = _row_of(charts.clicked(key), answer.rows)
        if row is not None:
            at = 2 if question.view is View.HISTOGRAM else len(question.groups)
            parts = sorted({one[at] for one in answer.rows if one[at] is not None}) if question.split else []
            explore_state.put(drill.into(question, mart, row, parts=parts), marts)

    can_drill = question.view is not View.COHORT
    if made.reading:
        frame.aside(made.reading)
    st.plotly_chart(
        made.figure,
        theme=None,
        key=key,
        config=charts.QUIET,
        on_select=clicked if can_drill else "ignore",
        selection_mode=("points",),
        alt=made.alt,
    )
    notes = [*_unfinished(question, answer), *made.notes, *([_CLICKED] if can_drill else [])]
    frame.aside(" ".join(notes))


def _unfinished(question: Question, answer: Answer) -> list[str]:
    """A last week, month or quarter that the figures do not fill: a line seems to fall there."""
    here, [along, *_] = visit.current(), question.groups
    days = [row[0] for row in answer.rows if isinstance(row[0], date)]
    if here.publication is None or not days or along.unit in (None, Unit.DAY) or question.view is View.HEAT:
        return []
    last, end = max(days), here.publication.as_of_date
    if not last <= end < drill.following(last, along.unit) - timedelta(days=1):
        return []
    return [f"The last {along.unit} is not over: figures go to {figures.full_day(end)}."]


def _row_of(given: Any, rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    """The row of the answer that a click names; what the browser sends is a number of one, or nothing."""
    try:
        number = int(given)
    except (TypeError, ValueError, OverflowError):
        return None
    return rows[number] if 0 <= number < len(rows) else None


def _table(question: Question, mart: Mart, answer: Answer) -> None:
    made = shown.table(question, mart, answer)
    frame_of = pd.DataFrame(made.rows, columns=pd.Index([one.name for one in made.columns]))
    if question.view is not View.ROWS:
        for name in frame_of.columns:
            if pd.api.types.is_float_dtype(frame_of[name]):
                frame_of[name] = frame_of[name].map(_rounded, na_action="ignore")
        if question.split and not question.groups:
            frame_of = frame_of.convert_dtypes()
    st.dataframe(
        frame_of,
        hide_index=True,
        row_height=tables.ROW,
        height=tables.height(len(frame_of), most=_MOST_ROWS),
        column_config=_of_times(question, made.columns),
        placeholder="–",
        key=f"explore_table_{hash(question)}",
        alt="Answer to the question",
    )


def _of_times(question: Question, columns: Sequence[Column]) -> dict[str, Any]:
    """Months and quarters as people say them; they are sorted as the days they begin on."""
    formats = {Unit.MONTH: "MMM YYYY", Unit.QUARTER: "[Q]Q YYYY"}
    if question.view is View.ROWS:
        return {}
    return {
        column.name: st.column_config.DateColumn(format=formats.get(one.unit, "D MMM YYYY"))
        for column, one in zip(columns, question.groups, strict=False)
        if one.unit is not None
    }


def _rounded(value: float) -> float:
    """Two digits; of what is smaller than one, four that say something."""
    return round(value, 2) if abs(value) >= 1 else float(f"{value:.4g}")
