"""A tiny estate written straight into the raw tables, row by row, with the clock of the load that brought each row.

Every value is a plain figure that a test can reckon with by hand; nothing is drawn at random.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
from psycopg import sql

from extract.partitions import ensure_month

SEAT_PRICE = 5000
_RAW = {
    "hubspot": ["companies", "contacts", "owners", "meetings", "assoc_meeting_company"],
    "stripe": ["customers", "subscriptions", "invoices", "prices", "products"],
    "zendesk": ["organizations", "tickets"],
    "product": ["tenants", "users", "usage_events"],
    "survey": ["responses"],
}


def at(day: date, hour: int = 9) -> datetime:
    """A moment of a day, UTC."""
    return datetime.combine(day, time(hour), UTC)


def epoch(day: date, hour: int = 9) -> int:
    """The same in Stripe's unit."""
    return int(at(day, hour).timestamp())


@dataclass
class Load:
    """One load: all rows written through it carry its number and its time. `loaded_at` is ours, `source_now` theirs."""

    db: psycopg.Connection
    loaded_at: datetime
    source_now: datetime
    load_id: int = field(init=False)

    def __post_init__(self) -> None:
        row = self.db.execute(
            "insert into ops.load_run (source, stream, kind, started_at, ended_at, status, source_now)"
            " values ('all', 'all', 'incremental', %s, %s, 'succeeded', %s) returning load_id",
            (self.loaded_at - timedelta(minutes=1), self.loaded_at + timedelta(minutes=1), self.source_now),
        ).fetchone()
        assert row
        self.load_id = row[0]

    def put(self, source: str, table: str, key: str, payload: dict[str, Any], **marks: Any) -> None:
        """Insert or replace one record. `marks`: deleted_at, delete_reason, merged_into."""
        extra = {"_file_sha256": "0", "_line_no": 1} if source == "survey" else {}
        row = {
            "_pk": key,
            "_src_version": self.load_id,
            "_row_hash": b"",
            "_first_loaded_at": self.loaded_at,
            "_loaded_at": self.loaded_at,
            "_seen_at": self.loaded_at,
            "_load_id": self.load_id,
            "_deleted_at": marks.get("deleted_at"),
            "_delete_reason": marks.get("delete_reason"),
            "_merged_into": marks.get("merged_into"),
            "payload": json.dumps(payload),
            **extra,
        }
        kept = [name for name in row if name not in ("_pk", "_first_loaded_at")]
        self.db.execute(
            sql.SQL("insert into {} ({}) values ({}) on conflict (_pk) do update set {}").format(
                sql.Identifier(f"raw_{source}", table),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(map(sql.Placeholder, row)),
                sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in kept),
            ),
            row,
        )

    def remove(
        self, source: str, table: str, key: str, *, reason: str = "deleted", merged_into: str | None = None
    ) -> None:
        """Leave a record as a tombstone, as the loader does; putting it again brings it back."""
        self.db.execute(
            sql.SQL(
                "update {} set _deleted_at = %s, _delete_reason = %s, _merged_into = %s, _loaded_at = %s, _load_id = %s"
                " where _pk = %s"
            ).format(sql.Identifier(f"raw_{source}", table)),
            (self.source_now, reason, merged_into, self.loaded_at, self.load_id, key),
        )

    def company(self, key: str, name: str, *, created: date, **marks: Any) -> None:
        tenant = marks.pop("tenant_id", None)
        properties = {
            "name": name,
            "domain": f"{key}.example",
            "hubspot_owner_id": "1",
            "tenant_id": tenant,
            "createdate": at(created).isoformat(),
            "onboarding_completed_date": created.isoformat(),
        }
        self.put("hubspot", "companies", key, {"id": key, "properties": properties}, **marks)

    def contact(
        self, key: str, company: str, *, created: date, role: str | None = None, left: date | None = None
    ) -> None:
        properties = {
            "email": f"{key}@{company}.example",
            "firstname": key,
            "associatedcompanyid": company,
            "buying_role": role,
            "createdate": at(created).isoformat(),
            "left_company_date": left.isoformat() if left else None,
        }
        self.put("hubspot", "contacts", key, {"id": key, "properties": properties})

    def meeting(self, key: str, company: str, day: date) -> None:
        properties = {"hs_timestamp": at(day).isoformat(), "hs_meeting_title": key, "hs_meeting_outcome": "COMPLETED"}
        self.put("hubspot", "meetings", key, {"id": key, "properties": properties})
        link = {"from_id": key, "to_id": company, "labels": []}
        self.put("hubspot", "assoc_meeting_company", f"{key}:{company}", link)

    def catalogue(self) -> None:
        """One owner, one seat plan sold by the month and by the year."""
        self.put(
            "hubspot",
            "owners",
            "1",
            {"id": "1", "email": "Maya.Lind@force24.example", "firstName": "Maya", "lastName": "Lind"},
        )
        self.put("stripe", "products", "pro", {"id": "pro", "name": "Professional"})
        for interval in ("month", "year"):
            price = {
                "id": interval,
                "product": "pro",
                "currency": "eur",
                "recurring": {"interval": interval, "interval_count": 1},
            }
            self.put("stripe", "prices", interval, price)

    def customer(self, key: str, *, tenant: int | None = None, company: str | None = None) -> None:
        metadata = {"tenant_id": str(tenant) if tenant else "", "hubspot_company_id": company or ""}
        self.put("stripe", "customers", key, {"id": key, "name": key, "email": None, "metadata": metadata})

    def subscription(
        self,
        key: str,
        customer: str,
        *,
        start: date,
        seats: int,
        interval: str = "month",
        ended: date | None = None,
        reason: str | None = None,
    ) -> None:
        item = {
            "id": f"si_{key}",
            "quantity": seats,
            "price": {"id": interval, "product": "pro", "recurring": {"interval": interval}},
        }
        payload = {
            "id": key,
            "customer": customer,
            "status": "canceled" if ended else "active",
            "currency": "eur",
            "created": epoch(start),
            "start_date": epoch(start),
            "billing_cycle_anchor": epoch(start),
            "canceled_at": epoch(ended) if ended else None,
            "ended_at": epoch(ended) if ended else None,
            "cancellation_details": {"reason": reason},
            "items": {"data": [item]},
            "metadata": {},
        }
        self.put("stripe", "subscriptions", key, payload)

    def invoice(
        self,
        key: str,
        customer: str,
        subscription: str,
        *,
        period: tuple[date, date],
        seats: int,
        interval: str = "month",
        paid: date | None,
        attempts: int = 1,
    ) -> None:
        start, end = period
        amount = seats * SEAT_PRICE * (12 if interval == "year" else 1)
        line = {
            "id": f"il_{key}",
            "amount": amount,
            "currency": "eur",
            "quantity": seats,
            "pricing": {"price_details": {"price": interval, "product": "pro"}},
            "period": {"start": epoch(start), "end": epoch(end)},
        }
        payload = {
            "id": key,
            "customer": customer,
            "number": key.upper(),
            "status": "paid" if paid else "open",
            "currency": "eur",
            "subtotal": amount,
            "amount_due": amount,
            "amount_paid": amount if paid else 0,
            "created": epoch(start),
            "due_date": None,
            "attempt_count": attempts,
            "attempted": True,
            "period_start": epoch(start),
            "period_end": epoch(end),
            "parent": {"subscription_details": {"subscription": subscription}},
            "status_transitions": {"finalized_at": epoch(start), "paid_at": epoch(paid) if paid else None},
            "lines": {"data": [line]},
        }
        self.put("stripe", "invoices", key, payload)

    def tenant(self, key: int, *, created: date) -> None:
        self.put(
            "product",
            "tenants",
            str(key),
            {"id": key, "name": f"tenant {key}", "plan": "professional", "created_at": at(created).isoformat()},
        )

    def organization(self, key: int, tenant: int) -> None:
        self.put(
            "zendesk",
            "organizations",
            str(key),
            {"id": key, "name": "x", "external_id": str(tenant), "domain_names": []},
        )

    def ticket(
        self, key: int, organization: int, *, created: date, priority: str = "normal", solved: date | None = None
    ) -> None:
        metrics = {"solved_at": at(solved).isoformat() if solved else None, "reply_time_in_minutes": {"calendar": 45}}
        payload = {
            "id": key,
            "subject": f"ticket {key}",
            "status": "solved" if solved else "open",
            "priority": priority,
            "organization_id": organization,
            "created_at": at(created).isoformat(),
            "updated_at": at(solved or created).isoformat(),
            "metric_set": metrics,
            "tags": [],
        }
        self.put("zendesk", "tickets", str(key), payload)

    def answer(self, key: str, tenant: int, *, score: str, day: date) -> None:
        payload = {
            "response_id": key,
            "survey_id": "s",
            "respondent_email": "",
            "account_external_id": str(tenant),
            "score": score,
            "comment": "",
            "responded_at": at(day).isoformat(),
            "channel": "email",
        }
        self.put("survey", "responses", f"s:{key}", payload)

    def use(self, tenant: int, days: Iterable[date], *, users: int = 3, event: str = "campaign_sent") -> None:
        """One event per user and day."""
        feature = {"campaign_sent": "campaigns", "login": "core", "sms_sent": "sms"}[event]
        wanted = list(days)
        parent = sql.Identifier("raw_product", "usage_events")
        with self.db.cursor() as cursor:
            for month in {day.replace(day=1) for day in wanted}:
                ensure_month(cursor, parent, "raw_product", "usage_events", at(month))
        self.db.execute(
            "insert into raw_product.usage_events (event_id, tenant_id, user_id, event_name, feature, occurred_at,"
            " ingested_at, duration_ms, _load_id, _loaded_at)"
            " select known.newest + row_number() over (), %(tenant)s, %(tenant)s * 100 + number, %(event)s,"
            " %(feature)s, day, day, 1, %(load_id)s, %(loaded_at)s"
            " from (select coalesce(max(event_id), 0) as newest from raw_product.usage_events) as known"
            " cross join unnest(%(days)s::timestamptz[]) as day cross join generate_series(0, %(last)s) as number",
            {
                "tenant": tenant,
                "event": event,
                "feature": feature,
                "load_id": self.load_id,
                "loaded_at": self.loaded_at,
                "days": [at(day) for day in wanted],
                "last": users - 1,
            },
        )


def days(first: date, last: date, *, step: int = 1) -> list[date]:
    """Every `step`-th day from first to last."""
    return [first + timedelta(days=number) for number in range(0, (last - first).days + 1, step)]


def empty(db: psycopg.Connection) -> None:
    """Forget every row of every raw table and every load."""
    for source, tables in _RAW.items():
        for table in tables:
            db.execute(sql.SQL("truncate {}").format(sql.Identifier(f"raw_{source}", table)))
    db.execute("truncate ops.load_run cascade")
