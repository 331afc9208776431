"""Things that happen in the estate because a test (or a curious person) asked for them: `POST /__switches {"do": [...]}`.

Each incident writes what the real system would leave behind, including what it would not: archiving a record or changing a link bumps no
change time. Every one returns the ids it touched.
"""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Json
from psycopg_pool import AsyncConnectionPool

from simulator import incident_files
from simulator.billing_docs import at_old_version
from simulator.clock import Clock, iso
from simulator.config import Settings

Db = psycopg.AsyncConnection[Any]


class Incidents:
    """Runs incidents against one estate."""

    def __init__(self, settings: Settings, clock: Clock, pool: AsyncConnectionPool) -> None:
        self.settings = settings
        self.clock = clock
        self.pool = pool
        self.event_version = "2024-06-20"

    async def run(self, order: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Run one incident, `{name: {arguments}}`; raises LookupError for an unknown name, ValueError or TypeError for bad arguments."""
        ((name, arguments),) = order.items()
        handler = getattr(self, "on_" + name, None)
        if handler is None:
            known = ", ".join(sorted(member[3:] for member in dir(self) if member.startswith("on_")))
            raise LookupError(f"unknown incident {name!r}; known: {known}")
        async with self.pool.connection() as db:
            return {name: await handler(db, **arguments)}

    async def _pick(
        self, db: Db, object_type: str, ids: list[int] | None, count: int, condition: str = "archived_at is null"
    ) -> list[int]:
        """The records named, else the first `count` live ones of the type."""
        if ids:
            return [int(one) for one in ids]
        rows = await db.execute(
            f"select id from hubspot_objects where object_type = %s and {condition} and merged_into is null and erased_at is null order by id limit %s".encode(),
            [object_type, count],
        )
        return [row[0] for row in await rows.fetchall()]

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(int(self.clock.now() * 1000) / 1000, UTC)

    async def on_archive(self, db: Db, object_type: str, ids: list[int] | None = None, count: int = 1) -> list[str]:
        """Records go to the recycle bin; their change time stays."""
        chosen = await self._pick(db, object_type, ids, count)
        await db.execute(
            "update hubspot_objects set archived_at = %s where object_type = %s and id = any(%s)",
            [self._moment(), object_type, chosen],
        )
        return [str(one) for one in chosen]

    async def on_restore(self, db: Db, object_type: str, ids: list[int] | None = None, count: int = 1) -> list[str]:
        """Records come back from the recycle bin with the same id."""
        chosen = await self._pick(db, object_type, ids, count, "archived_at is not null")
        await db.execute(
            "update hubspot_objects set archived_at = null where object_type = %s and id = any(%s)",
            [object_type, chosen],
        )
        return [str(one) for one in chosen]

    async def on_merge(
        self, db: Db, object_type: str, absorbed: int, survivor: int, new_id: bool = False
    ) -> dict[str, Any]:
        """One record absorbs another, chained merges included; with `new_id` both old ids vanish and the survivor gets a new one."""
        target = int(survivor)
        now = self._moment()
        if new_id:
            target = int(secrets.token_hex(6), 16) + 10**14
            await db.execute(
                "insert into hubspot_objects (object_type, id, created_at, updated_at, merged_ids, properties) select object_type, %s, created_at, %s, merged_ids, properties"
                " from hubspot_objects where object_type = %s and id = %s",
                [target, now, object_type, survivor],
            )
        gone = [int(absorbed)] + ([int(survivor)] if new_id else [])
        for one in gone:
            rows = await db.execute(
                "select merged_ids from hubspot_objects where object_type = %s and id = %s", [object_type, one]
            )
            row = await rows.fetchone()
            if row is None:
                raise ValueError(f"no {object_type} {one}")
            chain = ";".join(part for part in (str(one), row[0]) if part)
            await db.execute(
                "update hubspot_objects set merged_ids = concat_ws(';', merged_ids, %s::text), updated_at = %s where object_type = %s and id = %s",
                [chain, now, object_type, target],
            )
            await db.execute(
                "update hubspot_objects set merged_into = %s where object_type = %s and (id = %s or merged_into = %s)",
                [target, object_type, one, one],
            )
            for side in ("from", "to"):
                other = "to" if side == "from" else "from"
                await db.execute(
                    f"insert into hubspot_links (from_type, from_id, to_type, to_id, is_primary) select {'from_type, %s, to_type, to_id' if side == 'from' else 'from_type, from_id, to_type, %s'}, is_primary"
                    f" from hubspot_links where {side}_type = %s and {side}_id = %s and {other}_id is not null on conflict do nothing".encode(),
                    [target, object_type, one],
                )
                await db.execute(
                    f"delete from hubspot_links where {side}_type = %s and {side}_id = %s".encode(), [object_type, one]
                )
        return {"survivor": str(target), "absorbed": [str(one) for one in gone]}

    async def on_erase(self, db: Db, object_type: str, ids: list[int] | None = None, count: int = 1) -> list[str]:
        """Privacy delete: gone from every list, 404 for ever."""
        chosen = await self._pick(db, object_type, ids, count)
        await db.execute(
            "update hubspot_objects set erased_at = %s, properties = '{}' where object_type = %s and id = any(%s)",
            [self._moment(), object_type, chosen],
        )
        return [str(one) for one in chosen]

    async def on_change(
        self, db: Db, object_type: str, properties: dict[str, str | None], ids: list[int] | None = None, count: int = 1
    ) -> list[str]:
        """Properties change now, of many records in the same millisecond."""
        chosen = await self._pick(db, object_type, ids, count)
        await db.execute(
            "update hubspot_objects set properties = properties || %s::jsonb, updated_at = %s where object_type = %s and id = any(%s)",
            [Json(properties), self._moment(), object_type, chosen],
        )
        return [str(one) for one in chosen]

    async def on_unlink(self, db: Db, from_type: str, from_id: int, to_type: str, to_id: int) -> int:
        """A link ends; neither record's change time moves."""
        done = await db.execute(
            "delete from hubspot_links where (from_type, from_id, to_type, to_id) in ((%(a)s, %(b)s, %(c)s, %(d)s), (%(c)s, %(d)s, %(a)s, %(b)s))",
            {"a": from_type, "b": int(from_id), "c": to_type, "d": int(to_id)},
        )
        return done.rowcount

    async def _event(self, db: Db, kind: str, doc: dict[str, Any]) -> str:
        is_old = self.event_version < "2025-03-31"
        event_id = "evt_1" + secrets.token_hex(8)
        created = int(self.clock.now())
        payload = {
            "id": event_id,
            "object": "event",
            "api_version": self.event_version,
            "created": created,
            "data": {"object": at_old_version(doc) if is_old else doc},
            "livemode": True,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        await db.execute(
            "insert into stripe_events (id, seq, created, type, doc) select %s, coalesce(max(seq), 0) + 1, %s, %s, %s from stripe_events",
            [event_id, created, kind, Json(payload)],
        )
        return event_id

    async def on_create_customer(self, db: Db) -> str:
        """A customer signs up now: a copy of the newest one under a new id, without subscriptions."""
        rows = await db.execute(
            "select doc from stripe_objects where object = 'customer' and deleted is null order by created desc, seq desc limit 1"
        )
        row = await rows.fetchone()
        if row is None:
            raise ValueError("no customer to copy")
        customer_id, created = "cus_" + secrets.token_hex(7), int(self.clock.now())
        doc = {
            **row[0],
            "id": customer_id,
            "created": created,
            "metadata": {},
            "name": "Walk-in customer",
            "email": "hello@walk-in.example",
        }
        await db.execute(
            "insert into stripe_objects (id, object, seq, created, customer, doc) select %s, 'customer', max(seq) + 1, %s, %s, %s from stripe_objects",
            [customer_id, created, customer_id, Json(doc)],
        )
        await self._event(db, "customer.created", doc)
        return customer_id

    async def on_delete_customer(self, db: Db, id: str | None = None) -> str:  # noqa: A002 - the vendor's word
        """A customer is deleted: stub on GET, gone from lists, event with the last state; subscriptions stay and end."""
        rows = await db.execute(
            "select id, doc from stripe_objects where object = 'customer' and deleted is null and id = coalesce(%s, id) order by created limit 1",
            [id],
        )
        row = await rows.fetchone()
        if row is None:
            raise ValueError(f"no customer {id}")
        await db.execute("update stripe_objects set deleted = %s where id = %s", [int(self.clock.now()), row[0]])
        await self._event(db, "customer.deleted", row[1])
        return row[0]

    async def on_draft_invoice(self, db: Db, delete: bool = False) -> str:
        """A draft invoice appears by hand; with `delete` it is deleted at once (404 from then on, event `invoice.deleted`)."""
        rows = await db.execute(
            "select doc, customer, subscription from stripe_objects where object = 'invoice' and status = 'paid' order by created desc, seq desc limit 1"
        )
        row = await rows.fetchone()
        if row is None:
            raise ValueError("no invoice to copy")
        invoice_id, created = "in_1" + secrets.token_hex(7), int(self.clock.now())
        doc = {
            **row[0],
            "id": invoice_id,
            "created": created,
            "status": "draft",
            "number": None,
            "amount_paid": 0,
            "amount_remaining": row[0]["amount_due"],
            "attempted": False,
            "billing_reason": "manual",
            "status_transitions": {
                "finalized_at": None,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
        }
        await db.execute(
            "insert into stripe_objects (id, object, seq, created, customer, subscription, status, deleted, doc) select %s, 'invoice', max(seq) + 1, %s, %s, %s, 'draft', %s, %s from stripe_objects",
            [invoice_id, created, row[1], row[2], created if delete else None, Json(doc)],
        )
        await self._event(db, "invoice.created", doc)
        if delete:
            await self._event(db, "invoice.deleted", doc)
        return invoice_id

    async def on_change_subscription(self, db: Db, id: str | None = None, times: int = 1) -> str:  # noqa: A002 - the vendor's word
        """A subscription changes quantity now, `times` times within the same second."""
        rows = await db.execute(
            "select id, doc from stripe_objects where object = 'subscription' and status = 'active' and id = coalesce(%s, id) order by created limit 1",
            [id],
        )
        row = await rows.fetchone()
        if row is None:
            raise ValueError(f"no active subscription {id}")
        doc = row[1]
        for _ in range(times):
            doc["items"]["data"][0]["quantity"] += 1
            await self._event(db, "customer.subscription.updated", json.loads(json.dumps(doc)))
        await db.execute("update stripe_objects set doc = %s where id = %s", [Json(doc), row[0]])
        return row[0]

    async def _tickets(
        self, db: Db, ids: list[int] | None, count: int, condition: str
    ) -> list[tuple[int, dict[str, Any]]]:
        rows = await db.execute(
            f"select id, doc from zendesk_objects where kind = 'tickets' and {condition} and (%s::bigint[] is null or id = any(%s)) order by id desc limit %s".encode(),
            [ids, ids, len(ids) if ids else count],
        )
        return [(row[0], row[1]) for row in await rows.fetchall()]

    async def _save_ticket(self, db: Db, number: int, doc: dict[str, Any], at: int, status: str) -> None:
        await db.execute(
            "update zendesk_objects set doc = %s, generated = %s, status = %s, plan = case when %s = 'deleted' then null else plan end where kind = 'tickets' and id = %s",
            [Json({**doc, "generated_timestamp": at}), at, status, status, number],
        )

    async def on_system_update(
        self, db: Db, ids: list[int] | None = None, count: int = 1, seconds_ago: int = 120
    ) -> list[int]:
        """`generated_timestamp` moves, `updated_at` does not."""
        chosen = await self._tickets(db, ids, count, "status = 'closed'")
        for number, doc in chosen:
            await self._save_ticket(
                db,
                number,
                {**doc, "tags": [*doc["tags"], "archived_by_trigger"]},
                int(self.clock.now()) - seconds_ago,
                doc["status"],
            )
        return [number for number, _ in chosen]

    async def on_delete_ticket(
        self, db: Db, ids: list[int] | None = None, count: int = 1, scrub: bool = False, seconds_ago: int = 120
    ) -> list[int]:
        """Tickets are deleted (they stay in the export); with `scrub` their content goes too."""
        chosen = await self._tickets(db, ids, count, "true" if ids else "status <> 'deleted'")
        at = int(self.clock.now()) - seconds_ago
        for number, doc in chosen:
            kept = {
                **doc,
                "status": "deleted",
                "updated_at": iso(at),
                "status_before": doc.get("status_before", doc["status"]),
            }
            if scrub:
                kept |= {
                    "subject": "SCRUBBED",
                    "raw_subject": "SCRUBBED",
                    "description": "SCRUBBED",
                    "tags": [],
                    "requester_id": -1,
                    "submitter_id": -1,
                }
            await self._save_ticket(db, number, kept, at, "deleted")
        return [number for number, _ in chosen]

    async def on_restore_ticket(
        self, db: Db, ids: list[int] | None = None, count: int = 1, seconds_ago: int = 90
    ) -> list[int]:
        """Deleted tickets come back in the state they had."""
        chosen = await self._tickets(db, ids, count, "status = 'deleted'")
        at = int(self.clock.now()) - seconds_ago
        for number, doc in chosen:
            status = doc.pop("status_before", "open")
            await self._save_ticket(db, number, {**doc, "status": status, "updated_at": iso(at)}, at, status)
        return [number for number, _ in chosen]

    async def on_touch_organizations(self, db: Db, count: int = 1200, seconds_ago: int = 300) -> int:
        """Many organizations change within one second."""
        at = int(self.clock.now()) - seconds_ago
        done = await db.execute(
            "update zendesk_objects set updated = %s, generated = %s, doc = (doc::jsonb || jsonb_build_object('updated_at', %s::text))::json"
            " where kind = 'organizations' and id in (select id from zendesk_objects where kind = 'organizations' order by id limit %s)",
            [at, at, iso(at), count],
        )
        return done.rowcount

    async def on_survey_file(self, db: Db, variant: str) -> str:
        """The survey tool drops a file with a fault of its own; see `incident_files.VARIANTS`."""
        return incident_files.drop(self.settings.simulator_surveys_folder, variant, self._moment())
