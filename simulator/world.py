"""The world's state between two days: one story per account, arrays for what moves every day.

Everything random is drawn from a generator keyed by (seed, subject, day), and everything that lasts is in this state,
so that a world saved and loaded continues exactly as one that never stopped.
"""

import random
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import catalogue

NEVER = 10**9
SLOTS = 260
SUBJECTS = ["latents", "usage", "support", "relationship", "billing", "surveys", "lifecycle", "people", "founding"]


@dataclass
class Contact:
    """A person in the CRM.

    `left` is the day they left the company, seen or not; times are epoch seconds, days are day numbers.
    """

    id: int
    first: str
    last: str
    email: str
    title: str
    role: str | None
    created: int
    left: int | None = None
    bounced: bool = False
    archived: int | None = None
    user: int | None = None
    zendesk: int | None = None


@dataclass
class Subscription:
    """A Stripe subscription.

    `items` are [item id, price id, product, unit amount, quantity]; periods in epoch seconds.
    """

    id: str
    customer: str
    interval: str
    created: int
    anchor: int
    items: list[list[Any]]
    period_start: int
    period_end: int
    collection: str
    status: str = "active"
    has_metadata: bool = True
    cancel_at_period_end: bool = False
    canceled_at: int | None = None
    ended_at: int | None = None
    reason: str | None = None
    latest_invoice: str | None = None
    pending: list[list[Any]] = field(default_factory=list)

    def amount(self) -> int:
        """Minor units per billing interval."""
        return sum(item[3] * item[4] for item in self.items)


@dataclass
class Account:
    """One customer's story."""

    no: int
    name: str
    domain: str
    industry: str
    country: str
    city: str
    plan: str
    seats: int
    currency: str
    interval: str
    price_list: int
    collection: str
    employees: int
    revenue: int
    start: int
    tenant_id: int
    company_id: int
    customer_id: str
    organization_id: int
    csm: int
    dirt: list[str]
    status: str = "active"
    onboarded: int | None = None
    notice: int | None = None
    ends: int | None = None
    churn_kind: str | None = None
    reason: str | None = None
    second_customer: str | None = None
    delinquent: bool = False
    contacts: list[Contact] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    users_made: int = 0
    invoices_made: int = 0
    renewal_deal: list[Any] | None = None
    planned_meeting: list[Any] | None = None
    pending_people: list[list[Any]] = field(default_factory=list)
    merged_company: int | None = None
    churned: int | None = None

    @property
    def segment(self) -> str:
        return catalogue.segment_of(self.seats)

    def present_contacts(self) -> list[Contact]:
        """Contacts who still work there as far as the CRM knows."""
        return [contact for contact in self.contacts if contact.left is None and contact.archived is None]

    def champion(self) -> Contact | None:
        """The first present champion."""
        return next((contact for contact in self.present_contacts() if contact.role == "CHAMPION"), None)

    def user_id(self, ordinal: int) -> int:
        """Product user id of the account's n-th user."""
        return self.tenant_id * 1000 + ordinal


@dataclass
class Columns:
    """Arrays over accounts, in the order of World.accounts."""

    active: NDArray[np.bool_]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    affinity: NDArray[np.float64]
    size: NDArray[np.float64]
    carry: NDArray[np.float64]
    cursor: NDArray[np.int64]
    seats: NDArray[np.int64]
    start: NDArray[np.int64]
    notice: NDArray[np.int64]
    ends: NDArray[np.int64]
    touch: NDArray[np.int64]
    survey: NDArray[np.int64]
    bill: NDArray[np.int64]
    tenant: NDArray[np.int64]
    users: NDArray[np.int64]
    live: NDArray[np.int64]
    paused: NDArray[np.int64]

    @staticmethod
    def empty() -> "Columns":
        """No accounts yet."""
        flat = {
            name: np.zeros(0, np.int64)
            for name in (
                "cursor",
                "seats",
                "start",
                "notice",
                "ends",
                "touch",
                "survey",
                "bill",
                "tenant",
                "live",
                "paused",
            )
        }
        return Columns(
            active=np.zeros(0, np.bool_),
            mean=np.zeros((0, 5)),
            deviation=np.zeros((0, 5)),
            affinity=np.zeros((0, 10)),
            size=np.zeros(0),
            carry=np.zeros((0, 11)),
            users=np.zeros((0, SLOTS), np.int64),
            **flat,
        )

    def append(self, row: dict[str, Any]) -> None:
        """Add one account."""
        for spec in fields(self):
            current = getattr(self, spec.name)
            setattr(self, spec.name, np.concatenate([current, np.asarray([row[spec.name]], current.dtype)]))

    def to_json(self) -> dict[str, Any]:
        """Lists of numbers; `users` is left out, it repeats Account.slots."""
        return {spec.name: getattr(self, spec.name).tolist() for spec in fields(self) if spec.name != "users"}

    @staticmethod
    def from_json(data: dict[str, Any], accounts: list[Account]) -> "Columns":
        """Inverse of `to_json`."""
        columns = Columns.empty()
        for spec in fields(columns):
            if spec.name == "users":
                continue
            shape = getattr(columns, spec.name)
            setattr(
                columns, spec.name, np.asarray(data[spec.name], shape.dtype).reshape((len(accounts), *shape.shape[1:]))
            )
        columns.users = np.zeros((len(accounts), SLOTS), np.int64)
        for index, account in enumerate(accounts):
            columns.users[index, : len(account.slots)] = account.slots
        return columns


@dataclass
class World:
    """All of it. `day` is the last complete day."""

    seed: int
    first_day: int
    day: int
    accounts: list[Account] = field(default_factory=list)
    columns: Columns = field(default_factory=Columns.empty)
    counters: dict[str, int] = field(default_factory=dict)
    signups: list[int] = field(default_factory=list)
    domains: set[str] = field(default_factory=set)
    answers: list[list[Any]] = field(default_factory=list)
    later: list[list[Any]] = field(default_factory=list)
    tickets: dict[int, Any] = field(default_factory=dict)
    invoices: dict[str, Any] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)

    def rng(self, subject: str, day: int) -> np.random.Generator:
        """Vector draws of one subject and day."""
        return np.random.default_rng([self.seed, SUBJECTS.index(subject), day])

    def dice(self, subject: str, day: int, key: object = "") -> random.Random:
        """Scalar draws of one subject and day; `key` separates several dice of the same day."""
        return random.Random(f"{self.seed}:{subject}:{day}:{key}")

    def next_id(self, name: str) -> int:
        """1, 2, 3 … per name."""
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]

    def latents(self) -> NDArray[np.float64]:
        """Current latents, shape (accounts, 5)."""
        return self.columns.mean + self.columns.deviation

    def latents_of(self, index: int) -> tuple[float, float, float, float, float]:
        """V, B, R, F, P of one account."""
        v, b, r, f, p = (self.columns.mean[index] + self.columns.deviation[index]).tolist()
        return v, b, r, f, p
