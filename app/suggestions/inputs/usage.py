"""Key activity by day and the seats that are used, for R2, R3, R8 and R12."""

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import RuleInputs, fetch
from app.suggestions.triggers.seats import SeatsDay, SeatsInput
from app.suggestions.triggers.usage import UsageDay, UsageInput

_USAGE = text(
    """
    with newest as (
        select max(usage_date) as as_of from marts.fct_usage_daily
    )

    select
        n.as_of,
        u.account_key,
        a.plan,
        max(u.days_since_key_activity) filter (where u.usage_date = n.as_of) as days_since_activity,
        array_agg(u.usage_date order by u.usage_date) as days,
        array_agg(coalesce(u.key_activity_7d, 0) order by u.usage_date) as count_7d,
        array_agg(coalesce(u.key_activity_prev_7d, 0) order by u.usage_date) as previous_7d,
        array_agg(coalesce(u.key_activity_30d, 0) order by u.usage_date) as count_30d,
        array_agg(coalesce(u.key_activity_prev_30d, 0) order by u.usage_date) as previous_30d
    from marts.fct_usage_daily as u
    cross join newest as n
    join marts.dim_accounts as a on a.account_key = u.account_key and a.is_active
    where u.usage_date > n.as_of - 60 and u.usage_date <= n.as_of
    group by n.as_of, u.account_key, a.plan
    """
)

# Usage is cut to the same days before it is joined, or every day of health would look its own row up.
_SEATS = text(
    """
    with newest as (
        select max(health_date) as as_of from marts.fct_account_health_daily
    ),

    used as materialized (
        select account_key, usage_date, key_activity_30d, key_activity_prev_30d
        from marts.fct_usage_daily
        where usage_date > (select as_of from newest) - 45 and usage_date <= (select as_of from newest)
    )

    select
        n.as_of,
        h.account_key,
        a.customer_since_date,
        a.seats_paid,
        array_agg(h.health_date order by h.health_date) as days,
        array_agg(h.seat_use_value order by h.health_date) as ratios,
        array_agg(coalesce(u.key_activity_30d, 0) order by h.health_date) as count_30d,
        array_agg(coalesce(u.key_activity_prev_30d, 0) order by h.health_date) as previous_30d
    from marts.fct_account_health_daily as h
    cross join newest as n
    join marts.dim_accounts as a on a.account_key = h.account_key and a.is_active
    left join used as u on u.account_key = h.account_key and u.usage_date = h.health_date
    where h.health_date > n.as_of - 45 and h.health_date <= n.as_of
    group by n.as_of, h.account_key, a.customer_since_date, a.seats_paid
    """
)


def usage(db: Connection) -> RuleInputs:
    """Sixty days of key activity per account, for R2 and R3."""
    rows = fetch(db, "fct_usage_daily", _USAGE)
    return RuleInputs(
        as_of=rows[0].as_of if rows else None,
        by_account={
            row.account_key: UsageInput(
                account_key=row.account_key,
                as_of=row.as_of,
                plan=row.plan,
                days_since_activity=row.days_since_activity,
                days=tuple(map(UsageDay, row.days, row.count_7d, row.previous_7d, row.count_30d, row.previous_30d)),
            )
            for row in rows
        },
    )


def seats(db: Connection) -> RuleInputs:
    """Forty-five days of seat use per account, with its key activity, for R8 and R12."""
    rows = fetch(db, "fct_account_health_daily", _SEATS)
    return RuleInputs(
        as_of=rows[0].as_of if rows else None,
        by_account={
            row.account_key: SeatsInput(
                account_key=row.account_key,
                as_of=row.as_of,
                customer_since=row.customer_since_date,
                seats_paid=row.seats_paid,
                days=tuple(map(SeatsDay, row.days, row.ratios, row.count_30d, row.previous_30d)),
            )
            for row in rows
        },
    )
