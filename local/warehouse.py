"""The warehouse's roles, schemas and grants: one writer per schema, kept by PostgreSQL itself.

Idempotent: every start runs it, a changed password is set, nothing that holds data is dropped.
"""

import argparse
import json
from dataclasses import dataclass

import psycopg
from psycopg import sql

RAW_SCHEMAS = ("raw_hubspot", "raw_stripe", "raw_zendesk", "raw_product", "raw_survey")
TRANSFORMED_SCHEMAS = ("staging", "intermediate", "marts", "marts_next", "publishing", "seeds")
ROLES = ("loader", "transformer", "application", "learner", "analyst")
SERVICES = "services"  # the group that keeps what everybody else loses; no login

# How long and how much a statement of an analyst may take, whatever it is sent through. What a session may not change
# by itself (temp_file_limit) holds in any case; the rest is set again by who runs it, and watched from outside.
_ANALYST = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5s",
    "transaction_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "1s",
    "temp_file_limit": "64MB",
    "work_mem": "16MB",
    "max_parallel_workers_per_gather": "0",
    "client_connection_check_interval": "1s",
    "search_path": "marts",
}

# PostgreSQL lets everybody call nearly everything and read most of its catalogue: locks others wait on, waiting,
# notifying, large objects, settings, XML of whole schemas, what others run. Here the services may and PUBLIC may not,
# which leaves an analyst what only computes. By pattern, so that what a later version adds is caught too. Each start
# looks for what PUBLIC may again, since an upgrade of the server brings new functions.
_CLOSE = """
do $$
declare
    closed regprocedure;
    hidden regclass;
begin
    for closed in
        select p.oid from pg_catalog.pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace
          and has_function_privilege('public', p.oid, 'execute')
          and (p.provolatile = 'v'
               or p.proname ~ '^(pg_|has_|txid_|lo_|inet_|ts_stat|ts_rewrite|mxid_|acl|current_setting|row_security)'
               or p.proname ~ '(_to_xml|_to_xmlschema|_description|_validator)'
               or p.prokind = 'p')
    loop
        execute format('revoke execute on routine %s from public', closed);
        execute format('grant execute on routine %s to services', closed);
    end loop;
    for hidden in
        select c.oid from pg_catalog.pg_class as c
        where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v')
          and has_table_privilege('public', c.oid, 'select')
    loop
        execute format('revoke all on %s from public', hidden);
        execute format('grant select on %s to services', hidden);
    end loop;
end $$
"""


# One row per training and per score, never changed: what was in force on a day, and why, can be looked up for ever.
_LEARNING = """
create table if not exists learning.model_versions (
    version_id bigint generated always as identity primary key,
    model_version text generated always as ('churn-' || version_id) stored unique,
    made_at timestamptz not null default now(),
    kind text not null check (kind in ('rules', 'logistic', 'boosted')),
    valid_from_date date not null,
    trained_until date not null,
    account_count integer not null,
    churn_count integer not null,
    features jsonb not null,
    metrics jsonb not null,
    basis text not null,
    chosen_because text not null,
    artefact jsonb,
    artefact_sha256 text,
    check ((kind = 'rules') = (artefact is null) and (artefact is null) = (artefact_sha256 is null))
);
create table if not exists learning.churn_scores (
    score_id bigint generated always as identity primary key,
    version_id bigint not null references learning.model_versions,
    account_key text not null,
    score_date date not null,
    churn_probability_90d double precision not null check (churn_probability_90d between 0 and 1),
    drivers jsonb not null,
    scored_at timestamptz not null default now()
);
create index if not exists churn_scores_by_day on learning.churn_scores (account_key, score_date, version_id, score_id);
create or replace function learning.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of %.% are never changed or deleted', tg_table_schema, tg_table_name;
end $$;
create or replace trigger append_only before update or delete or truncate on learning.model_versions
    for each statement execute function learning.refuse_change();
create or replace trigger append_only before update or delete or truncate on learning.churn_scores
    for each statement execute function learning.refuse_change();
"""


# What a publication leaves (`orchestration/publishing.py`), and what was checked of it (`recount/`).
# `previous_build_id` is the build that can be put back, null where there is none; `restored_build_id` is not null where
# an earlier build was put back.
_PUBLISHING = """
create table if not exists marts.publications (
    build_id bigint generated always as identity primary key,
    published_at timestamptz not null default now(),
    as_of_date date not null,
    dbt_invocation_id text,
    dagster_run_id text
);
alter table marts.publications add column if not exists previous_build_id bigint;
alter table marts.publications add column if not exists restored_build_id bigint;
alter table marts.publications add column if not exists replaced_marts text[] not null default '{}';
alter table marts.publications add column if not exists model_versions jsonb not null default '{}';
create table if not exists marts.model_versions (
    mart text not null,
    version text not null,
    path text not null,
    key text[] not null,
    chain jsonb not null,
    columns jsonb not null,
    primary key (mart, version)
);
create table if not exists marts.figure_checks (
    check_id bigint generated always as identity primary key,
    build_id bigint not null,
    checked_at timestamptz not null default now(),
    seed text not null,
    mart text not null,
    key text[] not null,
    figure text not null,
    published text,
    recounted text,
    verdict text not null check (verdict in ('same', 'differs', 'moved'))
);
comment on table marts.model_versions is
    'One row per mart and version of it: the models above it, and what each of its columns rests on.';
comment on table marts.figure_checks is
    'One row per published figure that was recounted from raw rows, by night; moved: its rows changed since the build.';
create table if not exists publishing.written_days (
    mart text not null,
    date_column text not null,
    account_key text not null,
    first_date date not null,
    primary key (mart, account_key)
);
"""

# Only a superuser's function may end somebody else's session. It knows one purpose: a mart that changes its columns is
# replaced as a table, and a reader by hand who keeps it open would hold that up for as long as they like.
_END_ANALYSTS = """
create or replace function publishing.end_analysts() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select count(pg_terminate_backend(session.pid))
    from pg_stat_activity as session
    where session.usename = 'analyst' and session.datname = current_database() and exists (
        select from pg_locks as held
        join pg_class as mart on mart.oid = held.relation
        where held.pid = session.pid and mart.relnamespace = 'marts'::regnamespace
    )
$$;
revoke all on function publishing.end_analysts() from public;
grant execute on function publishing.end_analysts() to transformer;
"""


@dataclass(frozen=True)
class WarehouseRoles:
    """Passwords of the five warehouse roles."""

    loader: str
    transformer: str
    application: str
    learner: str
    analyst: str

    @classmethod
    def same(cls, password: str) -> "WarehouseRoles":
        """All five with one password: for tests and development."""
        return cls(password, password, password, password, password)


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
        if not server.execute("select 1 from pg_roles where rolname = %s", (SERVICES,)).fetchone():
            server.execute(sql.SQL("create role {} nologin").format(sql.Identifier(SERVICES)))
        for role in ROLES:
            if role != "analyst":
                server.execute(sql.SQL("grant {} to {}").format(sql.Identifier(SERVICES), sql.Identifier(role)))
        server.execute("alter role analyst noinherit connection limit 20")
        # who watches over an analyst's statements may end them, and nothing else of theirs
        server.execute("grant analyst to application with inherit true, set false")
        for name, value in _ANALYST.items():
            server.execute(sql.SQL("alter role analyst set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    with psycopg.connect(admin_dsn, dbname=database) as warehouse:
        warehouse.execute("revoke all on schema public from public")
        warehouse.execute("revoke all on schema information_schema from public")
        warehouse.execute("grant usage on schema information_schema to services")
        warehouse.execute("revoke usage on language plpgsql from public")
        warehouse.execute("grant usage on language plpgsql to services")
        warehouse.execute(_CLOSE)
        for schema in RAW_SCHEMAS:
            _own_schema(warehouse, schema, "loader", ("transformer",))
        _own_schema(warehouse, "ops", "loader", ("transformer", "application"))
        _own_schema(warehouse, "app", "application", ("transformer",))
        _own_schema(warehouse, "learning", "learner", ("transformer",))
        for schema in TRANSFORMED_SCHEMAS:
            _own_schema(warehouse, schema, "transformer", ("application", "analyst") if schema == "marts" else ())
        # the few models that it may read grant that themselves
        warehouse.execute("grant usage on schema intermediate to learner")
        warehouse.execute("set role learner")
        warehouse.execute(_LEARNING)
        warehouse.execute("reset role")
        warehouse.execute(_END_ANALYSTS)
        warehouse.execute("set role transformer")
        warehouse.execute(_PUBLISHING)
        _lay_out_what_was_built_in_place(warehouse)


def _lay_out_what_was_built_in_place(warehouse: psycopg.Connection) -> None:
    """Copy marts that were built where readers see them to where they are built since, so that builds go on from them.

    Without it the next build would be a whole one, and days of risk older than any build can write anew would be lost.
    """
    if warehouse.execute("select from pg_class where relnamespace = 'marts_next'::regnamespace limit 1").rowcount:
        return
    marts = warehouse.execute(
        "select tablename from pg_tables where schemaname = 'marts'"
        " and tablename not in ('publications', 'model_versions', 'figure_checks')"
    )
    for (mart,) in marts.fetchall():
        names = {"aside": sql.Identifier("marts_next", mart), "mart": sql.Identifier("marts", mart)}
        warehouse.execute(sql.SQL("create table {aside} (like {mart} including all)").format(**names))
        warehouse.execute(sql.SQL("insert into {aside} select * from {mart}").format(**names))
        warehouse.execute(sql.SQL("analyze {aside}").format(**names))


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
