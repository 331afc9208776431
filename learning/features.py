"""What the risk of churn is reckoned from: measures of one account at the end of one day.

Each carries the direction that a person would vouch for, so that no explanation ever says "the risk is lower because
nobody uses the product", and the words in which it is told. Ratios and ages rather than counts: a large account is not
a risk because it is large. Plan, price and revenue are left out: they would speak for segments, not for what a
customer success manager can change.

The list has a version, stored with every model; changing it is a new version.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

FEATURE_SET = "churn-features-1"


class Unit(StrEnum):
    """How a value is told."""

    COUNT = "count"
    DAYS = "days"
    SHARE = "share"
    CHANGE = "change"
    FLAG = "flag"


@dataclass(frozen=True)
class Feature:
    """One measure. `sign` says what more of it does to the risk: 1 raises, -1 lowers, 0 unknown.

    `knots` are where its effect may bend in the model of few churns; beyond the outer two it stays level. `text` holds
    `{value}`; `missing` tells that there is no value.
    """

    name: str
    sign: int
    knots: tuple[float, ...]
    unit: Unit
    text: str
    missing: str


PERIOD = "period"
"""Which of the periods ahead a row is about: 0 for the next 30 days. Not a measure, and no driver."""

RENEWAL = "days_to_renewal"

FEATURES = (
    Feature("seat_use", -1, (0.2, 0.5, 0.8, 1.0), Unit.SHARE, "{value} of paid seats in use", "Paid seats unknown"),
    Feature(
        "seat_use_change", -1, (-0.2, 0.0), Unit.CHANGE, "Seat use {value} against 28 days before", "Seat use is new"
    ),
    Feature(
        "key_activity_change",
        -1,
        (-0.5, -0.2, 0.0),
        Unit.CHANGE,
        "Key activity {value} against the 30 days before",
        "Too few days of use to compare",
    ),
    Feature("days_since_use", 1, (1, 7, 14), Unit.DAYS, "Last used {value} ago", "Never used the product"),
    Feature("campaigns_ratio", -1, (0.4, 1.0), Unit.SHARE, "Campaigns at {value} of the own pace", "No pace yet"),
    Feature("feature_families", -1, (1, 4, 8), Unit.COUNT, "Feature families in use: {value}", "Use unknown"),
    Feature("live_automations", -1, (0, 3), Unit.COUNT, "Automations live: {value}", "Use unknown"),
    Feature("ticket_count", 1, (2, 5, 10), Unit.COUNT, "Tickets in 30 days: {value}", "No help desk known"),
    Feature("urgent_unresolved", 1, (0, 1, 3), Unit.COUNT, "Urgent tickets open: {value}", "No help desk known"),
    Feature(
        "days_since_contact", 1, (14, 45, 90), Unit.DAYS, "Last two-way contact {value} ago", "Never in two-way contact"
    ),
    Feature("known_roles", -1, (1, 3), Unit.COUNT, "Contacts with a known role: {value}", "No contact known"),
    Feature("champions", -1, (0, 1), Unit.COUNT, "Champions among the contacts: {value}", "No contact known"),
    Feature("nps", -1, (3, 6, 9), Unit.COUNT, "Latest NPS answer is {value}", "No NPS answer in 180 days"),
    Feature("overdue_days", 1, (0, 15, 31), Unit.DAYS, "Oldest invoice {value} overdue", "No billing known"),
    Feature("failed_payments", 1, (0, 1), Unit.COUNT, "Failed payments open: {value}", "No billing known"),
    Feature(RENEWAL, -1, (30, 60, 90, 150), Unit.DAYS, "Yearly renewal in {value}", "Billed by the month"),
    Feature("has_notice", 1, (0, 1), Unit.FLAG, "Notice of cancellation given", "No notice given"),
    Feature("customer_age_days", 0, (90, 365, 1095), Unit.DAYS, "Customer for {value}", "Start unknown"),
)
NAMES = tuple(feature.name for feature in FEATURES)
_BY_NAME = {feature.name: feature for feature in FEATURES}


def words(name: str, value: float) -> str:
    """The sentence of one feature at one value, e.g. "42% of paid seats in use"; NaN is told as missing."""
    feature = _BY_NAME[name]
    if math.isnan(value):
        return feature.missing
    if feature.unit is Unit.FLAG:
        return feature.text if value else feature.missing
    return feature.text.format(value=_value(feature.unit, value))


def _value(unit: Unit, value: float) -> str:
    match unit:
        case Unit.SHARE:
            return f"{value:.0%}"
        case Unit.CHANGE:
            return f"{value:+.0%}"
        case Unit.DAYS:
            return f"{value:.0f} day" + ("" if round(value) == 1 else "s")
        case _:
            return f"{value:.0f}"
