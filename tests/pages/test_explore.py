"""The page Explore: a question by clicking, kept in the address, with its SQL, saved, shared and taken over."""

import csv
import io
from dataclasses import replace
from datetime import date
from typing import Any

import openpyxl
import pyarrow.parquet as parquet
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.routing import Route
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from app.auth import Identity, Role
from app.explore import question
from app.explore.question import Dimension, Filter, Function, Measure, Question, Test, Unit, View
from app.sandbox import runner
from app.sandbox.runner import Limits
from app.ui import charts, explore_charts, explore_files, explore_result, explore_run, sql_run
from app.ui.explore_drawn import Drawn
from tests.app.factories import Estate
from tests.pages.conftest import Browser, texts
from tests.pages.test_routes import Site

SEGMENTS = Question(
    mart="dim_accounts",
    groups=(Dimension(column="segment"),),
    measures=(Measure(function=Function.SUM, column="mrr_eur"),),
)


@pytest.fixture
def alex(estate: Estate, maya: Identity) -> Identity:
    """An analyst; three accounts in two segments."""
    for name, segment in (("Birch", "SMB"), ("Cobalt", "SMB"), ("Dune *x* <img src=y>", "Mid *market*")):
        estate.account(name, account_name=name, segment=segment, mrr_eur=100)
    return estate.user("Alex Stone", Role.ANALYST)


def asked(page: AppTest) -> Question:
    """The question of the page's address."""
    given = page.query_params["question"]
    return question.read(given if isinstance(given, str) else given[0])


def answer(page: AppTest) -> list[dict[str, Any]]:
    [table] = page.dataframe
    return table.value.to_dict("records")


def test_a_question_is_clicked_together_and_stands_in_the_address(
    browser: Browser, estate: Estate, alex: Identity
) -> None:
    page = browser.sign_in(alex).open("explore")
    page.selectbox(key="explore_mart").set_value("dim_accounts").run()
    page.segmented_control(key="explore_view").set_value(View.TABLE).run()
    page.multiselect(key="explore_groups").set_value(["segment"]).run()
    page.selectbox(key="explore_function_0").set_value(Function.SUM).run()
    page.selectbox(key="explore_of_0").set_value("mrr_eur").run()
    browser.checked()

    assert asked(page) == SEGMENTS
    assert {"Segment": "SMB", "Sum of MRR EUR": 200.0} in answer(page)
    assert estate.one("select count(*) from app.sql_statements where verdict <> 'answered'") == 0
    before = estate.one("select count(*) from app.sql_statements")
    page.run()
    assert estate.one("select count(*) from app.sql_statements") == before, "the same question is not asked again"
    page.selectbox(key="explore_split").set_value("is_active").run()
    browser.checked()
    assert "true" in answer(page)[0]


def test_empty_groups_and_parts_of_like_names_keep_their_own_figures(
    browser: Browser, estate: Estate, alex: Identity
) -> None:
    long = "A name whose first forty letters are all the same"
    for number, part in enumerate((None, "(empty)", f"{long} 1", f"{long} 2"), start=1):
        for name in ("x", "y"):
            estate.account(f"{number}{name}", segment=part, plan="Same", mrr_eur=number, health_score=None)
    estate.account("scored", segment="Own", plan="Same", mrr_eur=9, health_score=61.0)
    asked_for = Question(
        mart="dim_accounts",
        groups=(Dimension(column="health_score"),),
        split=Dimension(column="segment"),
        measures=SEGMENTS.measures,
        filters=(Filter(column="plan", test=Test.IS, values=("Same",)),),
    )

    page = browser.sign_in(alex).reload("explore", question=asked_for.token())

    [table] = page.dataframe
    assert len(table.value) == 2, "all without a score are one group"
    assert list(table.value.columns[1:]) == ["(empty)", f"{long[:40]}", f"{long[:40]} (2)", "Own", "(empty) (2)"]
    empty = table.value[table.value.iloc[:, 0].isna()].iloc[0].tolist()
    assert empty[1:4] + empty[5:] == [4, 6, 8, 2]

    page.segmented_control(key="explore_view").set_value(View.BAR).run()
    assert not browser.checked().error


def test_a_link_asks_the_same_a_filter_is_taken_away_and_a_bad_link_changes_nothing(
    browser: Browser, alex: Identity
) -> None:
    narrow = Question(
        mart="dim_accounts",
        groups=SEGMENTS.groups,
        measures=SEGMENTS.measures,
        filters=(Filter(column="segment", test=Test.IS, values=("Mid *market*",)),),
    )
    page = browser.sign_in(alex).reload("explore", question=narrow.token())
    assert answer(page) == [{"Segment": "Mid *market*", "Sum of MRR EUR": 100.0}]
    assert "Mid *market*" not in page.button(key="explore_filter_0").label, "shown as text, not as markup"

    page.query_params["question"] = "nonsense"
    page.run()
    assert "holds no question" in page.error[0].value
    assert answer(page) == [{"Segment": "Mid *market*", "Sum of MRR EUR": 100.0}]

    page.button(key="explore_filter_0").click().run()
    browser.checked()
    assert asked(page) == SEGMENTS
    assert not page.error


def test_one_starts_from_a_number_by_link_or_by_name_and_an_unknown_one_is_said(
    browser: Browser, alex: Identity, maya: Identity
) -> None:
    page = browser.sign_in(alex).reload("explore", metric="mrr")
    assert (page.selectbox(key="explore_metric").value, page.selectbox(key="explore_mart").value) == (
        "mrr",
        "dim_accounts",
    )
    page.selectbox(key="explore_metric").set_value("seat_use").run()
    browser.checked()
    assert asked(page).measures == (Measure(function=Function.AVERAGE, column="seat_use_ratio"),)
    assert "metric" not in page.query_params, "the question stands in the address now"

    page = browser.reload("explore", metric="<b>nothing")
    assert "No mart holds the number" in page.error[0].value
    assert "explore?metric=mrr)" in texts(browser.reload("definitions"))
    assert "explore?metric" not in texts(browser.sign_in(maya).reload("definitions")), "a CSM may not explore"


def test_a_question_that_a_redraw_broke_off_is_asked_again_and_was_not_cancelled(
    browser: Browser, alex: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(*_: object, **__: object) -> None:
        raise StopException

    with monkeypatch.context() as once:
        once.setattr(sql_run, "waited_for", broken_off)
        page = browser.sign_in(alex).reload("explore", question=SEGMENTS.token())
    assert not page.dataframe

    page.run()

    assert not page.warning
    assert {"Segment": "SMB", "Sum of MRR EUR": 200.0} in answer(page)


def test_every_way_to_draw_is_drawn(browser: Browser, alex: Identity) -> None:
    page = browser.sign_in(alex).reload("explore", question=SEGMENTS.token())
    for view in View:
        page.segmented_control(key="explore_view").set_value(view).run()
        browser.checked()

        assert asked(page).view is view
        assert not page.error


def test_a_view_that_takes_no_figure_loses_none_and_draws_the_one_that_was_asked_for(
    browser: Browser, alex: Identity
) -> None:
    page = browser.sign_in(alex).open("explore", question=SEGMENTS.token())
    before = asked(page)
    page.segmented_control(key="explore_view").set_value(View.HISTOGRAM).run()
    assert [one.column for one in asked(page).groups] == ["mrr_eur"]

    for view in (View.ROWS, View.COHORT, View.TABLE):
        page.segmented_control(key="explore_view").set_value(view).run()
    browser.checked()

    assert asked(page) == before


def test_a_click_on_a_mark_names_a_row_of_the_answer_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("a",), ("b",)]
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)

    def sent(event: Any) -> Any:
        state["chart"] = event
        return explore_result._row_of(charts.clicked("chart"), rows)

    def clicked(customdata: Any) -> Any:
        return sent({"selection": {"points": [{"customdata": customdata}]}})

    assert clicked([1, "b"]) == ("b",)
    assert clicked(0) == ("a",)
    hostile = ([2], [-1], ["x"], [None], {}, "b", [float("nan")], [float("inf")], [])
    assert [clicked(one) for one in hostile] == [None] * len(hostile)
    for event in (None, "x", {"selection": {"points": []}}, {"selection": None}, {"selection": {"points": [7]}}):
        assert sent(event) is None


def test_a_line_of_sums_has_nought_on_days_without_a_row_and_small_figures_keep_their_digits() -> None:
    rows = [(date(2026, 3, 1), 2), (date(2026, 1, 1), 1)]
    drawn = Drawn(rows=rows, groups=["Day"], split=None, measures=["Rows"], units=[Unit.MONTH], is_additive=[True])

    made = explore_charts.figure(View.LINE, drawn, dark=False).figure

    assert made is not None
    assert made.to_dict()["data"][0]["y"] == [1, 0, 2]
    assert explore_result._rounded(0.00123456) == 0.001235
    assert explore_result._rounded(12.3456) == 12.35


def test_nothing_matches_and_too_many_groups_are_said(
    browser: Browser, alex: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore_run, "MOST", explore_run.Limits(rows=2))
    many = Question(mart="dim_accounts", groups=(Dimension(column="account_name"),), measures=SEGMENTS.measures)
    page = browser.sign_in(alex).reload("explore", question=many.token())
    assert "more than 2 groups" in page.warning[0].value

    nobody = Filter(column="account_name", test=Test.IS, values=("nobody",))
    page = browser.reload("explore", question=Question(mart="dim_accounts", view=View.ROWS, filters=(nobody,)).token())
    assert "Nothing matches" in texts(page)


def test_a_question_is_saved_opened_by_a_colleague_and_gone_on_with_in_the_editor(
    browser: Browser, estate: Estate, alex: Identity
) -> None:
    page = browser.sign_in(alex).reload("explore", question=SEGMENTS.token())
    page.session_state["explore_save_popover"] = True
    page.run()
    page.text_input(key="explore_name").set_value("Revenue *by* segment").run()
    page.toggle(key="explore_is_shared").set_value(True).run()
    page.button(key="explore_new").click().run()
    browser.checked()
    assert estate.one("select count(*) from app.saved_queries where is_shared") == 1

    page = browser.sign_in(estate.user("Harriet Cole", Role.ADMIN)).reload("explore")
    page.session_state["explore_save_popover"] = True
    page.run()
    [opener] = [button for button in page.button if str(button.key).startswith("explore_open_")]
    opener.click().run()
    browser.checked()
    assert asked(page) == SEGMENTS

    page.button(key="explore_to_sql").click().run()
    browser.checked()
    assert str(page.text_area[0].value).startswith("select\n    segment,\n    sum(mrr_eur)")


def test_z14_a_file_holds_what_is_on_the_page_the_pivot_too_and_no_formula(
    browser: Browser, estate: Estate, alex: Identity, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.account("formula", segment="=cmd()", plan="@SUM(1)", mrr_eur=7)
    site = Site(Starlette(routes=[Route("/exports/explore.{format}", explore_files.answer)]))
    pivot = replace(
        SEGMENTS, split=Dimension(column="plan"), measures=(SEGMENTS.measures[0], Measure(function=Function.COUNT))
    )
    [table] = browser.sign_in(alex).reload("explore", question=pivot.token()).dataframe
    heads = list(table.value.columns)
    assert "@SUM(1): Number of rows" in heads

    def fetched(who: Identity, kind: str, token: str = pivot.token()) -> Any:
        return site.get(f"/exports/explore.{kind}?question={token}", cookie=browser.sign_in(who).token)

    lines = list(csv.reader(io.StringIO(fetched(alex, "csv").content.decode("utf-8-sig"))))
    assert [one.removeprefix("'") for one in lines[0]] == heads
    assert "'@SUM(1): Number of rows" in lines[0]
    assert len(lines) == len(table.value) + 1
    assert next(line for line in lines if line[0] == "'=cmd()")[lines[0].index("'@SUM(1): Number of rows")] == "1"
    rows = parquet.read_table(io.BytesIO(fetched(alex, "parquet").content)).to_pylist()
    assert list(rows[0]) == heads
    assert {row["Segment"] for row in rows} - {None} == set(table.value["Segment"].dropna())
    sheet = openpyxl.load_workbook(io.BytesIO(fetched(alex, "xlsx").content)).worksheets[0]
    cells = list(sheet.iter_rows())
    assert [cell.value for cell in cells[0]] == heads
    assert not [cell for line in cells for cell in line if cell.data_type == "f"]

    assert estate.one("select count(*) from app.sql_statements where purpose = 'file'") == 3
    assert [fetched(alex, kind, token).status_code for kind, token in (("exe", ""), ("csv", "nonsense"))] == [404, 422]
    assert fetched(maya, "csv").status_code == 403
    monkeypatch.setattr(runner, "FILE", Limits(rows=1))
    cut = fetched(alex, "csv")  # cells that are not there would look like cells that hold nothing
    assert (cut.status_code, "more cells than a file holds" in cut.text) == (422, True)
