"""Where the figures of a finding stand in the marts, so that each can be proved: by rule, from its evidence. Pure.

What a rule says of a day stands in the row of that day for good; what it says of an account as it is (a renewal date, a
contact) stands in the account's own row, which a later build may have changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

_HEALTH, _USAGE, _RISK = "fct_account_health_daily", "fct_usage_daily", "fct_churn_risk_daily"
_ACCOUNT, _INVOICE = "dim_accounts", "fct_invoices"
MOST_INVOICES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedFigure:
    """A figure that a rule used: what it was then, as text, and the row and column of the mart that it came from."""

    mart: str
    key: tuple[str, ...]
    column: str
    value: str | None

    @property
    def name(self) -> str:
        """Mart and column: which figure it is, whatever its row."""
        return f"{self.mart}.{self.column}"


@dataclass(frozen=True, slots=True)
class _Said:
    """The evidence of one suggestion."""

    account_key: str
    as_of: date
    figures: Mapping[str, Any]

    def of_day(self, mart: str, column: str, value: object = None, *, days_before: int = 0) -> ProvedFigure:
        key = (self.account_key, (self.as_of - timedelta(days=days_before)).isoformat())
        return ProvedFigure(mart=mart, key=key, column=column, value=_text(value))

    def now(self, column: str, value: object = None) -> ProvedFigure:
        return ProvedFigure(mart=_ACCOUNT, key=(self.account_key,), column=column, value=_text(value))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return f"{value:.3g}" if isinstance(value, float) and value != int(value) else f"{value:.0f}"


def _health(said: _Said) -> list[ProvedFigure]:
    window = int(said.figures["window_days"])
    return [
        said.of_day(_HEALTH, "score", said.figures["now"]),
        said.of_day(_HEALTH, "score", said.figures["before"], days_before=window),
    ]


def _usage(said: _Said) -> list[ProvedFigure]:
    window = said.figures["window_days"]
    return [
        said.of_day(_USAGE, f"key_activity_{window}d", said.figures["now"]),
        said.of_day(_USAGE, f"key_activity_prev_{window}d", said.figures["before"]),
    ]


def _seats(said: _Said) -> list[ProvedFigure]:
    return [
        said.of_day(_HEALTH, "seat_use_value", said.figures["seat_use_ratio"]),
        said.now("seats_paid", said.figures["seats_paid"]),
    ]


def _payment(said: _Said) -> list[ProvedFigure]:
    listed = said.figures["invoice_ids"][:MOST_INVOICES]
    if said.figures["oldest_overdue_days"]:
        first = [said.now("oldest_overdue_days", said.figures["oldest_overdue_days"])]
    else:  # nothing is late: a payment failed
        first = [
            ProvedFigure(mart=_INVOICE, key=(invoice_id,), column="has_failed_payment", value=None)
            for invoice_id in listed
        ]
    due = (ProvedFigure(mart=_INVOICE, key=(invoice_id,), column="amount_due", value=None) for invoice_id in listed)
    return [*first, *due]


def _departure(said: _Said) -> list[ProvedFigure]:
    roles = said.now("missing_roles", said.figures["roles"])
    if "champion" not in said.figures["roles"]:
        return [roles]
    return [said.now("champion_departure_date", said.figures["left_on"]), roles]


def _tickets(said: _Said) -> list[ProvedFigure]:
    urgent = said.of_day(_HEALTH, "urgent_unresolved_value", said.figures["urgent_unresolved_count"])
    many = said.of_day(_HEALTH, "ticket_volume_value", said.figures["ticket_count_30d"])
    return [urgent, many] if said.figures["urgent_unresolved_count"] else [many, urgent]


_BY_RULE: dict[str, Callable[[_Said], list[ProvedFigure]]] = {
    "R1": _health,
    "R2": _usage,
    "R3": lambda said: [said.of_day(_USAGE, "days_since_key_activity", said.figures["quiet_days"])],
    "R4": _departure,
    "R5": _tickets,
    "R6": lambda said: [
        said.now("nps_score", said.figures["score"]),
        said.now("nps_date", said.figures["responded_on"]),
    ],
    "R7": _payment,
    "R8": _seats,
    "R9": lambda said: [said.now("customer_since_date"), said.of_day(_USAGE, "key_activity_30d")],
    "R10": lambda said: [said.now("renewal_date", said.figures["renewal_date"])],
    # it counts from the last contact, or from the beginning where there never was one
    "R11": lambda said: [said.now("last_contact_date"), said.now("customer_since_date")],
    "R12": lambda said: [
        *_seats(said),
        said.of_day(_USAGE, "key_activity_30d"),
        said.of_day(_USAGE, "key_activity_prev_30d"),
    ],
    "R13": lambda said: [
        said.of_day(_RISK, "churn_probability_90d", said.figures["churn_probability_90d"]),
        said.of_day(_RISK, "churn_risk_band", said.figures["band"]),
    ],
    "R14": lambda said: [said.of_day(_RISK, "churn_risk_band", said.figures["band"])],
}


def figures_of(rule_id: str, account_key: str, evidence: Mapping[str, Any]) -> list[ProvedFigure]:
    """The figures that a finding of this rule used, that which decides first; `evidence` is as suggestions store it."""
    said = _Said(account_key, date.fromisoformat(evidence["as_of"]), evidence["figures"])
    return _BY_RULE[rule_id](said)
