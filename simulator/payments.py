"""Invoices and how they are paid: drafted, sent or charged, failed, retried, paid, given up.

P stretches payment and makes cards fail; four failed attempts end the subscription (involuntary churn).
"""

import math
import random
from typing import Any

from simulator import catalogue
from simulator.billing_docs import Invoice, prefix
from simulator.billing_records import emit, stripe_id, write_customer, write_invoice, write_subscription
from simulator.clock import DAY_SECONDS, end_of
from simulator.latents import P
from simulator.ledger import Doc, Ledger
from simulator.world import Account, Subscription, World

HOUR = 3_600
RETRY_DAYS = [4, 7, 10]
RETRY_ODDS = [0.70, 0.60, 0.10]
"""How likely each retry fails too."""


def open_invoice(
    world: World, ledger: Ledger, account: Account, sub: Subscription, at: int, reason: str, dice: random.Random
) -> None:
    """Draft an invoice and plan how it will be paid.

    Pending prorations, and the new period unless `reason` is an update.
    """
    lines, sub.pending = sub.pending, []
    period = (sub.period_start, sub.period_end, False)
    for _, price_id, product, unit, quantity in sub.items if reason != "subscription_update" else []:
        sold = (quantity, price_id, catalogue.PRODUCTS[product], unit, f"{quantity} x {product}")
        lines.append([stripe_id(world, "il"), unit * quantity, *sold, *period])
    account.invoices_made += 1
    by_transfer = sub.collection == "send_invoice"
    invoice = Invoice(
        id=stripe_id(world, "in"),
        account=account.no - 1,
        customer=sub.customer,
        subscription=sub.id,
        number=f"{prefix(account.customer_id)}-{account.invoices_made:04d}",
        created=at,
        currency=account.currency,
        lines=lines,
        collection=sub.collection,
        reason=reason,
        seq=world.next_id("seq"),
        due=at + 30 * DAY_SECONDS + HOUR if by_transfer else None,
    )
    pressure = world.latents_of(account.no - 1)[P]
    invoice.steps = _transfer_plan(invoice, pressure, dice) if by_transfer else _card_plan(invoice, pressure, dice)
    sub.latest_invoice = invoice.id
    world.invoices[invoice.id] = invoice
    emit(world, ledger, "invoice.created", at, write_invoice(world, ledger, invoice))


def _transfer_plan(invoice: Invoice, pressure: float, dice: random.Random) -> list[list[Any]]:
    """Sent, and paid by bank transfer: mostly before the due date, one in five late, a few very late."""
    sent = invoice.created + HOUR
    if dice.random() < 0.23 * math.exp(0.5 * pressure):
        delay = 30 + min(95.0, dice.lognormvariate(2.85, 0.9))
    else:
        delay = dice.uniform(3, 29.5)
    paid = sent + int(delay * DAY_SECONDS)
    steps: list[list[Any]] = [[sent, "finalized"]]
    if invoice.due and paid > invoice.due:
        steps.append([invoice.due + 60, "overdue"])
    return [*steps, [paid, "paid"]]


def _card_plan(invoice: Invoice, pressure: float, dice: random.Random) -> list[list[Any]]:
    """Charged automatically; about one in twelve fails at first, most of those recover at a retry, the rest give up."""
    at = invoice.created + HOUR
    steps: list[list[Any]] = [[at, "finalized"]]
    odds = 0.085 * math.exp(0.3 * pressure)
    for wait, following in zip([*RETRY_DAYS, 0], [*RETRY_ODDS, 0.0], strict=True):
        if dice.random() >= odds:
            return [*steps, [at + 11, "paid"]]
        steps.append([at + 11, "failed"])
        odds = following
        at += wait * DAY_SECONDS
    return [*steps, [at + 60, "given_up"]]


def settle_invoices(world: World, ledger: Ledger, day: int) -> list[Account]:
    """Take every invoice step due by the end of the day; returns accounts of whom nobody will pay any more."""
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
    previous: Doc = {"status": invoice.status}
    if kind == "finalized":
        invoice.status, invoice.finalized = "open", at
        names = ["invoice.finalized"] + (["invoice.sent"] if invoice.due else [])
    elif kind == "overdue":
        names = ["invoice.overdue"]
    elif kind == "failed":
        previous = {"attempt_count": invoice.attempts, "next_payment_attempt": invoice.next_attempt}
        invoice.attempts += 1
        following = next((step for step in invoice.steps if step[1] in ("failed", "paid")), None)
        invoice.next_attempt = following[0] - 11 if following else None
        names = ["invoice.payment_failed", "invoice.updated"]
        _set_delinquent(world, ledger, account, invoice, True, at)
    elif kind == "paid":
        invoice.status, invoice.paid, invoice.next_attempt = "paid", at, None
        invoice.attempts += invoice.collection == "charge_automatically"
        names = ["invoice.paid", "invoice.payment_succeeded", "invoice.updated"]
        _set_delinquent(world, ledger, account, invoice, False, at)
    elif kind == "given_up":
        invoice.status, invoice.uncollectible = "uncollectible", at
        names = ["invoice.marked_uncollectible"]
        lost.append(account)
    doc = write_invoice(world, ledger, invoice)
    for name in names:
        emit(world, ledger, name, at, doc, previous if name == "invoice.updated" else None)


def _set_delinquent(
    world: World, ledger: Ledger, account: Account, invoice: Invoice, is_delinquent: bool, at: int
) -> None:
    """The customer owes after a failed charge, and no longer after a paid one.

    The subscription is past due meanwhile.
    """
    if account.delinquent == is_delinquent:
        return
    account.delinquent = is_delinquent
    world.touched.add(account.no)
    for doc in write_customer(world, ledger, account):
        emit(world, ledger, "customer.updated", at, doc, {"delinquent": not is_delinquent})
    for sub in account.subscriptions:
        if sub.id == invoice.subscription and sub.ended_at is None:
            previous, sub.status = {"status": sub.status}, "past_due" if is_delinquent else "active"
            doc = write_subscription(world, ledger, account, sub)
            emit(world, ledger, "customer.subscription.updated", at, doc, previous)
