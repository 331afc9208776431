"""Who left, who answered, and when somebody was last spoken to, for R4, R6 and R11.

The newest two-way contact is that of the CRM or one that a CSM logged on an action, whichever is later: who has called
a detractor has closed the loop, in whichever system they wrote it down.
"""

from datetime import date

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import RuleInputs, fetch, newest_day
from app.suggestions.triggers.relationship import AnswerInput, Departure, PeopleInput

_LOGGED = """
    logged as (
        select account_key, max(contacted_on) as contacted_on
        from app.action_contacts
        where was_reached
        group by account_key
    )
"""

_PEOPLE = text(
    f"""
    with {_LOGGED},

    known as (
        select
            account_key,
            array_agg(distinct stakeholder_role) filter (where not has_left and not has_bounced) as roles_held,
            jsonb_agg(
                jsonb_build_array(contact_name, stakeholder_role, left_date) order by left_date desc, contact_key
            ) filter (where left_date is not null) as departures
        from marts.dim_contacts
        group by account_key
    )

    select
        a.account_key,
        a.as_of_date as as_of,
        a.customer_since_date,
        a.days_to_renewal,
        greatest(a.last_contact_date, l.contacted_on) as last_contact_on,
        coalesce(k.roles_held, '{{}}') as roles_held,
        coalesce(k.departures, '[]') as departures
    from marts.dim_accounts as a
    left join known as k on k.account_key = a.account_key
    left join logged as l on l.account_key = a.account_key
    where a.is_active
    """  # noqa: S608 -- our own text
)

_ANSWERS = text(
    f"""
    with {_LOGGED},

    answers as (
        select distinct on (account_key) account_key, score, respondent_email, comment, responded_at
        from marts.fct_nps_responses
        where score is not null
        order by account_key, responded_at desc, response_key
    )

    select
        a.account_key,
        a.as_of_date as as_of,
        n.score,
        coalesce(c.contact_name, n.respondent_email) as respondent,
        n.comment,
        cast(n.responded_at at time zone 'UTC' as date) as responded_on,
        greatest(a.last_contact_date, l.contacted_on) as last_contact_on
    from marts.dim_accounts as a
    join answers as n on n.account_key = a.account_key
    left join logged as l on l.account_key = a.account_key
    left join lateral (
        select contact_name from marts.dim_contacts
        where account_key = a.account_key and lower(email) = lower(n.respondent_email)
        order by contact_key
        limit 1
    ) as c on true
    where a.is_active
    """  # noqa: S608 -- our own text
)


def people(db: Connection) -> RuleInputs:
    """Who left, which roles are held and the newest two-way contact, of every active account, for R4 and R11."""
    rows = fetch(db, "dim_contacts", _PEOPLE)
    return RuleInputs(
        as_of=rows[0].as_of if rows else None,
        by_account={
            row.account_key: PeopleInput(
                account_key=row.account_key,
                as_of=row.as_of,
                customer_since=row.customer_since_date,
                days_to_renewal=row.days_to_renewal,
                departures=tuple(
                    Departure(name=name or "Somebody", role=role, left_on=date.fromisoformat(day))
                    for name, role, day in row.departures
                ),
                roles_held=frozenset(row.roles_held),
                last_contact_on=row.last_contact_on,
            )
            for row in rows
        },
    )


def answers(db: Connection) -> RuleInputs:
    """The newest NPS answer per account, for R6; accounts without any are absent."""
    rows = fetch(db, "fct_nps_responses", _ANSWERS)
    return RuleInputs(as_of=newest_day(db), by_account={row.account_key: AnswerInput(**row._mapping) for row in rows})
