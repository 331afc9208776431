"""The reads that every page and request repeats, through the cache: keyed by build and role, so never stale and never
shared across roles. `scope` is the role of whoever asks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from app.cache import remember
from app.errors import BuildReplaced
from app.marts import accounts, timeline
from app.marts.accounts import Account, Csm
from app.marts.timeline import Change
from app.marts.version import expect, published

Value = TypeVar("Value")


def of_one_build(
    db: Connection,
    name: str,
    *,
    scope: str,
    arguments: Mapping[str, Any],
    kind: type[Value],
    create: Callable[[], Value],
    attempts: int = 3,
) -> Value:
    """`app.cache.remember` for the published build. What `create` reads is of that build alone.

    A request's statements each see the newest rows: when a publication came between them, all is read again. Raises
    BuildReplaced when that happened `attempts` times, MartUnavailable.
    """
    build_id = published(db).build_id

    def created() -> Value:
        made = create()
        expect(db, build_id)
        return made

    try:
        return remember(name, build_id=build_id, scope=scope, arguments=arguments, kind=kind, create=created)
    except BuildReplaced:
        if attempts == 1:
            raise
    return of_one_build(db, name, scope=scope, arguments=arguments, kind=kind, create=create, attempts=attempts - 1)


def portfolio(
    db: Connection, *, scope: str, today: date, owner_emails: Sequence[str] | None = None, with_churned: bool = False
) -> list[Account]:
    """As `accounts.portfolio`."""
    return of_one_build(
        db,
        "portfolio",
        scope=scope,
        arguments={
            "owner_emails": sorted(owner_emails) if owner_emails is not None else None,
            "with_churned": with_churned,
            "today": today,
        },
        kind=list[Account],
        create=lambda: accounts.portfolio(db, today=today, owner_emails=owner_emails, with_churned=with_churned),
    )


def account(db: Connection, account_key: str, *, scope: str, today: date) -> Account | None:
    """As `accounts.account`."""
    found = of_one_build(
        db,
        "account",
        scope=scope,
        arguments={"account_key": account_key, "today": today},
        kind=list[Account],
        create=lambda: [one for one in [accounts.account(db, account_key, today=today)] if one],
    )
    return found[0] if found else None


def csms(db: Connection, *, scope: str) -> list[Csm]:
    """As `accounts.csms`."""
    return of_one_build(
        db,
        "csms",
        scope=scope,
        arguments={},
        kind=list[Csm],
        create=lambda: accounts.csms(db),
    )


def changes(
    db: Connection, owner_emails: Sequence[str] | None, *, scope: str, since: datetime, limit: int = 100
) -> list[Change]:
    """As `timeline.changes`; pass a `since` rounded to the day, or every call makes a key of its own."""
    return of_one_build(
        db,
        "changes",
        scope=scope,
        arguments={
            "owner_emails": sorted(owner_emails) if owner_emails is not None else None,
            "since": since,
            "limit": limit,
        },
        kind=list[Change],
        create=lambda: timeline.changes(db, owner_emails, since=since, limit=limit),
    )
