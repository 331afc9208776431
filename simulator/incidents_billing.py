"""Incidents in billing: customers created and deleted, draft invoices, several changes within one second."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Json

from simulator.billing_docs import at_old_version

if TYPE_CHECKING:
    from simulator.incidents import Scene

Doc = dict[str, Any]
UNSETTLED = {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None}


async def _event(scene: Scene, kind: str, doc: Doc) -> None:
    """An event now, its object rendered at the version in force."""
    payload = {
        "id": "evt_1" + secrets.token_hex(8),
        "object": "event",
        "api_version": scene.event_version,
        "created": int(scene.now),
        "data": {"object": at_old_version(doc) if scene.event_version < "2025-03-31" else doc},
        "livemode": True,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    await scene.rows(
        """
        insert into stripe_events (id, seq, created, type, doc)
        select %(id)s, coalesce(max(seq), 0) + 1, %(created)s, %(type)s, %(doc)s from stripe_events
        """,
        {"id": payload["id"], "created": payload["created"], "type": kind, "doc": Json(payload)},
    )


async def _add(scene: Scene, doc: Doc, *, status: str | None = None, deleted: int | None = None) -> None:
    customer = doc["id"] if doc["object"] == "customer" else doc["customer"]
    values = {"id": doc["id"], "object": doc["object"], "created": doc["created"], "customer": customer}
    await scene.rows(
        """
        insert into stripe_objects (id, object, seq, created, customer, status, deleted, doc)
        select %(id)s, %(object)s, max(seq) + 1, %(created)s, %(customer)s, %(status)s, %(deleted)s, %(doc)s
        from stripe_objects
        """,
        {**values, "status": status, "deleted": deleted, "doc": Json(doc)},
    )


async def _one(scene: Scene, name: str, *, status: str | None = None, object_id: str | None = None) -> Doc:
    """The object named, else the oldest of its kind."""
    rows = await scene.rows(
        """
        select doc from stripe_objects
        where object = %(object)s and deleted is null and (%(status)s::text is null or status = %(status)s)
            and (%(id)s::text is null or id = %(id)s)
        order by created, seq limit 1
        """,
        {"object": name, "status": status, "id": object_id},
    )
    if not rows:
        raise ValueError(f"no such {name}: {object_id}")
    return rows[0][0]


async def create_customer(scene: Scene) -> str:
    """A customer signs up now, without a subscription yet."""
    model = await _one(scene, "customer")
    person = {"name": "Walk-in customer", "email": "hello@walk-in.example", "metadata": {}}
    doc = {**model, **person, "id": "cus_" + secrets.token_hex(7), "created": int(scene.now)}
    await _add(scene, doc)
    await _event(scene, "customer.created", doc)
    return doc["id"]


async def delete_customer(scene: Scene, id: str | None = None) -> str:  # noqa: A002 - the vendor's word
    """A customer is deleted: stub on GET, gone from lists, event with the last state; subscriptions stay."""
    doc = await _one(scene, "customer", object_id=id)
    values = {"id": doc["id"], "now": int(scene.now)}
    await scene.rows("update stripe_objects set deleted = %(now)s where id = %(id)s", values)
    await _event(scene, "customer.deleted", doc)
    return doc["id"]


async def draft_invoice(scene: Scene, delete: bool = False) -> str:
    """A draft invoice is made by hand; with `delete` it is gone at once: 404, and event `invoice.deleted`."""
    model = await _one(scene, "invoice", status="paid")
    doc = {
        **model,
        "id": "in_1" + secrets.token_hex(7),
        "created": int(scene.now),
        "status": "draft",
        "number": None,
        "amount_paid": 0,
        "amount_remaining": model["amount_due"],
        "attempted": False,
        "billing_reason": "manual",
        "status_transitions": UNSETTLED,
    }
    await _add(scene, doc, status="draft", deleted=int(scene.now) if delete else None)
    await _event(scene, "invoice.created", doc)
    if delete:
        await _event(scene, "invoice.deleted", doc)
    return doc["id"]


async def change_subscription(scene: Scene, id: str | None = None, times: int = 1) -> str:  # noqa: A002
    """A subscription gains seats now, one by one, `times` times within the same second."""
    doc = await _one(scene, "subscription", status="active", object_id=id)
    for _ in range(times):
        doc["items"]["data"][0]["quantity"] += 1
        await _event(scene, "customer.subscription.updated", copy.deepcopy(doc))
    values = {"id": doc["id"], "doc": Json(doc)}
    await scene.rows("update stripe_objects set doc = %(doc)s where id = %(id)s", values)
    return doc["id"]
