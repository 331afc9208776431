"""Figures that somebody says are wrong: opened by dismissing a suggestion for it, closed by an admin or an analyst.

Grain: one issue per account, rule and deciding figure while it is open; who dismisses the same for the same reason
joins it. It keeps what the rule said then, and where each figure it used can be proved. The caller owns the
transaction.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_pass

from app import audit
from app.audit import Author, Kind, Subject
from app.auth import Identity, Permission, require
from app.errors import InvalidInput, NotFound, NotPermitted, StaleVersion
from app.idempotency import once
from app.inputs import optional_text, required_text
from app.notices import service as notices
from app.notices.service import NewNotice, NoticeKind
from app.suggestions.model import Suggestion
from app.suggestions.proofs import ProvedFigure, figures_of
from app.suggestions.tables import data_issue_reports, data_issues

NOTE_LIMIT = 500
LARGEST_PAGE = 500


class IssueStatus(StrEnum):
    """Where a data issue stands; `withdrawn` is one that everybody took back who had said it."""

    OPEN = "open"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One person's word that the figures behind a suggestion are wrong."""

    suggestion_id: UUID
    reported_by: UUID
    reported_by_name: str
    reported_at: datetime
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataIssue:
    """One issue with the reports that stand, oldest first. `figure` is the mart and column that decided, `figures` all
    that the rule used, as of `build_id`; `sentence` is what it said then."""

    issue_id: UUID
    account_key: str
    account_name: str
    rule_id: str
    rule_version: int
    figure: str
    sentence: str
    figures: list[ProvedFigure]
    build_id: int
    status: IssueStatus
    opened_at: datetime
    resolved_by_name: str | None
    resolved_at: datetime | None
    resolution: str | None
    version: int
    reports: list[Report]


_ISSUE = TypeAdapter(DataIssue)
_COLUMNS = tuple(column for column in data_issues.c if column.name != "resolved_by")
_REPORT_COLUMNS = tuple(data_issue_reports.c[name] for name in Report.__dataclass_fields__)
_STANDING = data_issue_reports.c.withdrawn_at.is_(None)


def _read(db: Connection, rows: Sequence[Row]) -> list[DataIssue]:
    wanted = select(data_issue_reports.c.issue_id, *_REPORT_COLUMNS).where(
        data_issue_reports.c.issue_id.in_([row.issue_id for row in rows]), _STANDING
    )
    reports: dict[UUID, list[dict[str, Any]]] = {}
    for row in db.execute(wanted.order_by(data_issue_reports.c.report_id)) if rows else ():
        values = dict(row._mapping)
        reports.setdefault(values.pop("issue_id"), []).append(values)
    return [_ISSUE.validate_python({**row._mapping, "reports": reports.get(row.issue_id, [])}) for row in rows]


def issues(db: Connection, *, status: IssueStatus, limit: int = 200) -> list[DataIssue]:
    """Issues of a status: open ones oldest first, others newest first."""
    order = data_issues.c.opened_at if status is IssueStatus.OPEN else data_issues.c.resolved_at.desc()
    wanted = select(*_COLUMNS).where(data_issues.c.status == status.value).order_by(order, data_issues.c.issue_id)
    return _read(db, db.execute(wanted.limit(max(1, min(limit, LARGEST_PAGE)))).all())


def issue(db: Connection, issue_id: UUID) -> DataIssue:
    """One issue. Raises NotFound."""
    rows = db.execute(select(*_COLUMNS).where(data_issues.c.issue_id == issue_id)).all()
    if not rows:
        raise NotFound("data issue", issue_id)
    return _read(db, rows)[0]


def of_suggestion(db: Connection, suggestion_id: UUID) -> DataIssue | None:
    """The issue that dismissing this suggestion opened or joined; None when there is none or it was taken back."""
    mine = select(data_issue_reports.c.issue_id).where(data_issue_reports.c.suggestion_id == suggestion_id, _STANDING)
    issue_id = db.execute(mine).scalar_one_or_none()
    return None if issue_id is None else issue(db, issue_id)


def _opened(db: Connection, suggestion: Suggestion, *, actor: Identity, now: datetime, key: str) -> UUID:
    """The open issue of this account, rule and figure, locked; made when there is none."""
    found = figures_of(suggestion.rule_id, suggestion.account_key, suggestion.evidence)
    same = (
        (data_issues.c.account_key == suggestion.account_key)
        & (data_issues.c.rule_id == suggestion.rule_id)
        & (data_issues.c.figure == found[0].name)
        & (data_issues.c.status == IssueStatus.OPEN.value)
    )
    values = {
        "issue_id": uuid4(),
        "account_key": suggestion.account_key,
        "account_name": suggestion.account_name,
        "rule_id": suggestion.rule_id,
        "rule_version": suggestion.rule_version,
        "figure": found[0].name,
        "sentence": suggestion.sentence,
        "figures": [asdict(one) for one in found],
        "build_id": suggestion.build_id,
        "status": IssueStatus.OPEN.value,
        "opened_at": now,
        "version": 1,
    }
    while True:
        # whoever closes the open one between the two statements leaves room for a new one
        made = db.execute(
            insert_or_pass(data_issues).values(values).on_conflict_do_nothing().returning(data_issues.c.issue_id)
        ).scalar_one_or_none()
        if made is not None:
            audit.record(
                db,
                author=Author.of(actor),
                now=now,
                subject=Subject.DATA_ISSUE,
                subject_id=made,
                kind=Kind.CREATED,
                after={name: values[name] for name in ("account_name", "rule_id", "figure", "sentence")},
                idempotency_key=key,
            )
            return made
        held = db.execute(select(data_issues.c.issue_id).where(same).with_for_update()).scalar_one_or_none()
        if held is not None:
            return held


def report(
    db: Connection, suggestion: Suggestion, *, actor: Identity, now: datetime, note: str | None, idempotency_key: str
) -> None:
    """Open the issue of a suggestion just dismissed for wrong data, or join the one that is open."""
    issue_id = _opened(db, suggestion, actor=actor, now=now, key=idempotency_key)
    values = {
        "issue_id": issue_id,
        "suggestion_id": suggestion.suggestion_id,
        "reported_by": actor.user_id,
        "reported_by_name": actor.display_name,
        "reported_at": now,
        "note": note,
    }
    db.execute(insert(data_issue_reports).values(values))


def withdraw(db: Connection, suggestion_id: UUID, *, actor: Identity, now: datetime, idempotency_key: str) -> None:
    """Take back what dismissing this suggestion reported; an open issue that nobody else reported goes with it."""
    mine = (data_issue_reports.c.suggestion_id == suggestion_id) & _STANDING
    held = db.execute(
        select(data_issues.c.issue_id)
        .join(data_issue_reports, data_issue_reports.c.issue_id == data_issues.c.issue_id)
        .where(mine)
        .with_for_update(of=data_issues)
    ).scalar_one_or_none()
    if held is None:
        return
    db.execute(update(data_issue_reports).where(mine).values(withdrawn_at=now))
    before = issue(db, held)
    if before.reports or before.status is not IssueStatus.OPEN:
        return
    _close(db, before, {"status": IssueStatus.WITHDRAWN.value}, actor=actor, now=now, key=idempotency_key)


def _close(
    db: Connection, before: DataIssue, changes: dict[str, Any], *, actor: Identity, now: datetime, key: str
) -> None:
    mine = data_issues.c.issue_id == before.issue_id
    db.execute(update(data_issues).where(mine).values(version=before.version + 1, **changes))
    audit.record(
        db,
        author=Author.of(actor),
        now=now,
        subject=Subject.DATA_ISSUE,
        subject_id=before.issue_id,
        kind=Kind.CHANGED,
        before={"status": before.status.value},
        after={"status": changes["status"]},
        reason=changes.get("resolution"),
        idempotency_key=key,
    )


def say(
    db: Connection, *, actor: Identity, now: datetime, suggestion_id: UUID, note: str, idempotency_key: str
) -> DataIssue:
    """What is wrong, in the words of who reported it; replaces what they said of it before, while it is open.

    Raises NotFound, NotPermitted, InvalidInput, IdempotencyConflict.
    """
    said = optional_text("note", note, limit=NOTE_LIMIT)

    def work() -> DataIssue:
        held = of_suggestion(db, suggestion_id)
        if held is None:
            raise NotFound("data issue", suggestion_id)
        mine = next(one for one in held.reports if one.suggestion_id == suggestion_id)
        if mine.reported_by != actor.user_id:
            raise NotPermitted("Only who reported it may say what is wrong.")
        if held.status is not IssueStatus.OPEN:
            raise InvalidInput("note", "This has been resolved since.", hint="Dismiss it again if it comes back wrong.")
        where = (data_issue_reports.c.suggestion_id == suggestion_id) & _STANDING
        db.execute(update(data_issue_reports).where(where).values(note=said))
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.DATA_ISSUE,
            subject_id=held.issue_id,
            kind=Kind.CHANGED,
            before={"note": mine.note},
            after={"note": said},
            idempotency_key=idempotency_key,
        )
        return issue(db, held.issue_id)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="say_data_issue",
        request={"suggestion_id": suggestion_id, "note": said},
        now=now,
        answer=DataIssue,
        work=work,
    )


def resolve(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    issue_id: UUID,
    expected_version: int,
    resolution: str,
    idempotency_key: str,
) -> DataIssue:
    """Close an open issue with what was found; everybody who reported it is told, but for whoever closes it.

    Raises NotPermitted, NotFound, StaleVersion when somebody closed it before, InvalidInput, IdempotencyConflict.
    """
    require(actor, Permission.RESOLVE_DATA_ISSUE)
    said = required_text("resolution", resolution, limit=NOTE_LIMIT)

    def work() -> DataIssue:
        db.execute(select(data_issues.c.issue_id).where(data_issues.c.issue_id == issue_id).with_for_update())
        before = issue(db, issue_id)
        if before.version != expected_version:
            raise StaleVersion(before, expected_version, ())
        if before.status is not IssueStatus.OPEN:
            raise InvalidInput("issue_id", "This data issue is not open.")
        changes = {
            "status": IssueStatus.RESOLVED.value,
            "resolved_by": actor.user_id,
            "resolved_by_name": actor.display_name,
            "resolved_at": now,
            "resolution": said,
        }
        _close(db, before, changes, actor=actor, now=now, key=idempotency_key)
        told = [
            NewNotice(
                user_id=user_id,
                kind=NoticeKind.DATA_ISSUE_RESOLVED,
                title=f"Wrong data at {before.account_name}: resolved by {actor.display_name}",
                body=said,
                account_key=before.account_key,
                dedupe_key=f"data_issue_resolved:{issue_id}",
            )
            for user_id in dict.fromkeys(one.reported_by for one in before.reports)
            if user_id != actor.user_id
        ]
        notices.notify_all(db, now=now, told=told)
        return issue(db, issue_id)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="resolve_data_issue",
        request={"issue_id": issue_id, "expected_version": expected_version, "resolution": said},
        now=now,
        answer=DataIssue,
        work=work,
    )
