"""Proof of an account: its figures, which source records it is made of by which rule, and how fresh they are."""

from datetime import date
from functools import partial

import pandas as pd

from app.marts.sources import SourceLink
from app.ui import account_data, figure_line, figures, frame, page_style, proof_link, tables, visit, words
from app.ui.account_head import Subject
from app.ui.figure_line import Figure

_FIGURES = (
    "mrr",
    "mrr_eur",
    "mrr_at_risk_eur",
    "seats_paid",
    "seats_used_28d",
    "seat_use_ratio",
    "health_score",
    "health_coverage_ratio",
    "churn_probability_90d",
    "renewal_date",
    "days_to_renewal",
    "overdue_invoice_count",
    "oldest_overdue_days",
    "open_ticket_count",
    "urgent_open_ticket_count",
    "nps_score",
    "last_contact_date",
    "stakeholder_count",
)


def show(subject: Subject) -> None:
    """Which source records this account is made of, by which rule, and how fresh every source is."""
    here, account = visit.current(), subject.account
    links: list[SourceLink] = account_data.of_account("links", account.account_key, here)
    published = here.publication
    parts = [Figure(value=f"**{figures.full_day(account.as_of_date)}**", name="last complete day in these figures")]
    if published is not None:
        parts.append(
            Figure(
                value=f"**{figures.clock(published.published_at, now=here.now)}**",
                name=f"published, build {published.build_id}",
            )
        )
    parts.append(
        Figure(
            value=f"**{figures.percent(account.health_coverage_ratio)}**",
            name="of the health score's weight had data",
            metric="coverage",
            proof=("dim_accounts", (account.account_key,), "health_coverage_ratio"),
        )
    )
    figure_line.show(parts, "proof_figures")
    _figures(subject)
    left, right = page_style.split([1.4, 1], "proof")
    with left:
        frame.heading("Identity", "source records that make up this account")
        if not links:
            frame.empty(
                "No source record is linked.", "Check the CRM company and its tenant id.", icon=":material/link_off:"
            )
        else:
            table = pd.DataFrame(
                {
                    "source": [words.word(words.SOURCE_SYSTEMS, link.source) for link in links],
                    "name": [link.source_name or "–" for link in links],
                    "id": [link.source_id for link in links],
                    "rule": [words.word(words.LINK_RULES, link.rule) for link in links],
                    "sure": [_sure(link.confidence) for link in links],
                }
            )
            columns = {
                "source": tables.text("Source", 150),
                "name": tables.text("Name there", 200),
                "id": tables.text("Id there", 150),
                "rule": tables.text("Linked by", 160),
                "sure": tables.spelled("How sure", 84, metric="identity_confidence"),
            }
            tables.show(table, columns, key="links_table", alt="Source records of this account", most=14)
    with right:
        frame.heading("Freshness", "last good load of every stream")
        streams = account_data.freshness(here)
        if not streams:
            frame.empty("No load has been recorded yet.", "", icon=":material/sync_disabled:")
            return
        table = pd.DataFrame(
            {
                "stream": [
                    f"{words.word(words.SOURCE_SYSTEMS, stream.source)}, {stream.stream.replace('_', ' ')}"
                    for stream in streams
                ],
                "loaded": [
                    figures.clock(stream.good_ended_at, now=here.now) if stream.good_ended_at else "never"
                    for stream in streams
                ],
                "status": [[words.word(words.LOAD_STATES, stream.status)] for stream in streams],
            }
        )
        columns = {
            "stream": tables.text("Stream", 230),
            "loaded": tables.text("Loaded", 100),
            "status": tables.chip(
                "Last run", list(words.LOAD_STATES.values()), ["green", "orange", "red", "blue"], 100
            ),
        }
        tables.show(table, columns, key="freshness_table", alt="Freshness of the sources", most=14)


def _figures(subject: Subject) -> None:
    """Every number the account has, with the way to its proof."""
    account = subject.account
    shown = {name: getattr(account, name) for name in _FIGURES}
    frame.heading("Figures", "each leads to its formula, models, loads and source records")
    table = pd.DataFrame(
        {
            "figure": [proof_link.name_of(name) for name in shown],
            "value": [_said(value) for value in shown.values()],
            "column": [f"dim_accounts.{name}" for name in shown],
        }
    )
    columns = {
        "figure": tables.link("Figure", "figure_open", partial(_open, account.account_key), 240),
        "value": tables.spelled("Published", 150, metric="figure_published"),
        "column": tables.text("Mart and column", 330),
    }
    tables.show(table, columns, key="figures_table", alt="Figures of this account", most=8)


def _open(account_key: str) -> None:
    place = tables.clicked_row("figure_open")
    if place is not None:
        proof_link.go("dim_accounts", (account_key,), _FIGURES[place])


def _said(value: float | int | date | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, date):
        return figures.full_day(value)
    return figures.grouped(value, 2) if isinstance(value, float) else figures.grouped(value)


def _sure(confidence: object) -> str:
    try:
        return figures.percent(float(confidence))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(confidence or "–")
