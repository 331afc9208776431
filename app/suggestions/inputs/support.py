"""Tickets, for R5."""

from collections import defaultdict

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import RuleInputs, fetch
from app.suggestions.triggers.support import SupportInput, Ticket

_TICKETS = text(
    """
    with newest as (
        select max(as_of_date) as as_of from marts.dim_accounts
    )

    select
        n.as_of,
        t.account_key,
        t.priority = 'urgent' as is_urgent,
        cast(t.created_at at time zone 'UTC' as date) as created_on,
        cast(t.solved_at at time zone 'UTC' as date) as solved_on
    from newest as n
    left join marts.fct_tickets as t
        on (t.is_open or t.created_at >= n.as_of - 62)
        and exists (select from marts.dim_accounts as a where a.account_key = t.account_key and a.is_active)
    order by t.created_at, t.ticket_id
    """
)


def tickets(db: Connection) -> RuleInputs:
    """Tickets per account that are open or were created in the last two months; accounts without any are absent."""
    rows = fetch(db, "fct_tickets", _TICKETS)
    found: dict[str, list[Ticket]] = defaultdict(list)
    for row in rows:
        if row.account_key is not None:
            found[row.account_key].append(
                Ticket(is_urgent=bool(row.is_urgent), created_on=row.created_on, solved_on=row.solved_on)
            )
    as_of = rows[0].as_of if rows else None
    if as_of is None:
        return RuleInputs(as_of=None, by_account={})
    return RuleInputs(
        as_of=as_of,
        by_account={
            key: SupportInput(account_key=key, as_of=as_of, tickets=tuple(mine)) for key, mine in found.items()
        },
    )
