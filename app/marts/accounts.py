"""Accounts: the portfolio, one account, search, and the people who own them.

Source: marts.dim_accounts (one row per account, churned ones included) and marts.dim_csms.

Days to a renewal are counted here, from `today`, for every screen, answer and file: the mart's own count ends on the
last complete day, and beside the date it would be one too many, or as many as the last build is old.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection, Date, Select, case, literal, or_, select

from app.marts import reading


@dataclass(frozen=True, slots=True)
class Account:
    """One account as of `as_of_date`.

    Ratios are 0 to 1; `mrr` is in `currency_code`, `*_eur` in EUR; `health_score` 0 to 100 with no band (None) under
    60% coverage; `health_trend_90d` weekly, oldest first, today last. `csm_email` is the owner in the CRM, None without
    one. `days_to_renewal` is below zero for the past. `missing_roles`: needed ones that nobody holds who is there and
    whom mail reaches.
    """

    account_key: str
    account_id: str | None
    account_name: str
    domain: str | None
    industry: str | None
    country_code: str | None
    city: str | None
    segment: str | None
    plan: str | None
    lifecycle_stage: str | None
    csm_key: str | None
    csm_name: str | None
    csm_email: str | None
    customer_since_date: date | None
    seats_paid: int | None
    seats_used_28d: int | None
    seat_use_ratio: float | None
    currency_code: str | None
    mrr: float | None
    mrr_eur: float | None
    billing_interval: str | None
    renewal_date: date | None
    days_to_renewal: int | None
    is_active: bool
    churned_date: date | None
    churn_kind: str | None
    health_score: float | None
    health_band: str | None
    health_coverage_ratio: float | None
    health_score_30d_ago: float | None
    health_trend_90d: list[float | None] | None
    churn_probability_90d: float | None
    churn_risk_band: str | None
    churn_risk_model: str | None
    mrr_at_risk_eur: float | None
    last_contact_date: date | None
    nps_score: int | None
    nps_date: date | None
    open_ticket_count: int | None
    urgent_open_ticket_count: int | None
    overdue_invoice_count: int | None
    oldest_overdue_days: int | None
    champion_name: str | None
    stakeholder_count: int | None
    missing_roles: list[str] | None
    departed_champion_name: str | None
    champion_departure_date: date | None
    champion_departure_kind: str | None
    tenant_id: str | None
    stripe_customer_ids: list[str] | None
    zendesk_organization_id: str | None
    as_of_date: date


@dataclass(frozen=True, slots=True)
class AccountHit:
    """An account as search shows it."""

    account_key: str
    account_name: str
    domain: str | None
    csm_name: str | None
    health_band: str | None
    mrr_eur: float | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class Csm:
    """An owner of accounts in the CRM, with what they own; amounts in EUR a month."""

    csm_key: str
    owner_id: str | None
    csm_name: str
    csm_email: str | None
    is_active: bool
    account_count: int
    mrr_eur: float | None
    mrr_at_risk_eur: float | None


_MART = "dim_accounts"


def query(*, today: date) -> Select:
    """Every account, the columns in the order of `Account`."""
    days = (reading.mart(_MART, Account).c.renewal_date - literal(today, Date)).label("days_to_renewal")
    read = (days if column.name == days.name else column for column in reading.columns(_MART, Account))
    return select(*read).select_from(reading.mart(_MART, Account)).where(reading.IS_PUBLISHED)


def _portfolio(*, today: date, owner_emails: Sequence[str] | None, with_churned: bool) -> Select:
    columns = reading.mart(_MART, Account).c
    wanted = query(today=today)
    if not with_churned:
        wanted = wanted.where(columns.is_active)
    if owner_emails is not None:
        wanted = wanted.where(columns.csm_email.in_([email.lower() for email in owner_emails]))
    return wanted.order_by(columns.mrr_at_risk_eur.desc().nulls_last(), columns.account_name, columns.account_key)


def portfolio(
    db: Connection, *, today: date, owner_emails: Sequence[str] | None = None, with_churned: bool = False
) -> list[Account]:
    """Accounts, most recurring revenue at risk first; with `owner_emails` only those CSMs'. Raises MartUnavailable."""
    wanted = _portfolio(today=today, owner_emails=owner_emails, with_churned=with_churned)
    return reading.rows(db, _MART, Account, wanted)


def portfolio_frame(
    db: Connection, *, today: date, owner_emails: Sequence[str] | None = None, with_churned: bool = False
) -> pd.DataFrame:
    """As `portfolio`, as a table: one row per account, one column per field of `Account`."""
    wanted = _portfolio(today=today, owner_emails=owner_emails, with_churned=with_churned)
    return reading.frame(db, _MART, Account, wanted)


def account(db: Connection, account_key: str, *, today: date) -> Account | None:
    """One account, churned or not; None when there is no such key. Raises MartUnavailable."""
    columns = reading.mart(_MART, Account).c
    wanted = query(today=today).where(columns.account_key == account_key.replace("\x00", ""))
    found = reading.rows(db, _MART, Account, wanted)
    return found[0] if found else None


def search(db: Connection, text: str, *, limit: int = 10) -> list[AccountHit]:
    """Accounts whose name or domain holds `text`: those that begin with it first, then active before churned, then by
    name. Blank text finds nothing. Raises MartUnavailable."""
    words = text.replace("\x00", "").strip()[:100]
    if not words:
        return []
    columns = reading.mart(_MART, AccountHit).c
    name, domain = columns.account_name, columns.domain
    starts = or_(name.istartswith(words, autoescape=True), domain.istartswith(words, autoescape=True))
    wanted = (
        reading.query(_MART, AccountHit)
        .where(or_(name.icontains(words, autoescape=True), domain.icontains(words, autoescape=True)))
        .order_by(case((starts, 0), else_=1), columns.is_active.desc(), name, columns.account_key)
        .limit(max(1, min(limit, 50)))
    )
    return reading.rows(db, _MART, AccountHit, wanted)


def csms(db: Connection) -> list[Csm]:
    """Everybody who owns accounts in the CRM, by name. Raises MartUnavailable."""
    columns = reading.mart("dim_csms", Csm).c
    return reading.rows(db, "dim_csms", Csm, reading.query("dim_csms", Csm).order_by(columns.csm_name))
