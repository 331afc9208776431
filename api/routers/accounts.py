"""/accounts: the portfolio and one account, read from the published build through the cache."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.deps import Db, Now, Reader
from api.models.accounts import AccountHealth, ContactList, HealthPoint, MeasureToday
from api.models.paging import Page, decode_cursor, encode_cursor
from api.models.values import Moment, Text
from app.calendar import display_date
from app.errors import NotFound
from app.marts import cached, health, people, timeline
from app.marts.accounts import Account
from app.marts.timeline import AccountEvent

router = APIRouter(prefix="/accounts", tags=["accounts"])

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=500)]
UNBANDED = "none"


def _place(account: Account) -> tuple[float, str, str]:
    """Where an account stands: most recurring revenue at risk first, unknown risk last, then by name."""
    at_risk = account.mrr_at_risk_eur
    return (-at_risk if at_risk is not None else float("inf"), account.account_name, account.account_key)


def _is_wanted(account: Account, *, search: str, band: str | None) -> bool:
    if band is not None and (account.health_band or UNBANDED) != band:
        return False
    return not search or any(search in (text or "").casefold() for text in (account.account_name, account.domain))


@router.get("")
def list_accounts(
    identity: Reader,
    db: Db,
    now: Now,
    search: Annotated[str, Query(max_length=100)] = "",
    band: Literal["R", "Y", "G", "none"] | None = None,
    owner: Annotated[Text | None, Query(max_length=320, description="E-mail of the CRM owner, or `me`.")] = None,
    with_churned: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Account]:
    """Accounts, most recurring revenue at risk first. `band` none: too little data for a band."""
    # who owns none in the CRM gets none, not those of everybody
    owner_emails = (identity.owner_emails or [identity.email]) if owner == "me" else [owner] if owner else None
    everything = cached.portfolio(
        db, scope=identity.role, today=display_date(now), owner_emails=owner_emails, with_churned=with_churned
    )
    wanted = sorted(
        (one for one in everything if _is_wanted(one, search=search.strip().casefold(), band=band)), key=_place
    )
    if cursor is not None:
        at_risk, name, key = decode_cursor(cursor, tuple[float | None, str, str])
        after = (float("inf") if at_risk is None else at_risk, name, key)
        wanted = [one for one in wanted if _place(one) > after]
    page = wanted[:limit]
    is_last = len(wanted) <= limit
    if is_last or not page:
        return Page(items=page, next_cursor=None)
    at_risk, name, key = _place(page[-1])
    return Page(items=page, next_cursor=encode_cursor([None if at_risk == float("inf") else at_risk, name, key]))


@router.get("/{account_key}")
def get_account(account_key: Text, identity: Reader, db: Db, now: Now) -> Account:
    """One account, churned or not."""
    found = cached.account(db, account_key, scope=identity.role, today=display_date(now))
    if found is None:
        raise NotFound("account", account_key)
    return found


def _health(db: Db, account: Account, days: int) -> AccountHealth:
    since = account.as_of_date - timedelta(days=days)
    table = health.history(db, account.account_key, since=since)
    dimensions = {name: f"{name}_score" for name in health.DIMENSIONS}
    # pandas turns a missing number into NaN, which is no JSON
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    points = [
        HealthPoint(
            health_date=row["health_date"],
            score=row["score"],
            band=row["band"],
            coverage_ratio=row["coverage_ratio"],
            profile=row["profile"],
            dimensions={name: row[column] for name, column in dimensions.items()},
        )
        for row in rows
    ]
    newest = rows[-1] if rows else {}
    measures = [
        MeasureToday(
            measure=measure,
            dimension=dimension,
            value=newest[f"{measure}_value"],
            points=newest[f"{measure}_points"],
            contribution=newest[f"{measure}_contribution"],
        )
        for measure, dimension in health.MEASURES.items()
        if newest
    ]
    moved = (
        health.movement(db, account.account_key, from_date=points[0].health_date, to_date=points[-1].health_date)
        if points
        else []
    )
    return AccountHealth(account_key=account.account_key, days=points, measures=measures, movement=moved)


@router.get("/{account_key}/health")
def get_account_health(
    account_key: Text, identity: Reader, db: Db, now: Now, days: Annotated[int, Query(ge=1, le=730)] = 90
) -> AccountHealth:
    """The score of the last `days` days, what it is made of today, and what moved it in between."""
    # the account is looked up only to make the history: one that is kept is of an account that exists
    return cached.of_one_build(
        db,
        "api.account_health",
        scope=identity.role,
        arguments={"account_key": account_key, "days": days},
        kind=AccountHealth,
        create=lambda: _health(db, get_account(account_key, identity, db, now), days),
    )


@router.get("/{account_key}/contacts")
def list_account_contacts(
    account_key: Text, identity: Reader, db: Db, now: Now, with_former: bool = False
) -> ContactList:
    """The account's stakeholders, at most 500; those who left only when asked for."""
    get_account(account_key, identity, db, now)
    return ContactList(items=people.contacts(db, account_key, with_former=with_former))


@router.get("/{account_key}/events")
def list_account_events(
    account_key: Text,
    identity: Reader,
    db: Db,
    now: Now,
    kind: Annotated[list[Text] | None, Query(max_length=20)] = None,
    before: Moment | None = None,
    limit: Limit = 50,
) -> Page[AccountEvent]:
    """What happened to the account, newest first. The cursor of a page is the time to send as `before`."""
    get_account(account_key, identity, db, now)
    found = timeline.events(db, account_key, kinds=kind or (), before=before, limit=limit)
    is_last = len(found) < limit
    return Page(items=found, next_cursor=None if is_last else found[-1].occurred_at.isoformat())
