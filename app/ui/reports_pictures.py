"""The picture of each report, built from its rows."""

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from app.reports import bridge, funnel
from app.reports.wanted import Wanted
from app.suggestions.rates import ENOUGH
from app.ui import charts, choices, figure_line, figures, frame, outcome_charts, reports_words
from app.ui.figure_line import Figure
from app.ui.outcome_charts import Step

MOST_BARS = 16
CELL_WORDS = 16  # months beside each other that leave room for a figure in each cell


def show(name: str, rows: Sequence[Any], wanted: Wanted) -> None:
    """The picture of a report's rows, and the few figures that stand above it."""
    _SHOWN[name](rows, wanted)


def _stacked(
    names: Sequence[str], parts: Sequence[tuple[str, str, Sequence[float]]], *, ends: Sequence[str] = ()
) -> go.Figure:
    """Bars of (letter, colour, values) side by side, longest first as given; `ends` stands behind each bar."""
    colours = charts.palette(charts.is_dark())
    labels = [charts.plain(name) for name in names]
    figure = charts.base(colours, height=26 * len(labels) + 16, left=150, right=150, top=2, bottom=2)
    totals = [sum(of_bar) for of_bar in zip(*(values for _, _, values in parts), strict=True)]
    longest = max(totals, default=0) or 1
    for word, colour, values in parts:
        figure.add_bar(
            y=labels,
            x=list(values),
            orientation="h",
            width=0.62,
            marker={"color": colour, "line": {"color": colours.ground, "width": 1}},
            text=[_fitting(f"{word} {value:.0f}", value / longest) for value in values],
            textposition="inside",
            insidetextanchor="middle",
            constraintext="none",
            textangle=0,
            textfont={"color": _ink(colour, colours), "size": 11},
            hovertemplate=f"%{{y}}, {word}: <b>%{{x}}</b><extra></extra>",
        )
    for label, end, total in zip(labels, ends, totals, strict=False):
        figure.add_annotation(
            y=label, x=total, text=end, showarrow=False, xanchor="left", xshift=6, font={"color": colours.text}
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(visible=False, rangemode="tozero")
    figure.update_yaxes(showgrid=False, autorange="reversed", tickfont={"color": colours.text}, type="category")
    return figure


def _fitting(label: str, share: float) -> str:
    """The label of a piece of a bar, or nothing when the piece, a share of the longest bar, is too short to hold it."""
    return label if share >= len(label) * 0.013 else ""


def _left_out(rows: Sequence[Any], which: str) -> None:
    if len(rows) > MOST_BARS:
        frame.aside(f"Of {len(rows)} the {MOST_BARS} {which} are drawn; the table has all.")


def _ink(colour: str, colours: charts.Palette) -> str:
    """What can be read on a bar of this colour: white is too faint on yellow, and on all colours of the dark theme."""
    return "#FFFFFF" if colours is charts.LIGHT and colour != colours.yellow else "#13151A"


def _plain_money(value: float | None) -> str:
    return figures.money_short(value).replace("\\", "")


def _portfolio(rows: Sequence[Any], wanted: Wanted) -> None:
    colours = charts.palette(charts.is_dark())
    total, at_risk = sum(one.mrr_eur for one in rows), sum(one.mrr_at_risk_eur for one in rows)
    figure_line.show(
        [
            Figure(
                value=f"**{figures.grouped(sum(one.account_count for one in rows))}**",
                name="active accounts",
                metric="active_accounts",
            ),
            Figure(value=f"**{figures.money_short(total)}**", name="MRR", metric="mrr"),
            Figure(
                value=f"**{figures.money_short(at_risk)}**",
                name=f"at risk, {figures.percent(at_risk / total if total else None)}",
                metric="mrr_at_risk",
            ),
            Figure(
                value=f"**{figures.money_short(sum(one.red_mrr_eur for one in rows))}**",
                name="MRR in band red",
                metric="mrr_in_red",
            ),
        ],
        "report_figures",
    )
    drawn = rows[:MOST_BARS]
    parts = [
        (letter, colours.band(letter), [getattr(one, f"{name}_count") for one in drawn])
        for letter, name in (("R", "red"), ("Y", "yellow"), ("G", "green"), ("–", "no_band"))
    ]
    ends = [f"{_plain_money(one.mrr_eur)}, at risk {_plain_money(one.mrr_at_risk_eur)}" for one in drawn]
    names = [one.group or "none" for one in drawn]
    charts.draw(_stacked(names, parts, ends=ends), key="report_portfolio", alt="Accounts by band, by what is chosen")
    _left_out(rows, "with the most revenue")


def _cohorts(rows: Sequence[Any], wanted: Wanted) -> None:
    kept = choices.one("Kept", {"accounts": "Accounts kept", "revenue": "Revenue kept"}, "kept", start="accounts")
    ratio = "account_ratio" if kept == "accounts" else "mrr_ratio"
    cohorts = list(dict.fromkeys(one.cohort_month for one in rows))
    longest = max(one.age_months for one in rows)
    value = {(one.cohort_month, one.age_months): getattr(one, ratio) for one in rows}
    size = {one.cohort_month: one.started_account_count for one in rows}
    labels = [f"{reports_words.cohort(month)} ({size[month]})" for month in cohorts]
    grid = [[value.get((month, age)) for age in range(longest + 1)] for month in cohorts]
    colours = charts.palette(charts.is_dark())
    figure = charts.base(colours, height=26 * len(cohorts) + 44, left=112, bottom=36, top=4)
    figure.add_heatmap(
        z=grid,
        x=list(range(longest + 1)),
        y=labels,
        zmin=0.4,
        zmax=1.1,
        colorscale=[[0, charts.rgba(colours.accent, 0.08)], [1, charts.rgba(colours.accent, 0.72)]],
        showscale=False,
        xgap=2,
        ygap=2,
        text=[["" if one is None else f"{one:.0%}" for one in line] for line in grid],
        texttemplate="%{text}" if longest <= CELL_WORDS else None,
        textfont={"color": colours.text, "size": 11},
        hovertemplate="%{y}, %{x} months on: <b>%{text}</b><extra></extra>",
        hoverongaps=False,
    )
    figure.update_xaxes(title={"text": "months since they began", "standoff": 12}, dtick=1 if longest <= 24 else 3)
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": colours.text}, type="category")
    charts.draw(figure, key="report_cohorts", alt=f"{kept} kept by cohort and age in months; the table has each figure")


def _bridge(rows: Sequence[Any], wanted: Wanted) -> None:
    whole = bridge.whole(rows)
    figure_line.show(
        [
            Figure(value=f"**{reports_words.share(whole.nrr_ratio)}**", name="NRR of the period", metric="nrr_so_far"),
            Figure(value=f"**{reports_words.share(whole.grr_ratio)}**", name="GRR of the period", metric="grr_so_far"),
            Figure(value=f"**{figures.money(whole.start_mrr_eur)}**", name="MRR at its start", metric="mrr_start"),
            Figure(value=f"**{figures.money(whole.end_mrr_eur)}**", name="MRR at its end", metric="mrr_end"),
        ],
        "report_figures",
    )
    colours = charts.palette(charts.is_dark())
    figure = charts.base(colours, height=280, left=48, top=24)
    kinds = [reports_words.MOVES[kind] for kind, _ in whole.moves]
    amounts = [amount for _, amount in whole.moves]
    ends = [
        (name, eur, _plain_money(eur)) for name, eur in (("Start", whole.start_mrr_eur), ("End", whole.end_mrr_eur))
    ]
    steps = [(kind, amount, _signed(amount)) for kind, amount in zip(kinds, amounts, strict=True)]
    charts.add_waterfall(figure, [ends[0], *steps, ends[1]], colours)
    levels = charts.levels(whole.start_mrr_eur, amounts)
    spread = max(levels) - min(levels)
    floor = 0.0 if not spread or spread > max(levels) / 4 else max(0.0, min(levels) - 2 * spread)
    figure.update_xaxes(showline=True, ticks="")
    figure.update_yaxes(nticks=5, range=[floor, max(levels) + (max(levels) - floor) * 0.06], tickprefix="€ ")
    moves = ", ".join(f"{kind} {_signed(amount)}" for kind, amount in zip(kinds, amounts, strict=True))
    charts.draw(figure, key="report_bridge", alt=f"From start to end: {moves}")
    if floor:
        frame.aside(f"The axis begins at {figures.money_short(floor)}, so that the moves can be seen.")


def _signed(amount: float) -> str:
    return f"{'+' if amount > 0 else '−' if amount < 0 else ''}{_plain_money(abs(amount))}"


def _follow_through(rows: Sequence[Any], wanted: Wanted) -> None:
    colours = charts.palette(charts.is_dark())
    drawn = rows[:MOST_BARS] if wanted.by == "csm" else rows[-MOST_BARS:]  # of months the newest
    names = [reports_words.person(one.group) if wanted.by == "csm" else str(one.group) for one in drawn]
    parts = [
        ("done", colours.green, [one.done_count for one in drawn]),
        ("open", colours.accent, [one.open_count - one.overdue_count for one in drawn]),
        ("overdue", colours.red, [one.overdue_count for one in drawn]),
    ]
    charts.draw(_stacked(names, parts), key="report_follow", alt="Actions done, open and overdue")
    _left_out(rows, "with the most open" if wanted.by == "csm" else "newest")


def _funnel(rows: Sequence[Any], wanted: Wanted) -> None:
    whole = funnel.whole(list(rows))
    steps = [
        Step("Fired", whole.fired, None),
        Step("Shown", whole.shown, whole.fired),
        Step("Viewed", whole.viewed, whole.shown),
        Step("Accepted", whole.accepted, whole.shown),
        Step("Done", whole.done, whole.accepted),
        Step("Measured after 30 days", whole.measured, whole.shown),
        Step("Trigger cleared", whole.cleared, whole.measured),
    ]
    alt = ", ".join(f"{step.name} {step.count}" for step in steps)
    charts.draw(outcome_charts.funnel(steps, dark=charts.is_dark()), key="report_funnel", alt=alt)
    frame.aside(
        "Shown: of what fired. Viewed, accepted and measured: of what was shown. Done: of what was accepted."
        " Cleared: of what was measured."
    )


def _interventions(rows: Sequence[Any], wanted: Wanted) -> None:
    said = [one for one in rows if one.cleared_ratio is not None]
    frame.aside(
        f"Trigger cleared {wanted.horizon_days} days after the decision, with 95% intervals. Descriptive: a difference"
        " between two rows is no effect of what was done."
    )
    if not said:
        frame.empty(
            "No share can be said yet.",
            f"Each intervention needs {ENOUGH} measured decisions; the table says how many there are.",
            icon=":material/hourglass_top:",
        )
        return
    colours = charts.palette(charts.is_dark())
    figure = charts.base(colours, height=30 * len(said) + 44, left=158, bottom=30)
    figure.add_scatter(
        y=[reports_words.intervention(one.intervention) for one in said],
        x=[one.cleared_ratio for one in said],
        mode="markers",
        marker={"color": colours.accent, "size": 9},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [one.cleared_high_ratio - one.cleared_ratio for one in said],
            "arrayminus": [one.cleared_ratio - one.cleared_low_ratio for one in said],
            "color": colours.accent,
            "thickness": 1.5,
        },
        hovertemplate="%{y}: <b>%{x:.0%}</b><extra></extra>",
    )
    figure.update_xaxes(range=[0, 1], tickformat=".0%", showgrid=True, gridcolor=colours.grid)
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": colours.text})
    charts.draw(figure, key="report_interventions", alt="Share of triggers cleared by intervention, with intervals")


_SHOWN: dict[str, Callable[[Sequence[Any], Wanted], None]] = {
    "portfolio": _portfolio,
    "cohorts": _cohorts,
    "bridge": _bridge,
    "follow-through": _follow_through,
    "funnel": _funnel,
    "interventions": _interventions,
}
