"""Churn risk and what drives it, kept apart from health.

Source: marts.fct_churn_risk_daily, one row per account and day.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from app.marts import reading

_MART = "fct_churn_risk_daily"


@dataclass(frozen=True, slots=True)
class RiskDay:
    """One account on one day. Probability and coverage 0 to 1; amounts in EUR a month.

    `drivers` is a list of {"driver", "direction": "raises"|"lowers", "effect", "text", "value"}, strongest first;
    `model_version` says what made it, `risk_kind` whether that is rules or a learned model, `risk_basis` in a sentence
    what it rests on.
    """

    risk_date: date
    churn_probability_90d: float | None
    churn_risk_band: str | None
    mrr_at_risk_eur: float | None
    data_coverage_ratio: float | None
    model_version: str | None
    drivers: list[dict[str, Any]] | None
    risk_kind: str | None
    risk_basis: str | None


def _days(account_key: str):
    return reading.query(_MART, RiskDay).where(reading.key_column("account_key") == account_key)


def history(db: Connection, account_key: str, *, since: date) -> pd.DataFrame:
    """One row per day from `since` on, oldest first; columns are the fields of `RiskDay`. Raises MartUnavailable."""
    columns = reading.mart(_MART, RiskDay).c
    wanted = _days(account_key).where(columns.risk_date >= since).order_by(columns.risk_date)
    return reading.frame(db, _MART, RiskDay, wanted)


def on(db: Connection, account_key: str, day: date) -> RiskDay | None:
    """The newest row not after `day`, or None. Raises MartUnavailable."""
    columns = reading.mart(_MART, RiskDay).c
    wanted = _days(account_key).where(columns.risk_date <= day).order_by(columns.risk_date.desc()).limit(1)
    found = reading.rows(db, _MART, RiskDay, wanted)
    return found[0] if found else None
