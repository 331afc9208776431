"""What readers have: schema `marts`, brought in one transaction to what dbt built in `marts_next`, and back again.

A publication changes the rows that differ. To a reader they change all at once, when it commits: each statement sees
one build, and so does each transaction with a snapshot. It takes no lock that a reader's could stand in the way of,
however long they hold it. (Exchanging tables or schemas would: a statement that names two marts can find one before
and one after the exchange, a snapshot finds the new tables empty, and dbt would inherit tables that readers keep open.)

What a publication took away and brought lies in schema `publishing`, one table per mart, until the next one.
A mart whose columns or indexes changed, which is a new version of the code, is replaced as a table: the one case that
waits for readers, application first. Analysts who hold it are disconnected after half a second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

import psycopg
from psycopg import sql

from orchestration import model_versions
from orchestration.model_versions import ModelVersion

MARTS = "marts"
MARTS_NEXT = "marts_next"
PUBLISHING = "publishing"
BESIDE = ("publications", "model_versions", "figure_checks", "written_days")
"""Tables beside the marts that change without a publication."""
_LOCK_PATIENCE = "500ms"
_LOCK_ATTEMPTS = 20

Shape = tuple[tuple[str, ...], tuple[str, ...]]
"""Columns with type and nullability, in order, and indexes without their names."""


class NothingToPublish(Exception):
    """What was built holds no account; the message says so."""


class NoWayBack(Exception):
    """There is no earlier build to put back; the message says why."""


class NothingHeld(Exception):
    """There is nothing to let through; the message says so."""


class PublicationHeld(Exception):
    """An earlier build was put back, and nobody has let newer ones through since; the message says so."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A new row of `marts.publications`. The counts are rows of all marts that this publication changed."""

    build_id: int
    published_at: datetime
    as_of_date: date
    account_count: int
    removed_count: int
    added_count: int
    replaced: tuple[str, ...]


_SHAPES: LiteralString = """
    select
        mart.relname,
        array(
            select concat_ws(' ', attname, format_type(atttypid, atttypmod), case when attnotnull then 'not null' end)
            from pg_attribute where attrelid = mart.oid and attnum > 0 and not attisdropped order by attnum
        ),
        array(
            select regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .* USING ', ' INDEX USING ')
            from pg_index where indrelid = mart.oid order by 1
        )
    from pg_class as mart
    where
        mart.relnamespace = %s::regnamespace and mart.relkind in ('r', 'v')
        -- what a killed dbt left is no mart
        and mart.relname !~ '__dbt_(tmp|backup)'
        and mart.relname <> all(%s)
    order by mart.relname
"""
_NEWEST: LiteralString = """
    select build_id, previous_build_id, restored_build_id, replaced_marts,
        lag(restored_build_id) over (order by build_id) as let_through_build_id
    from marts.publications order by build_id desc limit 1
"""
# One composite value of the published mart's type, whose equality counts two nulls as equal and can be hashed.
_REMOVE: LiteralString = """
    with gone as (
        delete from {mart} as held {using}
        where {in_scope} not exists (select from {aside} as built where {same_day} row(built.*)::{mart} = held)
        returning held.*
    )
    insert into {kept} select *, false from gone
"""
_ADD: LiteralString = """
    with brought as (
        insert into {mart}
        select held.* from {aside} as held {cross}
        where {in_scope} not exists (select from {mart} as built where {same_day} built = row(held.*)::{mart})
        returning *
    )
    insert into {kept} select *, true from brought
"""
# Descriptions of marts and their columns that are others than aside, as the statements that carry them over.
_DESCRIPTIONS: LiteralString = """
    select format(
        case when built.attnum is null then 'comment on table marts.%%1$I is %%3$L'
        else 'comment on column marts.%%1$I.%%2$I is %%3$L' end,
        built.relname, built.attname, built.said
    )
    from (
        select mart.relname, parts.attname, parts.attnum, parts.said, mart.oid
        from pg_class as mart
        cross join lateral (
            select null::name as attname, null::smallint as attnum, obj_description(mart.oid, 'pg_class') as said
            union all
            select attname, attnum, col_description(mart.oid, attnum)
            from pg_attribute where attrelid = mart.oid and attnum > 0 and not attisdropped
        ) as parts
        where mart.relnamespace = 'marts_next'::regnamespace and mart.relname = any(%(marts)s)
    ) as built
    join pg_class as held on held.relnamespace = 'marts'::regnamespace and held.relname = built.relname
    where built.said is distinct from case
        when built.attnum is null then obj_description(held.oid, 'pg_class')
        else col_description(held.oid, built.attnum)
    end
"""


def _table(schema: str, name: str) -> sql.Identifier:
    return sql.Identifier(schema, name)


def _shapes(db: psycopg.Connection, schema: str) -> dict[str, Shape]:
    return {
        name: (tuple(columns), tuple(indexes)) for name, columns, indexes in db.execute(_SHAPES, (schema, list(BESIDE)))
    }


def _count(db: psycopg.Connection, table: sql.Composable) -> int:
    ((count,),) = db.execute(sql.SQL("select count(*) from {}").format(table))
    return count


def _hold_for_replacement(db: psycopg.Connection, marts: Sequence[str]) -> None:
    """Lock marts so that nobody reads them until the commit. Raises psycopg.errors.LockNotAvailable after 10 s."""
    if not marts:
        return
    wanted = sql.SQL("lock table {} in access exclusive mode").format(
        sql.SQL(", ").join(_table(MARTS, mart) for mart in marts)
    )
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            with db.transaction():
                db.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(_LOCK_PATIENCE)))
                db.execute(wanted)
            db.execute("set local lock_timeout = default")
            return
        except psycopg.errors.LockNotAvailable:
            if attempt == _LOCK_ATTEMPTS:
                raise
            db.execute("select publishing.end_analysts()")


def _replace(db: psycopg.Connection, mart: str, *, is_there: bool) -> int:
    """A mart as a new table of the shape it has aside; the one before is kept whole. Returns its rows."""
    names = {"mart": _table(MARTS, mart), "aside": _table(MARTS_NEXT, mart)}
    if is_there:
        db.execute(sql.SQL("alter table {mart} set schema publishing").format(**names))
    db.execute(sql.SQL("create table {mart} (like {aside} including all)").format(**names))
    count = db.execute(sql.SQL("insert into {mart} select * from {aside}").format(**names)).rowcount
    db.execute(sql.SQL("analyze {mart}").format(**names))
    return count


def _change(db: psycopg.Connection, mart: str, *, date_column: str | None) -> tuple[int, int]:
    """Take away and bring the rows that differ, keeping both; with `date_column`, of the noted days and of no account.

    Returns how many rows were removed and added.
    """
    names: dict[str, sql.Composable] = {
        "mart": _table(MARTS, mart),
        "aside": _table(MARTS_NEXT, mart),
        "kept": _table(PUBLISHING, mart),
    }
    everything: dict[str, sql.Composable] = dict.fromkeys(("using", "cross", "in_scope", "same_day"), sql.SQL(""))
    nobodys = everything | {"in_scope": sql.SQL("held.account_key is null and")}
    noted: dict[str, sql.Composable] = {
        "using": sql.SQL("using publishing.written_days as noted"),
        "cross": sql.SQL("cross join publishing.written_days as noted"),
        "in_scope": sql.SQL(
            "noted.mart = {} and held.account_key = noted.account_key and held.{} >= noted.first_date and"
        ).format(sql.Literal(mart), sql.Identifier(date_column or "")),
        # says nothing new, and lets the row be looked up by the index instead of read with all history
        "same_day": sql.SQL("built.account_key = held.account_key and built.{0} = held.{0} and").format(
            sql.Identifier(date_column or "")
        ),
    }
    db.execute(sql.SQL("create table {kept} as select *, false as was_added from {mart} with no data").format(**names))
    removed = added = 0
    for scope in (noted, nobodys, everything) if date_column else (everything,):
        removed += db.execute(sql.SQL(_REMOVE).format(**names, **scope)).rowcount
        added += db.execute(sql.SQL(_ADD).format(**names, **scope)).rowcount
        # A fact that was made anew aside holds no account that is gone since, and nothing noted that.
        if scope is not noted and _count(db, names["mart"]) == _count(db, names["aside"]):
            break
    return removed, added


def _describe(db: psycopg.Connection, marts: list[str]) -> None:
    """Say of the marts and their columns what was said of them aside; nobody waits for that."""
    for (statement,) in db.execute(_DESCRIPTIONS, {"marts": marts}).fetchall():
        db.execute(statement)


def _date_columns(db: psycopg.Connection) -> dict[str, str]:
    """Date column of each mart of which days were noted since the last publication."""
    return dict(db.execute("select distinct mart, date_column from publishing.written_days").fetchall())


def publish(
    db: psycopg.Connection,
    *,
    models: Sequence[ModelVersion] = (),
    dbt_invocation_id: str | None,
    dagster_run_id: str | None,
    is_whole: bool = False,
) -> Published:
    """Bring the marts to what was built aside; the caller commits. To be called after green tests and never before.

    `models` are the versions that built it: a figure's proof names them.
    With `is_whole` every row is compared. After an earlier build was put back and let through that is always so: the
    noted days speak of the one that was put away. Raises PublicationHeld while it stands put back, NothingToPublish,
    psycopg.errors.LockNotAvailable.
    """
    db.execute("lock table marts.publications in share row exclusive mode")
    newest = db.execute(_NEWEST).fetchone()
    if newest and newest[2]:
        raise PublicationHeld(
            f"build {newest[2]} was put back as build {newest[0]}: what was built since waits until it is let through"
        )
    was_put_back = bool(newest and newest[4])
    built, held = _shapes(db, MARTS_NEXT), _shapes(db, MARTS)
    if "dim_accounts" not in built:
        raise NothingToPublish("dim_accounts was not built, there is nothing to publish")
    # a build that goes on under our eyes ends its statement first and waits with the next
    aside = sql.SQL(", ").join(_table(MARTS_NEXT, mart) for mart in built)
    db.execute(sql.SQL("lock table {} in share mode").format(aside))
    ((as_of, account_count),) = db.execute("select max(as_of_date), count(*) from marts_next.dim_accounts")
    if as_of is None:
        raise NothingToPublish("dim_accounts holds no account, there is nothing to publish")

    replaced = tuple(mart for mart, shape in built.items() if held.get(mart) != shape)
    _hold_for_replacement(db, [mart for mart in replaced if mart in held])
    dated = {} if is_whole or was_put_back else _date_columns(db)
    removed = added = 0
    for mart in built:
        db.execute(sql.SQL("drop table if exists {}").format(_table(PUBLISHING, mart)))
        if mart in replaced:
            added += _replace(db, mart, is_there=mart in held)
        else:
            gone, brought = _change(db, mart, date_column=dated.get(mart))
            removed, added = removed + gone, added + brought
    _describe(db, list(built))
    db.execute("delete from publishing.written_days")
    ((build_id, published_at),) = db.execute(
        """insert into marts.publications
               (as_of_date, dbt_invocation_id, dagster_run_id, previous_build_id, replaced_marts, model_versions)
           values (%s, %s, %s, %s, %s, %s) returning build_id, published_at""",
        (
            as_of,
            dbt_invocation_id,
            dagster_run_id,
            newest[0] if newest else None,
            list(replaced),
            model_versions.keep(db, models),
        ),
    )
    return Published(
        build_id=build_id,
        published_at=published_at,
        as_of_date=as_of,
        account_count=account_count,
        removed_count=removed,
        added_count=added,
        replaced=replaced,
    )


def put_back(db: psycopg.Connection) -> tuple[int, int]:
    """Bring the marts to the build before the published one, as a publication of its own; the caller commits.

    Returns its number and that of the build that is back. Raises NoWayBack, psycopg.errors.LockNotAvailable.
    """
    db.execute("lock table marts.publications in share row exclusive mode")
    newest = db.execute(_NEWEST).fetchone()
    if newest is None:
        raise NoWayBack("Nothing has been published yet.")
    build_id, previous_id, restored_id, replaced, _ = newest
    if restored_id:
        raise NoWayBack(f"Build {build_id} is build {restored_id} put back; what was before that is not kept.")
    if previous_id is None:
        raise NoWayBack(f"What was published before build {build_id} is not kept.")

    held = _shapes(db, MARTS)
    _hold_for_replacement(db, [mart for mart in replaced if mart in held])
    for mart in _shapes(db, PUBLISHING) | dict.fromkeys(replaced):
        names = {"mart": _table(MARTS, mart), "kept": _table(PUBLISHING, mart)}
        if mart in replaced:
            db.execute(sql.SQL("drop table {mart}").format(**names))
            db.execute(sql.SQL("alter table if exists {kept} set schema marts").format(**names))
        else:
            _undo(db, _columns(db, mart), names)
    ((put_back_id,),) = db.execute(
        """insert into marts.publications (as_of_date, dbt_invocation_id, restored_build_id, model_versions)
           select as_of_date, dbt_invocation_id, build_id, model_versions from marts.publications where build_id = %s
           returning build_id""",
        (previous_id,),
    )
    return put_back_id, previous_id


def let_through(db: psycopg.Connection) -> int:
    """After `put_back`: the next green run publishes again; the caller commits.

    What readers have stays, under a number of its own, which is returned. Raises NothingHeld.
    """
    db.execute("lock table marts.publications in share row exclusive mode")
    newest = db.execute(_NEWEST).fetchone()
    if newest is None or not newest[2]:
        raise NothingHeld("No earlier build stands put back: publications go on as they are.")
    ((build_id,),) = db.execute(
        """insert into marts.publications (as_of_date, dbt_invocation_id, model_versions)
           select as_of_date, dbt_invocation_id, model_versions from marts.publications where build_id = %s
           returning build_id""",
        (newest[0],),
    )
    return build_id


def _columns(db: psycopg.Connection, mart: str) -> sql.Composable:
    """The mart's columns, as those of what was kept of it."""
    found = db.execute(
        "select attname from pg_attribute where attrelid = format('marts.%%I', %s::text)::regclass"
        " and attnum > 0 and not attisdropped order by attnum",
        (mart,),
    )
    return sql.SQL(", ").join(sql.Identifier("kept", name) for (name,) in found)


def _undo(db: psycopg.Connection, columns: sql.Composable, names: Mapping[str, sql.Composable]) -> None:
    """What the last publication brought to a mart leaves it, what it took away comes back."""
    for statement in (
        "delete from {mart} as held using {kept} as kept where kept.was_added and held = row({columns})::{mart}",
        "insert into {mart} select {columns} from {kept} as kept where not kept.was_added",
        "drop table {kept}",
    ):
        db.execute(sql.SQL(statement).format(**names, columns=columns))
