"""What all reports share of their statements: which accounts they are about, and how rows become values.

Filters are parameters that may be null, so that a report is one statement whatever is chosen.
"""

from typing import Any, TypeVar

from sqlalchemy import Connection, text

from app.db import reading_mart
from app.reports.reach import Reach
from app.reports.wanted import Wanted

Row = TypeVar("Row")

# the CTE every statement about accounts begins with: those of the filters, churned ones too
ACCOUNTS = """
accounts as (
    select *
    from marts.dim_accounts
    where (cast(:csms as text[]) is null or csm_name = any(cast(:csms as text[])))
        and (cast(:plans as text[]) is null or plan = any(cast(:plans as text[])))
        and (cast(:segments as text[]) is null or segment = any(cast(:segments as text[])))
        and (cast(:account_keys as text[]) is null or account_key = any(cast(:account_keys as text[])))
        and (cast(:owner_emails as text[]) is null or csm_email = any(cast(:owner_emails as text[])))
)
"""


def parameters(wanted: Wanted, reach: Reach, **more: Any) -> dict[str, Any]:
    """What `ACCOUNTS` takes, the period, and more of the report's own."""
    return {
        "csms": list(wanted.csms) or None,
        "plans": list(wanted.plans) or None,
        "segments": list(wanted.segments) or None,
        "account_keys": None if wanted.account_keys is None else list(wanted.account_keys),
        "owner_emails": None if reach.owner_emails is None else list(reach.owner_emails),
        "start": wanted.start,
        "end": wanted.end,
        **more,
    }


def rows(db: Connection, statement: str, row_type: type[Row], given: dict[str, Any], *, mart: str) -> list[Row]:
    """Rows of one statement as dataclasses, whose fields its columns are named for. Raises MartUnavailable."""
    with reading_mart(mart):
        return [row_type(**found) for found in db.execute(text(statement), given).mappings()]
