"""Subscriptions and money: billing periods, invoices and how they are paid, seat changes, price lists, the end of a subscription.

P stretches payment and makes cards fail; four failed attempts end the subscription (involuntary churn).
"""

import hashlib
import math
import random
from typing import Any

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
from simulator.clock import DAY_SECONDS, add_months, date_of, end_of, start_of
from simulator.latents import P
from simulator.ledger import Doc, Ledger, StripeRow
from simulator.world import NEVER, Account, Subscription, World

HOUR = 3_600
EVENT_VERSION = "2024-06-20"
"""The billing account never raised its default version: event payloads keep the old shapes."""
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RETRY_DAYS = [3, 5, 7]


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


def write_customer(world: World, ledger: Ledger, account: Account) -> None:
    """The account's customer record or records, as they look now."""
    for customer_id in filter(None, (account.customer_id, account.second_customer)):
        doc = customer_doc(account, customer_id)
        known = ledger.stripe.get(customer_id)
        seq = known.seq if known else world.next_id("seq")
        ledger.stripe[customer_id] = StripeRow(customer_id, "customer", seq, doc["created"], doc, customer=customer_id)


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


def open_subscriptions(world: World, ledger: Ledger, account: Account, day: int, dice: random.Random) -> None:
    """The main subscription, add-ons, sometimes a second subscription or a second customer; older accounts are mid-period on `day`."""
    price_id = catalogue.price_id(account.plan, account.currency, account.interval, account.price_list)
    unit = catalogue.unit_amount(account.plan, account.currency, account.interval, account.price_list)
    items: list[list[Any]] = [[stripe_id(world, "si"), price_id, account.plan, unit, account.seats]]
    if dice.random() < 0.14:
        items.append(_item(world, account, "SMS pack", account.interval, dice.randrange(1, 5)))
    if account.industry == "Marketing agency" and dice.random() < 0.18:
        items += [
            _item(world, account, "Brand workspace", account.interval, 1, variant)
            for variant in range(1, catalogue.WORKSPACES + 1)
        ]
    _add_subscription(world, ledger, account, day, account.customer_id, account.interval, items, dice)
    if dice.random() < 0.07:
        if dice.random() < 0.3:
            account.second_customer = stripe_id(world, "cus")
        customer = account.second_customer or account.customer_id
        _add_subscription(
            world,
            ledger,
            account,
            day,
            customer,
            "month",
            [_item(world, account, "SMS pack", "month", dice.randrange(2, 8))],
            dice,
        )
    write_customer(world, ledger, account)
    reschedule(world, account)


def _item(world: World, account: Account, product: str, interval: str, quantity: int, variant: int = 0) -> list[Any]:
    price_list = 1 if variant else account.price_list
    unit = catalogue.unit_amount(product, account.currency, interval, price_list)
    return [
        stripe_id(world, "si"),
        catalogue.price_id(product, account.currency, interval, price_list, variant),
        product,
        unit,
        quantity,
    ]


def _add_subscription(
    world: World,
    ledger: Ledger,
    account: Account,
    day: int,
    customer: str,
    interval: str,
    items: list[list[Any]],
    dice: random.Random,
) -> None:
    created = start_of(account.start) + dice.randrange(30_000, 60_000)
    anchor, months = date_of(account.start).day, 12 if interval == "year" else 1
    period = 0
    while account.start < day and add_months(created, (period + 1) * months, anchor) < start_of(day):
        period += 1
    sub = Subscription(
        stripe_id(world, "sub"),
        customer,
        interval,
        created,
        anchor,
        items,
        add_months(created, period * months, anchor),
        add_months(created, (period + 1) * months, anchor),
        account.collection,
        has_metadata="subscription_without_metadata" not in account.dirt,
    )
    account.subscriptions.append(sub)
    _open_invoice(
        world,
        ledger,
        account,
        sub,
        sub.period_start,
        "subscription_create" if period == 0 else "subscription_cycle",
        dice,
    )
    emit(world, ledger, "customer.subscription.created", sub.created, write_subscription(world, ledger, account, sub))


def reschedule(world: World, account: Account) -> None:
    """The next day on which a billing period of the account ends."""
    ends = [sub.period_end // DAY_SECONDS for sub in account.subscriptions if sub.ended_at is None]
    world.columns.bill[account.no - 1] = min(ends, default=NEVER)


def _open_invoice(
    world: World, ledger: Ledger, account: Account, sub: Subscription, at: int, reason: str, dice: random.Random
) -> None:
    """Draft an invoice for the period that begins and plan how it will be paid."""
    lines = list(sub.pending)
    sub.pending = []
    for _, price_id, product, unit, quantity in sub.items:
        lines.append(
            [
                stripe_id(world, "il"),
                unit * quantity,
                quantity,
                price_id,
                catalogue.PRODUCTS[product],
                unit,
                f"{quantity} x {product}",
                sub.period_start,
                sub.period_end,
                False,
            ]
        )
    account.invoices_made += 1
    by_transfer = sub.collection == "send_invoice"
    invoice = Invoice(
        stripe_id(world, "in"),
        account.no - 1,
        sub.customer,
        sub.id,
        f"{account.customer_id[-8:].upper()}-{account.invoices_made:04d}",
        at,
        account.currency,
        lines,
        sub.collection,
        reason,
        world.next_id("seq"),
        at + 30 * DAY_SECONDS + HOUR if by_transfer else None,
    )
    pressure = world.latents_of(account.no - 1)[P]
    invoice.steps = _transfer_plan(invoice, pressure, dice) if by_transfer else _card_plan(invoice, pressure, dice)
    sub.latest_invoice = invoice.id
    world.invoices[invoice.id] = invoice
    emit(world, ledger, "invoice.created", at, write_invoice(world, ledger, invoice))


def _transfer_plan(invoice: Invoice, pressure: float, dice: random.Random) -> list[list[Any]]:
    """Sent, and paid by bank transfer: mostly before the due date, one in seven late, a few very late."""
    sent = invoice.created + HOUR
    if dice.random() < 0.13 * math.exp(0.35 * pressure):
        delay = 30 + min(95.0, dice.lognormvariate(2.35, 0.9))
    else:
        delay = dice.uniform(3, 29.5)
    paid = sent + int(delay * DAY_SECONDS)
    steps: list[list[Any]] = [[sent, "finalized"]]
    if invoice.due and paid > invoice.due:
        steps.append([invoice.due + 60, "overdue"])
    return [*steps, [paid, "paid"]]


def _card_plan(invoice: Invoice, pressure: float, dice: random.Random) -> list[list[Any]]:
    """Charged automatically; about one in thirty fails at first, most of those recover at a retry, the rest give up."""
    at = invoice.created + HOUR
    steps: list[list[Any]] = [[at, "finalized"]]
    odds = 0.034 * math.exp(0.3 * pressure)
    for wait in [*RETRY_DAYS, None]:
        if dice.random() >= odds:
            return [*steps, [at + 11, "paid"]]
        steps.append([at + 11, "failed"])
        odds = 0.47
        if wait is not None:
            at += wait * DAY_SECONDS
    return [*steps, [at + 60, "given_up"]]


def settle_invoices(world: World, ledger: Ledger, day: int) -> list[Account]:
    """Take every invoice step due by the end of the day; returns accounts whose subscription ended because nobody paid."""
    lost: list[Account] = []
    deadline = end_of(day)
    for invoice in list(world.invoices.values()):
        while invoice.steps and invoice.steps[0][0] <= deadline:
            at, kind = invoice.steps.pop(0)
            _take(world, ledger, invoice, at, kind, lost)
        if not invoice.steps:
            write_invoice(world, ledger, invoice)
            del world.invoices[invoice.id]
    return lost


def _take(world: World, ledger: Ledger, invoice: Invoice, at: int, kind: str, lost: list[Account]) -> None:
    account = world.accounts[invoice.account]
    names: list[str] = []
    if kind == "finalized":
        invoice.status, invoice.finalized = "open", at
        names = ["invoice.finalized"] + (["invoice.sent"] if invoice.due else [])
    elif kind == "overdue":
        names = ["invoice.overdue"]
    elif kind == "failed":
        invoice.attempts += 1
        following = next((step for step in invoice.steps if step[1] in ("failed", "paid")), None)
        invoice.next_attempt = following[0] - 11 if following else None
        names = ["invoice.payment_failed", "invoice.updated"]
        _set_delinquent(world, ledger, account, invoice, True, at)
    elif kind == "paid":
        invoice.status, invoice.paid, invoice.next_attempt = "paid", at, None
        invoice.attempts += invoice.collection == "charge_automatically"
        names = ["invoice.paid", "invoice.payment_succeeded", "invoice.updated"]
        if account.delinquent:
            _set_delinquent(world, ledger, account, invoice, False, at)
    elif kind == "given_up":
        invoice.status, invoice.uncollectible = "uncollectible", at
        names = ["invoice.marked_uncollectible"]
        lost.append(account)
    if at >= ledger.events_since:
        doc = write_invoice(world, ledger, invoice)
        for name in names:
            emit(world, ledger, name, at, doc, {"status": "open"} if name == "invoice.updated" else None)
    else:
        write_invoice(world, ledger, invoice)


def _set_delinquent(
    world: World, ledger: Ledger, account: Account, invoice: Invoice, is_delinquent: bool, at: int
) -> None:
    if account.delinquent == is_delinquent:
        return
    account.delinquent = is_delinquent
    world.touched.add(account.no)
    write_customer(world, ledger, account)
    for sub in account.subscriptions:
        if sub.id == invoice.subscription and sub.ended_at is None:
            before, sub.status = sub.status, "past_due" if is_delinquent else "active"
            emit(
                world,
                ledger,
                "customer.subscription.updated",
                at,
                write_subscription(world, ledger, account, sub),
                {"status": before},
            )


def bill_day(world: World, ledger: Ledger, account: Account, day: int) -> bool:
    """Close the periods that end today: the next period and its invoice, or the end of the subscription. True when none is left."""
    dice = world.dice("billing", day, account.no)
    for sub in account.subscriptions:
        if sub.ended_at is not None or sub.period_end // DAY_SECONDS != day:
            continue
        at = sub.period_end
        if sub.cancel_at_period_end:
            end_subscription(world, ledger, account, sub, at)
            continue
        previous = {
            "current_period_end": sub.period_end,
            "current_period_start": sub.period_start,
            "latest_invoice": sub.latest_invoice,
        }
        months = 12 if sub.interval == "year" else 1
        sub.period_start, sub.period_end = at, add_months(at, months, sub.anchor)
        _open_invoice(world, ledger, account, sub, at, "subscription_cycle", dice)
        emit(
            world,
            ledger,
            "customer.subscription.updated",
            at,
            write_subscription(world, ledger, account, sub),
            previous,
        )
    world.touched.add(account.no)
    reschedule(world, account)
    return all(sub.ended_at is not None for sub in account.subscriptions)


def announce_upcoming(world: World, ledger: Ledger, account: Account, day: int) -> None:
    """`invoice.upcoming`, an event whose object has no id, seven days before a yearly invoice."""
    for sub in account.subscriptions:
        if (
            sub.ended_at is None
            and sub.interval == "year"
            and sub.period_end // DAY_SECONDS == day + 7
            and not sub.cancel_at_period_end
        ):
            at = start_of(day) + 7 * HOUR
            preview = Invoice(
                "",
                account.no - 1,
                sub.customer,
                sub.id,
                "",
                at,
                account.currency,
                [],
                sub.collection,
                "upcoming",
                0,
                None,
            )
            doc = invoice_doc(preview, account)
            doc.pop("id")
            doc["amount_due"] = doc["total"] = doc["subtotal"] = sub.amount()
            emit(world, ledger, "invoice.upcoming", at, doc)


def end_subscription(world: World, ledger: Ledger, account: Account, sub: Subscription, at: int) -> None:
    """Cancelled now: at the end of the paid period, or because payment failed for good."""
    sub.status, sub.ended_at = "canceled", at
    sub.canceled_at = sub.canceled_at or at
    emit(world, ledger, "customer.subscription.deleted", at, write_subscription(world, ledger, account, sub))


def set_cancel(world: World, ledger: Ledger, account: Account, sub: Subscription, at: int) -> None:
    """The customer asked to leave at the end of the period."""
    sub.cancel_at_period_end, sub.canceled_at, sub.reason = True, at, "voluntary"
    doc = write_subscription(world, ledger, account, sub)
    emit(world, ledger, "customer.subscription.updated", at, doc, {"cancel_at_period_end": False, "canceled_at": None})


def change_main_item(world: World, ledger: Ledger, account: Account, at: int, *, seats: int, price_list: int) -> None:
    """New quantity or price of the seats; a change inside a period is prorated on the next invoice, with a negative line."""
    sub = account.subscriptions[0]
    item = sub.items[0]
    before_amount, before_quantity, before_price = item[3], item[4], item[1]
    account.price_list = price_list
    price_id = catalogue.price_id(account.plan, account.currency, account.interval, price_list)
    unit = catalogue.unit_amount(account.plan, account.currency, account.interval, price_list)
    share = (sub.period_end - at) / (sub.period_end - sub.period_start)
    if 0.01 < share < 0.99:
        product = catalogue.PRODUCTS[account.plan]
        sub.pending.append(
            [
                stripe_id(world, "il"),
                -round(before_amount * before_quantity * share),
                before_quantity,
                before_price,
                product,
                before_amount,
                f"Unused time on {before_quantity} x {account.plan}",
                at,
                sub.period_end,
                True,
            ]
        )
        sub.pending.append(
            [
                stripe_id(world, "il"),
                round(unit * seats * share),
                seats,
                price_id,
                product,
                unit,
                f"Remaining time on {seats} x {account.plan}",
                at,
                sub.period_end,
                True,
            ]
        )
    item[1], item[3], item[4] = price_id, unit, seats
    account.seats = seats
    doc = write_subscription(world, ledger, account, sub)
    emit(
        world,
        ledger,
        "customer.subscription.updated",
        at,
        doc,
        {"items": {"data": [{"id": item[0], "quantity": before_quantity}]}},
    )
