"""Money of an account: its next renewal, recurring revenue over time, and invoices."""

from datetime import date

import pandas as pd
import streamlit as st

from app.marts.money import Invoice
from app.ui import (
    account_data,
    account_renewal,
    charts,
    columns,
    figure_line,
    figures,
    frame,
    page_style,
    tables,
    visit,
    words,
)
from app.ui.account_head import Subject
from app.ui.figure_line import Figure


def show(subject: Subject) -> None:
    """Next renewal, recurring revenue over time, and invoices."""
    here, account = visit.current(), subject.account
    movements: pd.DataFrame = account_data.of_account("movements", account.account_key, here)
    invoices: list[Invoice] = account_data.of_account("invoices", account.account_key, here)
    overdue = [invoice for invoice in invoices if invoice.is_overdue]
    owed = sum(invoice.amount_due_eur or 0 for invoice in overdue)
    own = figures.money(account.mrr, account.currency_code or "EUR")
    figure_line.show(
        [
            Figure(
                value=f"**{own}**",
                name=f"a month{figures.in_euro(account.mrr_eur, account.currency_code)}",
                metric="mrr_own",
                proof=("dim_accounts", (account.account_key,), "mrr"),
            ),
            Figure(
                value=f"**{words.word({'month': 'Monthly', 'year': 'Annual'}, account.billing_interval)}**",
                name=f"renewal {figures.full_day(account.renewal_date)}",
                metric="days_to_renewal",
                proof=("dim_accounts", (account.account_key,), "renewal_date"),
            ),
            Figure(
                value=f":red[**{len(overdue)}**]" if overdue else "**0**",
                name=f"overdue, {figures.money(owed)}" if overdue else "overdue",
                metric="overdue_invoices",
            ),
            Figure(
                value=f"**{sum(1 for invoice in invoices if invoice.has_failed_payment)}**",
                name="failed payments",
                metric="failed_payments",
            ),
        ],
        "money_figures",
    )
    left, right = page_style.split([1, 1.9], "money")
    with left:
        actions = [*subject.actions, *account_data.closed_actions(account.account_key)]
        account_renewal.show(subject.renewal, actions, today=here.today)
    with left, st.container(border=True, gap="xsmall"):
        frame.heading("MRR movements", "€ a month, all time", metric="mrr_change")
        if len(movements):
            signs = {"contraction": -1, "churned": -1}
            values = [
                abs(float(amount or 0)) * signs.get(kind, 1)
                for amount, kind in zip(movements["amount_eur"], movements["movement_type"], strict=True)
            ]
            labels = [f"{pd.Timestamp(month):%b %y}" for month in movements["movement_month"]]
            charts.draw(
                charts.bars(labels, values, dark=charts.is_dark(), height=240),
                key="mrr_moves",
                alt="New, expansion, contraction and churned revenue by month",
            )
            _movements(movements)
        else:
            st.markdown(":gray[No movements yet.]")
    with right:
        if not invoices:
            frame.empty(
                "No invoices.",
                "Proof tells which billing customer this account is linked to.",
                icon=":material/receipt_long:",
            )
            return
        table = pd.DataFrame(
            {
                "number": [invoice.invoice_number or invoice.invoice_id for invoice in invoices],
                "date": [
                    figures.full_day(invoice.invoiced_at.date()) if invoice.invoiced_at else "–" for invoice in invoices
                ],
                "status": [[_invoice_state(invoice)] for invoice in invoices],
                "amount": [
                    figures.money(invoice.amount_due, invoice.currency_code).replace("\\", "") for invoice in invoices
                ],
                "euro": [figures.money(invoice.amount_due_eur) for invoice in invoices],
                "due": [figures.full_day(invoice.due_date) for invoice in invoices],
                "late": [_late(invoice, here.today) for invoice in invoices],
                "tries": [invoice.attempt_count or 0 for invoice in invoices],
            }
        )
        states = ["Paid", "Open", "Overdue", "Payment failed", "Void", "Uncollectible", "Draft"]
        shown = {
            "number": tables.text("Invoice", 120),
            "date": tables.text("Date", 108),
            "status": tables.chip("Status", states, ["green", "gray", "red", "red", "gray", "orange", "gray"], 128),
            "amount": tables.spelled("Amount", 96, metric="invoice_amount"),
            "euro": tables.spelled("In €", 84, metric="invoice_amount_eur"),
            "due": tables.text("Due", 108),
            "late": tables.spelled("Overdue", 76, metric="days_overdue"),
            "tries": tables.number("Attempts", 76, "%d", metric="payment_attempts"),
        }
        tables.show(table, shown, key="invoice_table", alt="Invoices, newest first", most=14)


def _movements(movements: pd.DataFrame) -> None:
    """Each movement with its kind, newest first; money as plain text."""
    rows = movements.iloc[::-1]
    table = pd.DataFrame(
        {
            "month": [f"{pd.Timestamp(month):%b %Y}" for month in rows["movement_month"]],
            "kind": [[words.word(words.MRR_MOVEMENTS, kind)] for kind in rows["movement_type"]],
            "change": [_change(amount) for amount in columns.numbers(rows, "amount_eur")],
            "after": [figures.money(amount) for amount in columns.numbers(rows, "mrr_after_eur")],
        }
    )
    shown = {
        "month": tables.text("Month", 84),
        "kind": tables.chip(
            "Kind", list(words.MRR_MOVEMENTS.values()), ["blue", "green", "orange", "red", "green"], 112
        ),
        "change": tables.spelled("Change", 84, metric="mrr_change"),
        "after": tables.spelled("MRR after", 92, metric="mrr_after"),
    }
    tables.show(table, shown, key="movement_table", alt="Movements of recurring revenue, newest first", most=6)


def _change(amount: float | None) -> str:
    if amount is None:
        return "–"
    return f"{'+' if amount > 0 else '−' if amount < 0 else ''}{figures.money(abs(amount))}"


def _late(invoice: Invoice, today: date) -> str:
    days = figures.days_until(invoice.due_date, today)
    return f"{-days} d" if invoice.is_overdue and days is not None and days < 0 else ""


def _invoice_state(invoice: Invoice) -> str:
    if invoice.status == "paid":
        return "Paid"
    if invoice.is_overdue:
        return "Overdue"
    if invoice.has_failed_payment:
        return "Payment failed"
    return invoice.status.capitalize()
