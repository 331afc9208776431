"""Random histories of a few accounts: records that come, late or in time, change, move, go and come back.

A history is a sequence of loads. Each works on accounts that have little to do with each other, so that one build is
many examples at once, and every step is written down by the records it touched, to tell a failure by.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import psycopg

from tests.warehouse.estate import Load, days


@dataclass
class Record:
    """One record of a source: the method of `Load` that writes it, and what it was last written with."""

    kind: str
    key: Any
    owner: int
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str, str]:
        """Source, raw table and primary key."""
        source, table, key = {
            "company": ("hubspot", "companies", self.key),
            "contact": ("hubspot", "contacts", self.key),
            "meeting": ("hubspot", "meetings", self.key),
            "customer": ("stripe", "customers", self.key),
            "subscription": ("stripe", "subscriptions", self.key),
            "invoice": ("stripe", "invoices", self.key),
            "tenant": ("product", "tenants", self.key),
            "organization": ("zendesk", "organizations", self.key),
            "ticket": ("zendesk", "tickets", self.key),
            "answer": ("survey", "responses", f"s:{self.key}"),
        }[self.kind]
        return source, table, str(key)


@dataclass
class History:
    """Accounts 1 to `count`, each a company with a customer, a tenant and an organisation, of a random life."""

    random: Random
    people: psycopg.Connection
    first: date
    count: int
    records: list[Record] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    number: int = 0

    def begin(self, load: Load, today: date) -> None:
        """The first load: everybody's records up to `today`."""
        load.catalogue()
        for owner in range(1, self.count + 1):
            self._found(load, owner, today)

    def go_on(self, load: Load, today: date, *, steps: int) -> None:
        """A later load: a day of use of half the accounts, and so many random steps."""
        for owner in self.random.sample(range(1, self.count + 1), self.count // 2):
            load.use(owner, [today], users=self.random.randint(1, 3))
        for _ in range(steps):
            step = self.random.choice(_STEPS)
            step(self, load, today)

    def _day(self, today: date) -> date:
        """Some day of the history; the last week is as likely as all the time before."""
        reach = (today - self.first).days
        return today - timedelta(days=self.random.choice((self.random.randint(0, 7), self.random.randint(0, reach))))

    def _owner(self) -> int:
        return self.random.randint(1, self.count)

    def _key(self, stem: str = "") -> Any:
        self.number += 1
        return f"{stem}{self.number}" if stem else 1000 + self.number

    def _write(self, load: Load, record: Record, **values: Any) -> None:
        record.values |= values
        if record not in self.records:
            self.records.append(record)
        self.told.append(f"{load.loaded_at:%m-%d} {record.owner}: {record.kind} {record.key} {values}")
        getattr(load, record.kind)(record.key, **record.values)

    def _pick(self, *kinds: str) -> Record:
        return self.random.choice([one for one in self.records if one.kind in kinds])

    def _found(self, load: Load, owner: int, today: date) -> None:
        start = self._day(today - timedelta(days=10))
        created = {"created": start}
        self._write(
            load, Record("company", f"c{owner}", owner), name=f"Company {owner}", tenant_id=str(owner), **created
        )
        self._write(load, Record("tenant", owner, owner), **created)
        self._write(load, Record("organization", 500 + owner, owner), tenant=owner)
        self._write(load, Record("customer", f"cus{owner}", owner), tenant=owner, company=f"c{owner}")
        load.use(owner, days(start, today, step=self.random.randint(1, 9)), users=self.random.randint(1, 3))
        self._subscribe(load, owner, start)
        for step in (_contact, _contact, _meeting, _ticket, _ticket, _answer):
            step(self, load, today, owner)

    def _subscribe(self, load: Load, owner: int, start: date, interval: str = "month") -> None:
        key, seats = self._key("sub"), self.random.randint(1, 5)
        record = Record("subscription", key, owner)
        self._write(load, record, customer=f"cus{owner}", start=start, seats=seats, interval=interval)
        length = timedelta(days=365 if interval == "year" else 30)
        for _ in range(self.random.randint(1, 3)):
            end = start + length
            self._write(
                load, Record("invoice", self._key("in"), owner), customer=f"cus{owner}", subscription=key,
                period=(start, end), seats=seats, interval=interval, paid=self.random.choice((start, start, None)),
            )  # fmt: skip
            start = end


def _use(history: History, load: Load, today: date) -> None:
    owner, day = history._owner(), history._day(today)
    history.told.append(f"{load.loaded_at:%m-%d} {owner}: use on {day}")
    load.use(owner, [day], users=history.random.randint(1, 4), event=history.random.choice(("login", "sms_sent")))


def _contact(history: History, load: Load, today: date, owner: int | None = None) -> None:
    owner = owner or history._owner()
    role = history.random.choice((None, "CHAMPION", "DECISION_MAKER"))
    history._write(
        load, Record("contact", history._key("p"), owner), company=f"c{owner}", created=history._day(today), role=role
    )


def _meeting(history: History, load: Load, today: date, owner: int | None = None) -> None:
    owner = owner or history._owner()
    record = Record("meeting", history._key("m"), owner)
    history._write(load, record, company=f"c{owner}", day=history._day(today))


def _ticket(history: History, load: Load, today: date, owner: int | None = None) -> None:
    owner = owner or history._owner()
    priority = history.random.choice(("normal", "urgent"))
    record = Record("ticket", history._key(), owner)
    history._write(load, record, organization=500 + owner, created=history._day(today), priority=priority)


def _answer(history: History, load: Load, today: date, owner: int | None = None) -> None:
    owner = owner or history._owner()
    score = str(history.random.randint(0, 10))
    history._write(load, Record("answer", history._key("r"), owner), tenant=owner, score=score, day=history._day(today))


def _subscription(history: History, load: Load, today: date) -> None:
    interval = history.random.choice(("month", "year"))
    history._subscribe(load, history._owner(), history._day(today), interval)


def _solve(history: History, load: Load, today: date) -> None:
    ticket = history._pick("ticket")
    history._write(load, ticket, solved=history.random.choice((None, max(ticket.values["created"], today))))


def _settle(history: History, load: Load, today: date) -> None:
    paid = history.random.choice((None, history._day(today)))
    history._write(load, history._pick("invoice"), paid=paid, attempts=history.random.randint(1, 3))


def _end(history: History, load: Load, today: date) -> None:
    """A subscription ends, now or in the past, or goes on after all."""
    ended = history.random.choice((None, history._day(today)))
    history._write(load, history._pick("subscription"), ended=ended, reason="cancellation_requested" if ended else None)


def _know_better(history: History, load: Load, today: date) -> None:
    """A contact changes role, leaves, or comes back."""
    changed = history.random.choice(
        ({"role": "CHAMPION"}, {"role": None}, {"left": history._day(today)}, {"left": None})
    )
    history._write(load, history._pick("contact"), **changed)


def _move(history: History, load: Load, today: date) -> None:
    """A record turns out to belong to another account."""
    record, owner = (
        history._pick("contact", "ticket", "answer", "meeting", "customer", "organization"),
        history._owner(),
    )
    record.owner = owner
    if record.kind == "meeting":
        load.remove("hubspot", "assoc_meeting_company", f"{record.key}:{record.values['company']}")
    values = {
        "contact": {"company": f"c{owner}"},
        "meeting": {"company": f"c{owner}"},
        "ticket": {"organization": 500 + owner},
        "answer": {"tenant": owner},
        "customer": {"company": f"c{owner}", "tenant": owner},
        "organization": {"tenant": owner},
    }
    history._write(load, record, **values[record.kind])


def _date_anew(history: History, load: Load, today: date) -> None:
    """What is known happened on another day, or counted differently."""
    record, day = history._pick("meeting", "answer", "ticket", "contact", "company", "tenant"), history._day(today)
    history._write(load, record, **{"day" if record.kind in ("meeting", "answer") else "created": day})


def _delete(history: History, load: Load, today: date) -> None:
    record = history._pick(
        "contact", "meeting", "ticket", "answer", "invoice", "subscription", "company", "organization"
    )
    history.told.append(f"{load.loaded_at:%m-%d} {record.owner}: {record.kind} {record.key} deleted")
    load.remove(*record.place, reason=history.random.choice(("deleted", "archived", "privacy")))


def _restore(history: History, load: Load, today: date) -> None:
    """As it was last written, deleted before or not."""
    record = history.random.choice(history.records)
    history._write(load, record)


def _merge(history: History, load: Load, today: date) -> None:
    """One company turns out to be another."""
    absorbed, survivor = history._pick("company"), history._pick("company")
    if absorbed is not survivor:
        history.told.append(f"{load.loaded_at:%m-%d} {absorbed.owner}: merged into {survivor.owner}")
        load.remove(*absorbed.place, reason="merged", merged_into=survivor.key)


def _link(history: History, load: Load, today: date) -> None:
    """A person decides whose a record is, or that it is nobody's."""
    record, company = history._pick("customer", "tenant", "organization"), history._pick("company").key
    account = history.random.choice((company, company, None))
    history.told.append(
        f"{load.loaded_at:%m-%d} {record.owner}: {record.kind} {record.key} linked to {account} by hand"
    )
    link(history.people, record.place[0], str(record.key), account)


def link(db: psycopg.Connection, source: str, source_id: str, company: str | None) -> None:
    """A decision of a person, as the application keeps it; `db` needs an administrator's rights."""
    db.execute(
        "insert into app.identity_links (source, source_id, account_key, reason, linked_by_user_id, linked_by_name,"
        " linked_at) values (%s, %s, md5('hubspot:' || %s), 'known', gen_random_uuid(), 'Maya', now())",
        (source, source_id, company),
    )


_STEPS: tuple[Callable[[History, Load, date], None], ...] = (
    _use, _use, _contact, _meeting, _ticket, _answer, _subscription, _solve, _settle, _settle, _end, _know_better,
    _move, _move, _date_anew, _date_anew, _delete, _delete, _restore, _merge, _link,
)  # fmt: skip
