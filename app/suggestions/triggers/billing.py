"""R7: money that should have come and has not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.suggestions.rules import Finding, Rule, evidence
from app.wording import counted, on


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice:
    """An unpaid invoice; amounts are what is still open. `failed_date` is the newest failed payment."""

    invoice_id: str
    number: str | None
    currency_code: str
    amount_open: float
    amount_open_eur: float | None
    due_date: date | None
    days_overdue: int
    failed_date: date | None
    attempt_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInput:
    """Unpaid invoices of one account that are overdue or failed, oldest due first."""

    account_key: str
    as_of: date
    invoices: tuple[OpenInvoice, ...]


def _money(amount: float, currency_code: str) -> str:
    symbol = {"EUR": "€", "GBP": "£", "USD": "$"}.get(currency_code.upper())
    return f"{symbol}{amount:,.2f}" if symbol else f"{amount:,.2f} {currency_code.upper()}"


def _total(invoices: Sequence[OpenInvoice]) -> str:
    currencies = sorted({invoice.currency_code.upper() for invoice in invoices})
    return " and ".join(
        _money(sum(one.amount_open for one in invoices if one.currency_code.upper() == code), code)
        for code in currencies
    )


def _payment_sentence(invoices: Sequence[OpenInvoice]) -> str:
    failed = [invoice for invoice in invoices if invoice.failed_date]
    oldest = max(invoice.days_overdue for invoice in invoices)
    overdue = f"{counted(oldest, 'day')} overdue"
    if len(invoices) == 1:
        name = f"invoice {invoices[0].number}" if invoices[0].number else "an invoice"
        if failed and failed[0].failed_date:
            tries = max(1, failed[0].attempt_count)
            when = on(failed[0].failed_date)
            times = "once" if tries == 1 else f"{tries} times"
            late = f"; it is {overdue}" if oldest > 0 else ""
            return f"Payment of {name} over {_total(invoices)} failed {times}, last on {when}{late}."
        return f"{name[0].upper()}{name[1:]} over {_total(invoices)} is {overdue}."
    late = f", the oldest {overdue}" if oldest > 0 else ""
    failures = f"; payment of {len(failed)} failed" if failed else ""
    return f"{len(invoices)} invoices over {_total(invoices)} are unpaid{late}{failures}."


def payment(rule: Rule, given: PaymentInput) -> Finding | None:
    """R7: a payment failed, or an invoice is long overdue, and that has held."""
    longest = rule.threshold("overdue_days")
    settled_by = given.as_of - timedelta(days=rule.hold_days)
    pressing = [
        invoice
        for invoice in given.invoices
        if invoice.days_overdue - rule.hold_days > longest
        or (invoice.failed_date is not None and invoice.failed_date <= settled_by)
    ]
    if not pressing:
        return None
    oldest = max(invoice.days_overdue for invoice in pressing)
    dated = sorted((invoice.due_date or given.as_of, invoice.amount_open_eur or 0.0) for invoice in pressing)
    return Finding(
        priority="critical" if oldest > rule.threshold("critical_overdue_days") else "high",
        sentence=_payment_sentence(pressing),
        evidence=evidence(
            rule,
            given.as_of,
            series=dated,
            series_name="unpaid invoices by due date",
            unit="EUR",
            baseline=None,
            figures={
                "invoice_count": len(pressing),
                "failed_count": sum(invoice.failed_date is not None for invoice in pressing),
                "oldest_overdue_days": oldest,
                "amount_open_eur": round(sum(invoice.amount_open_eur or 0.0 for invoice in pressing), 2),
                "invoice_ids": [invoice.invoice_id for invoice in pressing],
            },
        ),
    )


def payment_settled(rule: Rule, given: PaymentInput, figures: Mapping[str, Any]) -> bool:
    """R7 clears: none of the invoices it was about is open any more."""
    return not {invoice.invoice_id for invoice in given.invoices} & set(figures["invoice_ids"])
