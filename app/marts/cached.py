"""The reads that every page and request repeats, through the cache: keyed by build and role, so never stale and never
shared across roles. `scope` is the role of whoever asks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from app.cache import remember
from app.marts import accounts, timeline
from app.marts.accounts import Account, Csm
from app.marts.timeline import Change
from app.marts.version import published


def portfolio(
    db: Connection, *, scope: str, owner_emails: Sequence[str] | None = None, with_churned: bool = False
) -> list[Account]:
    """As `accounts.portfolio`."""
    return remember(
        "portfolio",
        build_id=published(db).build_id,
        scope=scope,
        arguments={
            "owner_emails": sorted(owner_emails) if owner_emails is not None else None,
            "with_churned": with_churned,
        },
        kind=list[Account],
        create=lambda: accounts.portfolio(db, owner_emails=owner_emails, with_churned=with_churned),
    )


def account(db: Connection, account_key: str, *, scope: str) -> Account | None:
    """As `accounts.account`."""
    found = remember(
        "account",
        build_id=published(db).build_id,
        scope=scope,
        arguments={"account_key": account_key},
        kind=list[Account],
        create=lambda: [one for one in [accounts.account(db, account_key)] if one],
    )
    return found[0] if found else None


def csms(db: Connection, *, scope: str) -> list[Csm]:
    """As `accounts.csms`."""
    return remember(
        "csms",
        build_id=published(db).build_id,
        scope=scope,
        arguments={},
        kind=list[Csm],
        create=lambda: accounts.csms(db),
    )


def changes(
    db: Connection, owner_emails: Sequence[str] | None, *, scope: str, since: datetime, limit: int = 100
) -> list[Change]:
    """As `timeline.changes`; pass a `since` rounded to the day, or every call makes a key of its own."""
    return remember(
        "changes",
        build_id=published(db).build_id,
        scope=scope,
        arguments={
            "owner_emails": sorted(owner_emails) if owner_emails is not None else None,
            "since": since,
            "limit": limit,
        },
        kind=list[Change],
        create=lambda: timeline.changes(db, owner_emails, since=since, limit=limit),
    )
