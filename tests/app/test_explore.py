"""Explore's core: a question that is clicked together, its address, its statement, and what is behind a mark."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from postgast import parse, walk

from app.errors import InvalidInput
from app.explore import by_metric, checks, drill, kept, question, statement
from app.explore.marts import TIMES, Kind, Mart, marts
from app.explore.question import Dimension, Filter, Function, Measure, Question, Test, Unit, View
from app.explore.statement import OTHER
from app.sandbox import columnar as copies
from app.sandbox import gate, reach, runner
from app.sandbox.reach import Field, Relation
from app.sandbox.runner import Answer, Server
from app.sandbox.watchdog import Patience, Reader
from orchestration import columnar
from tests.app.factories import Estate, key_of

HOSTILE = [
    "O'Brien",
    "' or true --",
    "\\' or true --",
    "a\n/* b",
    "$$x$$ :name ::int %s {0}",
    '"; drop table app.users; --',
    "E'\\x41'",
    "\u2028ü\U0001f600",
    OTHER,
    "(empty)",
]
ROWS = Measure(function=Function.COUNT)


def catalogue(*names: str) -> dict[str, Mart]:
    """A mart of every kind of column, those of `names` texts, beside the accounts."""
    kinds = {
        "account_key": "text", "score": "double precision", "seats": "integer", "mrr_eur": "numeric", "day": "date",
        "at": "timestamp with time zone", "is_open": "boolean", "tags": "text[]", "order": "text",
    }  # fmt: skip
    fields = [Field(name=name, kind=kind, description="") for name, kind in kinds.items()]
    fields += [Field(name=name, kind="text", description="") for name in dict.fromkeys(names) if name not in kinds]
    accounts = [Field(name=name, kind="text", description="") for name in ("account_key", "account_name", "segment")]
    return marts(
        [
            Relation(name="fct_things", description="One row per thing.", fields=tuple(fields)),
            Relation(name="dim_accounts", description="One row per account.", fields=tuple(accounts)),
        ]
    )


def parts(text: str) -> list[str]:
    """What a statement is made of, values and names left out."""
    return [part.DESCRIPTOR.name for _, part in walk(parse(text)) if part.DESCRIPTOR.name != "Node"]


def values_in(text: str) -> set[str]:
    """Every text that a statement holds as a value."""
    return {part.sval.sval for part in gate._all(parse(text), "A_Const")}


def names_in(text: str) -> set[str]:
    """Every column that a statement names."""
    return {part.fields[-1].string.sval for part in gate._all(parse(text), "ColumnRef")}


_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
_TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(_LETTERS, max_size=40))
_NAMES = st.one_of(
    st.sampled_from(['a"b', "select", "x; drop table y", "a.b", "ü", "A", "a'--"]),
    st.text(_LETTERS, min_size=1, max_size=12),
).filter(lambda name: name.isprintable() and not name.startswith("account.") and name not in gate._SYSTEM_COLUMNS)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=_NAMES,
    values=st.lists(_TEXTS, min_size=1, max_size=3, unique=True),
    view=st.sampled_from(View),
    test=st.sampled_from([Test.IS, Test.IS_NOT]),
)
def test_whatever_values_and_columns_are_called_the_statement_passes_the_gate_and_asks_only_that(
    name: str, values: list[str], view: View, test: Test
) -> None:
    def asked(column: str, given: list[str]) -> tuple[Question, dict[str, Mart]]:
        known = catalogue(column)
        filters = (
            Filter(column=column, test=test, values=tuple(given)),
            Filter(column=column, test=Test.CONTAINS, values=(given[0],)),
        )
        split = Dimension(column=column)
        wanted = Question(mart="fct_things", view=view, filters=filters, split=split)
        return checks.suited(wanted, known["fct_things"]), known

    hostile, known = asked(name, values)
    plain = statement.of(*asked("plain", [f"value {number}" for number in range(len(values))]))

    text = statement.of(hostile, known)

    assert gate.checked(text, schema="marts", relations=["fct_things", "dim_accounts"]).parameters == ()
    assert parts(text) == parts(plain)
    assert names_in(text) == {name if one == "plain" else one for one in names_in(plain)}
    assert values_in(text) == values_in(plain) - {f"value {number}" for number in range(len(values))} | {*values}
    assert question.read(hostile.token()) == hostile
    assert kept.question(kept.text(hostile, text)) == hostile


@pytest.mark.parametrize(
    "wrong",
    [
        {"mart": "users"},
        {"filters": (Filter(column="xmin", test=Test.IS, values=("1",)),)},
        {"filters": (Filter(column="score", test=Test.IS, values=("1; select 1",)),)},
        {"filters": (Filter(column="score", test=Test.FROM, values=("1e999999",)),)},
        {"filters": (Filter(column="score", test=Test.CONTAINS, values=("1",)),)},
        {"filters": (Filter(column="day", test=Test.FROM, values=("yesterday",)),)},
        {"filters": (Filter(column="is_open", test=Test.IS, values=("1",)),)},
        {"filters": (Filter(column="order", test=Test.IS, values=("\ud800",)),)},
        {"filters": (Filter(column="order", test=Test.IS),)},
        {"filters": (Filter(column="order", test=Test.IS, values=("x" * 200,)),) * 13},
        {"groups": (Dimension(column="day"),)},
        {"groups": (Dimension(column="tags"),)},
        {"groups": (Dimension(column="order", unit=Unit.DAY),)},
        {"groups": (Dimension(column="order"),), "split": Dimension(column="order")},
        {"measures": (Measure(function=Function.SUM, column="order"),)},
        {"measures": (Measure(function=Function.MEDIAN),)},
        {"measures": ()},
        {"view": View.LINE},
        {"view": View.COHORT, "split": Dimension(column="order")},
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_in_a_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        statement.of(replace(Question(mart="fct_things", measures=(ROWS,)), **wrong), catalogue())

    assert refusal.value.message.endswith(".")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=80), st.text("ABCDEFGHabcdefgh0123456789-_", max_size=200)))
def test_a_token_that_is_none_is_refused_in_a_sentence(token: str) -> None:
    with pytest.raises(InvalidInput, match="no question"):
        question.read(token)


def test_a_token_that_unfolds_to_megabytes_is_not_unfolded() -> None:
    huge = replace(Question(mart="m"), filters=(Filter(column="c", test=Test.IS, values=("x" * 5_000_000,)),)).token()

    with pytest.raises(InvalidInput):
        question.read(huge[: question.LONGEST_TOKEN])
    with pytest.raises(InvalidInput):
        question.read(huge)


def test_a_saved_statement_that_somebody_changed_is_no_question_any_more() -> None:
    asked = Question(mart="fct_things", measures=(ROWS,))
    text = kept.text(asked, statement.of(asked, catalogue()))

    assert kept.question(text) == asked
    assert kept.question(text + " limit 3") is None
    assert kept.question("select 1") is None


# --- against PostgreSQL, through the gate and the sandbox's runner, and against the columnar copy: one answer


@pytest.fixture
def answers(estate: Estate, tmp_path: Path) -> Any:
    """Asks a question of the estate's marts as analysts do: accounts of odd names, and days on which they were used.
    The answer is the database's; that of the copy is the same."""
    for number, name in enumerate(HOSTILE):
        estate.account(
            name, account_name=name, segment=name if number < 6 else None, mrr_eur=number, is_active=number > 0
        )
        for day in (date(2026, 1, 31), date(2026, 2, 1 + number))[: 1 + number % 2]:
            estate.put("fct_usage_daily", account_key=key_of(name), usage_date=day, active_user_count=number)
        estate.put(
            "fct_tickets",
            account_key=key_of(name),
            priority="urgent" if number % 3 else None,
            created_at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC) + timedelta(hours=number),
        )
    dsn = estate.application_url.replace("postgresql+psycopg://application:", "postgresql://{}:")
    server = Server(dsn=dsn.format("analyst"), watcher_dsn=dsn.format("application"))
    estate.publish()
    columnar.write(dsn.format("transformer"), tmp_path)
    with estate.work() as db:
        known = marts(reach.relations(db))
        copy = copies.of_published(db, tmp_path)
    assert copy is not None

    def ask(asked: Question) -> Answer:
        text = gate.checked(statement.of(asked, known), schema=reach.SCHEMA, relations=list(known))
        answer = runner.run(server, text, {})
        if copy.has(text):  # what changes between publications is not in it
            of_copy = copies.run(copy, text, limits=runner.SCREEN, patience=Patience(), reader=Reader())
            assert of_copy.engine is runner.Engine.COPY
            assert [column.name for column in of_copy.columns] == [column.name for column in answer.columns]
            assert comparable(of_copy, asked) == comparable(answer, asked)
        return answer

    ask.marts = known  # pyright: ignore[reportFunctionMemberAccess]
    return ask


def comparable(answer: Answer, asked: Question) -> list[Any]:
    """Rows of an answer, in their order where they have one; the last digits of a figure are not."""
    rows = [
        tuple(round(cell, 9) if isinstance(cell, int | float) and not isinstance(cell, bool) else cell for cell in row)
        for row in answer.rows
    ]
    return sorted(map(repr, rows)) if asked.view is View.ROWS else rows


def only(*filters: Filter, mart: str = "dim_accounts") -> Question:
    return Question(mart=mart, groups=(Dimension(column="account_name"),), measures=(ROWS,), filters=filters)


def test_a_filter_gives_exactly_the_rows_of_its_value_whatever_that_is(answers: Any) -> None:
    for name in HOSTILE:
        by_name = answers(only(Filter(column="account_name", test=Test.IS, values=(name,))))
        by_part = answers(only(Filter(column="account_name", test=Test.CONTAINS, values=(name[1:].upper(),))))
        others = answers(only(Filter(column="account_name", test=Test.IS_NOT, values=(name,))))

        assert by_name.rows == [(name, 1)]
        assert {row[0] for row in by_part.rows} == {one for one in HOSTILE if name[1:].upper().lower() in one.lower()}
        assert {row[0] for row in others.rows} == {*HOSTILE} - {name}
    numbers = answers(
        only(
            Filter(column="mrr_eur", test=Test.FROM, values=("2",)),
            Filter(column="mrr_eur", test=Test.BEFORE, values=("4",)),
            Filter(column="is_active", test=Test.IS, values=("true",)),
            Filter(column="segment", test=Test.FILLED),
        )
    )
    assert {row[0] for row in numbers.rows} == {HOSTILE[2], HOSTILE[3]}


def test_figures_are_those_of_their_group_by_time_and_by_what_is_known_of_the_account(answers: Any) -> None:
    of = [Measure(function=one, column="active_user_count") for one in Function if one is not Function.COUNT]
    found = answers(
        Question(
            mart="fct_usage_daily",
            groups=(Dimension(column="usage_date", unit=Unit.QUARTER), Dimension(column="account.is_active")),
            measures=(ROWS, *of[:5]),
            filters=(Filter(column="usage_date", test=Test.FROM, values=("2026-02-01",)),),
        )
    )

    # odd numbers 1, 3, 5, 7, 9 have a day in February
    assert found.rows == [(date(2026, 1, 1), True, 5, 5, 25, 5.0, 5.0, 1)]
    names = ["usage_date_quarter", "account_is_active", "rows_counted", "distinct_active_user_count"]
    assert [column.name for column in found.columns][:4] == names


def test_a_split_shows_the_largest_parts_the_rest_together_and_the_empty_ones(
    answers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "LARGEST_PARTS", 3)
    asked = Question(
        mart="dim_accounts",
        split=Dimension(column="segment"),
        measures=(Measure(function=Function.SUM, column="mrr_eur"), ROWS),
    )

    rows = answers(asked).rows
    behind = drill.into(asked, answers.marts["dim_accounts"], [OTHER], parts=[row[0] for row in rows if row[0]])

    # 6 to 9 have no segment; of the others 5, 4 and 3 are the largest
    assert set(rows) == {(None, 30, 4), (HOSTILE[5], 5, 1), (HOSTILE[4], 4, 1), (HOSTILE[3], 3, 1), (OTHER, 3, 3)}
    assert answers(replace(behind, split=None)).rows == [(3, 3)]


def test_behind_a_bin_and_a_month_are_as_many_rows_as_were_counted(answers: Any) -> None:
    known = answers.marts
    bins = Question(mart="dim_accounts", view=View.HISTOGRAM, groups=(Dimension(column="mrr_eur"),))
    months = Question(
        mart="fct_usage_daily",
        view=View.LINE,
        groups=(Dimension(column="usage_date", unit=Unit.MONTH),),
        split=Dimension(column="account.account_name"),
        measures=(ROWS,),
    )

    for asked in (bins, months):
        found = answers(asked)
        assert sum(row[-1] for row in found.rows) == (10 if asked is bins else 15)
        for row in found.rows[:12]:
            behind = drill.into(asked, known[asked.mart], row, parts=[one[1] for one in found.rows])
            count = replace(behind, view=View.TABLE, groups=(), split=None, measures=(ROWS,))
            assert answers(count).rows == [(row[-1],)], row
    assert drill.into(months, known[months.mart], answers(months).rows[0]).groups[0].unit is Unit.WEEK


def test_a_click_keeps_the_bounds_that_the_question_has_in_mid_month_and_in_mid_bin(answers: Any) -> None:
    def bounds(column: str, *values: str) -> tuple[Filter, ...]:
        pairs = zip((Test.FROM, Test.BEFORE), values, strict=True)
        return tuple(Filter(column=column, test=test, values=(value,)) for test, value in pairs)

    day = Dimension(column="usage_date", unit=Unit.MONTH)
    within = bounds("usage_date", "2026-02-03", "2026-02-07")
    months = Question(mart="fct_usage_daily", view=View.LINE, groups=(day,), measures=(ROWS,), filters=within)
    bins = Question(
        mart="dim_accounts",
        view=View.HISTOGRAM,
        groups=(Dimension(column="mrr_eur"),),
        filters=bounds("mrr_eur", "2.5", "7.5"),
    )

    for asked, row in ((months, (date(2026, 2, 1), 2)), (bins, (0.0, 10.0, 5))):
        behind = drill.into(asked, answers.marts[asked.mart], row)
        count = replace(behind, view=View.TABLE, groups=(), measures=(ROWS,))
        assert answers(count).rows == [(row[-1],)]
        assert behind.filters == asked.filters
    narrowed = drill.into(
        replace(months, filters=within[:1]), answers.marts["fct_usage_daily"], (date(2026, 2, 1), 2)
    ).filters
    assert narrowed == (within[0], *bounds("usage_date", "2026-02-01", "2026-03-01")[1:])


def test_a_cohort_says_who_comes_back_after_how_many_months(answers: Any) -> None:
    found = answers(
        Question(
            mart="fct_usage_daily",
            view=View.COHORT,
            groups=(Dimension(column="usage_date", unit=Unit.MONTH), Dimension(column="account_key")),
        )
    )

    assert found.rows == [(date(2026, 1, 1), 0, 10), (date(2026, 1, 1), 1, 5)]


def test_every_mart_can_be_drawn_in_every_way(answers: Any) -> None:
    for mart in answers.marts.values():
        for view in View:
            answers(checks.suited(replace(checks.first(mart), view=view), mart))


@settings(max_examples=80, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_both_engines_give_one_answer_to_whatever_is_asked(answers: Any, data: st.DataObject) -> None:
    mart = answers.marts[data.draw(st.sampled_from(["dim_accounts", "fct_usage_daily", "fct_tickets"]))]
    units = {True: st.sampled_from(Unit), False: st.none()}
    dimension = st.sampled_from(sorted(mart.columns.values(), key=lambda column: column.name)).flatmap(
        lambda column: st.builds(Dimension, column=st.just(column.name), unit=units[column.kind in TIMES])
    )
    figure = st.sampled_from(mart.of(Kind.NUMBER, Kind.WHOLE, Kind.BOOLEAN)).map(lambda column: column.name)
    measure = st.builds(
        Measure, function=st.sampled_from([one for one in Function if one.value != "count"]), column=figure
    )
    asked = checks.suited(
        Question(
            mart=mart.name,
            view=data.draw(st.sampled_from(View)),
            groups=tuple(data.draw(st.lists(dimension, max_size=2, unique=True))),
            split=data.draw(st.none() | dimension),
            measures=(ROWS, *data.draw(st.lists(measure, max_size=2, unique=True))),
        ),
        mart,
    )
    try:
        checks.checked(asked, answers.marts)
    except InvalidInput:
        reject()

    answers(asked)


def test_a_number_is_asked_for_as_it_may_be_reckoned() -> None:
    def relation(name: str, *fields: tuple[str, str]) -> Relation:
        made = tuple(Field(name=field, kind=kind, description="") for field, kind in fields)
        return Relation(name=name, description="One row.", fields=made)

    accounts = relation("dim_accounts", ("segment", "text"), ("mrr", "numeric"), ("currency_code", "text"))
    risk = relation("fct_churn_risk_daily", ("risk_date", "date"), ("mrr_at_risk_eur", "numeric"))
    monthly = relation(
        "fct_revenue_retention_monthly", ("month_start_date", "date"), ("segment", "text"), ("nrr_ratio", "real")
    )
    tickets = relation("fct_tickets", ("created_at", "timestamp with time zone"), ("resolution_minutes", "integer"))
    known = marts([accounts, risk, monthly, tickets])

    offered = by_metric.offered(known)
    said = {
        name: (one.view, one.groups[0].unit, one.split and one.split.column, one.measures[0].function)
        for name, metric in offered.items()
        if checks.checked(one := by_metric.question(metric, known), known)
    }

    assert said == {
        "mrr_at_risk": (View.LINE, Unit.DAY, None, Function.SUM),  # every day holds all of it: a month would add it up
        "mrr_own": (View.BAR, None, "currency_code", Function.SUM),
        "nrr": (View.LINE, Unit.MONTH, "segment", Function.AVERAGE),  # one row each: no mean of ratios
        "resolution": (View.LINE, Unit.MONTH, None, Function.MEDIAN),
    }
    assert by_metric.of_question(by_metric.question(offered["nrr"], known)) == offered["nrr"]
    at_risk = by_metric.question(offered["mrr_at_risk"], known)
    by_month = replace(at_risk, groups=(replace(at_risk.groups[0], unit=Unit.MONTH),))
    assert [by_metric.adds_days(one) for one in (at_risk, by_month)] == [False, True]
