"""The warehouse's roles, schemas and grants: one writer per schema, kept by PostgreSQL itself.

Idempotent: every start runs it, a changed password is set, nothing that holds data is dropped.
"""

import argparse
import json
from dataclasses import dataclass

import psycopg
from psycopg import sql

RAW_SCHEMAS = ("raw_hubspot", "raw_stripe", "raw_zendesk", "raw_product", "raw_survey")
TRANSFORMED_SCHEMAS = ("staging", "intermediate", "marts", "seeds")
ROLES = ("loader", "transformer", "application", "analyst")


@dataclass(frozen=True)
class WarehouseRoles:
    """Passwords of the four warehouse roles."""

    loader: str
    transformer: str
    application: str
    analyst: str

    @classmethod
    def same(cls, password: str) -> "WarehouseRoles":
        """All four with one password: for tests and development."""
        return cls(password, password, password, password)


def ensure_role(connection: psycopg.Connection, name: str, password: str) -> None:
    """Create the login role, or set its password. It owns nothing beyond what is granted to it."""
    exists = connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
    verb = sql.SQL("alter" if exists else "create")
    connection.execute(
        sql.SQL("{} role {} login nosuperuser nocreatedb nocreaterole password {}").format(
            verb, sql.Identifier(name), sql.Literal(password)
        )
    )


def ensure_database(connection: psycopg.Connection, name: str, *, owner: str | None = None) -> None:
    """Create the database when it is missing and keep everybody else out."""
    if not connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
    if owner:
        connection.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(name), sql.Identifier(owner)))


def _own_schema(connection: psycopg.Connection, schema: str, owner: str, readers: tuple[str, ...]) -> None:
    names = {"schema": sql.Identifier(schema), "owner": sql.Identifier(owner)}
    connection.execute(sql.SQL("create schema if not exists {schema} authorization {owner}").format(**names))
    for reader in readers:
        with_reader = {**names, "reader": sql.Identifier(reader)}
        for statement in (
            "grant usage on schema {schema} to {reader}",
            "alter default privileges for role {owner} in schema {schema} grant select on tables to {reader}",
        ):
            connection.execute(sql.SQL(statement).format(**with_reader))


def prepare(admin_dsn: str, *, database: str, roles: WarehouseRoles) -> None:
    """Bring the warehouse database to its declared shape.

    `admin_dsn` is a superuser's, to any database of the server. Raises psycopg.Error when the server refuses.
    """
    with psycopg.connect(admin_dsn, autocommit=True) as server:
        for role in ROLES:
            ensure_role(server, role, getattr(roles, role))
        ensure_database(server, database)
        for role in ROLES:
            server.execute(
                sql.SQL("grant connect, temporary on database {} to {}").format(
                    sql.Identifier(database), sql.Identifier(role)
                )
                if role != "analyst"
                else sql.SQL("grant connect on database {} to analyst").format(sql.Identifier(database))
            )
        server.execute("alter role analyst set default_transaction_read_only = on")
        server.execute("alter role analyst set statement_timeout = '5s'")
    with psycopg.connect(admin_dsn, dbname=database) as warehouse:
        warehouse.execute("revoke all on schema public from public")
        for schema in RAW_SCHEMAS:
            _own_schema(warehouse, schema, "loader", ("transformer",))
        _own_schema(warehouse, "ops", "loader", ("transformer", "application"))
        _own_schema(warehouse, "app", "application", ("transformer",))
        for schema in TRANSFORMED_SCHEMAS:
            _own_schema(warehouse, schema, "transformer", ("application", "analyst") if schema == "marts" else ())
        warehouse.execute("set role transformer")
        warehouse.execute(
            """create table if not exists marts.publications (
                   build_id bigint generated always as identity primary key,
                   published_at timestamptz not null default now(),
                   as_of_date date not null,
                   dbt_invocation_id text,
                   dagster_run_id text
               )"""
        )


def main() -> None:
    """`python -m local.warehouse ADMIN_DSN DATABASE PASSWORD`: a development warehouse, all roles with one password."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("admin_dsn")
    parser.add_argument("database")
    parser.add_argument("password")
    wanted = parser.parse_args()
    prepare(wanted.admin_dsn, database=wanted.database, roles=WarehouseRoles.same(wanted.password))
    print(json.dumps({"database": wanted.database, "roles": ROLES}))


if __name__ == "__main__":
    main()
