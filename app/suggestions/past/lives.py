"""Accounts over time, those that left included, with what is known of them today only."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from app.db import reading_mart
from app.suggestions.lookback import Life

_LIVES = text(
    """
    select
        account_key,
        account_name,
        coalesce(csm_name, lower(csm_email)) as csm,
        customer_since_date,
        case when not is_active then churned_date end as left_on,
        plan,
        seats_paid,
        renewal_date,
        as_of_date
    from marts.dim_accounts
    where is_active or churned_date is not null
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What only today knows of an account."""

    life: Life
    plan: str | None
    seats_paid: int | None
    renewal_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Every account by key, and the last complete day (None before there is any)."""

    as_of: date | None
    known: dict[str, Known]

    @property
    def lives(self) -> dict[str, Life]:
        """The accounts over time."""
        return {key: one.life for key, one in self.known.items()}


def estate(db: Connection) -> Estate:
    """Accounts of the published build. Raises MartUnavailable."""
    with reading_mart("dim_accounts"):
        rows = db.execute(_LIVES).all()
    return Estate(
        as_of=max((row.as_of_date for row in rows), default=None),
        known={
            row.account_key: Known(
                life=Life(
                    account_key=row.account_key,
                    account_name=row.account_name,
                    csm=row.csm,
                    since=row.customer_since_date,
                    left_on=row.left_on,
                ),
                plan=row.plan,
                seats_paid=row.seats_paid,
                renewal_date=row.renewal_date,
            )
            for row in rows
        },
    )
