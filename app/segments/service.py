"""Segments: a filter of the Accounts page under a name, for a list, a rule or a report.

Everybody who may save a view may save a segment; only its owner changes it, and what is private does not exist for
anybody else. A segment that a rule uses stays, and stays visible: whoever reads the rule must be able to see what it
says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, column, or_, select, table, text

from app import audit
from app.auth import Identity, Permission, require
from app.errors import InvalidInput, NotFound
from app.idempotency import once
from app.inputs import optional_text, required_text
from app.own_rows import OwnRows
from app.segments import members
from app.segments.criteria import Criteria, criteria_from
from app.segments.tables import segments
from app.tables import users
from app.wording import listed

NAME_LIMIT = 80
DESCRIPTION_LIMIT = 500
MOST_SEGMENTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One row of app.segments; `criteria` as `criteria_from` reads them."""

    segment_id: UUID
    owner_user_id: UUID
    owner_name: str
    name: str
    description: str | None
    criteria: dict[str, Any]
    is_shared: bool
    created_at: datetime
    updated_at: datetime
    version: int

    def asked(self) -> Criteria:
        """What makes an account part of it."""
        return criteria_from(self.criteria)


_SEGMENT = TypeAdapter(Segment)
_ROWS = OwnRows(segments.c.segment_id, audit.Subject.SEGMENT, "segment")
_RULES = table("rules", column("rule_id"), column("params"), column("is_active"), schema="app")


def _segments() -> Select:
    return (
        select(*(column for column in segments.c if column.name != "archived_at"))
        .add_columns(users.c.display_name.label("owner_name"))
        .join(users, users.c.user_id == segments.c.owner_user_id)
        .where(segments.c.archived_at.is_(None))
    )


def list_segments(db: Connection, *, identity: Identity) -> list[Segment]:
    """The person's own segments and those that are visible to all, own first, by name; at most 200."""
    query = _segments().where(or_(segments.c.owner_user_id == identity.user_id, segments.c.is_shared))
    own_first = (segments.c.owner_user_id != identity.user_id, segments.c.name, segments.c.segment_id)
    found = db.execute(query.order_by(*own_first).limit(MOST_SEGMENTS))
    return [_SEGMENT.validate_python(dict(row._mapping)) for row in found]


def get_segment(db: Connection, *, identity: Identity, segment_id: UUID) -> Segment:
    """One segment, own or visible to all. Raises NotFound, also for somebody else's private one."""
    row = db.execute(_segments().where(segments.c.segment_id == segment_id)).one_or_none()
    found = _SEGMENT.validate_python(dict(row._mapping)) if row else None
    if found is None or not (found.is_shared or found.owner_user_id == identity.user_id):
        raise NotFound("segment", segment_id)
    return found


def shared_segment(db: Connection, segment_id: UUID) -> Segment:
    """One that is visible to all, locked until the end of the transaction: what a rule is tied to must not be archived
    meanwhile. Raises NotFound."""
    db.execute(select(segments.c.segment_id).where(segments.c.segment_id == segment_id).with_for_update(read=True))
    row = db.execute(_segments().where(segments.c.segment_id == segment_id, segments.c.is_shared)).one_or_none()
    if row is None:
        raise NotFound("segment", segment_id)
    return _SEGMENT.validate_python(dict(row._mapping))


def account_keys(db: Connection, *, identity: Identity, segment_id: UUID, today: date) -> list[str]:
    """Keys of the accounts that a segment holds in the published build, in order. Raises NotFound."""
    return members.account_keys(db, get_segment(db, identity=identity, segment_id=segment_id).asked(), today=today)


def rules_using(db: Connection, segment_id: UUID) -> list[str]:
    """The active rules that are tied to a segment, as `R2 (title)`, by their number."""
    params = _RULES.c.params
    ties = or_(*(params.op("->>")(name) == str(segment_id) for name in ("only_segment", "except_segment")))
    query = select(_RULES.c.rule_id, params.op("->>")("title").label("title")).where(_RULES.c.is_active, ties)
    found = db.execute(query.order_by(text("cast(substr(rule_id, 2) as integer)"))).all()
    return [f"{row.rule_id} ({row.title})" for row in found]


def save(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    name: str,
    description: str | None,
    criteria: Mapping[str, object],
    is_shared: bool,
    segment_id: UUID | None = None,
    expected_version: int | None = None,
    idempotency_key: str,
) -> Segment:
    """A new segment, or with `segment_id` and the version it was based on, one of their own changed.

    Raises NotPermitted, NotFound, StaleVersion, IdempotencyConflict, and InvalidInput for a name that is empty, over 80
    characters or taken, for criteria that no filter holds, and for hiding, or filling with other accounts, what a rule
    uses: what a rule sees changes with its version alone.
    """
    require(actor, Permission.SAVE_VIEW)
    columns: dict[str, Any] = {
        "name": required_text("name", name, limit=NAME_LIMIT).strip(),
        "description": optional_text("description", description, limit=DESCRIPTION_LIMIT),
        "criteria": criteria_from(criteria).stored(),
        "is_shared": is_shared,
    }

    def work() -> Segment:
        before = _own(db, actor, segment_id, expected_version) if segment_id else None
        if before is not None and before.is_shared and not is_shared:
            _refuse_while_used(db, before, "be hidden")
        if before is not None and before.criteria != columns["criteria"]:
            _refuse_while_used(db, before, "hold other accounts")
        version = before.version + 1 if before else 1
        kept = _ROWS.keep(db, segment_id, columns, actor=actor, now=now, version=version, name=name)
        told = {field: getattr(before, field) for field in columns} if before else None
        _ROWS.tell(db, kept, actor=actor, now=now, before=told, after=columns, idempotency_key=idempotency_key)
        return get_segment(db, identity=actor, segment_id=kept)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="save_segment",
        request={**columns, "segment_id": segment_id, "expected_version": expected_version},
        now=now,
        answer=Segment,
        work=work,
    )


def archive(
    db: Connection, *, actor: Identity, now: datetime, segment_id: UUID, expected_version: int, idempotency_key: str
) -> None:
    """Take an own segment out of every list; a link to it says that it does not exist any more.

    Raises NotFound, NotPermitted, StaleVersion, and InvalidInput naming the rules that use it.
    """
    require(actor, Permission.SAVE_VIEW)

    def work() -> bool:
        before = _own(db, actor, segment_id, expected_version)
        _refuse_while_used(db, before, "be archived")
        told = {field: getattr(before, field) for field in ("name", "description", "criteria", "is_shared")}
        _ROWS.archive(db, segment_id, told, actor=actor, now=now, idempotency_key=idempotency_key)
        return True

    once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="archive_segment",
        request={"segment_id": segment_id, "expected_version": expected_version},
        now=now,
        answer=bool,
        work=work,
    )


def _own(db: Connection, actor: Identity, segment_id: UUID, expected_version: int | None) -> Segment:
    return _ROWS.locked(
        db,
        segment_id,
        lambda: get_segment(db, identity=actor, segment_id=segment_id),
        actor=actor,
        expected_version=expected_version,
    )


def _refuse_while_used(db: Connection, segment: Segment, what: str) -> None:
    if rules := rules_using(db, segment.segment_id):
        many = len(rules) > 1
        raise InvalidInput(
            "segment_id",
            f"“{segment.name}” cannot {what}: the {'rules' if many else 'rule'} {listed(rules)} "
            f"{'use' if many else 'uses'} it.",
            hint="Ask an admin to free the rule of it first, in Settings, Rules.",
        )
