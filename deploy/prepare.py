"""What must be true of the database before any service starts: roles, schemas, grants, migrations, storage.

Runs to its end in a container of its own, at every start of the whole; the services wait for it. It is the only one
that knows the superuser's password. Idempotent: a changed password file is set, nothing that holds data is dropped.
"""

import subprocess
import sys
import time
from collections.abc import Mapping

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.environment import CanNot
from deploy.services import lay_out_dagster_home
from local.warehouse import WarehouseRoles, ensure_database, ensure_role, prepare

PATIENCE_SECONDS = 90.0
_STEPS = (
    ("Application schema", ("-m", "app.migrations")),
    ("Raw schemas", ("-m", "extract", "--ensure-schema")),
    ("Orchestrator storage", ("-m", "dagster", "instance", "migrate")),
)


class NotPrepared(CanNot):
    """The database could not be brought to its shape; the message says which step and why."""


def superuser_dsn(environment: Mapping[str, str], database: str = "postgres") -> str:
    """The superuser's address from POSTGRES_HOST, POSTGRES_PORT and POSTGRES_PASSWORD."""
    return make_conninfo(
        host=environment.get("POSTGRES_HOST", "127.0.0.1"),
        port=environment.get("POSTGRES_PORT", "5432"),
        user="postgres",
        password=environment["POSTGRES_PASSWORD"],
        dbname=database,
    )


def wait(dsn: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when the server answers. Raises NotPrepared when it does not in time, or refuses the password."""
    give_up = time.monotonic() + patience_seconds
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=3).close()
            return
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise NotPrepared("PostgreSQL refuses the superuser's password.") from error
            if time.monotonic() > give_up:
                raise NotPrepared(f"PostgreSQL did not answer within {patience_seconds:.0f} s: {error}") from error
        time.sleep(1)


def ensure_backup_role(server: psycopg.Connection, password: str, databases: tuple[str, ...]) -> None:
    """A login that may read everything and write nothing: what takes backups needs no more."""
    ensure_role(server, "backup", password)
    server.execute("grant pg_read_all_data, services to backup")
    server.execute("alter role backup set default_transaction_read_only = on")
    for name in databases:
        server.execute(sql.SQL("grant connect on database {} to backup").format(sql.Identifier(name)))


def prepare_roles(environment: Mapping[str, str]) -> None:
    """Roles, databases, schemas, grants. Raises NotPrepared or psycopg.Error."""
    admin = superuser_dsn(environment)
    wait(admin)
    prepare(
        admin,
        database="warehouse",
        roles=WarehouseRoles(
            loader=environment["LOADER_PASSWORD"],
            transformer=environment["TRANSFORMER_PASSWORD"],
            application=environment["APPLICATION_PASSWORD"],
            learner=environment["LEARNER_PASSWORD"],
            analyst=environment["ANALYST_PASSWORD"],
        ),
    )
    with psycopg.connect(admin, autocommit=True) as server:
        ensure_role(server, "dagster", environment["DAGSTER_PASSWORD"])
        ensure_database(server, "dagster", owner="dagster")
        ensure_backup_role(server, environment["BACKUP_PASSWORD"], ("warehouse", "dagster"))


def run_steps(environment: Mapping[str, str]) -> None:
    """The migrations of each part, as its own role. Raises NotPrepared naming the step."""
    # the steps are the parts' own programs: they get no superuser
    known = {name: value for name, value in environment.items() if name != "POSTGRES_PASSWORD"}
    lay_out_dagster_home(environment)
    for title, arguments in _STEPS:
        print(f"{title} …", flush=True)
        done = subprocess.run([sys.executable, *arguments], env=known, check=False)
        if done.returncode != 0:
            raise NotPrepared(f"{title}: python {' '.join(arguments)} ended with {done.returncode}.")
