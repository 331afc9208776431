"""A person's filters under a name, as a link that a colleague can open too.

A view holds the page's address parameters and nothing else: opening it gives what the same link gives. A private view
does not exist for anybody else, its link included.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, or_, select

from app import audit
from app.auth import Identity, Permission, require
from app.errors import InvalidInput, NotFound
from app.idempotency import once
from app.inputs import member, required_text
from app.own_rows import OwnRows
from app.tables import saved_views, users

NAME_LIMIT = 80
MOST_VIEWS = 200
MOST_CHARACTERS = 8_000


class ViewPage(StrEnum):
    """Pages whose filters can be saved; the address is the same word."""

    ACTIONS = "actions"
    ACCOUNTS = "accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """One row of app.saved_views. `query` holds address parameters, each a list of values in order."""

    view_id: UUID
    owner_user_id: UUID
    owner_name: str
    page: ViewPage
    name: str
    query: dict[str, list[str]]
    is_shared: bool
    created_at: datetime
    updated_at: datetime
    version: int


_VIEW = TypeAdapter(SavedView)
_ROWS = OwnRows(saved_views.c.view_id, audit.Subject.SAVED_VIEW, "view")


def _views() -> Select:
    return (
        select(*(column for column in saved_views.c if column.name != "archived_at"))
        .add_columns(users.c.display_name.label("owner_name"))
        .join(users, users.c.user_id == saved_views.c.owner_user_id)
        .where(saved_views.c.archived_at.is_(None))
    )


def _checked_query(query: Mapping[str, object]) -> dict[str, list[str]]:
    plain = {
        str(name): [str(value) for value in (values if isinstance(values, list | tuple) else [values])]
        for name, values in query.items()
    }
    text = json.dumps(plain)
    if len(text) > MOST_CHARACTERS or "\\u0000" in text:
        raise InvalidInput(
            "query", "These filters cannot be saved: they are too long or hold a character that is not text."
        )
    return plain


def list_views(db: Connection, *, identity: Identity, page: str) -> list[SavedView]:
    """The person's own views and those that colleagues share, own first, by name; at most 200."""
    query = _views().where(
        saved_views.c.page == member("page", page, ViewPage).value,
        or_(saved_views.c.owner_user_id == identity.user_id, saved_views.c.is_shared),
    )
    own_first = (saved_views.c.owner_user_id != identity.user_id, saved_views.c.name, saved_views.c.view_id)
    return [
        _VIEW.validate_python(dict(row._mapping)) for row in db.execute(query.order_by(*own_first).limit(MOST_VIEWS))
    ]


def get_view(db: Connection, *, identity: Identity, view_id: UUID) -> SavedView:
    """One view, own or shared. Raises NotFound, also for somebody else's private one."""
    row = db.execute(_views().where(saved_views.c.view_id == view_id)).one_or_none()
    view = _VIEW.validate_python(dict(row._mapping)) if row else None
    if view is None or not (view.is_shared or view.owner_user_id == identity.user_id):
        raise NotFound("view", view_id)
    return view


def save(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    page: str,
    name: str,
    query: Mapping[str, object],
    is_shared: bool,
    view_id: UUID | None = None,
    expected_version: int | None = None,
    idempotency_key: str,
) -> SavedView:
    """A new view, or with `view_id` and the version it was based on, one of their own changed.

    Raises NotPermitted, NotFound, StaleVersion, IdempotencyConflict, and InvalidInput for a name that is empty, over 80
    characters or taken, or for filters too long to be a link.
    """
    require(actor, Permission.SAVE_VIEW)
    columns = {
        "page": member("page", page, ViewPage).value,
        "name": required_text("name", name, limit=NAME_LIMIT).strip(),
        "query": _checked_query(query),
        "is_shared": is_shared,
    }

    def work() -> SavedView:
        before = _own(db, actor, view_id, expected_version) if view_id else None
        version = before.version + 1 if before else 1
        kept = _ROWS.keep(db, view_id, columns, actor=actor, now=now, version=version, name=name)
        told = {name: getattr(before, name) for name in columns} if before else None
        _ROWS.tell(db, kept, actor=actor, now=now, before=told, after=columns, idempotency_key=idempotency_key)
        return get_view(db, identity=actor, view_id=kept)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="save_view",
        request={**columns, "view_id": view_id, "expected_version": expected_version},
        now=now,
        answer=SavedView,
        work=work,
    )


def remove(
    db: Connection, *, actor: Identity, now: datetime, view_id: UUID, expected_version: int, idempotency_key: str
) -> None:
    """Take an own view out of every list; its link says that it does not exist any more.

    Raises NotFound, NotPermitted, StaleVersion.
    """
    require(actor, Permission.SAVE_VIEW)

    def work() -> bool:
        before = _own(db, actor, view_id, expected_version)
        told = {"name": before.name, "query": before.query, "is_shared": before.is_shared}
        _ROWS.archive(db, view_id, told, actor=actor, now=now, idempotency_key=idempotency_key)
        return True

    once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="remove_view",
        request={"view_id": view_id, "expected_version": expected_version},
        now=now,
        answer=bool,
        work=work,
    )


def _own(db: Connection, actor: Identity, view_id: UUID, expected_version: int | None) -> SavedView:
    return _ROWS.locked(
        db,
        view_id,
        lambda: get_view(db, identity=actor, view_id=view_id),
        actor=actor,
        expected_version=expected_version,
    )
