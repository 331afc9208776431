"""Each of the three layers by itself: the gate, the grants of the role, and how a statement is run.

What each does to every statement of statements.toml stands there. With the grants off a statement runs as the role that
owns the marts; with the gate off nobody has looked at it; with the third off it comes straight down a connection whose
limits have been lifted.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import AppError
from app.sandbox import gate, runner
from app.sandbox.functions import ALLOWED
from app.sandbox.gate import Refused, Statement
from app.sandbox.runner import Server
from tests.app.factories import Estate
from tests.sandbox.conftest import dsn_of

FILE = Path(__file__).with_name("statements.toml")
STATEMENTS: list[dict[str, str]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["statement"]
UPDATE = os.environ.get("UPDATE_VERDICTS") == "1"
LAYERS = ("gate", "grants", "run")


def compare(layer: str, found: Mapping[str, str]) -> None:
    """What this layer did to each statement is what stands in the file, which UPDATE_VERDICTS writes anew."""
    if UPDATE:
        for one in STATEMENTS:
            one[layer] = found[one["sql"]]
        head = FILE.read_text(encoding="utf-8").partition("[[statement]]")[0]
        entries = ("".join(f"{name} = {_toml(value)}\n" for name, value in one.items()) for one in STATEMENTS)
        FILE.write_text(head + "\n".join(f"[[statement]]\n{entry}" for entry in entries), encoding="utf-8")
    assert found == {one["sql"]: one[layer] for one in STATEMENTS}


def _toml(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextmanager
def nothing_changes(estate: Estate) -> Iterator[None]:
    """Afterwards every table of the estate holds what it held, and there are as many tables and large objects."""

    def state() -> Any:
        things = ("pg_largeobject_metadata", "pg_class", "pg_proc", "pg_roles", "pg_db_role_setting")
        return estate.fingerprint(), [estate.one(f"select count(*) from {thing}") for thing in things]

    before = state()
    yield
    assert state() == before


def gate_verdict(sql: str, relations: frozenset[str]) -> str:
    """`taken`, or `refused`."""
    try:
        gate.checked(sql, schema="marts", relations=relations)
    except Refused:
        return "refused"
    return "taken"


def test_s01_s02_s03_s04_s07_s08_s09_the_gate_alone(relations: frozenset[str]) -> None:
    found = {one["sql"]: gate_verdict(one["sql"], relations) for one in STATEMENTS}

    compare("gate", found)
    assert {one["control"] for one in STATEMENTS if found[one["sql"]] == "taken"} == {"harmless"}
    assert {one["control"] for one in STATEMENTS if found[one["sql"]] == "refused"} >= {"S02", "S03", "S04", "S08"}


def test_s01_s02_s04_s07_s08_s09_the_grants_alone(estate: Estate) -> None:
    found = {}
    with nothing_changes(estate):
        for sql in (one["sql"] for one in STATEMENTS):
            with closing(psycopg.connect(dsn_of(estate, "analyst"), autocommit=True)) as analyst:
                analyst.execute("set default_transaction_read_only = off; set statement_timeout = '400ms'")
                try:
                    analyst.execute(sql.encode())
                    found[sql] = "passes"
                except psycopg.Error as error:
                    found[sql] = error.sqlstate or type(error).__name__

    compare("grants", found)


def as_it_is(sql: str) -> Statement:
    """A statement that nobody has looked at."""
    return Statement(text=sql, sql=sql.rstrip(";"), parameters=(), relations=(), offset=0, shifts=())


def test_s01_s02_s03_s04_s07_s08_s09_how_it_is_run_alone(estate: Estate, server: Server) -> None:
    owner = replace(server, dsn=dsn_of(estate, "transformer"), watcher_dsn=estate.admin.info.dsn)
    found = {}
    with nothing_changes(estate):
        for sql in (one["sql"] for one in STATEMENTS):
            try:
                runner.run(owner, as_it_is(sql), {})
                found[sql] = "passes"
            except AppError as error:
                found[sql] = type(error).__name__

    compare("run", found)


_SPACES = st.sampled_from([" ", "\n", "\t", "  ", " /* x */ ", " -- y\n", "\r\n", "\f"])


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_s01_case_spaces_and_comments_change_no_verdict(data: st.DataObject) -> None:
    relations = frozenset({"dim_accounts"})
    # libpg_query takes no comment between the words of WITH ORDINALITY, which PostgreSQL reads as one
    plain = [one for one in STATEMENTS if not set("'\"$") & set(one["sql"]) and "with ordinality" not in one["sql"]]
    one = data.draw(st.sampled_from(plain))
    words = [data.draw(st.sampled_from([word, word.upper(), word.title()])) for word in one["sql"].split(" ")]
    changed = "".join(word + data.draw(_SPACES) for word in words)

    assert gate_verdict(data.draw(_SPACES) + changed, relations) == one["gate"]


def test_s13_what_the_role_may_call_only_computes_and_the_gate_lets_no_more_through(
    estate: Estate, relations: frozenset[str]
) -> None:
    may = estate.admin.execute(
        """select proname, bool_or(provolatile = 'v') from pg_proc
           where has_function_privilege('analyst', oid, 'execute')
             and has_schema_privilege('analyst', pronamespace, 'usage')
           group by proname"""
    ).fetchall()
    calls = {name: gate_verdict(f'select "{name}"()', relations) for name, _ in may}

    assert [name for name, is_volatile in may if is_volatile] == []
    assert {name for name, verdict in calls.items() if verdict == "taken"} <= ALLOWED
    assert ALLOWED - {name for name, _ in may} == set(), "the gate lets through what the role may not call"
