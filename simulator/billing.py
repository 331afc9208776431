"""Subscriptions: opened, billed period by period, changed in seats or price, ended. How invoices are paid is in
`payments`.
"""

import random
from typing import Any

from simulator import catalogue
from simulator.billing_docs import Invoice, invoice_doc
from simulator.billing_records import emit, stripe_id, write_customer, write_subscription
from simulator.clock import DAY_SECONDS, add_months, date_of, start_of
from simulator.ledger import Doc, Ledger
from simulator.payments import HOUR, open_invoice
from simulator.world import NEVER, Account, Subscription, World


def open_subscriptions(world: World, ledger: Ledger, account: Account, day: int, dice: random.Random) -> None:
    """The main subscription with add-ons, sometimes a second one or a second customer.

    Accounts older than `day` are in the middle of a period then.
    """
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
    subscriptions = [(account.customer_id, account.interval, items)]
    if dice.random() < 0.07:
        if dice.random() < 0.3:
            account.second_customer = stripe_id(world, "cus")
        packs = _item(world, account, "SMS pack", "month", dice.randrange(2, 8))
        subscriptions.append((account.second_customer or account.customer_id, "month", [packs]))
    for doc in write_customer(world, ledger, account):
        emit(world, ledger, "customer.created", doc["created"], doc)
    for customer, interval, sold in subscriptions:
        sub = _mid_period(world, account, customer, interval, sold, day, dice)
        account.subscriptions.append(sub)
        reason = "subscription_create" if sub.period_start == sub.created else "subscription_cycle"
        open_invoice(world, ledger, account, sub, sub.period_start, reason, dice)
        doc = write_subscription(world, ledger, account, sub)
        emit(world, ledger, "customer.subscription.created", sub.created, doc)
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


def _mid_period(
    world: World, account: Account, customer: str, interval: str, items: list[list[Any]], day: int, dice: random.Random
) -> Subscription:
    """A subscription opened when the account started, in the period that contains `day`."""
    created = start_of(account.start) + dice.randrange(37_000, 60_000)
    anchor, months = date_of(account.start).day, 12 if interval == "year" else 1
    period = 0
    while account.start < day and add_months(created, (period + 1) * months, anchor) < start_of(day):
        period += 1
    return Subscription(
        id=stripe_id(world, "sub"),
        customer=customer,
        interval=interval,
        created=created,
        anchor=anchor,
        items=items,
        period_start=add_months(created, period * months, anchor),
        period_end=add_months(created, (period + 1) * months, anchor),
        collection=account.collection,
        has_metadata="subscription_without_metadata" not in account.dirt,
    )


def reschedule(world: World, account: Account) -> None:
    """The next day on which a billing period of the account ends."""
    ends = [sub.period_end // DAY_SECONDS for sub in account.subscriptions if sub.ended_at is None]
    world.columns.bill[account.no - 1] = min(ends, default=NEVER)


def bill_day(world: World, ledger: Ledger, account: Account, day: int) -> bool:
    """Close the periods that end today.

    The next period and its invoice, or the end. True when no subscription is left.
    """
    dice = world.dice("billing", day, account.no)
    for sub in account.subscriptions:
        if sub.ended_at is not None or sub.period_end // DAY_SECONDS != day:
            continue
        at = sub.period_end
        if sub.cancel_at_period_end:
            end_subscription(world, ledger, account, sub, at)
            continue
        previous: Doc = {"current_period_end": at, "current_period_start": sub.period_start}
        previous["latest_invoice"] = sub.latest_invoice
        sub.period_start, sub.period_end = at, add_months(at, 12 if sub.interval == "year" else 1, sub.anchor)
        open_invoice(world, ledger, account, sub, at, "subscription_cycle", dice)
        doc = write_subscription(world, ledger, account, sub)
        emit(world, ledger, "customer.subscription.updated", at, doc, previous)
    world.touched.add(account.no)
    reschedule(world, account)
    return all(sub.ended_at is not None for sub in account.subscriptions)


def announce_upcoming(world: World, ledger: Ledger, account: Account, day: int) -> None:
    """`invoice.upcoming`, an event whose object has no id, seven days before a yearly invoice."""
    at = start_of(day) + 7 * HOUR
    for sub in account.subscriptions:
        is_due = sub.interval == "year" and sub.period_end // DAY_SECONDS == day + 7
        if is_due and sub.ended_at is None and not sub.cancel_at_period_end:
            preview = Invoice(
                id="",
                account=account.no - 1,
                customer=sub.customer,
                subscription=sub.id,
                number="",
                created=at,
                currency=account.currency,
                lines=[],
                collection=sub.collection,
                reason="upcoming",
                seq=0,
                due=None,
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
    """New quantity or price of the seats.

    Inside a period the change is prorated, with a negative line for what was paid already: on an invoice of its own
    when a yearly customer owes more, else on the next one.
    """
    sub = account.subscriptions[0]
    item = sub.items[0]
    item_id, old_price, _, old_unit, old_seats = item
    account.price_list = price_list
    price_id = catalogue.price_id(account.plan, account.currency, account.interval, price_list)
    unit = catalogue.unit_amount(account.plan, account.currency, account.interval, price_list)
    share = (sub.period_end - at) / (sub.period_end - sub.period_start)
    if 0.01 < share < 0.99:
        product, rest = catalogue.PRODUCTS[account.plan], (at, sub.period_end, True)
        unused, remaining = -round(old_unit * old_seats * share), round(unit * seats * share)
        texts = f"Unused time on {old_seats} x {account.plan}", f"Remaining time on {seats} x {account.plan}"
        sub.pending.append([stripe_id(world, "il"), unused, old_seats, old_price, product, old_unit, texts[0], *rest])
        sub.pending.append([stripe_id(world, "il"), remaining, seats, price_id, product, unit, texts[1], *rest])
    item[1], item[3], item[4] = price_id, unit, seats
    account.seats = seats
    if sub.interval == "year" and sum(line[1] for line in sub.pending) > 0:
        dice = world.dice("billing", at // DAY_SECONDS, f"update:{account.no}")
        open_invoice(world, ledger, account, sub, at, "subscription_update", dice)
    doc = write_subscription(world, ledger, account, sub)
    before = {"items": {"data": [{"id": item_id, "price": {"id": old_price}, "quantity": old_seats}]}}
    emit(world, ledger, "customer.subscription.updated", at, doc, before)
