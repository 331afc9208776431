"""The learner on a real warehouse: what it may reach, what it writes, and builds with it in the middle."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from learning import service, store
from learning.additive import Additive, ArtefactBroken, Term
from learning.features import NAMES
from learning.training import Training
from tests.warehouse.estate import Load, days, empty
from tests.warehouse.project import Project
from tests.warehouse.test_daily_facts import FACTS, FIRST, START, _first_load, _load, _rows, _second_load

BEFORE, AFTER = ("--exclude", "source:learning+"), ("--select", "source:learning+")
RISK = "select * from marts_next.fct_churn_risk_daily order by account_key, risk_date"
FEATURES = "select * from intermediate.int_risk__features where risk_date <= %s order by account_key, risk_date"


def model(weight: float) -> Additive:
    return Additive(-4.0, (Term("days_since_contact", "line", (0.0, 90.0), (0.0, weight), 0.0),))


def learned(day: date, weight: float) -> Training:
    basis = f"Learned from {weight:.0f} churned accounts"
    return Training("logistic", model(weight), day, 2, 2, basis, "It did better.")


def build(project: Project, *options: str) -> service.Scored:
    """The two steps with the learner between them, as a run does it; says what was scored."""
    project.run("run", *BEFORE, *options)
    with psycopg.connect(project.warehouse.learner_dsn) as learner:
        scored = service.score(learner)
    project.run("run", *AFTER, *options)
    return scored


def add(project: Project, made: Training) -> store.Version:
    with psycopg.connect(project.warehouse.learner_dsn) as learner:
        return store.add_version(learner, made)


def risk_on(project: Project, day: date) -> list[tuple[Any, ...]]:
    return _rows(
        project,
        "select account_id, risk_kind, model_version, risk_basis from marts_next.fct_churn_risk_daily"
        " join marts_next.dim_accounts using (account_key) where risk_date = %s order by 1",
        day,
    )


def forget(project: Project) -> None:
    """Empty sources and an empty learner, for whoever uses the database next."""
    with psycopg.connect(project.warehouse.loader_dsn, autocommit=True) as loader:
        empty(loader)
    with psycopg.connect(project.warehouse.admin_dsn) as admin:
        admin.execute("set session_replication_role = replica")  # its own triggers refuse this, as they should
        admin.execute("truncate learning.churn_scores, learning.model_versions restart identity")


@pytest.fixture(scope="module")
def estate(built: Project) -> Iterator[Project]:
    """Two days: on the first a version comes into force, on the second another one."""
    forget(built)
    with psycopg.connect(built.warehouse.loader_dsn, autocommit=True) as loader:
        _first_load(_load(loader, FIRST))
        build(built)
        add(built, learned(FIRST, 1.0))
        build(built)
        _second_load(_load(loader, FIRST + timedelta(days=1)))
    add(built, learned(FIRST + timedelta(days=1), 2.0))
    build(built)
    yield built
    forget(built)


def test_each_day_is_told_by_the_version_in_force_on_it(estate: Project) -> None:
    before, first, second = (risk_on(estate, FIRST + timedelta(days=n)) for n in (-1, 0, 1))

    assert {row[1:] for row in before} == {("rules", "rules-1", "Rules: nothing was learned yet")}
    assert {row[1:] for row in first} == {("model", "churn-1", "Learned from 1 churned accounts")}
    assert {row[1:] for row in second} == {("model", "churn-2", "Learned from 2 churned accounts")}
    assert [row[0] for row in second] == ["alpha", "delta"]


def test_a_figure_of_the_mart_is_the_models_with_its_drivers(estate: Project) -> None:
    [(probability, band, at_risk, drivers)] = _rows(
        estate,
        "select churn_probability_90d, churn_risk_band, mrr_at_risk_eur, drivers from marts_next.fct_churn_risk_daily"
        " where account_key = md5('hubspot:alpha') and risk_date = %s",
        FIRST,
    )

    # the last meeting was on 1 February, 37 days before
    hazard = 1 / (1 + 2.718281828459045 ** (4.0 - 37 / 90))
    assert probability == pytest.approx(1 - (1 - hazard) ** 3, abs=1e-6)
    assert band == "Low"
    assert float(at_risk) == pytest.approx(probability * 400, abs=0.01)
    assert [driver["text"] for driver in drivers] == ["Last two-way contact 37 days ago"]
    assert (drivers[0]["direction"], drivers[0]["points"]) == ("raises", round(37 / 90, 4))


def test_a_whole_build_with_the_learner_writes_what_the_daily_ones_did(estate: Project) -> None:
    grew = {
        fact: _rows(estate, f"select * from marts_next.{fact} order by account_key, {day}")
        for fact, day in FACTS.items()
    }

    scored = build(estate, "--full-refresh")

    assert scored.day_count > 0
    assert scored.written_count == 0
    for fact, day in FACTS.items():
        assert _rows(estate, f"select * from marts_next.{fact} order by account_key, {day}") == grew[fact]


def test_scoring_twice_writes_nothing_more(estate: Project) -> None:
    with psycopg.connect(estate.warehouse.learner_dsn) as learner:
        again = service.score(learner)

    assert again.day_count > 0
    assert again.written_count == 0


def test_no_feature_of_a_day_changes_because_of_what_happens_after_it(built: Project) -> None:
    forget(built)
    later = FIRST + timedelta(days=40)
    with psycopg.connect(built.warehouse.loader_dsn, autocommit=True) as loader:
        _first_load(_load(loader, FIRST))
        built.run("run", "--full-refresh", *BEFORE)
        seen = _rows(built, FEATURES, FIRST)
        load = _load(loader, later)
        _everything_happens(load, FIRST, later)
    built.run("run", "--full-refresh", *BEFORE)

    known_later = _rows(built, FEATURES, FIRST)

    forget(built)
    assert len(seen) > 200
    assert known_later == seen


def _everything_happens(load: Load, day: date, later: date) -> None:
    """From the day after `day` on: Beta gives notice and leaves, Alpha loses its champion, and much else."""
    after = day + timedelta(days=2)
    load.subscription("sub_beta", "cus_beta", start=START, seats=4, ended=later, reason="cancellation_requested")
    load.contact("ann", "alpha", created=START, role="CHAMPION", left=after)
    load.contact("bob", "alpha", created=after, role="CHAMPION")
    load.meeting("m2", "beta", after)
    load.ticket(1, 11, created=date(2026, 2, 20), priority="urgent", solved=after)
    load.ticket(2, 12, created=after, priority="urgent")
    load.answer("r2", 1, score="2", day=after)
    load.invoice(
        "in_alpha_late", "cus_alpha", "sub_alpha", period=(day + timedelta(days=22), later), seats=9, paid=None
    )
    load.use(1, days(after, later), users=9)


def test_the_learner_reads_two_views_and_writes_its_own_schema_only(built: Project) -> None:
    with psycopg.connect(built.warehouse.learner_dsn) as learner:
        for view in ("int_risk__training_days", "int_risk__scoring_days"):
            columns = {
                column.name for column in learner.execute(f"select * from intermediate.{view}").description or ()
            }  # pyright: ignore[reportArgumentType]
            assert set(NAMES) <= columns
        for closed in (
            "select * from intermediate.int_accounts__lives",
            "select * from marts.dim_accounts",
            "select * from marts_next.dim_accounts",
            "select * from raw_hubspot.companies",
            "select * from app.users",
            "create table marts.mine (x integer)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), learner.transaction():
                learner.execute(closed.encode())
    with psycopg.connect(built.warehouse.transformer_dsn) as transformer:
        transformer.execute("select * from learning.churn_scores")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), transformer.transaction():
            transformer.execute("insert into learning.churn_scores (account_key) values ('a')")


def test_what_was_learned_is_never_changed_or_deleted_and_a_tampered_model_is_refused(built: Project) -> None:
    version = add(built, learned(FIRST, 1.0))
    with psycopg.connect(built.warehouse.learner_dsn) as learner:
        assert store.model(learner, version.version_id) == model(1.0)
        for change in (
            "update learning.model_versions set basis = 'better'",
            "delete from learning.model_versions",
            "truncate learning.churn_scores",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="never changed or deleted"), learner.transaction():
                learner.execute(change.encode())
    with psycopg.connect(built.warehouse.admin_dsn) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute("update learning.model_versions set artefact = jsonb_set(artefact, '{intercept}', '9')")

    with psycopg.connect(built.warehouse.learner_dsn) as learner, pytest.raises(ArtefactBroken, match="hash"):
        store.model(learner, version.version_id)
    forget(built)


def test_training_is_due_weekly_by_the_datas_clock_and_says_when_the_rules_stay(built: Project) -> None:
    forget(built)
    with psycopg.connect(built.warehouse.loader_dsn, autocommit=True) as loader:
        _first_load(_load(loader, FIRST))
    built.run("run", *BEFORE)
    made: list[store.Version | None] = []
    for as_of in (FIRST, FIRST + timedelta(days=6), FIRST + timedelta(days=7)):
        with psycopg.connect(built.warehouse.transformer_dsn) as transformer:
            transformer.execute("update intermediate.int_time__as_of set as_of_date = %s", (as_of,))
        with psycopg.connect(built.warehouse.learner_dsn) as learner:
            made.append(service.train_when_due(learner))
    built.run("run", "--select", "fct_churn_risk_daily")

    said = _rows(
        built, "select distinct risk_kind, risk_basis from marts_next.fct_churn_risk_daily where risk_date = %s", FIRST
    )

    forget(built)
    assert [version and version.trained_until for version in made] == [FIRST, None, FIRST + timedelta(days=7)]
    assert said == [("rules", "Rules: too little history (0 of 50 churned accounts)")]
