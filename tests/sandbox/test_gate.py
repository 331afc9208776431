"""What the gate says of the parts of a statement: parameters, places, and what it cannot even read."""

import re

import pytest

from app.sandbox import gate
from app.sandbox.gate import Refused, Statement

RELATIONS = frozenset({"dim_accounts"})


def checked(text: str) -> Statement:
    """As the gate takes it."""
    return gate.checked(text, schema="marts", relations=RELATIONS)


def test_a_parameter_is_a_number_to_the_server_and_text_that_looks_like_one_stays_text() -> None:
    statement = checked("select :least::int, :Name, ':no', $$:no$$, (array[1, 2])[1:2] -- :no\nwhere 1 = :least")

    assert statement.parameters == ("least", "Name")
    assert statement.sql == "select $1::int, $2, ':no', $$:no$$, (array[1, 2])[1:2] -- :no\nwhere 1 = $1"


def test_a_place_is_that_of_the_text_as_it_was_typed() -> None:
    statement = checked(";\n select :long_name, 'ü',\n  mrr from dim_accounts;")

    assert statement.place(statement.sql.index("mrr") + 1) == (3, 3)
    assert statement.relations == ("dim_accounts",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "exactly one"),
        ("-- nothing", "exactly one"),
        ("select 1; select 2", "exactly one"),
        ("\ufeffselect 1", "Syntax error"),
        ("select '\x00'", "not text"),
        ("select '\ud800'", "not text"),
        ("select $1", "as a number"),
        ("select " + "+".join(["1"] * 500), "nested too deeply"),
        ("select " + "(" * 20_000, "20,000 characters"),
        ("select " + ", ".join(f":p{number}" for number in range(51)), "50 parameters"),
        ("select 1 /*", "Unterminated"),
        ("select\n  foo(1)", "line 2, column 3"),
        ("select 'ü',\n from", "line 2, column 2"),
        ("select * from other.dim_accounts", "no table other.dim_accounts"),
        ("select * from elsewhere.marts.dim_accounts", "no table"),
        ("select null::dim_accounts", "type dim_accounts"),
        ("select 1 operator(marts.+) 2", "Operators of a schema"),
        ("select * from dim_accounts tablesample system (1)", "RangeTableSample"),
    ],
)
def test_s03_what_is_not_one_plain_statement_is_refused_with_a_reason(text: str, said: str) -> None:
    with pytest.raises(Refused) as refusal:
        checked(text)

    assert said in refusal.value.message


@pytest.mark.parametrize(
    "text",
    [
        "select xmin from dim_accounts",
        "select a.mrr,\n a.CTID from dim_accounts a",
        "select marts.dim_accounts.tableoid from marts.dim_accounts",
        "select 1 from dim_accounts order by xmax",
        "select (a).cmin from dim_accounts a",
        "select cmax(a) from dim_accounts a",
        "select count(*) from dim_accounts where ctid = '(0,1)'",
        'select "xmin"::text from dim_accounts',
    ],
)
def test_s08_a_column_of_the_server_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        checked(text)

    assert re.search(
        r"The (column|function) (xmin|ctid|tableoid|xmax|cmin|cmax) (is the server's own|cannot)", str(refusal.value)
    )


@pytest.mark.parametrize(
    "text",
    [
        "select a from dim_accounts a where (a.mrr, a.plan) = (1, 'x') and a is not null",
        "select to_jsonb(a), a.* from dim_accounts a where a = a",
        "select 1 as ctid, 'xmin' as said",
    ],
)
def test_whole_rows_and_texts_that_look_like_a_column_of_the_server_are_taken(text: str) -> None:
    assert checked(text).sql == text


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("datetrunc", "Close to it: date_trunc"),
        ("cuont", "Close to it: count"),
        ("string_aggr", "Close to it: string_agg"),
        ("pg_read_file", "not among those that only compute"),
    ],
)
def test_a_misspelt_function_is_told_with_those_it_resembles(name: str, hint: str) -> None:
    with pytest.raises(Refused) as refusal:
        checked(f"select {name}(1)")

    assert refusal.value.message == f"The function {name} cannot be used here. (line 1, column 8)"
    assert hint in refusal.value.hint
