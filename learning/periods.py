"""From account-days to account-periods: the rows of a discrete-time hazard.

An account on day D is asked three questions: did it leave within days 1 to 30, given that, 31 to 60, given that, 61 to
90? Every answer that is known is a row, so an account seen 40 days ago answers the first and not the second. A
period that has not ended is no row: counting it as retained is how churn models come to promise too much.
"""

from datetime import date

import numpy as np
import pandas as pd

from learning.features import NAMES, PERIOD, RENEWAL
from learning.frames import Array, numbers, only

PERIOD_DAYS = 30
PERIODS = 3
HORIZON_DAYS = PERIOD_DAYS * PERIODS
YEAR_DAYS = 365


def at_period(days: pd.DataFrame, period: int) -> pd.DataFrame:
    """The features of account-days as they stand for one of the periods ahead: only the renewal comes nearer.

    Index as in `days`; columns NAMES and PERIOD, floats. A yearly contract that renews before the period counts to its
    next renewal.
    """
    seen = days.loc[:, list(NAMES)].astype(float)
    nearer = seen[RENEWAL] - period * PERIOD_DAYS
    seen[RENEWAL] = nearer.where(~(nearer <= 0), nearer + YEAR_DAYS)
    seen[PERIOD] = float(period)
    return seen


def days_until_end(days: pd.DataFrame, *, known_until: date) -> tuple[Array, Array]:
    """Days from each account-day to its churn, infinite where none is known by `known_until`; and days observed."""
    observed = numbers(days.assign(observed=(pd.Timestamp(known_until) - days["risk_date"]).dt.days), "observed")
    to_churn = numbers(days, "days_to_churn")
    return np.where(to_churn <= observed, to_churn, np.inf), observed


def account_periods(days: pd.DataFrame, *, known_until: date) -> pd.DataFrame:
    """One row per account-day and period whose answer was known on `known_until`; `left` is that answer.

    `days` holds account_key, risk_date (timestamp), days_to_churn (NaN while a customer) and the features; days after
    `known_until` or of accounts that have left are ignored. Columns: account_key, risk_date, features, PERIOD, left.
    """
    to_churn, observed = days_until_end(days, known_until=known_until)
    is_alive = (to_churn > 0) & (observed >= 0)
    answered = []
    for period in range(PERIODS):
        start, end = period * PERIOD_DAYS, (period + 1) * PERIOD_DAYS
        left = (to_churn > start) & (to_churn <= end)
        stayed = (to_churn > end) & (observed >= end)
        is_known = is_alive & (left | stayed)
        known = only(days, is_known)
        rows = at_period(known, period)
        rows.insert(0, "account_key", known["account_key"])
        rows.insert(1, "risk_date", known["risk_date"])
        answered.append(rows.assign(left=left[is_known]))
    return pd.concat(answered, ignore_index=True)


def mature(days: pd.DataFrame, *, known_until: date) -> pd.DataFrame:
    """The account-days whose whole horizon has passed by `known_until`, with `left` within it.

    Days whose horizon is still open are left out whatever has happened in it: keeping only those that have churned
    already would show more churn than there is.
    """
    to_churn, observed = days_until_end(days, known_until=known_until)
    wanted = (observed >= HORIZON_DAYS) & (to_churn > 0)
    return only(days, wanted).assign(left=(to_churn <= HORIZON_DAYS)[wanted])
