"""Tickets, for R5."""

from collections import defaultdict

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import RuleInputs, fetch, newest_day
from app.suggestions.triggers.support import SupportInput, Ticket

_TICKETS = text(
    """
    select
        t.account_key,
        t.priority = 'urgent' as is_urgent,
        cast(t.created_at at time zone 'UTC' as date) as created_on,
        cast(t.solved_at at time zone 'UTC' as date) as solved_on
    from marts.fct_tickets as t
    where
        (t.is_open or t.created_at >= cast(:as_of as date) - 62)
        and exists (select from marts.dim_accounts as a where a.account_key = t.account_key and a.is_active)
    order by t.created_at, t.ticket_id
    """
)


def tickets(db: Connection) -> RuleInputs:
    """Tickets per account that are open or were created in the last two months; accounts without any are absent."""
    as_of = newest_day(db)
    if as_of is None:
        return RuleInputs(as_of=None, by_account={})
    found: dict[str, list[Ticket]] = defaultdict(list)
    for row in fetch(db, "fct_tickets", _TICKETS, as_of=as_of):
        found[row.account_key].append(
            Ticket(is_urgent=bool(row.is_urgent), created_on=row.created_on, solved_on=row.solved_on)
        )
    return RuleInputs(
        as_of=as_of,
        by_account={
            key: SupportInput(account_key=key, as_of=as_of, tickets=tuple(mine)) for key, mine in found.items()
        },
    )
