"""Reports: one at a time, with its controls, figures, picture, table, definition, file and link."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.auth import Permission, Scope, scope_of
from app.marts.version import reading_build
from app.reports import catalogue
from app.reports.catalogue import REPORTS
from app.reports.model import Filter, Report
from app.reports.wanted import IN_SEGMENT, Wanted
from app.ui import (
    export_files,
    figures,
    frame,
    reports_choices,
    reports_files,
    reports_migration,
    reports_pictures,
    reports_tables,
    visit,
)
from app.ui.text import escaped
from app.ui.visit import Visit

EMPTY = {
    "follow-through": ("No actions here in this time.", "They are counted from the build after they were made."),
    "funnel": ("Nothing was suggested in this time.", "Suggestions come with the next build."),
    "interventions": ("Nothing was decided in this time.", "Decisions are counted from the build after them."),
}

_NO_SEGMENT = "A saved segment cannot narrow this report for you; it is left out."
_LEFT_OUT = "This link asks for a saved segment that does not exist, or is not shared with you. It is left out."
_CHOSEN_IN = {"cohorts": "kept", "migration": "cell"}  # what of the address belongs to the picture of one report


@dataclass(frozen=True)
class Shown:
    """What stands on the page: the report by its name, what was asked of it, and its rows."""

    name: str
    report: Report
    wanted: Wanted
    rows: list[Any]


def show() -> None:
    """The chosen report."""
    here = visit.current()
    name = reports_choices.report()
    report = REPORTS[name]
    with st.container(border=True, gap="small", key="report_panel"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(width="content"):
                frame.heading(report.title, report.question)
            ways = st.container(horizontal=True, width="content", gap="xsmall", key="report_ways")
        asked = st.query_params.get(IN_SEGMENT)  # what no control shows is gone from the address when they are drawn
        wanted = _within(here, report, reports_choices.wanted(report, here))
        shown = Shown(name, report, wanted, _rows(here, report, wanted))
        with ways:
            _ways(shown, here)
        if name == "follow-through" and scope_of(here.identity, Permission.COMPARE_PEOPLE) is not Scope.ALL:
            frame.aside("Your own, and of whom you cover for.")
        if "csm" in st.query_params and Filter.CSM in report.filters - catalogue.filters_for(report, here.identity):
            frame.aside("This link asks for one CSM. Only admins and analysts compare people, so it is left out.")
        _of_segment(shown, here, is_asked=bool(asked))
        if not shown.rows:
            title, hint = EMPTY.get(name, ("Nothing to count.", "Take a filter away, or choose a longer period."))
            narrowed = wanted.csms or wanted.segments or wanted.plans or wanted.in_segment
            frame.empty(title, "Take a filter away." if narrowed else hint, icon=":material/filter_alt_off:")
        else:
            _content(shown, here)
    _definition(name, report, here)


def _within(here: Visit, report: Report, wanted: Wanted) -> Wanted:
    """With the accounts of the saved segment that is chosen."""
    assert here.publication is not None  # noqa: S101 -- build_id raises without one
    as_of = here.publication.as_of_date
    with reading_build(here.build_id) as db:
        return catalogue.within(db, report, wanted, identity=here.identity, as_of=as_of, today=here.today)


def _of_segment(shown: Shown, here: Visit, *, is_asked: bool) -> None:
    """Whose figures these are, where a saved segment is asked for."""
    wanted, day_of = shown.wanted, catalogue.members_for(shown.report, here.identity)
    if wanted.account_keys is None or day_of is None:
        if is_asked:
            frame.aside(_LEFT_OUT if day_of else _NO_SEGMENT)
        return
    assert here.publication is not None  # noqa: S101 -- it has accounts
    day = day_of(wanted, here.publication.as_of_date)
    then = "belong to it today" if day is None else f"belonged to it on {escaped(figures.full_day(day))}"
    frame.aside(f"Of the saved segment: {figures.count(len(wanted.account_keys), 'account')} that {then}.")


def _rows(here: Visit, report: Report, wanted: Wanted) -> list[Any]:
    assert here.publication is not None  # noqa: S101 -- build_id raises without one
    with reading_build(here.build_id) as db:
        return catalogue.rows(db, report, identity=here.identity, wanted=wanted, as_of=here.publication.as_of_date)


def _content(shown: Shown, here: Visit) -> None:
    if shown.name == "migration":
        reports_migration.show(shown.rows, shown.wanted, here)
        return
    reports_pictures.show(shown.name, shown.rows, shown.wanted)
    reports_tables.show(shown.name, shown.rows, shown.report.groups.get(shown.wanted.by, ""), shown.wanted)


def _ways(shown: Shown, here: Visit) -> None:
    """Take it away, or send somebody its address."""
    with st.popover("Export", icon=":material/download:", disabled=not shown.rows, key="report_export"):
        with st.container(horizontal=True, width="content", gap="xsmall"):
            for kind, label in export_files.FILES.items():
                st.link_button(label, reports_files.address(shown.name, shown.wanted, kind))
        if scope_of(here.identity, Permission.EXPORT) is not Scope.ALL:
            frame.aside("A file counts your own accounts only; the page counts all that you may read.")
    with st.popover("Link", icon=":material/link:", key="report_link"):
        of_report = _CHOSEN_IN.get(shown.name, "")
        more = {of_report: st.query_params[of_report]} if of_report in st.query_params else {}
        st.code(reports_files.link(shown.name, shown.wanted, **more), language=None, wrap_lines=True)
        frame.aside("Shows this report, with these choices, to whoever may see it.")


def _definition(name: str, report: Report, here: Visit) -> None:
    """What the figures mean, where they come from, and of which build they are."""
    built = here.publication
    with st.container(border=True, gap="xsmall", key="report_definition"):
        frame.heading("Definition")
        st.markdown(report.formula)
        sources = ", ".join(f"`{source}`" for source in report.sources)
        said = f"Counted from {sources}."
        if built is not None:
            at = figures.clock(built.published_at, now=here.now)
            said += (
                f" Build **{built.build_id}**, published {at}, figures to"
                f" {escaped(figures.full_day(built.as_of_date))}."
            )
        if Filter.CSM in report.filters:
            said += " CSM, plan and segment of an account are those it has now"
            said += "; counted by segment: the one at the decision." if name == "funnel" else "."
        st.markdown(f":small[{said}]")
