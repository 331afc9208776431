"""What everything stands on: settings, transactions, migrations, grants, clock."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import ValidationError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

import app.actions.tables
import app.notices.tables
import app.playbooks.tables
import app.sandbox.tables
import app.suggestions.tables  # noqa: F401  # registers its tables
from app import clock
from app.actions import lifecycle, vocabulary
from app.auth import Role
from app.db import engine, read, unit_of_work
from app.migrations.run import downgrade, upgrade
from app.settings import Settings, get_settings
from app.suggestions.model import DismissalReason, SuggestionStatus
from app.suggestions.policy import policy_from_params
from app.suggestions.repository import active_policy, active_rules
from app.suggestions.rules import rule_from_params
from app.suggestions.triggers.registry import LOGIC
from app.tables import metadata
from tests.app.factories import Estate
from tests.conftest import Warehouse


def test_settings_name_what_is_missing_and_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", "postgresql+psycopg://application:hunter2@host/db")
    get_settings.cache_clear()
    assert "hunter2" not in repr(get_settings())

    monkeypatch.delenv("APP_DATABASE_URL")
    with pytest.raises(ValidationError, match="app_database_url"):
        Settings()  # pyright: ignore[reportCallIssue]


ADD = text("insert into app.login_attempts (email, address, attempted_at, succeeded) values ('a', 'b', now(), true)")


def fail_after_writing(db: Connection) -> None:
    db.execute(ADD)
    db.execute(text("select 1 / 0"))


def test_a_unit_of_work_commits_once_or_not_at_all(estate: Estate) -> None:
    with unit_of_work(estate.engine) as db:
        db.execute(ADD)
    with pytest.raises(DBAPIError), unit_of_work(estate.engine) as db:
        fail_after_writing(db)

    assert estate.one("select count(*) from app.login_attempts") == 1


def test_a_reading_connection_cannot_write_and_the_next_one_can(estate: Estate) -> None:
    for _ in range(3):
        with read(estate.engine) as db:
            assert db.execute(text("select 1")).scalar_one() == 1
            with pytest.raises(DBAPIError, match="read-only"):
                db.execute(ADD)
        with unit_of_work(estate.engine) as db:
            db.execute(ADD)

    assert estate.one("select count(*) from app.login_attempts") == 3


def test_the_engine_of_the_process_comes_from_the_settings(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", estate.application_url)
    get_settings.cache_clear()

    with unit_of_work() as db:
        assert db.execute(text("show timezone")).scalar_one() == "UTC"
        assert db.execute(text("show statement_timeout")).scalar_one() == "15s"
    assert engine() is engine()


# --- migrations ------------------------------------------------------------------------------------------------------


def test_migrations_go_up_down_and_up_again(warehouse: Warehouse) -> None:
    upgrade(warehouse.application_url)
    upgrade(warehouse.application_url)
    downgrade(warehouse.application_url, "base")
    with psycopg.connect(warehouse.admin_dsn) as admin:
        left = admin.execute("select tablename from pg_tables where schemaname = 'app'").fetchall()
        assert left == [("alembic_version",)]
    upgrade(warehouse.application_url)


def test_two_migrations_at_once_take_turns(warehouse: Warehouse) -> None:
    with ThreadPoolExecutor(max_workers=3) as pool:
        assert list(pool.map(lambda _: upgrade(warehouse.application_url), range(3))) == [None, None, None]


def test_the_tables_in_code_are_the_tables_in_the_database(estate: Estate) -> None:
    def only_app(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "schema" or name == "app"

    with estate.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_name": only_app, "version_table_schema": "app"}
        )
        differences = compare_metadata(context, metadata)

    # what only the database knows (indexes, keys to other tables, constraints) is written in the migrations alone
    kinds = {item[0] for item in differences if isinstance(item, tuple)} - {
        "remove_index",
        "remove_fk",
        "remove_constraint",
    }
    assert kinds == set(), differences


LISTS: list[tuple[str, type[StrEnum]]] = [
    ("users_role", Role),
    ("actions_action_type", vocabulary.ActionType),
    ("actions_intervention", vocabulary.Intervention),
    ("actions_priority", vocabulary.Priority),
    ("actions_status", lifecycle.Status),
    ("actions_source", vocabulary.Source),
    ("actions_result", lifecycle.Result),
    ("actions_cancel_reason", lifecycle.CancelReason),
    ("action_events_actor_kind", vocabulary.ActorKind),
    ("action_events_kind", vocabulary.EventKind),
    ("action_outcomes_execution", vocabulary.Execution),
    ("action_outcomes_customer_response", vocabulary.CustomerResponse),
    ("action_outcomes_result", lifecycle.Result),
    ("action_outcomes_done_intervention", vocabulary.Intervention),
    ("action_outcomes_channel", vocabulary.Channel),
    ("action_outcomes_stakeholder_role_reached", vocabulary.StakeholderRole),
    ("suggestions_action_type", vocabulary.ActionType),
    ("suggestions_intervention", vocabulary.Intervention),
    ("suggestions_priority", vocabulary.Priority),
    ("suggestions_status", SuggestionStatus),
    ("suggestions_dismissal_reason", DismissalReason),
]


def test_every_closed_list_is_the_same_in_code_and_in_the_database(estate: Estate) -> None:
    for constraint, closed_list in LISTS:
        definition = estate.one("select pg_get_constraintdef(oid) from pg_constraint where conname = %s", constraint)
        held = {part.split("'")[1] for part in definition.split(",") if "'" in part}
        assert held == {member.value for member in closed_list}, constraint


def test_the_stored_rules_and_policy_are_complete(estate: Estate) -> None:
    with estate.work() as db:
        rules = [rule_from_params(*row) for row in active_rules(db)]
        policy = policy_from_params("rules", *active_policy(db, "rules"))

    assert {rule.rule_id for rule in rules} == set(LOGIC)
    for rule in rules:
        assert rule.action_type in set(vocabulary.ActionType)
        assert set(rule.interventions) <= set(vocabulary.Intervention)
        assert rule.interventions
    assert set(policy.priority_weight) == set(vocabulary.Priority)
    assert policy.budget_per_csm_and_day == 5


def test_the_transformer_reads_what_it_stages_and_no_secret(estate: Estate) -> None:
    allowed = {
        row[0]
        for row in estate.admin.execute(
            "select relname from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r'"
            " and relname <> 'alembic_version' and has_table_privilege('transformer', oid, 'select')"
        )
    }
    assert allowed == {
        *("actions", "action_events", "action_notes", "action_outcomes", "decisions", "context_snapshots"),
        *("suggestions", "suggestion_events", "rules", "policies", "identity_links"),
    }
    estate.transformer.execute("select user_id, email, role, owner_email from app.users")
    for secret in (
        "select password_hash from app.users",
        "select * from app.users",
        "select * from app.sessions",
        "select secret from app.second_factors",
        "select token_hash from app.api_tokens",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            estate.transformer.execute(secret.encode())
    for write in ("insert into app.rules values ('x', 1, '{}', true, now())", "delete from app.actions"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            estate.transformer.execute(write.encode())


def test_the_analyst_reads_nothing_of_the_application(estate: Estate) -> None:
    for table in metadata.tables.values():
        assert not estate.one("select has_schema_privilege('analyst', 'app', 'usage')")
        assert not estate.one("select has_table_privilege('analyst', %s, 'select')", f"app.{table.name}")


# --- clock -----------------------------------------------------------------------------------------------------------


def now_of(estate: Estate) -> datetime:
    with estate.work() as db:
        return clock.business_now(db)


def follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOW_SOURCE_CLOCK", "true")
    get_settings.cache_clear()


def is_near(moment: datetime, expected: datetime) -> bool:
    return abs(moment - expected) < timedelta(seconds=30)


def test_business_time_is_real_time_unless_it_follows_a_source(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    real = datetime.now(UTC)
    assert is_near(now_of(estate), real)

    follow(monkeypatch)
    assert is_near(now_of(estate), real)
    estate.loads()
    assert is_near(now_of(estate), real)

    estate.load("hubspot", "companies", "succeeded", real, source_now=real + timedelta(days=30))
    estate.load("hubspot", "companies", "failed", real, source_now=real + timedelta(days=90))
    assert is_near(now_of(estate), real + timedelta(days=30))
    estate.load("hubspot", "companies", "succeeded", real, source_now=real + timedelta(minutes=50))
    assert is_near(now_of(estate), real)


# where each role of the database may write; a new role without an entry fails
WRITERS = {
    "application": {"app"},
    "loader": {"ops", "raw_"},
    "transformer": {"marts", "publishing"},
    "learner": {"learning"},
    "analyst": set[str](),
}
# of the other databases on the same server; they come and go with the tests beside this one, and write nowhere here
OTHER_DATABASES = {"dagster", "simulator", "product_reader"}


def test_z01_every_role_of_the_database_is_named_here_and_writes_only_there(estate: Estate) -> None:
    roles = dict(
        estate.admin.execute(
            "select rolname, rolsuper from pg_roles where rolcanlogin and rolname !~ '^pg_'"
        ).fetchall()
    )
    written = estate.admin.execute(
        """
        select r.rolname, n.nspname from pg_roles as r, pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where r.rolcanlogin and not r.rolsuper and c.relkind in ('r', 'p', 'v') and n.nspname !~ '^(pg_|information_)'
            and has_schema_privilege(r.oid, n.oid, 'usage')
            and has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate')
        """
    ).fetchall()

    assert {name for name, is_super in roles.items() if not is_super} - OTHER_DATABASES == set(WRITERS)
    assert [name for name, is_super in roles.items() if is_super] == ["postgres"]
    for role, schema in written:
        assert any(schema.startswith(own) for own in WRITERS[role]), (role, schema)
    assert {role for role, _ in written} >= {"application", "transformer"}


def test_z12_an_analyst_of_the_database_reads_published_figures_and_nothing_else(estate: Estate) -> None:
    readable = estate.admin.execute(
        """
        select distinct n.nspname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^(pg_|information_)'
            and has_schema_privilege('analyst', n.oid, 'usage')
            and has_table_privilege('analyst', c.oid, 'select')
        """
    ).fetchall()

    assert {schema for (schema,) in readable} <= {"marts"}
