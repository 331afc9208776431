"""The table of each report: its rows as they are in the file, spelled for reading."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from app.reports.wanted import Wanted
from app.suggestions.rates import ENOUGH
from app.ui import figures, reports_words, tables

MOST_ROWS = 16
_STEPS = {
    "fired": "raised",
    "held_out": "held_out",
    "shown": "shown",
    "viewed": "viewed",
    "accepted": "accepted",
    "dismissed": "dismissed",
    "done": "suggested_done",
    "measured": "measured_30d",
    "cleared": "cleared_count",
}
Cells = tuple[dict[str, list[Any]], dict[str, Any]]


def show(name: str, rows: Sequence[Any], title: str, wanted: Wanted) -> None:
    """The table of a report; `title` names what its rows are counted by."""
    cells, columns = _CELLS[name](rows, title, wanted)
    tables.show(
        pd.DataFrame(cells), columns, key=f"report_table_{name}", alt="The same figures as a table", most=MOST_ROWS
    )


def _euro(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value) for value in values]


def _days(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 1) for value in values]


def _portfolio(rows: Sequence[Any], title: str, wanted: Wanted) -> Cells:
    cells = {
        "group": [reports_words.group(one.group, wanted.by) for one in rows],
        "accounts": [one.account_count for one in rows],
        "mrr": _euro([one.mrr_eur for one in rows]),
        "at_risk": _euro([one.mrr_at_risk_eur for one in rows]),
        "share": [figures.percent(one.mrr_at_risk_eur / one.mrr_eur if one.mrr_eur else None) for one in rows],
        "red": [one.red_count for one in rows],
        "yellow": [one.yellow_count for one in rows],
        "green": [one.green_count for one in rows],
        "no_band": [one.no_band_count for one in rows],
        "red_mrr": _euro([one.red_mrr_eur for one in rows]),
    }
    columns = {
        "group": tables.text(title, 170),
        "accounts": tables.number("Accounts", 76, "%d", metric="active_accounts"),
        "mrr": tables.number("MRR, €", 90, metric="mrr"),
        "at_risk": tables.number("At risk, €", 90, metric="mrr_at_risk"),
        "share": tables.spelled("of MRR", 66, metric="at_risk_share"),
        "red": tables.number("Red", 58, "%d", metric="accounts_in_band"),
        "yellow": tables.number("Yellow", 62, "%d", metric="accounts_in_band"),
        "green": tables.number("Green", 62, "%d", metric="accounts_in_band"),
        "no_band": tables.number("No band", 72, "%d", metric="accounts_in_band"),
        "red_mrr": tables.number("MRR in red, €", 106, metric="mrr_in_red"),
    }
    return cells, columns


def _cohorts(rows: Sequence[Any], title: str, wanted: Wanted) -> Cells:
    cells = {
        "cohort": [reports_words.cohort(one.cohort_month) for one in rows],
        "age": [one.age_months for one in rows],
        "month": [f"{one.month_start_date:%b %Y}" for one in rows],
        "started": [one.started_account_count for one in rows],
        "accounts": [one.account_count for one in rows],
        "kept": [reports_words.share(one.account_ratio) for one in rows],
        "mrr_first": _euro([one.started_mrr_eur for one in rows]),
        "mrr": _euro([one.mrr_eur for one in rows]),
        "mrr_kept": [reports_words.share(one.mrr_ratio) for one in rows],
    }
    columns = {
        "cohort": tables.text("Began", 90),
        "age": tables.number("Months on", 84, "%d", metric="cohort_age"),
        "month": tables.text("End of", 90),
        "started": tables.number("Accounts at first", 118, "%d", metric="cohort_started"),
        "accounts": tables.number("Then", 66, "%d", metric="cohort_accounts"),
        "kept": tables.spelled("Kept", 74, metric="logo_retention"),
        "mrr_first": tables.number("MRR at first, €", 112, metric="cohort_mrr_started"),
        "mrr": tables.number("Then, €", 90, metric="cohort_mrr"),
        "mrr_kept": tables.spelled("Kept", 74, metric="revenue_retention"),
    }
    return cells, columns


def _bridge(rows: Sequence[Any], title: str, wanted: Wanted) -> Cells:
    cells: dict[str, list[Any]] = {"month": [f"{one.month_start_date:%b %Y}" for one in rows]}
    columns: dict[str, Any] = {"month": tables.text("Month", 84)}
    for name, label in (
        ("start", "Start, €"),
        *((kind, reports_words.MOVES[kind]) for kind in ("new", "expansion", "contraction", "churned", "reactivation")),
        ("end", "End, €"),
    ):
        sign = -1 if name in ("contraction", "churned") else 1
        cells[name] = _euro([sign * getattr(one, f"{name}_mrr_eur") + 0.0 for one in rows])
        columns[name] = tables.number(
            label, 88, metric={"start": "mrr_start", "end": "mrr_end"}.get(name, "mrr_change")
        )
    cells["nrr"] = [reports_words.share(one.nrr_ratio) for one in rows]
    cells["grr"] = [reports_words.share(one.grr_ratio) for one in rows]
    cells["nrr_since"] = [reports_words.share(one.nrr_from_start_ratio) for one in rows]
    cells["grr_since"] = [reports_words.share(one.grr_from_start_ratio) for one in rows]
    columns |= {
        "nrr": tables.spelled("NRR", 70, metric="nrr"),
        "grr": tables.spelled("GRR", 70, metric="grr"),
        "nrr_since": tables.spelled("NRR so far", 86, metric="nrr_so_far"),
        "grr_since": tables.spelled("GRR so far", 86, metric="grr_so_far"),
    }
    return cells, columns


def _follow_through(rows: Sequence[Any], title: str, wanted: Wanted) -> Cells:
    cells = {
        "group": [reports_words.group(one.group, wanted.by) for one in rows],
        "open": [one.open_count for one in rows],
        "overdue": [one.overdue_count for one in rows],
        "made": [one.made_count for one in rows],
        "done": [one.done_count for one in rows],
        "cancelled": [one.cancelled_count for one in rows],
        "share": [figures.percent(one.done_count / one.made_count if one.made_count else None) for one in rows],
        "touch": _days([one.days_to_first_touch for one in rows]),
        "close": _days([one.days_to_close for one in rows]),
    }
    columns = {
        "group": tables.text(title, 150),
        "open": tables.number("Open now", 80, "%d", metric="open_actions"),
        "overdue": tables.number("Overdue", 74, "%d", metric="overdue_actions"),
        "made": tables.number("Made", 66, "%d", metric="made"),
        "done": tables.number("Done", 66, "%d", metric="done"),
        "cancelled": tables.number("Cancelled", 82, "%d", metric="cancelled"),
        "share": tables.spelled("Done, of made", 104, metric="done_share"),
        "touch": tables.number("Days to first touch", 128, "%.1f", metric="days_to_first_touch"),
        "close": tables.number("Days to close", 100, "%.1f", metric="days_to_close"),
    }
    return cells, columns


def _funnel(rows: Sequence[Any], title: str, wanted: Wanted) -> Cells:
    cells: dict[str, list[Any]] = {"group": [reports_words.group(one.group, wanted.by) for one in rows]}
    columns: dict[str, Any] = {"group": tables.text(title, 190)}
    for name, metric in _STEPS.items():
        cells[name] = [getattr(one, name) for one in rows]
        columns[name] = tables.number(name.replace("_", " ").capitalize(), 80, "%d", metric=metric)
    cells["accepted_share"] = [figures.percent(one.accepted_ratio) for one in rows]
    cells["cleared_share"] = [
        figures.percent(one.cleared_ratio) if one.measured >= ENOUGH else f"{one.measured} of {ENOUGH} needed"
        for one in rows
    ]
    columns["accepted_share"] = tables.spelled("Accepted, of shown", 126, metric="accepted_of_shown")
    columns["cleared_share"] = tables.spelled("Cleared, of measured", 136, metric="cleared_30d")
    return cells, columns


def _interventions(rows: Sequence[Any], title: str, wanted: Wanted) -> Cells:
    cells = {
        "what": [reports_words.intervention(one.intervention) for one in rows],
        "decisions": [one.decision_count for one in rows],
        "measured": [one.measured_count for one in rows],
        "cleared": [
            figures.between(one.cleared_ratio, one.cleared_low_ratio, one.cleared_high_ratio, one.cleared_of)
            for one in rows
        ],
        "churned": [
            figures.between(one.churned_ratio, one.churned_low_ratio, one.churned_high_ratio, one.measured_count)
            for one in rows
        ],
        "health": [_points(one) for one in rows],
        "mrr": _euro([one.mrr_change_eur for one in rows]),
    }
    columns = {
        "what": tables.text("Intervention", 170),
        "decisions": tables.number("Decisions", 78, "%d", metric="decisions"),
        "measured": tables.number("Measured", 78, "%d", metric="decisions_measured"),
        "cleared": tables.spelled("Trigger cleared", 130, metric="trigger_cleared"),
        "churned": tables.spelled("Churned", 130, metric="churned_after"),
        "health": tables.spelled("Health, points", 150, metric="health_change_after"),
        "mrr": tables.number("MRR change, €", 112, metric="mrr_change_after"),
    }
    return cells, columns


def _points(one: Any) -> str:
    """The mean change of health with its interval, or how many cases are missing."""
    if one.health_count < ENOUGH or one.health_change_low is None:
        return f"{one.health_count} of {ENOUGH} needed" if one.health_count else "–"
    low, high = figures.signed(one.health_change_low, 1), figures.signed(one.health_change_high, 1)
    return f"{figures.signed(one.health_change, 1)} ({low} to {high})"


_CELLS: dict[str, Callable[[Sequence[Any], str, Wanted], Cells]] = {
    "portfolio": _portfolio,
    "cohorts": _cohorts,
    "bridge": _bridge,
    "follow-through": _follow_through,
    "funnel": _funnel,
    "interventions": _interventions,
}
