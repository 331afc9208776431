"""The active accounts that rules look at."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from app.db import reading_mart


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What ranking and holding out need of an active account; amounts in EUR a month."""

    account_key: str
    account_name: str
    csm_email: str | None
    segment: str | None
    mrr_eur: float | None
    mrr_at_risk_eur: float | None
    days_to_renewal: int | None
    last_contact_date: date | None
    customer_since_date: date | None
    churn_risk_band: str | None
    urgent_open_ticket_count: int


_ACCOUNTS = text(
    """
    select
        account_key,
        account_name,
        lower(csm_email) as csm_email,
        segment,
        cast(mrr_eur as double precision) as mrr_eur,
        cast(mrr_at_risk_eur as double precision) as mrr_at_risk_eur,
        days_to_renewal,
        last_contact_date,
        customer_since_date,
        churn_risk_band,
        coalesce(urgent_open_ticket_count, 0) as urgent_open_ticket_count
    from marts.dim_accounts
    where is_active
    """
)


def accounts(db: Connection) -> dict[str, AccountFacts]:
    """Active accounts by key."""
    with reading_mart("dim_accounts"):
        return {row.account_key: AccountFacts(**row._mapping) for row in db.execute(_ACCOUNTS)}
