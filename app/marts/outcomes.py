"""Measured outcomes: what the warehouse saw at 30, 60 and 90 days and at the renewal. Never typed in.

Source: marts.fct_action_outcomes, one row per decision.
"""

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Connection

from app.marts import reading

_MART = "fct_action_outcomes"


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """One decision with its context, its treatment as logged and as done, and what followed.

    `measured_*_status`: pending, measured or censored; `*_change_*` are after minus before; ratios are 0 to 1,
    amounts EUR a month. `propensity_chosen` is None for a person's own decision: observational.
    """

    decision_id: str
    account_key: str
    action_id: str | None
    suggestion_id: str | None
    rule_id: str | None
    policy_id: str
    policy_version: int | None
    arm: str
    decided_at: datetime
    decided_date: date
    chosen_intervention: str | None
    propensity_chosen: float | None
    treatment_done: bool | None
    done_intervention: str | None
    done_date: date | None
    execution: str | None
    customer_response: str | None
    result: str | None
    answer: str | None
    dismissal_reason: str | None
    context_health_score: float | None
    context_health_band: str | None
    context_churn_probability_90d: float | None
    context_mrr_eur: float | None
    measured_30d_status: str | None
    measured_30d_date: date | None
    health_change_30d: float | None
    usage_change_ratio_30d: float | None
    ticket_change_30d: int | None
    nps_change_30d: int | None
    mrr_change_eur_30d: float | None
    retention_30d: str | None
    trigger_cleared_30d: bool | None
    measured_60d_status: str | None
    measured_60d_date: date | None
    health_change_60d: float | None
    usage_change_ratio_60d: float | None
    ticket_change_60d: int | None
    nps_change_60d: int | None
    mrr_change_eur_60d: float | None
    retention_60d: str | None
    trigger_cleared_60d: bool | None
    measured_90d_status: str | None
    measured_90d_date: date | None
    health_change_90d: float | None
    usage_change_ratio_90d: float | None
    ticket_change_90d: int | None
    nps_change_90d: int | None
    mrr_change_eur_90d: float | None
    retention_90d: str | None
    trigger_cleared_90d: bool | None
    measured_renewal_status: str | None
    retention_renewal: str | None
    mrr_change_eur_renewal: float | None


def for_action(db: Connection, action_id: object) -> ActionOutcome | None:
    """The measured outcome of an action's decision; None until the build after the action. Raises MartUnavailable."""
    columns = reading.mart(_MART, ActionOutcome).c
    wanted = reading.query(_MART, ActionOutcome).where(reading.as_text(columns.action_id) == str(action_id)).limit(1)
    found = reading.rows(db, _MART, ActionOutcome, wanted)
    return found[0] if found else None


def all_outcomes(db: Connection, *, since: date | None = None, limit: int = 20_000) -> pd.DataFrame:
    """Every decision, newest first; columns are the fields of `ActionOutcome`. Raises MartUnavailable."""
    columns = reading.mart(_MART, ActionOutcome).c
    wanted = reading.query(_MART, ActionOutcome)
    if since is not None:
        wanted = wanted.where(columns.decided_date >= since)
    return reading.frame(
        db, _MART, ActionOutcome, wanted.order_by(columns.decided_at.desc(), columns.decision_id).limit(limit)
    )
