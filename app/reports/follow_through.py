"""Load and follow-through: what people have open and late, what they did in a period, and how long it took them."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.reports import reading
from app.reports.model import ACCOUNT_FILTERS, Filter, Report, now
from app.reports.reach import Reach
from app.reports.wanted import Wanted

_GROUPS = {"csm": "owner_name", "month": "to_char(created_at at time zone 'UTC', 'YYYY-MM')"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Actions of one group; None as a group: nobody's yet.

    `open_count` and `overdue_count` are as of the build, whenever the action was made. Of the actions made in the
    period: how many, how many of them are done and cancelled, and median days from being made to the first touch (work
    begun, or closed at once) and to the close; None without a case.
    """

    group: str | None
    open_count: int
    overdue_count: int
    made_count: int
    done_count: int
    cancelled_count: int
    touched_count: int
    days_to_first_touch: float | None
    days_to_close: float | None


_ROWS = f"""
with {reading.ACCOUNTS},

actions as (
    select
        a.*,
        a.status not in ('closed', 'cancelled') as is_open,
        a.created_at >= :since and a.created_at < :until as is_of_period,
        -- a cancelled action has an end too, and nobody need have touched it
        least(a.started_at, case when a.status = 'closed' then a.closed_at end) as touched_at
    from marts.fct_actions as a
    join accounts on accounts.account_key = a.account_key
    where cast(:user_ids as text[]) is null or a.owner_user_id = any(cast(:user_ids as text[]))
)

select
    {{group}} as "group",
    count(*) filter (where is_open) as open_count,
    count(*) filter (where is_open and status <> 'snoozed' and due_date <= :as_of) as overdue_count,
    count(*) filter (where is_of_period) as made_count,
    count(*) filter (where is_of_period and status = 'closed') as done_count,
    count(*) filter (where is_of_period and status = 'cancelled') as cancelled_count,
    count(touched_at) filter (where is_of_period) as touched_count,
    percentile_cont(0.5) within group (order by extract(epoch from touched_at - created_at) / 86400)
        filter (where is_of_period and touched_at is not null) as days_to_first_touch,
    percentile_cont(0.5) within group (order by extract(epoch from closed_at - created_at) / 86400)
        filter (where is_of_period and status = 'closed') as days_to_close
from actions
where is_open or is_of_period
group by {{group}}
order by {{order}}
"""  # noqa: S608 -- our own text


def read(db: Connection, *, wanted: Wanted, reach: Reach, as_of: date) -> list[Row]:
    """One row per owner or month with an action, most open first, months oldest first; only of the people in reach."""
    by = wanted.by if wanted.by in _GROUPS else "csm"
    statement = _ROWS.format(group=_GROUPS[by], order="1" if by == "month" else "2 desc, 4 desc, 1")
    people = None if reach.user_ids is None else [str(one) for one in reach.user_ids]
    given = reading.parameters(wanted, reach, user_ids=people, since=wanted.since, until=wanted.until, as_of=as_of)
    return reading.rows(db, statement, Row, given, mart="fct_actions")


REPORT = Report(
    title="Follow-through",
    question="what people have open and late, what they did, and how long it took",
    formula="""
- **Open** and **overdue** (due on the last day of the build or before, and not snoozed) are as of the build; the
  rest is about the actions made in the period.
- **First touch** is when work was begun, or the action was closed at once; times are medians from when the
  action was made, of those that came so far.
- A CSM reads their own row and those of colleagues they cover for; admins and analysts read all.
""",
    sources=("marts.fct_actions", "marts.dim_accounts"),
    row_type=Row,
    read=read,
    members=now,
    filters=ACCOUNT_FILTERS | {Filter.PERIOD},
    groups={"csm": "CSM", "month": "Month made"},
    months=3,
)
