"""A20: with default, short or equal secrets, or as a superuser, no service of ours starts."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from app import safety
from deploy import services
from local.postgres import Postgres
from tests.conftest import Warehouse

ROOT = Path(__file__).resolve().parents[2]
GOOD = "Jb3-oqF7tXw9LzK2vR8e"
OTHER = "mN5_cY1uHs6GdP4aQx0T"


def address(password: str, role: str = "application", place: str = "127.0.0.1:1") -> str:
    return f"postgresql+psycopg://{role}:{password}@{place}/warehouse"


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "has no password"),
        ("password", "is a default"),
        ("PASSWORD", "is a default"),
        ("postgres", "is a default"),
        ("change-me-2026!!!!!!", "is a default"),
        ("Application-1234567890", "is a default"),
        ("passwordpassword", "is a default"),
        ("kR7xT2vQ9mZ4pL1", "is short"),
        ("abababababababababab", "repeats itself"),
    ],
)
def test_a20_a_careless_secret_is_named_but_not_shown(secret: str, reason: str) -> None:
    reasons = safety.careless({"APP_DATABASE_URL": address(secret)})

    known = {
        "has no password": "APP_DATABASE_URL has no password",
        "is a default": "the password of APP_DATABASE_URL is a default that anybody would try",
        "is short": "the password of APP_DATABASE_URL has fewer than 16 characters",
        "repeats itself": "the password of APP_DATABASE_URL repeats itself",
    }
    assert reasons == [known[reason]]


def test_a20_two_accounts_with_one_password_are_refused() -> None:
    reasons = safety.careless({"APP_DATABASE_URL": address(GOOD), "LOADER_DSN": address(GOOD, "loader")})

    assert reasons == ["APP_DATABASE_URL and LOADER_DSN have the same password"]


def test_a20_one_password_in_two_variables_of_one_account_is_not_two_accounts() -> None:
    assert safety.careless({"APP_DATABASE_URL": address(GOOD), "APPLICATION_PASSWORD": GOOD}) == []


def test_a20_an_address_without_https_is_refused_unless_it_is_this_machine() -> None:
    assert safety.careless({"PUBLIC_URL": "http://localhost:8080"}) == []
    assert (
        "PUBLIC_URL does not begin with https://" in safety.careless({"PUBLIC_URL": "http://accounts.example.com"})[0]
    )


def test_a20_generated_secrets_pass() -> None:
    assert safety.careless({"APP_DATABASE_URL": address(GOOD), "REDIS_URL": f"redis://:{OTHER}@redis:6379/0"}) == []


@pytest.mark.parametrize("service", services.NAMES)
def test_a20_every_service_exits_with_one_line(service: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "APP_DATABASE_URL": address("password"),
        "DAGSTER_PG_URL": address("password", "dagster"),
        "BACKUP_DSN": address("password", "backup"),
    }

    done = subprocess.run(
        [sys.executable, "-m", "deploy", "start", service], env=environment, cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 78
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("Refusing to start: ")


@pytest.mark.parametrize("program", [("-m", "uvicorn", "--factory", "api.main:create_app"), ("-m", "app.asgi")])
def test_a20_the_faces_refuse_without_the_container_s_entry_point_too(program: tuple[str, ...]) -> None:
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ENVIRONMENT": "production",
        "APP_DATABASE_URL": address("password"),
    }  # fmt: skip

    done = subprocess.run(
        [sys.executable, *program], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode != 0
    assert "Refusing to start: the password of APP_DATABASE_URL is a default" in done.stderr
    assert "Traceback" not in done.stderr


def test_a20_a_superuser_is_refused(postgres_server: Postgres, warehouse: Warehouse) -> None:
    assert safety.too_powerful(warehouse.admin_dsn) == (
        "may create databases, may create roles, may replicate, passes row security, superuser"
    )
    assert safety.too_powerful(warehouse.application_url) is None
    assert safety.too_powerful(warehouse.analyst_dsn) is None


def test_a20_a_member_of_a_powerful_role_is_refused(postgres_server: Postgres, warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_dsn, autocommit=True) as server:
        server.execute(f"create role sneaky login password '{GOOD}'")
        server.execute("grant pg_execute_server_program to sneaky")
        try:
            dsn = f"postgresql://sneaky:{GOOD}@127.0.0.1:{warehouse.port}/postgres"

            with pytest.raises(safety.UnsafeStart, match=r"LOADER_DSN is too powerful .*pg_execute_server_program"):
                safety.refuse_unsafe({"LOADER_DSN": dsn}, is_production=True)
        finally:
            server.execute("drop role sneaky")


def test_a20_a_database_that_is_away_can_not_be_asked_and_stops_only_who_needs_it() -> None:
    environment = {"APP_DATABASE_URL": address(GOOD)}

    safety.refuse_unsafe(environment, is_production=True)
    with pytest.raises(psycopg.OperationalError):
        safety.refuse_unsafe(environment, is_production=True, needs_server=True)


def test_the_demo_is_let_through() -> None:
    safety.refuse_unsafe({"APP_DATABASE_URL": address("password")}, is_production=False)
