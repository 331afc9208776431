"""Rows of suggestions and back, and what evaluation must know before it raises anything."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Row,
    Select,
    Uuid,
    any_,
    bindparam,
    insert,
    literal,
    select,
    text,
    update,
)

from app.actions.repository import EventActor
from app.errors import NotFound
from app.suggestions.model import Suggestion, SuggestionEvent, SuggestionStatus
from app.suggestions.tables import policies, rules, suggestion_events, suggestions
from app.tables import users

_SUGGESTION = TypeAdapter(Suggestion)
_EVENT = TypeAdapter(SuggestionEvent)
ONE_OPEN = "suggestions_open_dedupe"  # the index that refuses a second open suggestion of a dedupe key
_EVALUATION_LOCK = 7_461_003
_RULES_LOCK = 7_461_005


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event to append to a suggestion."""

    suggestion_id: UUID
    version: int
    kind: str
    before: Any = None
    after: Any = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is open, ended and used up, by dedupe key or by CSM."""

    open_keys: frozenset[str]
    ended: Mapping[str, date]
    used_today: Mapping[str | None, int]


def _selected() -> Select:
    return select(*suggestions.c, users.c.display_name.label("answered_by_name")).outerjoin(
        users, users.c.user_id == suggestions.c.answered_by
    )


def _read(row: Row) -> Suggestion:
    return _SUGGESTION.validate_python(dict(row._mapping))


def find(
    db: Connection, *conditions: ColumnElement[bool], order: Sequence[Any] = (), limit: int | None = None
) -> list[Suggestion]:
    """Suggestions of some conditions."""
    query = _selected().where(*conditions).order_by(*order)
    return [_read(row) for row in db.execute(query.limit(limit) if limit is not None else query)]


def of_ids(db: Connection, suggestion_ids: Sequence[UUID]) -> list[Suggestion]:
    """Those of these ids, any number of them: one array, where a list would meet the limit of parameters."""
    return find(db, suggestions.c.suggestion_id == any_(literal(list(suggestion_ids), ARRAY(Uuid))))


def one(db: Connection, suggestion_id: UUID, *, is_locked: bool = False) -> Suggestion:
    """One suggestion, locked until the end of the transaction when asked. Raises NotFound."""
    mine = suggestions.c.suggestion_id == suggestion_id
    if is_locked:
        # first the lock, then the read: after a wait, a locking read shows the new row beside the old joined name
        db.execute(select(suggestions.c.suggestion_id).where(mine).with_for_update())
    row = db.execute(_selected().where(mine)).one_or_none()
    if row is None:
        raise NotFound("suggestion", suggestion_id)
    return _read(row)


def take_time(db: Connection) -> None:
    """Until the end of this transaction a statement may take minutes: an evaluation reads sixty days of every account,
    and nobody waits for it before a page."""
    db.execute(text("set local statement_timeout = '5min'"))


def lock_open(db: Connection) -> list[Suggestion]:
    """Everything that is not finished, locked in the order of ids; evaluations take turns."""
    db.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _EVALUATION_LOCK})
    query = (
        _selected()
        .where(suggestions.c.status.in_(["generated", "held_out", "shown", "viewed", "snoozed", "blocked_stale_data"]))
        .order_by(suggestions.c.suggestion_id)
        .with_for_update(of=suggestions)
    )
    return [_read(row) for row in db.execute(query)]


def insert_all(db: Connection, rows: Sequence[Mapping[str, object]]) -> list[UUID]:
    """New rows, all with the same columns, in one statement; returns their ids, in order."""
    ids = [uuid4() for _ in rows]
    if rows:
        made = zip(rows, ids, strict=True)
        db.execute(insert(suggestions), [{**row, "suggestion_id": one, "version": 1} for row, one in made])
    return ids


def change(db: Connection, suggestion: Suggestion, changes: Mapping[str, object]) -> None:
    """Write changed columns of a locked suggestion and count the version up."""
    change_all(db, [(suggestion, changes)])


def change_all(db: Connection, changes: Sequence[tuple[Suggestion, Mapping[str, object]]]) -> None:
    """As `change`, each suggestion once, in one statement for every set of columns."""
    alike: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for suggestion, columns in changes:
        mine = {"its_id": suggestion.suggestion_id, "its_version": suggestion.version}
        alike[tuple(sorted(columns))].append({**mine, **{f"new_{name}": value for name, value in columns.items()}})
    for names, rows in alike.items():
        statement = (
            update(suggestions)
            .where(
                suggestions.c.suggestion_id == bindparam("its_id"), suggestions.c.version == bindparam("its_version")
            )
            .values(
                {
                    **{name: bindparam(f"new_{name}", type_=suggestions.c[name].type) for name in names},
                    "version": suggestions.c.version + 1,
                }
            )
        )
        db.execute(statement, rows)


def set_status_quietly(
    db: Connection, suggestion_ids: Sequence[UUID], status: SuggestionStatus, *, of: Sequence[SuggestionStatus]
) -> set[UUID]:
    """Shown and viewed: facts about the screen, not changes that another answer could collide with.

    Only those still in one of the statuses `of` move; returns their ids.
    """
    moved = db.execute(
        update(suggestions)
        .where(
            suggestions.c.suggestion_id.in_(suggestion_ids), suggestions.c.status.in_([status.value for status in of])
        )
        .values(status=status.value)
        .returning(suggestions.c.suggestion_id)
    )
    return set(moved.scalars())


def append(
    db: Connection,
    *,
    actor: EventActor,
    now: datetime,
    happenings: Sequence[Happening],
    idempotency_key: str | None = None,
) -> None:
    """Events of one actor, in order."""
    append_all(db, now=now, happenings=[(actor, one) for one in happenings], idempotency_key=idempotency_key)


def append_all(
    db: Connection,
    *,
    now: datetime,
    happenings: Sequence[tuple[EventActor, Happening]],
    idempotency_key: str | None = None,
) -> None:
    """Events, each with its actor, in order."""
    if not happenings:
        return
    db.execute(
        insert(suggestion_events),
        [
            {
                "suggestion_id": item.suggestion_id,
                "at": now,
                "actor_user_id": actor.user_id,
                "actor_name": actor.name,
                "actor_kind": actor.kind.value,
                "kind": item.kind,
                "before": item.before,
                "after": item.after,
                "reason": item.reason,
                "version": item.version,
                "idempotency_key": idempotency_key,
            }
            for actor, item in happenings
        ],
    )


def events(db: Connection, suggestion_id: UUID, *, after_version: int | None = None) -> list[SuggestionEvent]:
    """The story of a suggestion, oldest first; with `after_version` only what changed since."""
    query = select(*(column for column in suggestion_events.c if column.name != "idempotency_key")).where(
        suggestion_events.c.suggestion_id == suggestion_id
    )
    if after_version is not None:
        query = query.where(suggestion_events.c.version > after_version)
    rows = db.execute(query.order_by(suggestion_events.c.event_id))
    return [_EVENT.validate_python(dict(row._mapping)) for row in rows]


def hold_rules(db: Connection) -> None:
    """Nobody else makes a version of a rule until this transaction ends."""
    db.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _RULES_LOCK})


def active_rules(db: Connection) -> list[tuple[str, int, dict[str, Any]]]:
    """Id, version and parameters of every active rule, by id."""
    query = select(rules.c.rule_id, rules.c.version, rules.c.params).where(rules.c.is_active).order_by(rules.c.rule_id)
    return [(row.rule_id, row.version, row.params) for row in db.execute(query)]


def active_policy(db: Connection, policy_id: str) -> tuple[int, dict[str, Any]]:
    """Version and parameters of the active version of a policy. Raises NotFound."""
    query = select(policies.c.version, policies.c.params).where(policies.c.policy_id == policy_id, policies.c.is_active)
    row = db.execute(query).one_or_none()
    if row is None:
        raise NotFound("policy", policy_id)
    return row.version, row.params


_OPEN_KEYS = text(
    """
    select account_key || ':' || action_type || ':' || reason as dedupe_key
    from app.actions
    where status not in ('closed', 'cancelled') and reason is not null
    union
    select s.dedupe_key
    from app.suggestions as s
    join app.actions as a on a.action_id = s.action_id
    where a.status not in ('closed', 'cancelled')
    """
)

# An action that cleared by itself, and a suggestion that did, may come back at once: nobody has answered.
_ENDED = text(
    """
    select dedupe_key, max(ended_on) as ended_on
    from (
        select
            dedupe_key,
            cast(case status when 'dismissed' then answered_at else expired_at end at time zone 'Europe/London' as date)
                as ended_on
        from (
            select
                s.dedupe_key,
                s.status,
                s.answered_at,
                (
                    select max(e.at) from app.suggestion_events as e
                    where e.suggestion_id = s.suggestion_id and e.kind = 'expired'
                ) as expired_at
            from app.suggestions as s
            where s.status in ('dismissed', 'expired') and s.generated_at > :since
        ) as unwanted
        union all
        select account_key || ':' || action_type || ':' || reason, cast(closed_at at time zone 'Europe/London' as date)
        from app.actions
        where
            status in ('closed', 'cancelled')
            and cancel_reason is distinct from 'auto_resolved'
            and reason is not null
            and closed_at > :since
            -- but for one whose acceptance was undone: its suggestion waits again
            and (
                suggestion_id is null
                or exists (select from app.suggestions as s where s.action_id = actions.action_id)
            )
        union all
        select s.dedupe_key, cast(a.closed_at at time zone 'Europe/London' as date)
        from app.suggestions as s
        join app.actions as a on a.action_id = s.action_id
        where
            a.status in ('closed', 'cancelled')
            and a.cancel_reason is distinct from 'auto_resolved'
            and a.closed_at > :since
    ) as endings
    group by dedupe_key
    """
)

_USED = text(
    """
    select csm_email, count(*) as used_count
    from app.suggestions
    where generated_at >= :day_began and decision_id is not null
    group by csm_email
    """
)


def standing(db: Connection, *, day_began: datetime, since: datetime) -> Standing:
    """What evaluation must not repeat; endings before `since` are too old to matter."""
    return Standing(
        open_keys=frozenset(db.execute(_OPEN_KEYS).scalars()),
        ended={row.dedupe_key: row.ended_on for row in db.execute(_ENDED, {"since": since}) if row.ended_on},
        used_today={row.csm_email: row.used_count for row in db.execute(_USED, {"day_began": day_began})},
    )


_ACCEPTED_UNTOUCHED = text(
    """
    select s.suggestion_id, s.account_key, s.rule_id, s.evidence, a.action_id
    from app.suggestions as s
    join app.actions as a on a.action_id = s.action_id
    where s.status in ('accepted', 'accepted_with_edits') and a.status = 'new'
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Untouched:
    """An accepted suggestion whose action nobody has started."""

    suggestion_id: UUID
    account_key: str
    rule_id: str
    evidence: dict[str, Any]
    action_id: UUID


def accepted_untouched(db: Connection) -> list[Untouched]:
    """Accepted suggestions whose action is still new."""
    return [Untouched(**row._mapping) for row in db.execute(_ACCEPTED_UNTOUCHED)]


_WOKEN_AT = text(
    """
    select suggestion_id, max(at) as woken_at
    from app.suggestion_events
    where kind = 'woken' and suggestion_id = any(:suggestion_ids)
    group by suggestion_id
    """
)


def woken_at(db: Connection, suggestion_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each of the suggestions last came back from a snooze."""
    return {row.suggestion_id: row.woken_at for row in db.execute(_WOKEN_AT, {"suggestion_ids": list(suggestion_ids)})}
