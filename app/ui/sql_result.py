"""What came of a statement: a table, a simple chart of it, files, or a sentence that says what is wrong."""

from datetime import date

import pandas as pd
import streamlit as st

from app.exports.formats import Format
from app.sandbox.runner import FILE, Answer
from app.ui import charts, export_files, figures, frame, sql_run, tables

MOST_ROWS = 14  # of the table without scrolling
MOST_POINTS = 500  # of the chart


def show() -> None:
    """Draw what came of the statement that was asked last; before that, what to expect here."""
    came = sql_run.came()
    if came is None:
        frame.aside("The answer stands here: at most 1,000 rows, within 5 s. A file holds up to 50,000.")
    elif came.error is not None:
        st.error(frame.sentence(came.error), icon=":material/error:")
    elif came.plan is not None:
        frame.heading("Plan", "how the database would run it; nothing has run")
        st.code(came.plan, language=None)
    elif came.answer is not None:
        _answer(came.answer, str(came.statement_id))


def export_address(statement_id: str, wanted: Format) -> str:
    """Address of a file with the answer of an own statement."""
    return export_files.of(f"sql/{statement_id}.{wanted}")


def _answer(answer: Answer, statement_id: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        note = f"{answer.duration_ms:,} ms" + (", more was left out" if answer.is_cut else "")
        st.markdown(f"**{figures.count(len(answer.rows), 'row')}** :gray[{note}]", width="content")
        shown = st.segmented_control(
            "Shown as", ["Table", "Chart"], default="Table", key="sql_shown", label_visibility="collapsed"
        )
        with st.popover("Export", icon=":material/download:", disabled=not answer.rows):
            with st.container(horizontal=True, width="content", gap="xsmall"):
                for wanted, name in export_files.FILES.items():
                    st.link_button(name, export_address(statement_id, wanted))
            frame.aside(f"The statement runs again, for up to {FILE.rows:,} rows. With more, the file's name says so.")
    if not answer.rows:
        frame.empty("No rows.", "The statement ran, and nothing matches it.", icon=":material/filter_alt_off:")
    elif shown == "Chart":
        _chart(answer)
    else:
        table = pd.DataFrame(answer.rows, columns=pd.Index(answer.unique_names()))
        st.dataframe(
            table,
            hide_index=True,
            row_height=tables.ROW,
            height=tables.height(len(table), most=MOST_ROWS),
            key=f"sql_table_{statement_id}",
        )


def _chart(answer: Answer) -> None:
    """Columns over text, a line over days; of the first points when there are many."""
    names = answer.unique_names()
    numbers = [place for place, column in enumerate(answer.columns) if column.kind in (int, float)]
    if not numbers:
        frame.aside("A chart needs a column of numbers.")
        return
    first_other = next((place for place in range(len(names)) if place not in numbers), 0)
    with st.container(horizontal=True, gap="small"):
        along = st.selectbox(
            "Along", range(len(names)), index=first_other, format_func=names.__getitem__, key="sql_along", width=240
        )
        up = st.selectbox(
            "Up", range(len(numbers)), index=len(numbers) - 1, format_func=lambda at: names[numbers[at]],
            key="sql_up", width=240,
        )  # fmt: skip
    if along is None or up is None or along >= len(names) or up >= len(numbers):
        return
    points = [
        (row[along], float(row[numbers[up]]))
        for row in answer.rows[:MOST_POINTS]
        if row[along] is not None and row[numbers[up]] is not None
    ]
    if not points:
        frame.aside("These columns hold nothing to draw.")
        return
    dark = st.context.theme.type == "dark"
    colours = charts.palette(dark)
    figure = charts.base(colours, height=320, left=56, top=10, bottom=48)
    is_in_time = issubclass(answer.columns[along].kind, date)
    labels = [one if is_in_time else charts.plain(str(one))[:40] for one, _ in points]
    values = [value for _, value in points]
    hover = "%{x}: <b>%{y:,}</b><extra></extra>"
    if is_in_time:
        points.sort()
        figure.add_scatter(
            x=[one for one, _ in points],
            y=[value for _, value in points],
            mode="lines+markers" if len(points) < 40 else "lines",
            line={"color": colours.accent, "width": 2},
            hovertemplate=hover,
        )
    else:
        figure.add_bar(x=labels, y=values, marker={"color": colours.accent}, hovertemplate=hover)
        figure.update_layout(bargap=0.35)
        figure.update_xaxes(type="category")
    charts.draw(figure, key="sql_chart", alt=f"{names[numbers[up]]} by {names[along]}, {len(points)} points")
    if len(answer.rows) > MOST_POINTS:
        frame.aside(f"The first {MOST_POINTS} rows are drawn.")
