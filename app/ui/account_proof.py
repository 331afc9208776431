"""Proof of an account: which source records it is made of, by which rule, and how fresh every source is."""

import pandas as pd

from app.marts.sources import SourceLink
from app.ui import account_data, figures, frame, page_style, tables, visit, words
from app.ui.account_head import Subject, figure_line


def show(subject: Subject) -> None:
    """Which source records this account is made of, by which rule, and how fresh every source is."""
    here, account = visit.current(), subject.account
    links: list[SourceLink] = account_data.of_account("links", account.account_key, here)
    published = here.publication
    parts = [(f"**{figures.full_day(account.as_of_date)}**", "last complete day in these figures")]
    if published is not None:
        parts.append(
            (f"**{figures.clock(published.published_at, now=here.now)}**", f"published, build {published.build_id}")
        )
    parts.append((f"**{figures.percent(account.health_coverage_ratio)}**", "of the health score's weight had data"))
    figure_line(parts, "proof_figures")
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
                "sure": tables.text("How sure", 84, right=True),
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


def _sure(confidence: object) -> str:
    try:
        return figures.percent(float(confidence))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(confidence or "–")
