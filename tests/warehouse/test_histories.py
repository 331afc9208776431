"""Whatever came in whatever order: what grew load by load is what one build of everything makes, row for row."""

import os
from datetime import date, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.warehouse.estate import empty
from tests.warehouse.histories import History
from tests.warehouse.project import Project
from tests.warehouse.test_daily_facts import _load

FIRST = date(2026, 1, 1)
ACCOUNTS = 24
STEPS = 40
# One in every run; more of them at a desk: WAREHOUSE_HISTORIES=20 python -m pytest tests/warehouse/test_histories.py
SEEDS = range(int(os.environ.get("WAREHOUSE_HISTORIES", "1")))
# The views on the sources are the same in every build; without them it takes half the time.
MODELS = ("run", "--exclude", "path:models/staging")
Rows = dict[str, list[tuple[Any, ...]]]


def _rows(project: Project) -> Rows:
    """Every row of every mart as text, in the order of the text."""
    with psycopg.connect(project.warehouse.transformer_dsn) as db:
        marts = db.execute("select tablename from pg_tables where schemaname = 'marts_next' order by 1").fetchall()
        read = sql.SQL("select row_to_json(mart)::text from {} as mart order by 1")
        return {mart: db.execute(read.format(sql.Identifier("marts_next", mart))).fetchall() for (mart,) in marts}


def _forget_what_was_built(project: Project) -> None:
    with psycopg.connect(project.warehouse.transformer_dsn) as db:
        for schema in ("marts_next", "intermediate"):
            tables = db.execute("select tablename from pg_tables where schemaname = %s", (schema,)).fetchall()
            for (table,) in tables:
                db.execute(sql.SQL("drop table {} cascade").format(sql.Identifier(schema, table)))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_grew_load_by_load_is_what_one_build_of_everything_makes(built: Project, seed: int) -> None:
    random = Random(seed)
    today = FIRST + timedelta(days=random.randint(60, 90))
    with (
        psycopg.connect(built.warehouse.loader_dsn, autocommit=True) as loader,
        psycopg.connect(built.warehouse.admin_dsn, autocommit=True) as people,
    ):
        people.execute("set session_replication_role = replica")
        empty(loader)
        history = History(random, people, FIRST, ACCOUNTS)
        history.begin(_load(loader, today), today)
        built.run(*MODELS, "--full-refresh")
        today += timedelta(days=random.randint(0, 2))
        history.go_on(_load(loader, today, hour=4), today, steps=STEPS)
        built.run(*MODELS, "fct_churn_risk_daily+")  # and there it was killed
        today += timedelta(days=random.randint(0, 9))
        history.go_on(_load(loader, today, hour=6), today, steps=STEPS)
        built.run(*MODELS)
        grown = _rows(built)
        _forget_what_was_built(built)

        built.run(*MODELS, "--full-refresh")

        whole = _rows(built)
        empty(loader)
        people.execute("truncate app.identity_links")
        # Whoever uses the database next loads earlier days: nothing was built that theirs could go on from.
        people.execute("drop table intermediate.int_time__built_windows")
    differing = {
        mart: {"too many": sorted(set(grown[mart]) - set(rows)), "missing": sorted(set(rows) - set(grown[mart]))}
        for mart, rows in whole.items()
        if grown[mart] != rows
    }
    assert len(whole["fct_account_health_daily"]) > ACCOUNTS * 30
    assert not differing, "\n".join([*history.told, *map(str, differing.items())])
