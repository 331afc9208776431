"""What the gate says of the parts of a statement: parameters, places, and what it cannot even read."""

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
