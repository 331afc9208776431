"""What the rules read: one statement per input, for all active accounts at once.

Only marts that hold nothing of our own actions are read here, or a suggestion would feed on itself.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, TextClause, text

from app.db import reading_mart
from app.suggestions.rules import HealthInput, OpenInvoice, PaymentInput, UsageDay, UsageInput


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What ranking needs of an active account; amounts in EUR a month."""

    account_key: str
    account_name: str
    csm_email: str | None
    mrr_eur: float | None
    mrr_at_risk_eur: float | None
    days_to_renewal: int | None
    last_contact_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInputs:
    """The inputs of one rule by account key, and the day they end with (None without any row)."""

    as_of: date | None
    by_account: dict[str, Any]


_ACCOUNTS = text(
    """
    select
        account_key,
        account_name,
        lower(csm_email) as csm_email,
        cast(mrr_eur as double precision) as mrr_eur,
        cast(mrr_at_risk_eur as double precision) as mrr_at_risk_eur,
        days_to_renewal,
        last_contact_date
    from marts.dim_accounts
    where is_active
    """
)

_HEALTH = text(
    """
    with newest as (
        select max(health_date) as as_of from marts.fct_account_health_daily
    )

    select
        n.as_of,
        h.account_key,
        array_agg(h.health_date order by h.health_date) as days,
        array_agg(h.score order by h.health_date) as scores,
        (array_agg(to_jsonb(h)) filter (where h.health_date = n.as_of))[1] as newest_row,
        (array_agg(to_jsonb(h)) filter (
            where h.health_date = n.as_of - cast(:window_days as integer)
        ))[1] as earlier_row
    from marts.fct_account_health_daily as h
    cross join newest as n
    join marts.dim_accounts as a on a.account_key = h.account_key and a.is_active
    where h.health_date > n.as_of - 60 and h.health_date <= n.as_of
    group by n.as_of, h.account_key
    """
)

_USAGE = text(
    """
    with newest as (
        select max(usage_date) as as_of from marts.fct_usage_daily
    )

    select
        n.as_of,
        u.account_key,
        array_agg(u.usage_date order by u.usage_date) as days,
        array_agg(coalesce(u.key_activity_7d, 0) order by u.usage_date) as count_7d,
        array_agg(coalesce(u.key_activity_prev_7d, 0) order by u.usage_date) as previous_7d,
        array_agg(coalesce(u.key_activity_30d, 0) order by u.usage_date) as count_30d,
        array_agg(coalesce(u.key_activity_prev_30d, 0) order by u.usage_date) as previous_30d
    from marts.fct_usage_daily as u
    cross join newest as n
    join marts.dim_accounts as a on a.account_key = u.account_key and a.is_active
    where u.usage_date > n.as_of - 60 and u.usage_date <= n.as_of
    group by n.as_of, u.account_key
    """
)

_PAYMENT = text(
    """
    with newest as (
        select max(as_of_date) as as_of from marts.dim_accounts
    ),

    failures as (
        select account_key, max(cast(occurred_at at time zone 'UTC' as date)) as failed_date
        from marts.fct_account_events
        where event_kind = 'payment_failed'
        group by account_key
    )

    select
        n.as_of,
        i.account_key,
        i.invoice_id,
        i.invoice_number,
        i.currency_code,
        cast(i.amount_due - coalesce(i.amount_paid, 0) as double precision) as amount_open,
        cast(
            i.amount_due_eur * (i.amount_due - coalesce(i.amount_paid, 0)) / nullif(i.amount_due, 0) as double precision
        ) as amount_open_eur,
        i.due_date,
        coalesce(i.days_overdue, 0) as days_overdue,
        case
            when i.has_failed_payment
                then coalesce(f.failed_date, cast(i.invoiced_at at time zone 'UTC' as date), n.as_of)
        end as failed_date,
        coalesce(i.attempt_count, 0) as attempt_count
    from newest as n
    left join marts.fct_invoices as i
        on i.paid_at is null
        and i.status in ('open', 'uncollectible')
        and (i.has_failed_payment or i.is_overdue)
        and exists (select from marts.dim_accounts as a where a.account_key = i.account_key and a.is_active)
    left join failures as f on f.account_key = i.account_key
    order by i.due_date nulls last, i.invoice_id
    """
)


def accounts(db: Connection) -> dict[str, AccountFacts]:
    """Active accounts by key."""
    with reading_mart("dim_accounts"):
        return {row.account_key: AccountFacts(**row._mapping) for row in db.execute(_ACCOUNTS)}


def _fetch(db: Connection, mart: str, statement: TextClause, **parameters: object) -> list[Any]:
    with reading_mart(mart):
        return list(db.execute(statement, parameters))


def _contributions(row: dict[str, Any] | None) -> dict[str, float]:
    ending = "_contribution"
    return {name.removesuffix(ending): value or 0.0 for name, value in (row or {}).items() if name.endswith(ending)}


def health(db: Connection, *, window_days: int) -> RuleInputs:
    """Sixty days of scores per account, and the contributions now and `window_days` ago."""
    rows = _fetch(db, "fct_account_health_daily", _HEALTH, window_days=window_days)
    return RuleInputs(
        as_of=rows[0].as_of if rows else None,
        by_account={
            row.account_key: HealthInput(
                account_key=row.account_key,
                as_of=row.as_of,
                scores=dict(zip(row.days, row.scores, strict=True)),
                contributions=_contributions(row.newest_row),
                contributions_before=_contributions(row.earlier_row),
            )
            for row in rows
        },
    )


def usage(db: Connection) -> RuleInputs:
    """Sixty days of key activity per account."""
    rows = _fetch(db, "fct_usage_daily", _USAGE)
    return RuleInputs(
        as_of=rows[0].as_of if rows else None,
        by_account={
            row.account_key: UsageInput(
                account_key=row.account_key,
                as_of=row.as_of,
                days=tuple(
                    UsageDay(day=day, count_7d=c7, previous_7d=p7, count_30d=c30, previous_30d=p30)
                    for day, c7, p7, c30, p30 in zip(
                        row.days, row.count_7d, row.previous_7d, row.count_30d, row.previous_30d, strict=True
                    )
                ),
            )
            for row in rows
        },
    )


def payments(db: Connection) -> RuleInputs:
    """Unpaid invoices that are overdue or whose payment failed, per account; accounts without any are absent."""
    rows = _fetch(db, "fct_invoices", _PAYMENT)
    found: dict[str, list[OpenInvoice]] = defaultdict(list)
    for row in rows:
        if row.invoice_id is None:
            continue
        found[row.account_key].append(
            OpenInvoice(
                invoice_id=row.invoice_id,
                number=row.invoice_number,
                currency_code=row.currency_code,
                amount_open=row.amount_open,
                amount_open_eur=row.amount_open_eur,
                due_date=row.due_date,
                days_overdue=row.days_overdue,
                failed_date=row.failed_date,
                attempt_count=row.attempt_count,
            )
        )
    as_of = rows[0].as_of if rows else None
    if as_of is None:
        return RuleInputs(as_of=None, by_account={})
    return RuleInputs(
        as_of=as_of,
        by_account={
            key: PaymentInput(account_key=key, as_of=as_of, invoices=tuple(invoices)) for key, invoices in found.items()
        },
    )
