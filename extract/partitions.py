"""Monthly partitions, made when the first row of a month arrives."""

from datetime import datetime

import psycopg
from psycopg import sql

# Held by whoever creates tables: two runs that create the same one at once would fail each other.
DDL_LOCK = 7_261_004


def ensure_month(cursor: psycopg.Cursor, parent: sql.Identifier, schema: str, stem: str, month: datetime) -> None:
    """The partition of `parent` that holds `month` (any moment of it, UTC). Concurrent callers are in line."""
    start = month.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    name = f"{stem}_{start:%Y_%m}"
    found = cursor.execute("select to_regclass(%s)", (f'{schema}."{name}"',)).fetchone()
    if found and found[0]:
        return
    cursor.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (DDL_LOCK, f"{schema}.{stem}"))
    found = cursor.execute("select to_regclass(%s)", (f'{schema}."{name}"',)).fetchone()
    if found and found[0]:
        return
    partition = sql.Identifier(schema, name)
    # Made beside the parent and then attached: `create … partition of` would lock out everybody who reads the parent.
    cursor.execute(sql.SQL("create table {} (like {} including all)").format(partition, parent))
    cursor.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
            parent, partition, sql.Literal(start), sql.Literal(end)
        )
    )
