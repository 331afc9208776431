"""Stakeholders of an account.

Source: marts.dim_contacts, one row per contact, those who left included.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, case, or_, select

from app.marts import reading

_MART = "dim_contacts"


@dataclass(frozen=True, slots=True)
class ContactHit:
    """A contact as search shows it, with the account they belong to."""

    contact_key: str
    account_key: str
    account_name: str
    contact_name: str | None
    email: str | None
    job_title: str | None
    is_champion: bool
    has_left: bool


@dataclass(frozen=True, slots=True)
class _Named:
    """What search needs of an account."""

    account_key: str
    account_name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. `stakeholder_role`: champion, decision_maker, budget_holder, end_user, unknown. `departure_kind`
    says how it is known that they are gone: job_change, removed, bounced.
    """

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
    departure_kind: str | None
    departure_date: date | None
    last_two_way_contact_date: date | None
    two_way_contact_count_90d: int | None
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


def search(db: Connection, text: str, *, limit: int = 10) -> list[ContactHit]:
    """Contacts whose name, address or job title holds `text`: present before former, those whose name begins with it
    first, then by name. Blank text finds nothing. Raises MartUnavailable."""
    words = text.replace("\x00", "").strip()[:100]
    if not words:
        return []
    person = reading.mart(_MART, Contact).c
    account = reading.mart("dim_accounts", _Named)
    held = (person.contact_name, person.email, person.job_title)
    starts = or_(
        person.contact_name.istartswith(words, autoescape=True), person.email.istartswith(words, autoescape=True)
    )
    wanted = (
        select(
            person.contact_key,
            person.account_key,
            account.c.account_name,
            person.contact_name,
            person.email,
            person.job_title,
            person.is_champion,
            person.has_left,
        )
        .join_from(reading.mart(_MART, Contact), account, account.c.account_key == person.account_key)
        .where(reading.IS_PUBLISHED, or_(*(column.icontains(words, autoescape=True) for column in held)))
        .order_by(person.has_left, case((starts, 0), else_=1), person.contact_name, person.contact_key)
        .limit(max(1, min(limit, 50)))
    )
    return reading.rows(db, _MART, ContactHit, wanted)
