"""Invoices, the movements of recurring revenue, and what comes up for renewal.

Source: marts.fct_invoices, one row per invoice; marts.fct_mrr_movements, one row per account and month with a movement;
marts.fct_renewals, one row per account with a running subscription.
"""

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Connection

from app.marts import reading


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice. Amounts in `currency_code`, `amount_due_eur` in EUR; `days_overdue` is at least 1 when overdue."""

    invoice_id: str
    account_key: str | None
    invoice_number: str | None
    subscription_id: str | None
    status: str
    currency_code: str
    amount_due: float
    amount_paid: float
    amount_due_eur: float | None
    invoiced_at: datetime | None
    due_date: date | None
    paid_at: datetime | None
    is_overdue: bool
    days_overdue: int | None
    has_failed_payment: bool
    attempt_count: int | None
    period_start_date: date | None
    period_end_date: date | None


@dataclass(frozen=True, slots=True)
class MrrMovement:
    """One movement. `movement_type`: new, expansion, contraction, churned, reactivation; amounts are a month's."""

    account_key: str
    movement_month: date
    movement_type: str
    currency_code: str | None
    amount: float | None
    amount_eur: float | None
    mrr_before_eur: float | None
    mrr_after_eur: float | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """What comes up next. `forecast_state`: notice_given, overdue, deal_open, in_window, auto_renew; `mrr_due` and
    `ending_mrr` (of subscriptions told to end) are a month's, in `currency_code`. From each checkpoint on the account
    is to be assessed.
    """

    account_key: str
    renewal_date: date | None
    days_to_renewal: int | None
    forecast_state: str
    notice_date: date | None
    planned_end_date: date | None
    subscription_count: int
    ending_subscription_count: int
    currency_code: str | None
    mrr_due: float | None
    mrr_due_eur: float | None
    ending_mrr: float | None
    deal_id: str | None
    deal_name: str | None
    deal_stage: str | None
    deal_close_date: date | None
    first_checkpoint_date: date | None
    second_checkpoint_date: date | None
    as_of_date: date | None


def invoices(db: Connection, account_key: str, *, limit: int = 200) -> list[Invoice]:
    """Invoices of an account, newest first. Raises MartUnavailable."""
    columns = reading.mart("fct_invoices", Invoice).c
    wanted = (
        reading.query("fct_invoices", Invoice)
        .where(columns.account_key == account_key)
        .order_by(columns.invoiced_at.desc().nulls_last(), columns.invoice_id)
        .limit(limit)
    )
    return reading.rows(db, "fct_invoices", Invoice, wanted)


def movements(db: Connection, account_key: str | None = None, *, since: date | None = None) -> pd.DataFrame:
    """Movements, oldest first, of one account or of all; columns are the fields of `MrrMovement`. Raises
    MartUnavailable.
    """
    columns = reading.mart("fct_mrr_movements", MrrMovement).c
    wanted = reading.query("fct_mrr_movements", MrrMovement)
    if account_key is not None:
        wanted = wanted.where(columns.account_key == account_key)
    if since is not None:
        wanted = wanted.where(columns.movement_month >= since)
    wanted = wanted.order_by(columns.movement_month, columns.account_key, columns.movement_type)
    return reading.frame(db, "fct_mrr_movements", MrrMovement, wanted)


def renewal(db: Connection, account_key: str) -> Renewal | None:
    """What an account has to renew next, None without a running subscription. Raises MartUnavailable."""
    columns = reading.mart("fct_renewals", Renewal).c
    wanted = reading.query("fct_renewals", Renewal).where(columns.account_key == account_key)
    found = reading.rows(db, "fct_renewals", Renewal, wanted)
    return found[0] if found else None
