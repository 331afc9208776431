"""Unpaid invoices, for R7."""

from collections import defaultdict

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import RuleInputs, fetch, newest_day
from app.suggestions.triggers.billing import OpenInvoice, PaymentInput

_PAYMENT = text(
    """
    with failures as (
        select account_key, max(cast(occurred_at at time zone 'UTC' as date)) as failed_date
        from marts.fct_account_events
        where event_kind = 'payment_failed'
        group by account_key
    )

    select
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
                then coalesce(f.failed_date, cast(i.invoiced_at at time zone 'UTC' as date), cast(:as_of as date))
        end as failed_date,
        coalesce(i.attempt_count, 0) as attempt_count
    from marts.fct_invoices as i
    left join failures as f on f.account_key = i.account_key
    where
        i.paid_at is null
        and i.status in ('open', 'uncollectible')
        and (i.has_failed_payment or i.is_overdue)
        and exists (select from marts.dim_accounts as a where a.account_key = i.account_key and a.is_active)
    order by i.due_date nulls last, i.invoice_id
    """
)


def payments(db: Connection) -> RuleInputs:
    """Unpaid invoices that are overdue or whose payment failed, per account; accounts without any are absent."""
    as_of = newest_day(db)
    if as_of is None:
        return RuleInputs(as_of=None, by_account={})
    found: dict[str, list[OpenInvoice]] = defaultdict(list)
    for row in fetch(db, "fct_invoices", _PAYMENT, as_of=as_of):
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
    return RuleInputs(
        as_of=as_of,
        by_account={
            key: PaymentInput(account_key=key, as_of=as_of, invoices=tuple(invoices)) for key, invoices in found.items()
        },
    )
