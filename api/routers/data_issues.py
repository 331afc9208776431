"""/data-issues: figures that somebody said are wrong by dismissing a suggestion, and what was found."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import DataIssueResolver, Db, IdempotencyKey, Now, Reader
from api.models.data_issues import DataIssueList, Finding
from app.suggestions import data_issues
from app.suggestions.data_issues import DataIssue, IssueStatus

router = APIRouter(prefix="/data-issues", tags=["suggestions"])


@router.get("")
def list_data_issues(
    identity: Reader,
    db: Db,
    status: Literal["open", "resolved"] = "open",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DataIssueList:
    """Data issues: open ones oldest first, resolved ones newest first."""
    return DataIssueList(items=data_issues.issues(db, status=IssueStatus(status), limit=limit))


@router.get("/{issue_id}")
def get_data_issue(issue_id: UUID, identity: Reader, db: Db) -> DataIssue:
    """One issue with the figures that the rule used, where each is proved, and who says it is wrong."""
    return data_issues.issue(db, issue_id)


@router.post("/{issue_id}/resolve")
def resolve_data_issue(
    issue_id: UUID, body: Finding, identity: DataIssueResolver, db: Db, now: Now, key: IdempotencyKey
) -> DataIssue:
    """Close it with what was found; who reported it is told."""
    return data_issues.resolve(
        db,
        actor=identity,
        now=now,
        issue_id=issue_id,
        expected_version=body.version,
        resolution=body.resolution,
        idempotency_key=key,
    )
