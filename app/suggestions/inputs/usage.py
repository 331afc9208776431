"""Key activity by day and the seats that are used, for R2, R3, R8 and R12."""

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import Cut, RuleInputs, fetch_cut
from app.suggestions.triggers.seats import SeatsDay, SeatsInput
from app.suggestions.triggers.usage import UsageDay, UsageInput

_NEWEST_USAGE = text("select max(usage_date) from marts.fct_usage_daily")
_USAGE = text(
    """
    select
        u.account_key,
        a.plan,
        max(u.days_since_key_activity) filter (where u.usage_date = :as_of) as days_since_activity,
        array_agg(u.usage_date order by u.usage_date) as days,
        array_agg(coalesce(u.key_activity_7d, 0) order by u.usage_date) as count_7d,
        array_agg(coalesce(u.key_activity_prev_7d, 0) order by u.usage_date) as previous_7d,
        array_agg(coalesce(u.key_activity_30d, 0) order by u.usage_date) as count_30d,
        array_agg(coalesce(u.key_activity_prev_30d, 0) order by u.usage_date) as previous_30d
    from marts.fct_usage_daily as u
    join marts.dim_accounts as a on a.account_key = u.account_key and a.is_active
    where u.usage_date = any(cast(:days as date[]))
        and (cast(:account_keys as text[]) is null or u.account_key = any(cast(:account_keys as text[])))
    group by u.account_key, a.plan
    """
)

# Usage is cut to the same days before it is joined, or every day of health would look its own row up.
_NEWEST_SEATS = text("select max(health_date) from marts.fct_account_health_daily")
_SEATS = text(
    """
    with used as materialized (
        select account_key, usage_date, key_activity_30d, key_activity_prev_30d
        from marts.fct_usage_daily
        where usage_date = any(cast(:days as date[]))
            and (cast(:account_keys as text[]) is null or account_key = any(cast(:account_keys as text[])))
    )

    select
        h.account_key,
        a.customer_since_date,
        a.seats_paid,
        array_agg(h.health_date order by h.health_date) as days,
        array_agg(h.seat_use_value order by h.health_date) as ratios,
        array_agg(coalesce(u.key_activity_30d, 0) order by h.health_date) as count_30d,
        array_agg(coalesce(u.key_activity_prev_30d, 0) order by h.health_date) as previous_30d
    from marts.fct_account_health_daily as h
    join marts.dim_accounts as a on a.account_key = h.account_key and a.is_active
    left join used as u on u.account_key = h.account_key and u.usage_date = h.health_date
    where h.health_date = any(cast(:days as date[]))
        and (cast(:account_keys as text[]) is null or h.account_key = any(cast(:account_keys as text[])))
    group by h.account_key, a.customer_since_date, a.seats_paid
    """
)


def usage(db: Connection, cut: Cut) -> RuleInputs:
    """Key activity per account by day, for R2 and R3."""
    as_of, rows = fetch_cut(db, "fct_usage_daily", _NEWEST_USAGE, _USAGE, cut)
    return RuleInputs(
        as_of=as_of,
        by_account={
            row.account_key: UsageInput(
                account_key=row.account_key,
                as_of=as_of,
                plan=row.plan,
                days_since_activity=row.days_since_activity,
                days=tuple(map(UsageDay, row.days, row.count_7d, row.previous_7d, row.count_30d, row.previous_30d)),
            )
            for row in rows
        },
    )


def seats(db: Connection, cut: Cut) -> RuleInputs:
    """Seat use per account by day, with its key activity, for R8 and R12."""
    as_of, rows = fetch_cut(db, "fct_account_health_daily", _NEWEST_SEATS, _SEATS, cut)
    return RuleInputs(
        as_of=as_of,
        by_account={
            row.account_key: SeatsInput(
                account_key=row.account_key,
                as_of=as_of,
                customer_since=row.customer_since_date,
                seats_paid=row.seats_paid,
                days=tuple(map(SeatsDay, row.days, row.ratios, row.count_30d, row.previous_30d)),
            )
            for row in rows
        },
    )
