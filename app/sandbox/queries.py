"""Queries under a name, each text they ever had kept as a version; shared ones open for every analyst.

Sharing gives the text away and nothing else: it runs with the rights, the limits and the name of whoever runs it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, insert, or_, select

from app import audit
from app.auth import Identity, Permission, require
from app.errors import NotFound
from app.idempotency import once
from app.inputs import required_text
from app.own_rows import OwnRows
from app.sandbox import gate
from app.sandbox.tables import saved_queries, saved_query_versions
from app.tables import users

NAME_LIMIT = 80
MOST_QUERIES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedQuery:
    """One query as it stands; `text` is of its newest version."""

    query_id: UUID
    owner_user_id: UUID
    owner_name: str
    name: str
    text: str
    is_shared: bool
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryVersion:
    """A text that a query had, who saved it and when."""

    version: int
    text: str
    saved_by_name: str
    saved_at: datetime


_QUERY = TypeAdapter(SavedQuery)
_ROWS = OwnRows(saved_queries.c.query_id, audit.Subject.SAVED_QUERY, "query")
_VERSIONS = TypeAdapter(list[QueryVersion])


def _queries() -> Select:
    newest = (saved_query_versions.c.query_id == saved_queries.c.query_id) & (
        saved_query_versions.c.version == saved_queries.c.version
    )
    return (
        select(*(column for column in saved_queries.c if column.name != "archived_at"))
        .add_columns(users.c.display_name.label("owner_name"), saved_query_versions.c.text)
        .join(users, users.c.user_id == saved_queries.c.owner_user_id)
        .join(saved_query_versions, newest)
        .where(saved_queries.c.archived_at.is_(None))
    )


def list_queries(db: Connection, *, identity: Identity) -> list[SavedQuery]:
    """The person's own queries and those that colleagues share, own first, by name; at most 500."""
    require(identity, Permission.RUN_SQL)
    theirs = _queries().where(or_(saved_queries.c.owner_user_id == identity.user_id, saved_queries.c.is_shared))
    own_first = (saved_queries.c.owner_user_id != identity.user_id, saved_queries.c.name, saved_queries.c.query_id)
    found = db.execute(theirs.order_by(*own_first).limit(MOST_QUERIES))
    return [_QUERY.validate_python(dict(row._mapping)) for row in found]


def get_query(db: Connection, *, identity: Identity, query_id: UUID) -> SavedQuery:
    """One query, own or shared. Raises NotFound, also for somebody else's private one."""
    require(identity, Permission.RUN_SQL)
    row = db.execute(_queries().where(saved_queries.c.query_id == query_id)).one_or_none()
    query = _QUERY.validate_python(dict(row._mapping)) if row else None
    if query is None or not (query.is_shared or query.owner_user_id == identity.user_id):
        raise NotFound("query", query_id)
    return query


def versions(db: Connection, *, identity: Identity, query_id: UUID) -> list[QueryVersion]:
    """Every text that a query had, newest first. Raises NotFound."""
    get_query(db, identity=identity, query_id=query_id)
    kept = (
        select(saved_query_versions, users.c.display_name.label("saved_by_name"))
        .join(users, users.c.user_id == saved_query_versions.c.saved_by)
        .where(saved_query_versions.c.query_id == query_id)
        .order_by(saved_query_versions.c.version.desc())
    )
    return _VERSIONS.validate_python([dict(row._mapping) for row in db.execute(kept)])


def save(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    name: str,
    text: str,
    is_shared: bool,
    query_id: UUID | None = None,
    expected_version: int | None = None,
    idempotency_key: str,
) -> SavedQuery:
    """A new query, or with `query_id` and the version it was based on, the next version of one of their own.

    The text need not run, so that unfinished work can be kept. Raises NotPermitted, NotFound, StaleVersion,
    IdempotencyConflict, and InvalidInput for a name or text that is empty or too long, or a name that is taken.
    """
    require(actor, Permission.RUN_SQL)
    columns = {"name": required_text("name", name, limit=NAME_LIMIT).strip(), "is_shared": is_shared}
    body = required_text("text", text, limit=gate.LONGEST)

    def work() -> SavedQuery:
        before = _own(db, actor, query_id, expected_version) if query_id else None
        version = before.version + 1 if before else 1
        kept = _ROWS.keep(db, query_id, columns, actor=actor, now=now, version=version, name=name)
        row = {"query_id": kept, "version": version, "text": body, "saved_by": actor.user_id, "saved_at": now}
        db.execute(insert(saved_query_versions).values(row))
        told = _told(before) if before else None
        after = {**columns, "version": version}
        _ROWS.tell(db, kept, actor=actor, now=now, before=told, after=after, idempotency_key=idempotency_key)
        return get_query(db, identity=actor, query_id=kept)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="save_query",
        request={**columns, "text": body, "query_id": query_id, "expected_version": expected_version},
        now=now,
        answer=SavedQuery,
        work=work,
    )


def remove(
    db: Connection, *, actor: Identity, now: datetime, query_id: UUID, expected_version: int, idempotency_key: str
) -> None:
    """Take an own query out of every list; its versions stay. Raises NotFound, NotPermitted, StaleVersion."""
    require(actor, Permission.RUN_SQL)

    def work() -> bool:
        before = _own(db, actor, query_id, expected_version)
        _ROWS.archive(db, query_id, _told(before), actor=actor, now=now, idempotency_key=idempotency_key)
        return True

    once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="remove_query",
        request={"query_id": query_id, "expected_version": expected_version},
        now=now,
        answer=bool,
        work=work,
    )


def _told(query: SavedQuery) -> dict[str, object]:
    """What the trail keeps of a query; its texts are kept by themselves."""
    return {"name": query.name, "is_shared": query.is_shared, "version": query.version}


def _own(db: Connection, actor: Identity, query_id: UUID, expected_version: int | None) -> SavedQuery:
    return _ROWS.locked(
        db,
        query_id,
        lambda: get_query(db, identity=actor, query_id=query_id),
        actor=actor,
        expected_version=expected_version,
    )
