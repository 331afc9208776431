"""Writing down billing objects and events: ids, the feed, and the records of customers, subscriptions, invoices and
prices.
"""

import hashlib

from simulator import catalogue
from simulator.billing_docs import (
    Invoice,
    at_old_version,
    customer_doc,
    invoice_doc,
    price_doc,
    product_doc,
    subscription_doc,
)
from simulator.ledger import Doc, Ledger, StripeRow
from simulator.world import Account, Subscription, World

EVENT_VERSION = "2024-06-20"
"""The billing account never raised its default version: event payloads keep the old shapes."""
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def stripe_id(world: World, kind: str) -> str:
    """Ids like cus_Q2m…: not sortable by time, as Stripe's."""
    number = int.from_bytes(
        hashlib.blake2b(f"{world.seed}:{kind}:{world.next_id(kind)}".encode(), digest_size=11).digest()
    )
    letters = []
    for _ in range(14):
        number, digit = divmod(number, 62)
        letters.append(LETTERS[digit])
    return f"{kind}_{'1' if kind in ('in', 'sub', 'il', 'si', 'evt') else ''}{''.join(letters)}"


def emit(world: World, ledger: Ledger, kind: str, at: int, doc: Doc, previous: Doc | None = None) -> None:
    """Record an event, unless it is so old that the feed has dropped it."""
    if at < ledger.events_since:
        return
    data: Doc = {"object": at_old_version(doc)}
    if previous is not None:
        data["previous_attributes"] = previous
    event_id = stripe_id(world, "evt")
    payload = {
        "id": event_id,
        "object": "event",
        "api_version": EVENT_VERSION,
        "created": at,
        "data": data,
        "livemode": True,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    ledger.events.append((event_id, world.next_id("seq"), at, kind, payload))


def write_catalogue(world: World, ledger: Ledger) -> None:
    """Products and prices; once, at the beginning."""

    def put(doc: Doc) -> None:
        ledger.stripe[doc["id"]] = StripeRow(doc["id"], doc["object"], world.next_id("seq"), doc["created"], doc)

    for product in catalogue.PRODUCTS:
        put(product_doc(product))
    for currency in catalogue.CURRENCY_FACTOR:
        for interval in ("month", "year"):
            for price_list in range(1, catalogue.PRICE_LISTS + 1):
                for product in (*catalogue.PLANS, "SMS pack"):
                    put(price_doc(product, currency, interval, price_list))
            for variant in range(1, catalogue.WORKSPACES + 1):
                put(price_doc("Brand workspace", currency, interval, 1, variant))


def write_customer(world: World, ledger: Ledger, account: Account) -> list[Doc]:
    """The account's customer record or records, as they look now."""
    docs = []
    for customer_id in filter(None, (account.customer_id, account.second_customer)):
        doc = customer_doc(account, customer_id)
        known = ledger.stripe.get(customer_id)
        seq = known.seq if known else world.next_id("seq")
        row = StripeRow(customer_id, "customer", seq, doc["created"], doc, customer=customer_id)
        ledger.stripe[customer_id] = row
        docs.append(doc)
    return docs


def write_subscription(world: World, ledger: Ledger, account: Account, sub: Subscription) -> Doc:
    """A subscription as it looks now."""
    doc = subscription_doc(account, sub)
    known = ledger.stripe.get(sub.id)
    seq = known.seq if known else world.next_id("seq")
    ledger.stripe[sub.id] = StripeRow(
        sub.id, "subscription", seq, sub.created, doc, customer=sub.customer, subscription=sub.id, status=sub.status
    )
    return doc


def write_invoice(world: World, ledger: Ledger, invoice: Invoice) -> Doc:
    """An invoice as it looks now; it keeps its plan while it has a future."""
    doc = invoice_doc(invoice, world.accounts[invoice.account])
    ledger.stripe[invoice.id] = StripeRow(
        invoice.id,
        "invoice",
        invoice.seq,
        invoice.created,
        doc,
        customer=invoice.customer,
        subscription=invoice.subscription,
        status=invoice.status,
        plan=vars(invoice) if invoice.steps else None,
    )
    return doc
