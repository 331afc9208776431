"""How much everybody has on their hands: one row per active person who works actions.

Booked minutes are what the treatments of due work are expected to take; recorded minutes are what closing said.
"""

from datetime import datetime, time, timedelta

from sqlalchemy import Connection, text

from app import configuration
from app.actions.model import Workload
from app.actions.vocabulary import UNDONE
from app.calendar import DISPLAY_ZONE, display_date, week_start
from app.configuration import Interventions

_WORKLOADS = text(
    """
    with effort as (
        select * from unnest(cast(:interventions as text[]), cast(:minutes as integer[])) as e (intervention, minutes)
    ),

    held as (
        select
            owner_user_id,
            count(*) as open_count,
            count(*) filter (where status in ('in_progress', 'blocked', 'waiting_on_customer')) as started_count,
            count(*) filter (where status = 'snoozed') as snoozed_count,
            count(*) filter (where status <> 'snoozed' and due_date < :today) as overdue_count,
            count(*) filter (
                where status <> 'snoozed' and due_date >= :today and due_date < :next_week
            ) as due_this_week_count,
            sum(effort.minutes) filter (where status <> 'snoozed' and due_date < :next_week) as booked_minutes
        from app.actions
        left join effort using (intervention)
        where status not in ('closed', 'cancelled')
        group by owner_user_id
    ),

    closed as (
        select owner_user_id, count(*) as closed_this_week_count
        from app.actions
        where status = 'closed' and closed_at >= :week_began
        group by owner_user_id
    ),

    spent as (
        select recorded_by, sum(minutes) as minutes_this_week
        from app.action_outcomes as o
        where done_date >= :this_week and done_date < :next_week and recorded_at >= :week_began
            -- a closing that was undone is told again, with its minutes, when the action really ends
            and not exists (
                select from app.action_events as closing
                inner join app.action_events as undone
                    on closing.action_id = undone.action_id and closing.version + 1 = undone.version
                where closing.action_id = o.action_id and closing.kind = 'closed' and closing.at = o.recorded_at
                    and undone.field = 'status' and undone.reason = :undone
            )
        group by recorded_by
    )

    select
        u.user_id,
        u.display_name,
        u.owner_email,
        u.weekly_capacity_minutes,
        coalesce(h.open_count, 0) as open_count,
        coalesce(h.started_count, 0) as started_count,
        coalesce(h.snoozed_count, 0) as snoozed_count,
        coalesce(h.overdue_count, 0) as overdue_count,
        coalesce(h.due_this_week_count, 0) as due_this_week_count,
        coalesce(c.closed_this_week_count, 0) as closed_this_week_count,
        coalesce(s.minutes_this_week, 0) as minutes_this_week,
        coalesce(h.booked_minutes, 0) as booked_minutes,
        a.ends_on as away_until,
        p.display_name as covered_by
    from app.users as u
    left join held as h on h.owner_user_id = u.user_id
    left join closed as c on c.owner_user_id = u.user_id
    left join spent as s on s.recorded_by = u.user_id
    left join app.handovers as a on a.from_user_id = u.user_id and a.started_at is not null and a.ended_at is null
    left join app.users as p on p.user_id = a.to_user_id
    where u.is_active and u.role = 'csm' or h.open_count > 0
    order by u.display_name, u.user_id
    """
)


def workloads(db: Connection, *, now: datetime) -> list[Workload]:
    """Every active CSM, and whoever else holds open actions (a deactivated person too), by name."""
    today = display_date(now)
    monday = week_start(today)
    effort = configuration.active(db, Interventions).effort()
    rows = db.execute(
        _WORKLOADS,
        {
            "interventions": list(effort),
            "minutes": list(effort.values()),
            "today": today,
            "this_week": monday,
            "next_week": monday + timedelta(days=7),
            "week_began": datetime.combine(monday, time(), DISPLAY_ZONE),
            "undone": UNDONE,
        },
    )
    return [Workload(**row._mapping) for row in rows]
