"""What time it is: real time for sessions, business time for work.

Against simulated sources the data lives in another "today" than the wall clock (its clock can be advanced). Due
dates and "overdue" must follow the data, or every action would look early. Only faces and jobs ask the clock;
services and pure code take `now` as an argument. Sessions and throttling use `real_now`, or moving the simulation on
would sign people out.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from app.settings import get_settings

SMALLEST_GAP = timedelta(hours=1)

_RELATION = text("select to_regclass('ops.load_run') is not null")
_NEWEST_LOAD = text(
    """
    select source_now - started_at as gap
    from ops.load_run
    where status in ('succeeded', 'warned') and source_now is not null
    order by load_id desc
    limit 1
    """
)


def real_now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


def business_now(db: Connection) -> datetime:
    """The time the data lives in, UTC.

    With FOLLOW_SOURCE_CLOCK the gap between the source's clock and ours, as the newest successful load saw it, is added
    when it is over an hour; otherwise, and before the first load, real time.
    """
    now = real_now()
    if not get_settings().follow_source_clock or not db.execute(_RELATION).scalar_one():
        return now
    gap = db.execute(_NEWEST_LOAD).scalar_one_or_none()
    if gap is None or abs(gap) <= SMALLEST_GAP:
        return now
    return now + gap
