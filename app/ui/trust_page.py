"""Whether the figures may be relied on: every source against its promise, what it brought, what was refused, what
people say is wrong, what changed its shape, which rules it holds up, and the builds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pandas as pd
import streamlit as st

from app import identity_links
from app.auth import Permission, can
from app.clock import real_now
from app.db import read
from app.identity_links import Decision, Issue
from app.marts import sources, trust
from app.marts.sources import Freshness, SourceFreshness
from app.marts.trust import Refused, ShapeChange, StreamLoad
from app.settings import get_settings
from app.suggestions import data_issues
from app.suggestions import service as suggestions
from app.suggestions.data_issues import DataIssue, IssueStatus
from app.ui import (
    choices,
    data_issue_list,
    figures,
    frame,
    identity_worklist,
    lineage_panel,
    page_style,
    proof_link,
    tables,
    visit,
    words,
)
from app.ui.text import escaped

ALL = "all"
_STATES = {Freshness.FRESH: "Fresh", Freshness.LATE: "Late", Freshness.STALE: "Stale"}
_COLOURS = ("green", "orange", "red")
MOST_ROWS = 12


@dataclass(frozen=True)
class Known:
    """What the page shows, read in one go; `resting` names by source the rules that do not fire when it is too old."""

    streams: list[StreamLoad]
    states: list[SourceFreshness]
    refused: list[Refused]
    shapes: list[ShapeChange]
    builds: list[trust.Build]
    recount: trust.Recount | None
    resting: dict[str, list[str]]
    unsure: list[Issue]
    decided: list[Decision]
    wrong: dict[IssueStatus, list[DataIssue]]


def _known(now: datetime) -> Known:
    with read() as db:
        streams = trust.loads(db)
        unsure = identity_links.issues(db)
        return Known(
            streams=streams,
            states=sources.by_source(streams, now=now),
            refused=trust.refused(db),
            shapes=trust.shape_changes(db),
            builds=trust.builds(db),
            recount=trust.recount(db),
            resting=suggestions.rules_by_source(db),
            unsure=unsure,
            wrong={one: data_issues.issues(db, status=one) for one in (IssueStatus.OPEN, IssueStatus.RESOLVED)},
            decided=identity_links.decisions(db, of=[(one.source, one.source_id) for one in unsure]),
        )


def show() -> None:
    """Sources first; what one of them brought, left unsure, refused and changed; builds, and what rests on what."""
    known = _known(real_now())
    _verdict(known.states)
    _held(known.builds)
    _recount(known.recount)
    _sources(known)
    chosen = _choice(known.states)
    identity_worklist.show([one for one in known.unsure if chosen in (ALL, one.source)], known.decided)
    data_issue_list.show(known.wrong)
    left, right = page_style.split([1.35, 1], "trust")
    with left:
        _streams([one for one in known.streams if chosen in (ALL, one.source)])
    with right:
        _refused([one for one in known.refused if chosen in (ALL, one.source)])
        _shapes([one for one in known.shapes if chosen in (ALL, one.source)])
        _builds(known.builds)
    lineage_panel.show(known.states)


def _verdict(states: Sequence[SourceFreshness]) -> None:
    """One sentence that answers the page's question."""
    behind = [words.word(words.SOURCE_SYSTEMS, one.source) for one in states if one.state is not Freshness.FRESH]
    if not behind:
        st.markdown(f":green[:material/check_circle:] Every source came in within its promise of {_promise(states)}.")
        return
    names = ", ".join(escaped(name) for name in behind)
    st.markdown(
        f":orange[:material/schedule:] **{names}** {'is' if len(behind) == 1 else 'are'} behind the promise of"
        f" {_promise(states)}: figures that rest on {'it' if len(behind) == 1 else 'them'} are older than the rest."
    )


def _held(builds: Sequence[trust.Build]) -> None:
    """While an earlier build stands put back: figures do not move, and why."""
    if builds and builds[0].restored_build_id:
        at = figures.clock(builds[0].published_at, now=real_now())
        st.markdown(
            f":orange[:material/history:] **Build {builds[0].restored_build_id} was put back** ({at}): newer builds"
            " wait until an admin lets them through (`make release`)."
        )


def _recount(newest: trust.Recount | None) -> None:
    """What a second count of random figures from raw rows said; what did not match is named, with its proof."""
    if newest is None:
        st.markdown(
            ":gray[:material/hourglass_top: No figure has been counted again from raw rows yet; that is done at night.]"
        )
        return
    when = figures.clock(newest.checked_at, now=real_now())
    counted = newest.same_count + len(newest.different)
    left_out = f"; {newest.moved_count} more changed at their source since" if newest.moved_count else ""
    if not newest.different:
        st.markdown(
            f":green[:material/fact_check:] {figures.count(counted, 'random figure')} of build {newest.build_id}"
            f" counted again from raw rows, {when}: all the same{left_out}."
        )
        return
    st.error(
        f"{len(newest.different)} of {figures.count(counted, 'random figure')} of build {newest.build_id} came out"
        f" different when counted again from raw rows, {when}{left_out}. Do not rely on these yet.",
        icon=":material/error:",
    )
    rows = newest.different
    table = pd.DataFrame(
        {
            "figure": [proof_link.name_of(one.figure) for one in rows],
            "mart": [f"{one.mart}.{one.figure}" for one in rows],
            "key": [", ".join(one.key) for one in rows],
            "published": [one.published or "–" for one in rows],
            "recounted": [one.recounted or "–" for one in rows],
        }
    )
    columns = {
        "figure": tables.link("Figure", "recount_open", partial(_open_proof, rows), 190),
        "mart": tables.text("Mart and column", 300),
        "key": tables.text("Row", 340),
        "published": tables.spelled("Published", 120, metric="figure_published"),
        "recounted": tables.spelled("From raw rows", 120, metric="figure_recounted"),
    }
    tables.show(table, columns, key="trust_recount", alt="Figures that came out different", most=MOST_ROWS)


def _open_proof(rows: Sequence[trust.Mismatch]) -> None:
    place = tables.clicked_row("recount_open")
    if place is not None:
        proof_link.go(rows[place].mart, rows[place].key, rows[place].figure)


def _promise(states: Sequence[SourceFreshness]) -> str:
    return f"{figures.hours(max((one.promised_within_minutes for one in states), default=0))} hours"


def _sources(known: Known) -> None:
    now = real_now()
    by_source = {one.source: [load for load in known.streams if load.source == one.source] for one in known.states}
    rows = pd.DataFrame(
        {
            "source": [words.word(words.SOURCE_SYSTEMS, one.source) for one in known.states],
            "state": [[_STATES[one.state]] for one in known.states],
            "loaded": [figures.clock(one.loaded_at, now=now) if one.loaded_at else "never" for one in known.states],
            "read": [sum(load.read for load in by_source[one.source]) for one in known.states],
            "changed": [sum(load.changed for load in by_source[one.source]) for one in known.states],
            "refused": [sum(load.refused for load in by_source[one.source]) for one in known.states],
            "rules": [", ".join(known.resting.get(one.source, [])) or "–" for one in known.states],
        }
    )
    columns = {
        "source": tables.text("Source", 170),
        "state": tables.chip("State", list(_STATES.values()), list(_COLOURS), 84),
        "loaded": tables.text("Last whole load", 130),
        "read": tables.number("Read then", 90, "localized", metric="records_read"),
        "changed": tables.number("New or changed", 116, "localized", metric="records_changed"),
        "refused": tables.number("Waiting in quarantine", 150, "%d", metric="records_refused"),
        "rules": tables.text("Rules that wait for it", 200),
    }
    frame.heading("Sources", "a source is no fresher than its stream that is furthest behind")
    tables.show(rows, columns, key="trust_sources", alt="Every source: how fresh, what it brought, what rests on it")


def _choice(states: Sequence[SourceFreshness]) -> str:
    names = {ALL: "All sources"} | {one.source: words.word(words.SOURCE_SYSTEMS, one.source) for one in states}
    return choices.one("Source", names, "source", start=ALL)


def _streams(loads: Sequence[StreamLoad]) -> None:
    now = real_now()
    frame.heading("Streams", "the newest run of each, and what the newest good one brought")
    rows = pd.DataFrame(
        {
            "stream": [
                f"{words.word(words.SOURCE_SYSTEMS, one.source)}, {one.stream.replace('_', ' ')}" for one in loads
            ],
            "status": [[words.word(words.LOAD_STATES, one.status)] for one in loads],
            "loaded": [figures.clock(one.good_ended_at, now=now) if one.good_ended_at else "never" for one in loads],
            "seconds": [None if one.seconds is None else round(one.seconds, 1) for one in loads],
            "read": [one.read for one in loads],
            "changed": [one.changed for one in loads],
            "error": [one.error_message or "" for one in loads],
        }
    )
    columns = {
        "stream": tables.text("Stream", 250),
        "status": tables.chip("Last run", list(words.LOAD_STATES.values()), ["green", "orange", "red", "blue"], 96),
        "loaded": tables.text("Loaded", 100),
        "seconds": tables.number("Took, s", 66, "%.1f", metric="load_seconds"),
        "read": tables.number("Read", 70, "localized", metric="records_read"),
        "changed": tables.number("Changed", 74, "localized", metric="records_changed"),
    }
    if any(one.error_message for one in loads):
        columns["error"] = tables.text("What went wrong", 300)
    tables.show(rows, columns, key="trust_streams", alt="Loads by stream", most=18)


def _refused(waiting: Sequence[Refused]) -> None:
    frame.heading("Refused at the door", "kept with its bytes until it is mended; the rest of its load came in")
    if not waiting:
        frame.empty("Nothing waits in quarantine.")
        return
    rows = pd.DataFrame(
        {
            "where": [f"{words.word(words.SOURCE_SYSTEMS, one.source)}, {one.stream}" for one in waiting],
            "count": [one.count for one in waiting],
            "example": [one.example for one in waiting],
        }
    )
    columns = {
        "where": tables.text("Stream", 150),
        "count": tables.number("Records", 66, "%d", metric="records_refused"),
        "example": tables.text("The newest", 330),
    }
    tables.show(rows, columns, key="trust_refused", alt="Refused records by reason", most=MOST_ROWS)


def _shapes(changes: Sequence[ShapeChange]) -> None:
    now = real_now()
    frame.heading("Changed its shape", "fields that came with another type than before")
    if not changes:
        frame.empty("No field has changed its type.")
        return
    rows = pd.DataFrame(
        {
            "field": [f"{one.stream}.{one.path}" for one in changes],
            "change": [f"{one.old_type} → {one.new_type}" for one in changes],
            "seen": [figures.clock(one.first_seen, now=now) for one in changes],
        }
    )
    columns = {
        "field": tables.text("Field", 250),
        "change": tables.text("Was and is", 160),
        "seen": tables.text("First seen", 110),
    }
    tables.show(rows, columns, key="trust_shapes", alt="Fields that changed their type", most=MOST_ROWS)


def _builds(builds: Sequence[trust.Build]) -> None:
    here = visit.current()
    frame.heading("Builds", "published after their last test; readers keep the one before until then")
    rows = pd.DataFrame(
        {
            "build": [one.build_id for one in builds],
            "published": [figures.clock(one.published_at, now=here.now) for one in builds],
            "as_of": [figures.full_day(one.as_of_date) for one in builds],
            "back": [f"build {one.restored_build_id} put back" if one.restored_build_id else "" for one in builds],
        }
    )
    columns = {
        "build": tables.number("Build", 66, "%d", metric=None),
        "published": tables.text("Published", 150),
        "as_of": tables.text("Figures to", 110),
    }
    if any(one.restored_build_id for one in builds):
        columns["back"] = tables.text("What it is", 140)
    tables.show(rows, columns, key="trust_builds", alt="Published builds", most=8)
    if can(here.identity, Permission.OPEN_ORCHESTRATOR) and get_settings().public_url:
        st.link_button(
            "Documentation of the warehouse",
            f"{get_settings().front_url}/orchestrator/warehouse-docs/",
            icon=":material/menu_book:",
            help="Every model and column, its tests, its SQL and where it leads; opens beside the orchestrator",
        )
