"""Product usage by day.

Source: marts.fct_usage_daily, one row per account and day, without gaps from the tenant's first day on.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection

from app.marts import reading

_MART = "fct_usage_daily"


@dataclass(frozen=True, slots=True)
class UsageDay:
    """One account on one day. `*_7d`, `*_28d` and `*_30d` are sums or distinct users of the days up to and including
    it; `*_prev_*` of as many days before those."""

    usage_date: date
    active_user_count: int
    session_count: int
    key_activity_count: int
    campaign_sent_count: int
    automation_live_count: int | None
    feature_family_count: int | None
    active_users_28d: int | None
    key_activity_7d: int | None
    key_activity_prev_7d: int | None
    key_activity_30d: int | None
    key_activity_prev_30d: int | None
    days_since_key_activity: int | None


def daily(db: Connection, account_key: str, *, since: date) -> pd.DataFrame:
    """One row per day from `since` on, oldest first; columns are the fields of `UsageDay`. Raises MartUnavailable."""
    columns = reading.mart(_MART, UsageDay).c
    wanted = (
        reading.query(_MART, UsageDay)
        .where(reading.key_column("account_key") == account_key, columns.usage_date >= since)
        .order_by(columns.usage_date)
    )
    return reading.frame(db, _MART, UsageDay, wanted)
