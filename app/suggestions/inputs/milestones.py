"""Onboardings and renewals, for R9 and R10."""

from datetime import date

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import RuleInputs, fetch, newest_day
from app.suggestions.triggers.milestones import OnboardingInput, RenewalInput

_ONBOARDINGS = text(
    """
    select
        a.account_key,
        a.as_of_date as as_of,
        a.customer_since_date,
        min(u.usage_date) filter (where u.key_activity_count > 0) as first_activity,
        min(u.usage_date) filter (where u.campaign_sent_count > 0) as first_campaign,
        min(u.usage_date) filter (where u.automation_live_count > 0) as first_automation,
        coalesce(
            jsonb_agg(jsonb_build_array(u.usage_date, u.key_activity_count) order by u.usage_date)
                filter (where u.usage_date > a.as_of_date - 60), '[]'
        ) as activity
    from marts.dim_accounts as a
    left join marts.fct_usage_daily as u on u.account_key = a.account_key and u.usage_date <= a.as_of_date
    where a.is_active and a.customer_since_date > a.as_of_date - cast(:until_days as integer) - 1
    group by a.account_key, a.as_of_date, a.customer_since_date
    """
)

# Assessed is what somebody did about it: closed an action of the renewal, or said no to the suggestion.
_RENEWALS = text(
    """
    with assessed as (
        select account_key, max(assessed_at) as assessed_at
        from (
            select account_key, closed_at as assessed_at
            from app.actions
            where action_type = 'renewal' and status = 'closed'
            union all
            select account_key, answered_at
            from app.suggestions
            where reason = 'renewal_checkpoint' and status = 'dismissed'
        ) as said
        group by account_key
    )

    select
        a.account_key,
        a.as_of_date as as_of,
        a.renewal_date,
        cast(s.assessed_at at time zone 'UTC' as date) as assessed_on
    from marts.dim_accounts as a
    left join assessed as s on s.account_key = a.account_key
    where a.is_active and a.renewal_date is not null
    """
)


def onboardings(db: Connection, *, until_days: int) -> RuleInputs:
    """Accounts that began at most `until_days` ago and the milestones they have met, for R9."""
    rows = fetch(db, "fct_usage_daily", _ONBOARDINGS, until_days=until_days)
    return RuleInputs(
        as_of=newest_day(db),
        by_account={
            row.account_key: OnboardingInput(
                account_key=row.account_key,
                as_of=row.as_of,
                customer_since=row.customer_since_date,
                met={
                    name: day
                    for name in ("first_activity", "first_campaign", "first_automation")
                    if (day := getattr(row, name)) is not None
                },
                activity=tuple((date.fromisoformat(day), count or 0) for day, count in row.activity),
            )
            for row in rows
        },
    )


def renewals(db: Connection) -> RuleInputs:
    """The next renewal per account and when it was last assessed, for R10."""
    rows = fetch(db, "dim_accounts", _RENEWALS)
    return RuleInputs(as_of=newest_day(db), by_account={row.account_key: RenewalInput(**row._mapping) for row in rows})
