"""Health over time, what it is made of, and what moved it between two days, adding up exactly.

Source: marts.fct_account_health_daily, one row per account and day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, func, select

from app.marts import reading

MART = "fct_account_health_daily"
DIMENSIONS = ("product_usage", "adoption_depth", "support", "relationship", "voice_of_customer", "commercial")
MEASURES: dict[str, str] = {
    "seat_use": "product_usage",
    "key_activity": "product_usage",
    "recency": "product_usage",
    "live_automations": "adoption_depth",
    "campaigns": "adoption_depth",
    "feature_breadth": "adoption_depth",
    "ticket_volume": "support",
    "urgent_unresolved": "support",
    "first_reply": "support",
    "last_contact": "relationship",
    "known_roles": "relationship",
    "champion": "relationship",
    "nps": "voice_of_customer",
    "overdue_invoice": "commercial",
    "failed_payment": "commercial",
}


@dataclass(frozen=True, slots=True)
class HealthDay:
    """One account on one day. Scores 0 to 100, coverage 0 to 1, band R, Y, G or None for insufficient data.

    For each measure: its value in its own unit, its points (100, 60, 0, or None when left out), and its contribution in
    points of score; the contributions of a row add up to `score`. Beside them what the portfolio says of a past day:
    recurring revenue in EUR at the rate of its month, the next renewal, the last two-way contact; None where not kept.
    """

    health_date: date
    profile: str | None
    config_version: int | None
    score: float | None
    band: str | None
    coverage_ratio: float | None
    mrr_eur: float | None
    renewal_date: date | None
    last_contact_date: date | None
    product_usage_score: float | None
    adoption_depth_score: float | None
    support_score: float | None
    relationship_score: float | None
    voice_of_customer_score: float | None
    commercial_score: float | None
    seat_use_value: float | None
    seat_use_points: int | None
    seat_use_contribution: float | None
    key_activity_value: float | None
    key_activity_points: int | None
    key_activity_contribution: float | None
    recency_value: float | None
    recency_points: int | None
    recency_contribution: float | None
    live_automations_value: float | None
    live_automations_points: int | None
    live_automations_contribution: float | None
    campaigns_value: float | None
    campaigns_points: int | None
    campaigns_contribution: float | None
    feature_breadth_value: float | None
    feature_breadth_points: int | None
    feature_breadth_contribution: float | None
    ticket_volume_value: float | None
    ticket_volume_points: int | None
    ticket_volume_contribution: float | None
    urgent_unresolved_value: float | None
    urgent_unresolved_points: int | None
    urgent_unresolved_contribution: float | None
    first_reply_value: float | None
    first_reply_points: int | None
    first_reply_contribution: float | None
    last_contact_value: float | None
    last_contact_points: int | None
    last_contact_contribution: float | None
    known_roles_value: float | None
    known_roles_points: int | None
    known_roles_contribution: float | None
    champion_value: float | None
    champion_points: int | None
    champion_contribution: float | None
    nps_value: float | None
    nps_points: int | None
    nps_contribution: float | None
    overdue_invoice_value: float | None
    overdue_invoice_points: int | None
    overdue_invoice_contribution: float | None
    failed_payment_value: float | None
    failed_payment_points: int | None
    failed_payment_contribution: float | None


@dataclass(frozen=True, slots=True)
class Movement:
    """What one measure did between two days. `delta` is in points of score; values are in the measure's own unit."""

    measure: str
    dimension: str
    delta: float
    value_before: float | None
    value_after: float | None
    points_before: int | None
    points_after: int | None


def _days(account_key: str):
    # account_key is a filter, not part of the row, so it is named on the same table by hand
    return reading.query(MART, HealthDay).where(reading.key_column("account_key") == account_key)


def history(db: Connection, account_key: str, *, since: date) -> pd.DataFrame:
    """One row per day from `since` on, oldest first; columns are the fields of `HealthDay`. Raises MartUnavailable."""
    columns = reading.mart(MART, HealthDay).c
    wanted = _days(account_key).where(columns.health_date >= since).order_by(columns.health_date)
    return reading.frame(db, MART, HealthDay, wanted)


def on(db: Connection, account_key: str, day: date) -> HealthDay | None:
    """The newest row not after `day`, or None. Raises MartUnavailable."""
    columns = reading.mart(MART, HealthDay).c
    wanted = _days(account_key).where(columns.health_date <= day).order_by(columns.health_date.desc()).limit(1)
    found = reading.rows(db, MART, HealthDay, wanted)
    return found[0] if found else None


def weights(db: Connection, row: HealthDay) -> Mapping[str, float]:
    """Weight of each measure in this very score, 0 to 1: what was left out has none, its weight went to the rest.

    The mart carries contributions and not weights, so a weight is what one point contributed. Where this account scored
    no points nothing can be told from its own row; then the accounts of the same day, profile and configuration that
    miss the same measures tell it. A measure nobody tells is not in the answer. Raises MartUnavailable.
    """
    present = [measure for measure in MEASURES if _points(row, measure) is not None]
    found = {measure: _contribution(row, measure) / points for measure in present if (points := _points(row, measure))}
    unknown = [measure for measure in present if measure not in found]
    if len(unknown) == 1:
        return found | {unknown[0]: max(0.0, 1 - sum(found.values()))}
    return found | (_told_by_others(db, row, unknown) if unknown else {})


def _points(row: HealthDay, measure: str) -> int | None:
    return getattr(row, f"{measure}_points")


def _contribution(row: HealthDay, measure: str) -> float:
    return getattr(row, f"{measure}_contribution") or 0.0


def _told_by_others(db: Connection, row: HealthDay, unknown: list[str]) -> dict[str, float]:
    columns = reading.mart(MART, HealthDay).c
    same: list[Any] = [
        columns.health_date == row.health_date,
        columns.profile.is_not_distinct_from(row.profile),
        columns.config_version == row.config_version,
        *(columns[f"{measure}_points"].is_(None) == (_points(row, measure) is None) for measure in MEASURES),
    ]
    told = [
        func.max(reading.as_double(columns[f"{measure}_contribution"] / columns[f"{measure}_points"])).filter(
            columns[f"{measure}_points"] > 0
        )
        for measure in unknown
    ]
    with reading.reading_mart(MART):
        values = db.execute(select(*told).where(reading.IS_PUBLISHED, and_(*same))).one()
    return {measure: value for measure, value in zip(unknown, values, strict=True) if value is not None}


def split(before: HealthDay, after: HealthDay) -> list[Movement]:
    """What each measure did to the score, largest first; the deltas add up to the change of the score."""
    movements = [
        Movement(
            measure=measure,
            dimension=dimension,
            delta=(getattr(after, f"{measure}_contribution") or 0.0)
            - (getattr(before, f"{measure}_contribution") or 0.0),
            value_before=getattr(before, f"{measure}_value"),
            value_after=getattr(after, f"{measure}_value"),
            points_before=getattr(before, f"{measure}_points"),
            points_after=getattr(after, f"{measure}_points"),
        )
        for measure, dimension in MEASURES.items()
    ]
    return sorted(movements, key=lambda movement: (-abs(movement.delta), movement.measure))


def movement(db: Connection, account_key: str, *, from_date: date, to_date: date) -> list[Movement]:
    """What moved the score between two days, largest first, every measure once; see `split`.

    Each day stands for the newest row not after it; without a row for both the list is empty. Raises MartUnavailable.
    """
    before, after = on(db, account_key, from_date), on(db, account_key, to_date)
    return split(before, after) if before and after else []
