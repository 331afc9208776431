"""What raw tables say of one account, as far as a recount needs it. Payloads stay as the vendors sent them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """What the product decided and no source says: seat plans, rates in EUR by currency and month, kinds of events.

    `kinds`: by event name whether it is use, and whether it is key activity.
    """

    seat_plans: frozenset[str]
    rates: Mapping[tuple[str, date], Decimal]
    kinds: Mapping[str, tuple[bool, bool]]
    nps_valid_days: int = 180


@dataclass(frozen=True)
class Catalogue:
    """Prices by id, and names of products by id."""

    prices: Mapping[str, Payload]
    products: Mapping[str, str]


@dataclass(frozen=True)
class Ticket:
    """A ticket that is neither deleted nor merged; `solved_date` None while it is open."""

    created_date: date
    solved_date: date | None
    priority: str | None


@dataclass(frozen=True)
class Answer:
    """One answer, 0 to 10."""

    responded_at: datetime
    score: int


@dataclass(frozen=True)
class Event:
    """One event of the product."""

    day: date
    user_id: int | None
    name: str | None


@dataclass
class Account:
    """All of one account. `sources` are those it has a linked record in; `contact_days` of two-way contacts.

    `usage_from` is the first day of its first tenant; `newest_loaded_at` of all rows that are here.
    """

    sources: frozenset[str] = frozenset()
    invoices: list[Payload] = field(default_factory=list)
    subscriptions: list[Payload] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    contact_days: list[date] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    usage_from: date | None = None
    newest_loaded_at: datetime | None = None

    def came(self, loaded_at: datetime) -> None:
        """A row that was loaded then is among them."""
        self.newest_loaded_at = max(self.newest_loaded_at or loaded_at, loaded_at)
