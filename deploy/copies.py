"""Backups: taken every day from one snapshot, restored beside the living data, checked row by row, then put in place.

A backup is a folder: one archive per database and a manifest with the archives' checksums and, for every table, its
row count and a checksum of its rows as of the same snapshot. A restore that does not come to the same figures is not
put in place. It holds no roles and no passwords: `prepare` makes roles from the secrets.

The traps: a dump that a full disk cut short looks like a backup until it is needed, so a folder gets its name only
when everything in it was read back; and a restore into the living database can stop half-way, so it goes into
`<name>_incoming`, and databases change their names in one transaction.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.environment import CanNot
from local.postgres import binaries

DATABASES = ("warehouse", "dagster")
FORMAT = 1
KEEP = 14
ATTEMPTS = 3  # a table that is replaced between our look and the lock ends the attempt
_LOCK_PATIENCE = "10s"
# text of a value must not depend on who asks
_PLAIN = "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=1 -c bytea_output=hex"
_TABLES = """
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1, 2
"""
_FIGURES = sql.SQL("select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text from {} as t")
_PRIVILEGES = {name: sql.SQL(name) for name in ("CONNECT", "CREATE", "TEMPORARY")}
_SEQUENCES = """
    select schemaname || '.' || sequencename, coalesce(last_value, -1) from pg_sequences order by 1
"""
_ACCESS = """
    select coalesce(grantee.rolname, 'public'), privilege_type
    from pg_database d, aclexplode(d.datacl) a left join pg_roles grantee on grantee.oid = a.grantee
    where d.datname = current_database() order by 1, 2
"""
_OWNER = "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
_ROLES = """
    select distinct pg_get_userbyid(o) from (
        select relowner as o from pg_class where oid >= 16384 union select nspowner from pg_namespace where oid >= 16384
    ) as owners order by 1
"""


class BackupFailed(CanNot):
    """No backup was taken; nothing half-made is left under a backup's name."""


class RestoreRefused(CanNot):
    """The backup was not put in place; the living data is as it was."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What one database held at the snapshot: per table (rows, checksum), and who may enter.

    A sequence belongs to no snapshot: of each, the least that a copy must have reached.
    """

    owner: str
    access: list[tuple[str, str]]
    roles: list[str]
    tables: dict[str, tuple[int, str]]
    sequences: dict[str, int]


def _connect(dsn: str, database: str, **more: Any) -> psycopg.Connection:
    return psycopg.connect(make_conninfo(dsn, dbname=database), connect_timeout=10, options=_PLAIN, **more)


def _program(name: str) -> Path:
    return binaries(None) / name


def _run(name: str, dsn: str, database: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs; the password goes by the environment, never by an argument."""
    parts = {key: str(value) for key, value in conninfo_to_dict(make_conninfo(dsn, dbname=database)).items() if value}
    known = {
        "PGHOST": parts.get("host", "127.0.0.1"),
        "PGPORT": parts.get("port", "5432"),
        "PGUSER": parts["user"],
        "PGPASSWORD": parts.get("password", ""),
        "PGDATABASE": database,
        "PGCONNECT_TIMEOUT": "10",
        "PGOPTIONS": f"-c lock_timeout={_LOCK_PATIENCE}" if name == "pg_dump" else "",
        "LANG": "C.UTF-8",
        "PATH": os.environ.get("PATH", ""),
    }
    done = subprocess.run([_program(name), *arguments], env=known, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise BackupFailed(f"{name} of {database} ended with {done.returncode}: {' | '.join(lines[:3])}")


def _tables(db: psycopg.Connection) -> list[tuple[str, str]]:
    return [(schema, name) for schema, name in db.execute(_TABLES)]


def _sequences(db: psycopg.Connection) -> dict[str, int]:
    return {name: int(value) for name, value in db.execute(_SEQUENCES)}


def contents(db: psycopg.Connection) -> Contents:
    """Everything that a restored database must have in common with `db`, as its transaction sees it."""
    figures: dict[str, tuple[int, str]] = {}
    for schema, name in _tables(db):
        # the sum over row hashes does not depend on the order of rows
        row = db.execute(_FIGURES.format(sql.Identifier(schema, name))).fetchone()
        figures[f"{schema}.{name}"] = (row[0], row[1]) if row else (0, "0")
    owner = db.execute(_OWNER).fetchone()
    return Contents(
        owner=owner[0] if owner else "postgres",
        access=[(grantee, privilege) for grantee, privilege in db.execute(_ACCESS)],
        roles=[name for (name,) in db.execute(_ROLES)],
        tables=figures,
        sequences=_sequences(db),
    )


@contextmanager
def _snapshot(dsn: str, database: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """A connection whose transaction sees one moment, and that moment's name.

    Every table is locked as a reader locks it *before* the moment is taken: a table that is truncated or replaced
    after it would read as empty.
    """
    with _connect(dsn, database) as db:
        db.execute("begin isolation level repeatable read, read only")
        with _connect(dsn, database, autocommit=True) as before:
            names = _tables(before)
        db.execute(f"set local lock_timeout = '{_LOCK_PATIENCE}'".encode())
        if names:
            listed = sql.SQL(", ").join(sql.Identifier(*name) for name in names)
            db.execute(sql.SQL("lock table {} in access share mode").format(listed))
        row = db.execute("select pg_export_snapshot()").fetchone()
        yield db, row[0] if row else ""


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _dump(dsn: str, database: str, folder: Path) -> dict[str, Any]:
    archive = folder / f"{database}.dump"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _snapshot(dsn, database) as (db, moment):
                reached = _sequences(db)  # before the dump reads them: they go on whatever the snapshot is
                _run("pg_dump", dsn, database, "-Fc", "-Z", "gzip:3", f"--snapshot={moment}", f"--file={archive}")
                held = replace(contents(db), sequences=reached)
            break
        except (BackupFailed, psycopg.Error) as error:
            if attempt == ATTEMPTS:
                raise BackupFailed(f"{database} could not be read {ATTEMPTS} times, the last time: {error}") from error
            time.sleep(2 * attempt)
    _run("pg_restore", dsn, database, "--list", str(archive))
    with archive.open("rb") as handle:
        os.fsync(handle.fileno())
    return {"file": archive.name, "bytes": archive.stat().st_size, "sha256": _digest(archive), **asdict(held)}


def take(dsn: str, folder: Path, *, now: datetime, databases: tuple[str, ...] = DATABASES) -> Path:
    """Take a backup into a new folder below `folder` and return it. `dsn` is an account's that may read everything.

    Readable by its owner only. Raises BackupFailed.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = folder / now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = folder / f".partial-{place.name}"
    if place.exists():
        raise BackupFailed(f"{place} is there already.")
    shutil.rmtree(aside, ignore_errors=True)
    before = os.umask(0o077)
    try:
        aside.mkdir()
        with _connect(dsn, "postgres") as server:
            version = server.info.server_version
        held = {database: _dump(dsn, database, aside) for database in databases}
        manifest = {"format": FORMAT, "taken_at": now.isoformat(), "server_version": version, "databases": held}
        (aside / "manifest.json").write_text(json.dumps(manifest, indent=1))
        aside.rename(place)
    except OSError as error:
        raise BackupFailed(f"{aside} could not be written: {error.strerror}.") from error
    finally:
        os.umask(before)
        shutil.rmtree(aside, ignore_errors=True)
    return place


def taken(folder: Path) -> list[Path]:
    """The finished backups below `folder`, oldest first."""
    return sorted(place.parent for place in folder.glob("[0-9]*/manifest.json"))


def forget_old(folder: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest `keep` (at least one) and what unfinished attempts left; returns the removed."""
    old = taken(folder)[: -max(keep, 1)]
    for place in (*old, *folder.glob(".partial-*")):
        shutil.rmtree(place)
    return old


def read(place: Path) -> dict[str, Any]:
    """The manifest of a backup that is whole. Raises RestoreRefused saying what is wrong with one that is not."""
    try:
        manifest = json.loads((place / "manifest.json").read_text())
        parts = manifest["databases"]
    except FileNotFoundError:
        raise RestoreRefused(f"{place} is no backup: it has no manifest.json.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RestoreRefused(f"The manifest of {place} can not be read: {error}.") from error
    if manifest.get("format") != FORMAT:
        raise RestoreRefused(f"{place} has format {manifest.get('format')}; this version reads {FORMAT}.")
    for database, part in parts.items():
        archive = place / part["file"]
        if not archive.exists():
            raise RestoreRefused(f"{archive} is missing.")
        if archive.stat().st_size != part["bytes"] or _digest(archive) != part["sha256"]:
            raise RestoreRefused(f"{archive} is damaged: the archive of {database} is not the one that was written.")
    return manifest


def _difference(wanted: Contents, found: Contents) -> str | None:
    def told(
        what: str, before: Mapping[str, object], after: Mapping[str, object], differing: Iterable[str]
    ) -> str | None:
        names = sorted(differing)
        if not names:
            return None
        return f"{len(names)} {what} differ, {names[0]} first: {before.get(names[0])} became {after.get(names[0])}"

    before, after = wanted.tables, found.tables
    tables = (name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    reached, has = wanted.sequences, found.sequences
    behind = (name for name in reached.keys() | has.keys() if name not in reached or has.get(name, -2) < reached[name])
    return told("tables", before, after, tables) or told("sequences", reached, has, behind)


def _restore_one(dsn: str, database: str, place: Path, part: Mapping[str, Any], roles: set[str]) -> None:
    held = Contents(
        owner=part["owner"], access=[(a, b) for a, b in part["access"]], roles=part["roles"],
        tables={name: (rows, checksum) for name, (rows, checksum) in part["tables"].items()},
        sequences=part["sequences"],
    )  # fmt: skip
    asked = {held.owner, *held.roles, *(who for who, _ in held.access if who != "public")}
    if missing := sorted(asked - roles):
        raise RestoreRefused(f"The server has no role {', '.join(missing)}: prepare it first.")
    incoming = f"{database}_incoming"
    with _connect(dsn, "postgres", autocommit=True) as server:
        server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(incoming)))
        server.execute(
            sql.SQL("create database {} owner {} template template0").format(
                sql.Identifier(incoming), sql.Identifier(held.owner)
            )
        )
        server.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(incoming)))
        for grantee, privilege in held.access:
            if grantee not in ("public", held.owner):
                server.execute(
                    sql.SQL("grant {} on database {} to {}").format(
                        _PRIVILEGES[privilege], sql.Identifier(incoming), sql.Identifier(grantee)
                    )
                )
    try:
        _run("pg_restore", dsn, incoming, "--exit-on-error", "--single-transaction", f"--dbname={incoming}",
             str(place / part["file"]))  # fmt: skip
    except BackupFailed as error:
        raise RestoreRefused(str(error)) from error
    with _connect(dsn, incoming) as db:
        if difference := _difference(held, contents(db)):
            raise RestoreRefused(f"{database} is not what was backed up: {difference}.")


def _holds_data(dsn: str, database: str) -> bool | None:
    """Whether a database has rows in any table of its own; None when there is no such database."""
    with _connect(dsn, "postgres") as server:
        if not server.execute("select 1 from pg_database where datname = %s", (database,)).fetchone():
            return None
    with _connect(dsn, database) as db:
        return any(
            db.execute(sql.SQL("select 1 from {} limit 1").format(sql.Identifier(*name))).fetchone()
            for name in _tables(db)
        )


def _exchange(dsn: str, present: Mapping[str, bool | None], suffix: str) -> None:
    """Put every `<name>_incoming` in the place of `<name>`, all or none; what was there becomes `<name><suffix>`."""
    with _connect(dsn, "postgres", autocommit=True) as server:
        for database, was_there in present.items():
            if was_there is not None:
                server.execute(
                    sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(database))
                )
        try:
            server.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where datname = any(%s) and pid <> pg_backend_pid()",
                ([*present, *(f"{name}_incoming" for name in present)],),
            )
            with server.transaction():
                for database, was_there in present.items():
                    pairs = [(f"{database}_incoming", database)]
                    if was_there is not None:
                        pairs.insert(0, (database, f"{database}{suffix}"))
                    for old, new in pairs:
                        server.execute(
                            sql.SQL("alter database {} rename to {}").format(sql.Identifier(old), sql.Identifier(new))
                        )
        except psycopg.Error as error:
            for database, was_there in present.items():
                if was_there is not None:
                    server.execute(
                        sql.SQL("alter database {} with allow_connections true").format(sql.Identifier(database))
                    )
            raise RestoreRefused(f"The restored databases could not be put in place: {error}") from error
        for database, holds in present.items():
            old = sql.Identifier(f"{database}{suffix}")
            if holds:
                server.execute(sql.SQL("alter database {} with allow_connections true").format(old))
            elif holds is False:
                server.execute(sql.SQL("drop database {}").format(old))


def restore(dsn: str, place: Path, *, now: datetime, replace: bool = False) -> list[str]:
    """Put a backup in place; `dsn` is a superuser's. Returns the names that replaced databases have now.

    Databases that hold data are replaced only when asked, and kept under another name even then. Raises
    RestoreRefused, with the living data as it was, and psycopg.OperationalError when the server does not answer.
    """
    manifest = read(place)
    with _connect(dsn, "postgres") as server:
        version = server.info.server_version
        roles = {name for (name,) in server.execute("select rolname from pg_roles")}
    if version // 10000 < manifest["server_version"] // 10000:
        raise RestoreRefused(
            f"{place} comes from PostgreSQL {manifest['server_version'] // 10000}, this server is"
            f" {version // 10000}: an older server can not read it."
        )
    present = {database: _holds_data(dsn, database) for database in manifest["databases"]}
    full = [database for database, holds in present.items() if holds]
    if full and not replace:
        raise RestoreRefused(
            f"{' and '.join(full)} on this server {'holds' if len(full) == 1 else 'hold'} data. Restore with --replace"
            " to put the backup in the place; what is there is kept under another name."
        )
    try:
        for database, part in manifest["databases"].items():
            _restore_one(dsn, database, place, part, roles)
        suffix = now.astimezone(UTC).strftime("_before_%Y%m%dt%H%M%Sz")
        _exchange(dsn, present, suffix)
    finally:
        with _connect(dsn, "postgres", autocommit=True) as server:
            for database in manifest["databases"]:
                server.execute(
                    sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(f"{database}_incoming"))
                )
    return [f"{database}{suffix}" for database in full]


def next_time(at: str, *, now: datetime) -> datetime:
    """When the next backup is due: the next `HH:MM` in UTC. Raises BackupFailed for anything else."""
    try:
        wanted = datetime.strptime(at, "%H:%M").time()  # noqa: DTZ007 - a time of day
    except ValueError:
        raise BackupFailed(f"BACKUP_AT={at} is not a time of day: write 02:40.") from None
    due = datetime.combine(now.astimezone(UTC).date(), wanted, tzinfo=UTC)
    return due if due > now else due + timedelta(days=1)


def _dsn(environment: Mapping[str, str]) -> str:
    if environment.get("BACKUP_DSN"):
        return environment["BACKUP_DSN"]
    from deploy.prepare import superuser_dsn

    return superuser_dsn(environment)


def _folder(environment: Mapping[str, str]) -> Path:
    default = Path(environment.get("STATE_DIR") or ".state") / "backups"
    return Path(environment.get("BACKUP_FOLDER") or default).absolute()


def _one(environment: Mapping[str, str]) -> None:
    folder, begun = _folder(environment), time.monotonic()
    place = take(_dsn(environment), folder, now=datetime.now(UTC))
    forget_old(folder, keep=int(environment.get("BACKUP_KEEP") or KEEP))
    size = sum(part.stat().st_size for part in place.iterdir())
    rows = sum(count for part in read(place)["databases"].values() for count, _ in part["tables"].values())
    print(f"Backed up {rows:,} rows to {place} ({size / 1e6:.1f} MB) in {time.monotonic() - begun:.0f} s.", flush=True)


def run(environment: Mapping[str, str], *, every_day: bool) -> None:
    """Take a backup now; or stay: one when the newest is older than a day, then one a day at BACKUP_AT.

    A failed one of the daily is told and tried again in ten minutes; the health check tells when none succeeds.
    """
    if not every_day:
        _one(environment)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    at, folder = environment.get("BACKUP_AT") or "02:40", _folder(environment)
    newest = max((place.joinpath("manifest.json").stat().st_mtime for place in taken(folder)), default=0.0)
    due = next_time(at, now=datetime.now(UTC)) if time.time() - newest < 86_400 else datetime.now(UTC)
    while True:
        while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
            time.sleep(min(left, 60))
        try:
            _one(environment)
            due = next_time(at, now=datetime.now(UTC))
        except (BackupFailed, psycopg.Error) as error:
            print(f"No backup was taken: {error}", file=sys.stderr, flush=True)
            due = datetime.now(UTC) + timedelta(minutes=10)


def restore_named(environment: Mapping[str, str], name: str, *, replace: bool) -> None:
    """Restore a folder, or the `newest` one, and say what became of what was there."""
    from deploy.prepare import superuser_dsn

    found = taken(_folder(environment))
    if name == "newest" and not found:
        raise RestoreRefused(f"There is no backup in {_folder(environment)}.")
    place = found[-1] if name == "newest" else Path(name)
    kept = restore(superuser_dsn(environment), place, now=datetime.now(UTC), replace=replace)
    print(f"Restored {place}; every table has the rows it had at {read(place)['taken_at']}.", flush=True)
    for old in kept:
        print(f"What was there before is kept as database {old}.", flush=True)
