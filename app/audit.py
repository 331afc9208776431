"""The trail of everything that is neither an action nor a suggestion: people, configuration, rules, playbooks,
hand-overs.

Append-only in the database. An action's own story is in `app.actions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select

from app.auth import Identity, Permission, require
from app.tables import audit_events


class Subject(StrEnum):
    """What a change was made to."""

    USER = "user"
    CONFIGURATION = "configuration"
    PLAYBOOK = "playbook"
    PLAYBOOK_RUN = "playbook_run"
    HANDOVER = "handover"
    SAVED_VIEW = "saved_view"
    SAVED_QUERY = "saved_query"
    MESSAGE = "message"
    SEGMENT = "segment"
    RULE = "rule"
    DATA_ISSUE = "data_issue"


class Kind(StrEnum):
    """What happened to it."""

    CREATED = "created"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who made a change: a person, or a job or the operator by name."""

    user_id: UUID | None
    name: str
    kind: str

    @classmethod
    def of(cls, actor: Identity | None, *, name: str = "Operator", kind: str = "operator") -> "Author":
        """A signed-in person, or with None who is named: `job` or `operator`."""
        if actor is None:
            return cls(user_id=None, name=name, kind=kind)
        return cls(user_id=actor.user_id, name=actor.display_name, kind="user")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One change of one field, or one thing that began or ended; `before` and `after` are JSON values."""

    event_id: int
    at: datetime
    actor_user_id: UUID | None
    actor_name: str
    actor_kind: str
    subject_kind: Subject
    subject_id: str
    kind: Kind
    field: str | None
    before: Any
    after: Any
    reason: str | None


_EVENT = TypeAdapter(AuditEvent)
_JSON = TypeAdapter(Any)


def record(
    db: Connection,
    *,
    author: Author,
    now: datetime,
    subject: Subject,
    subject_id: object,
    kind: Kind,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str | None = None,
    idempotency_key: str | None = None,
) -> int:
    """Append what changed, in the transaction of the change; returns how many events.

    `created` and `ended` are one event with the whole of `before` and `after`; `changed` is one event per field that
    differs, and none when nothing does.
    """
    old, new = (_JSON.dump_python(dict(values or {}), mode="json") for values in (before, after))
    frame = {
        "at": now,
        "actor_user_id": author.user_id,
        "actor_name": author.name,
        "actor_kind": author.kind,
        "subject_kind": subject.value,
        "subject_id": str(subject_id),
        "kind": kind.value,
        "reason": reason,
        "idempotency_key": idempotency_key,
    }
    if kind is Kind.CHANGED:
        fields = [name for name in new if old.get(name) != new[name]]
        rows = [{**frame, "field": name, "before": old.get(name), "after": new[name]} for name in fields]
    else:
        rows = [{**frame, "field": None, "before": old or None, "after": new or None}]
    if rows:
        db.execute(insert(audit_events), rows)
    return len(rows)


def record_of_person(
    db: Connection,
    user_id: UUID,
    *,
    actor: Identity | None,
    now: datetime,
    kind: Kind = Kind.CHANGED,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object],
) -> None:
    """Append what was changed about a person, by `actor` or with None by the operator, as `record` does."""
    record(
        db,
        author=Author.of(actor),
        now=now,
        subject=Subject.USER,
        subject_id=user_id,
        kind=kind,
        before=before,
        after=after,
    )


def trail(
    db: Connection,
    *,
    actor: Identity,
    subject: Subject | None = None,
    subject_id: object | None = None,
    limit: int = 200,
) -> list[AuditEvent]:
    """What was changed, newest first; for admins. Raises NotPermitted."""
    require(actor, Permission.CONFIGURE)
    query = select(*(column for column in audit_events.c if column.name != "idempotency_key"))
    if subject is not None:
        query = query.where(audit_events.c.subject_kind == subject.value)
    if subject_id is not None:
        query = query.where(audit_events.c.subject_id == str(subject_id))
    rows = db.execute(query.order_by(audit_events.c.event_id.desc()).limit(max(1, min(limit, 2_000))))
    return [_EVENT.validate_python(dict(row._mapping)) for row in rows]
