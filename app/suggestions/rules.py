"""What the rules see and say: pure functions from an account's figures to a finding with its evidence.

Thresholds are data (`app.rules`, versioned); here is only what they mean. Every trigger must have held for the
rule's hold days, counted back from the last complete day: with 2, on that day and on the two before it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of a rule. `interventions` are the eligible ones, preferred first; `input` is the mart it reads."""

    rule_id: str
    version: int
    action_type: str
    reason: str
    title: str
    input: str
    max_input_age_days: int
    hold_days: int
    cool_down_days: int
    due_offset_bd: int
    interventions: tuple[str, ...]
    thresholds: Mapping[str, float]

    def threshold(self, name: str) -> float:
        """A threshold by name. Raises InvalidInput when the stored parameters lack it."""
        try:
            return float(self.thresholds[name])
        except (KeyError, TypeError, ValueError):
            raise InvalidInput(name, f"Rule {self.rule_id} version {self.version} has no usable {name}.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A trigger that fired: how urgent, why in one sentence with figures, and the picture behind it."""

    priority: str
    sentence: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthInput:
    """Daily scores of one account, oldest first, and the contributions (points of score) by measure of the newest
    day and of the day a window before it."""

    account_key: str
    as_of: date
    scores: Mapping[date, float | None]
    contributions: Mapping[str, float]
    contributions_before: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDay:
    """Key activity counts of the 7 and 30 days up to a day, and of as many days before those."""

    day: date
    count_7d: int
    previous_7d: int
    count_30d: int
    previous_30d: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageInput:
    """Usage of one account by day, oldest first."""

    account_key: str
    as_of: date
    days: tuple[UsageDay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice:
    """An unpaid invoice; amounts are what is still open. `failed_date` is the newest failed payment."""

    invoice_id: str
    number: str | None
    currency_code: str
    amount_open: float
    amount_open_eur: float | None
    due_date: date | None
    days_overdue: int
    failed_date: date | None
    attempt_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInput:
    """Unpaid invoices of one account that are overdue or failed, oldest due first."""

    account_key: str
    as_of: date
    invoices: tuple[OpenInvoice, ...]


def rule_from_params(rule_id: str, version: int, params: Mapping[str, Any]) -> Rule:
    """A rule from its stored parameters. Raises InvalidInput naming what is missing or malformed."""
    try:
        return Rule(
            rule_id=rule_id,
            version=version,
            action_type=str(params["action_type"]),
            reason=str(params["reason"]),
            title=str(params["title"]),
            input=str(params["input"]),
            max_input_age_days=int(params["max_input_age_days"]),
            hold_days=int(params["hold_days"]),
            cool_down_days=int(params["cool_down_days"]),
            due_offset_bd=int(params["due_offset_bd"]),
            interventions=tuple(params["interventions"]),
            thresholds=dict(params["thresholds"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("params", f"Rule {rule_id} version {version} is not complete: {error}.") from None


def dedupe_key(account_key: str, action_type: str, reason: str) -> str:
    """What may be open once only: an account, a type and a reason."""
    return f"{account_key}:{action_type}:{reason}"


def is_stale(rule: Rule, as_of: date | None, today: date) -> bool:
    """Whether the rule's input is too old to act on; no input at all is."""
    return as_of is None or (today - as_of).days > rule.max_input_age_days


def is_cooling_down(rule: Rule, ended: date | None, today: date) -> bool:
    """Whether the same was answered or done so recently that it is not raised again."""
    return ended is not None and (today - ended).days < rule.cool_down_days


def _evidence(
    rule: Rule,
    as_of: date,
    *,
    series: Sequence[tuple[date, float]],
    series_name: str,
    unit: str,
    baseline: float | None,
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "series": [[day.isoformat(), value] for day, value in series],
        "series_name": series_name,
        "unit": unit,
        "baseline": baseline,
        "figures": dict(figures),
        "as_of": as_of.isoformat(),
        "inputs": [[rule.input, as_of.isoformat()]],
    }


def _days_back(as_of: date, count: int) -> list[date]:
    return [as_of - timedelta(days=back) for back in range(count + 1)]


def _drop(scores: Mapping[date, float | None], day: date, window: timedelta) -> float | None:
    before, after = scores.get(day - window), scores.get(day)
    return None if before is None or after is None else before - after


def _blame(given: HealthInput) -> str:
    measures = given.contributions.keys() | given.contributions_before.keys()
    moved = sorted(
        (given.contributions.get(name, 0.0) - given.contributions_before.get(name, 0.0), name) for name in measures
    )
    worst = [f"{name.replace('_', ' ')} ({change:+.0f})" for change, name in moved[:2] if change <= -1]
    return f", mostly {' and '.join(worst)}" if worst else ""


def health_drop(rule: Rule, given: HealthInput) -> Finding | None:
    """R1: health fell by the threshold within the window, and that has held."""
    window = timedelta(days=int(rule.threshold("window_days")))
    held = [_drop(given.scores, day, window) for day in _days_back(given.as_of, rule.hold_days)]
    if any(drop is None or drop < rule.threshold("drop_high") for drop in held):
        return None
    before, now = given.scores[given.as_of - window], given.scores[given.as_of]
    if before is None or now is None:
        return None
    return Finding(
        priority="critical" if before - now >= rule.threshold("drop_critical") else "high",
        sentence=f"Health fell from {before:.0f} to {now:.0f} in {window.days} days{_blame(given)}.",
        evidence=_evidence(
            rule,
            given.as_of,
            series=[(day, score) for day, score in sorted(given.scores.items()) if score is not None],
            series_name="health score",
            unit="points",
            baseline=before,
            figures={"before": before, "now": now, "change": now - before, "window_days": window.days},
        ),
    )


def health_recovered(rule: Rule, given: HealthInput, figures: Mapping[str, Any]) -> bool:
    """R1 clears: the score is back within a few points of what it was before."""
    now = given.scores.get(given.as_of)
    return now is not None and now >= float(figures["before"]) - rule.threshold("recovered_within")


def _fall(rule: Rule, day: UsageDay) -> tuple[int, int, int] | None:
    """The window in days, the count and the one before it, of the first window that fell; None when neither did."""
    for window, count, previous, least in (
        (7, day.count_7d, day.previous_7d, rule.threshold("least_previous_7d")),
        (30, day.count_30d, day.previous_30d, rule.threshold("least_previous_30d")),
    ):
        if previous >= least and count <= previous * (1 - rule.threshold("drop_ratio")):
            return window, count, previous
    return None


def usage_decline(rule: Rule, given: UsageInput) -> Finding | None:
    """R2: key activity fell against the days before, and that has held. Too little activity before says nothing."""
    by_day = {day.day: day for day in given.days}
    held = [by_day.get(day) for day in _days_back(given.as_of, rule.hold_days)]
    falls = [_fall(rule, day) if day else None for day in held]
    if any(fall is None for fall in falls) or falls[0] is None:
        return None
    window, count, previous = falls[0]
    change = count / previous - 1
    before = "the 7 days before" if window == 7 else "the 30 days before"
    return Finding(
        priority="high" if -change >= rule.threshold("high_drop_ratio") else "medium",
        sentence=f"Key activity is down {-change:.0%} in {window} days: {count:,} against {previous:,} in {before}.",
        evidence=_evidence(
            rule,
            given.as_of,
            series=[(day.day, day.count_7d) for day in given.days],
            series_name="key activity in 7 days",
            unit="events",
            baseline=previous * 7 / window,
            figures={
                "window_days": window,
                "now": count,
                "before": previous,
                "change_ratio": round(change, 4),
                "baseline_7d": previous * 7 / window,
            },
        ),
    )


def usage_recovered(rule: Rule, given: UsageInput, figures: Mapping[str, Any]) -> bool:
    """R2 clears: activity has been near its old level on each of the last days."""
    by_day = {day.day: day for day in given.days}
    last = [by_day.get(day) for day in _days_back(given.as_of, int(rule.threshold("recovered_days")) - 1)]
    enough = rule.threshold("recovered_ratio") * float(figures["baseline_7d"])
    return all(day is not None and day.count_7d >= enough for day in last)


def _money(amount: float, currency_code: str) -> str:
    symbol = {"EUR": "€", "GBP": "£", "USD": "$"}.get(currency_code.upper())
    return f"{symbol}{amount:,.2f}" if symbol else f"{amount:,.2f} {currency_code.upper()}"


def _total(invoices: Sequence[OpenInvoice]) -> str:
    currencies = sorted({invoice.currency_code.upper() for invoice in invoices})
    return " and ".join(
        _money(sum(one.amount_open for one in invoices if one.currency_code.upper() == code), code)
        for code in currencies
    )


def _payment_sentence(invoices: Sequence[OpenInvoice]) -> str:
    failed = [invoice for invoice in invoices if invoice.failed_date]
    oldest = max(invoice.days_overdue for invoice in invoices)
    overdue = f"{oldest} day{'s' if oldest != 1 else ''} overdue"
    if len(invoices) == 1:
        name = f"invoice {invoices[0].number}" if invoices[0].number else "an invoice"
        if failed and failed[0].failed_date:
            tries = max(1, failed[0].attempt_count)
            when = f"{failed[0].failed_date.day} {failed[0].failed_date:%b %Y}"
            times = "once" if tries == 1 else f"{tries} times"
            late = f"; it is {overdue}" if oldest > 0 else ""
            return f"Payment of {name} over {_total(invoices)} failed {times}, last on {when}{late}."
        return f"{name[0].upper()}{name[1:]} over {_total(invoices)} is {overdue}."
    late = f", the oldest {overdue}" if oldest > 0 else ""
    failures = f"; payment of {len(failed)} failed" if failed else ""
    return f"{len(invoices)} invoices over {_total(invoices)} are unpaid{late}{failures}."


def payment(rule: Rule, given: PaymentInput) -> Finding | None:
    """R7: a payment failed, or an invoice is long overdue, and that has held."""
    longest = rule.threshold("overdue_days")
    settled_by = given.as_of - timedelta(days=rule.hold_days)
    pressing = [
        invoice
        for invoice in given.invoices
        if invoice.days_overdue - rule.hold_days > longest
        or (invoice.failed_date is not None and invoice.failed_date <= settled_by)
    ]
    if not pressing:
        return None
    oldest = max(invoice.days_overdue for invoice in pressing)
    dated = sorted((invoice.due_date or given.as_of, invoice.amount_open_eur or 0.0) for invoice in pressing)
    return Finding(
        priority="critical" if oldest > rule.threshold("critical_overdue_days") else "high",
        sentence=_payment_sentence(pressing),
        evidence=_evidence(
            rule,
            given.as_of,
            series=dated,
            series_name="unpaid invoices by due date",
            unit="EUR",
            baseline=None,
            figures={
                "invoice_count": len(pressing),
                "failed_count": sum(invoice.failed_date is not None for invoice in pressing),
                "oldest_overdue_days": oldest,
                "amount_open_eur": round(sum(invoice.amount_open_eur or 0.0 for invoice in pressing), 2),
                "invoice_ids": [invoice.invoice_id for invoice in pressing],
            },
        ),
    )


def payment_settled(rule: Rule, given: PaymentInput, figures: Mapping[str, Any]) -> bool:
    """R7 clears: none of the invoices it was about is open any more."""
    return not {invoice.invoice_id for invoice in given.invoices} & set(figures["invoice_ids"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """What a rule does: its trigger, when it clears, and whether an account without input counts as clear."""

    trigger: Callable[[Rule, Any], Finding | None]
    has_cleared: Callable[[Rule, Any, Mapping[str, Any]], bool]
    absence_clears: bool = False


LOGIC: dict[str, Logic] = {
    "R1": Logic(trigger=health_drop, has_cleared=health_recovered),
    "R2": Logic(trigger=usage_decline, has_cleared=usage_recovered),
    "R7": Logic(trigger=payment, has_cleared=payment_settled, absence_clears=True),
}
