"""Dated records, told as they stood on past days: R4 to R7 and R9 to R11."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import fetch
from app.suggestions.lookback import Past
from app.suggestions.past.lives import Estate
from app.suggestions.rules import Rule
from app.suggestions.triggers.billing import OpenInvoice, PaymentInput
from app.suggestions.triggers.milestones import OnboardingInput, RenewalInput
from app.suggestions.triggers.relationship import AnswerInput, Departure, PeopleInput
from app.suggestions.triggers.support import SupportInput, Ticket

_TICKETS = text(
    """
    select
        account_key,
        priority = 'urgent' as is_urgent,
        cast(created_at at time zone 'UTC' as date) as created_on,
        cast(solved_at at time zone 'UTC' as date) as solved_on
    from marts.fct_tickets
    where account_key is not null
    order by created_at, ticket_id
    """
)
_CONTACTED = text(
    """
    select account_key, cast(occurred_at at time zone 'UTC' as date) as contacted_on
    from marts.fct_engagements
    where is_two_way
    union
    select account_key, contacted_on
    from app.action_contacts
    where was_reached
    order by contacted_on
    """
)
_CONTACTS = text(
    """
    select account_key, contact_name, stakeholder_role, left_date, has_bounced, created_date
    from marts.dim_contacts
    order by left_date desc, contact_key
    """
)
_ANSWERS = text(
    """
    select
        n.account_key,
        n.score,
        coalesce(c.contact_name, n.respondent_email) as respondent,
        n.comment,
        cast(n.responded_at at time zone 'UTC' as date) as responded_on
    from marts.fct_nps_responses as n
    left join lateral (
        select contact_name from marts.dim_contacts
        where account_key = n.account_key and lower(email) = lower(n.respondent_email)
        order by contact_key
        limit 1
    ) as c on true
    where n.score is not null and n.account_key is not null
    order by n.responded_at, n.response_key desc
    """
)
_INVOICES = text(
    """
    with failures as (
        select account_key, array_agg(cast(occurred_at at time zone 'UTC' as date) order by occurred_at) as failed
        from marts.fct_account_events
        where event_kind = 'payment_failed'
        group by account_key
    )

    select
        i.account_key,
        i.invoice_id,
        i.invoice_number,
        i.currency_code,
        cast(i.amount_due as double precision) as amount_due,
        cast(i.amount_due_eur as double precision) as amount_due_eur,
        i.due_date,
        cast(i.invoiced_at at time zone 'UTC' as date) as invoiced_on,
        cast(i.paid_at at time zone 'UTC' as date) as paid_on,
        coalesce(i.attempt_count, 0) as attempt_count,
        coalesce(f.failed, '{}') as failed
    from marts.fct_invoices as i
    left join failures as f on f.account_key = i.account_key
    where
        i.account_key is not null
        and i.amount_due > 0
        and (i.paid_at is not null or i.status in ('open', 'uncollectible'))
    order by i.due_date nulls last, i.invoice_id
    """
)
_MILESTONES = text(
    """
    select
        account_key,
        min(usage_date) filter (where key_activity_count > 0) as first_activity,
        min(usage_date) filter (where campaign_sent_count > 0) as first_campaign,
        min(usage_date) filter (where automation_live_count > 0) as first_automation
    from marts.fct_usage_daily
    group by account_key
    """
)
# as evaluation reads it: an action of the renewal closed, or the suggestion refused
_ASSESSED = text(
    """
    select account_key, cast(assessed_at at time zone 'UTC' as date) as assessed_on
    from (
        select account_key, closed_at as assessed_at
        from app.actions
        where action_type = 'renewal' and status = 'closed'
        union all
        select account_key, answered_at
        from app.suggestions
        where reason = 'renewal_checkpoint' and status = 'dismissed'
    ) as said
    order by assessed_at
    """
)


def _grouped(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.account_key].append(row)
    return found


def _newest(days: Sequence[date], upto: date) -> date | None:
    """The last of the days, in order, that is not after a day."""
    place = bisect_right(days, upto)
    return days[place - 1] if place else None


def _contacted(db: Connection) -> Mapping[str, list[date]]:
    found: dict[str, list[date]] = defaultdict(list)
    for row in fetch(db, "fct_engagements", _CONTACTED):
        found[row.account_key].append(row.contacted_on)
    return found


def tickets(db: Connection, estate: Estate, first: date) -> Past:
    """Tickets, for R5: open on a day while not solved by its end."""
    by_account = _grouped(fetch(db, "fct_tickets", _TICKETS))
    begun = min((mine[0].created_on for mine in by_account.values()), default=None)

    def at(day: date) -> dict[str, SupportInput]:
        found: dict[str, SupportInput] = {}
        for key, mine in by_account.items():
            known = tuple(
                Ticket(
                    is_urgent=bool(one.is_urgent),
                    created_on=one.created_on,
                    solved_on=one.solved_on if one.solved_on is not None and one.solved_on <= day else None,
                )
                for one in mine
                if one.created_on <= day
                and (one.created_on >= day - timedelta(days=62) or one.solved_on is None or one.solved_on > day)
            )
            if known:
                found[key] = SupportInput(account_key=key, as_of=day, tickets=known)
        return found

    return Past(since=begun, at=at)


def payments(db: Connection, estate: Estate, first: date) -> Past:
    """Unpaid invoices, for R7."""
    by_account = _grouped(fetch(db, "fct_invoices", _INVOICES))
    begun = min((one.invoiced_on for mine in by_account.values() for one in mine), default=None)

    def unpaid(row: Any, day: date) -> OpenInvoice | None:
        if row.invoiced_on > day or (row.paid_on is not None and row.paid_on <= day):
            return None
        late = max(0, (day - row.due_date).days) if row.due_date else 0
        failed = [one for one in row.failed if row.invoiced_on <= one <= day]
        if not late and not failed:
            return None
        return OpenInvoice(
            invoice_id=row.invoice_id,
            number=row.invoice_number,
            currency_code=row.currency_code,
            amount_open=row.amount_due,
            amount_open_eur=row.amount_due_eur,
            due_date=row.due_date,
            days_overdue=late,
            failed_date=failed[-1] if failed else None,
            attempt_count=row.attempt_count,
        )

    def at(day: date) -> dict[str, PaymentInput]:
        found: dict[str, PaymentInput] = {}
        for key, mine in by_account.items():
            known = tuple(one for row in mine if (one := unpaid(row, day)) is not None)
            if known:
                found[key] = PaymentInput(account_key=key, as_of=day, invoices=known)
        return found

    return Past(since=begun, at=at)


def people(db: Connection, estate: Estate, first: date) -> Past:
    """Who had left, who held a role, and the newest two-way contact, for R4 and R11."""
    by_account = _grouped(fetch(db, "dim_contacts", _CONTACTS))
    contacted = _contacted(db)

    def at(day: date) -> dict[str, PeopleInput]:
        found: dict[str, PeopleInput] = {}
        for key, known in estate.known.items():
            mine = by_account.get(key, [])
            renewal = None if known.renewal_date is None else _anniversary_after(known.renewal_date, day)
            found[key] = PeopleInput(
                account_key=key,
                as_of=day,
                customer_since=known.life.since,
                days_to_renewal=None if renewal is None else (renewal - day).days,
                departures=tuple(
                    Departure(name=one.contact_name or "Somebody", role=one.stakeholder_role, left_on=one.left_date)
                    for one in mine
                    if one.left_date is not None and one.left_date <= day
                ),
                roles_held=frozenset(
                    one.stakeholder_role
                    for one in mine
                    if not one.has_bounced
                    and (one.created_date is None or one.created_date <= day)
                    and (one.left_date is None or one.left_date > day)
                ),
                last_contact_on=_newest(contacted.get(key, ()), day),
            )
        return found

    return Past(since=_first_life(estate), at=at)


def answers(db: Connection, estate: Estate, first: date) -> Past:
    """The newest NPS answer, for R6."""
    by_account = _grouped(fetch(db, "fct_nps_responses", _ANSWERS))
    contacted = _contacted(db)
    begun = min((mine[0].responded_on for mine in by_account.values()), default=None)

    def at(day: date) -> dict[str, AnswerInput]:
        found: dict[str, AnswerInput] = {}
        for key, mine in by_account.items():
            given = [one for one in mine if one.responded_on <= day]
            if given:
                found[key] = AnswerInput(
                    account_key=key,
                    as_of=day,
                    score=given[-1].score,
                    respondent=given[-1].respondent,
                    comment=given[-1].comment,
                    responded_on=given[-1].responded_on,
                    last_contact_on=_newest(contacted.get(key, ()), day),
                )
        return found

    return Past(since=begun, at=at)


def onboardings(db: Connection, estate: Estate, first: date) -> Past:
    """Milestones that had been met, for R9."""
    met = {row.account_key: row for row in fetch(db, "fct_usage_daily", _MILESTONES)}
    names = ("first_activity", "first_campaign", "first_automation")

    def at(day: date) -> dict[str, OnboardingInput]:
        return {
            key: OnboardingInput(
                account_key=key,
                as_of=day,
                customer_since=known.life.since,
                met={
                    name: on
                    for name in names
                    if key in met and (on := getattr(met[key], name)) is not None and on <= day
                },
                activity=(),
            )
            for key, known in estate.known.items()
            if known.life.since is not None
        }

    def covers(rule: Rule, given: OnboardingInput) -> bool:
        return given.customer_since > given.as_of - rule.days("until_day") - timedelta(days=1)

    return Past(since=_first_life(estate), at=at, covers=covers)


def renewals(db: Connection, estate: Estate, first: date) -> Past:
    """The next renewal, reckoned back by whole years, and when it was last assessed, for R10."""
    assessed: dict[str, list[date]] = defaultdict(list)
    for row in fetch(db, "dim_accounts", _ASSESSED):
        assessed[row.account_key].append(row.assessed_on)

    def at(day: date) -> dict[str, RenewalInput]:
        return {
            key: RenewalInput(
                account_key=key,
                as_of=day,
                renewal_date=_anniversary_after(known.renewal_date, day),
                assessed_on=_newest(assessed.get(key, ()), day),
            )
            for key, known in estate.known.items()
            if known.renewal_date is not None
        }

    return Past(since=_first_life(estate), at=at)


def _first_life(estate: Estate) -> date | None:
    return min((one.life.since for one in estate.known.values() if one.life.since is not None), default=None)


def _anniversary_after(known: date, day: date) -> date:
    """The first day after a day that lies whole years before a known one."""
    found = known
    while (earlier := _year_before(found)) > day:
        found = earlier
    return found


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
