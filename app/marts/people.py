"""Stakeholders of an account.

Source: marts.dim_contacts, one row per contact, those who left included.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.marts import reading

_MART = "dim_contacts"


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. `stakeholder_role`: champion, decision_maker, budget_holder, end_user, unknown."""

    contact_key: str
    account_key: str
    contact_id: str | None
    contact_name: str | None
    email: str | None
    job_title: str | None
    stakeholder_role: str | None
    is_champion: bool
    has_left: bool
    left_date: date | None
    has_bounced: bool
    last_two_way_contact_date: date | None
    last_product_activity_date: date | None
    is_product_user: bool
    created_date: date | None


def contacts(db: Connection, account_key: str, *, with_former: bool = True, limit: int = 500) -> list[Contact]:
    """Contacts of an account: present before former, champions first, then by newest two-way contact and name.

    Raises MartUnavailable.
    """
    columns = reading.mart(_MART, Contact).c
    wanted = reading.query(_MART, Contact).where(columns.account_key == account_key)
    if not with_former:
        wanted = wanted.where(~columns.has_left)
    wanted = wanted.order_by(
        columns.has_left,
        columns.is_champion.desc(),
        columns.last_two_way_contact_date.desc().nulls_last(),
        columns.contact_name,
        columns.contact_key,
    ).limit(limit)
    return reading.rows(db, _MART, Contact, wanted)
