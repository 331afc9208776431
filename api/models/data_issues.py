"""Bodies and answers of /data-issues, and of the pulse of an account."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.models.actions import Body, Version
from app.suggestions.data_issues import DataIssue
from app.suggestions.pulses import Pulse


class DataIssueList(BaseModel):
    """Data issues of one status: open ones oldest first, resolved ones newest first."""

    items: list[DataIssue]


class Finding(Body):
    """What was found out about the figures."""

    version: Version
    resolution: str


class NewPulse(Body):
    """How the account feels, 1 bad to 5 good."""

    score: Annotated[int, Field(strict=True, ge=1, le=5)]


class PulseList(BaseModel):
    """Pulses of an account, newest first."""

    items: list[Pulse]
