"""What is asked of a report: the controls it has, all kept in the address, so that a link shows the same report."""

from uuid import UUID

import streamlit as st

from app.marts.version import reading_build
from app.reports import catalogue
from app.reports.catalogue import REPORTS, Options
from app.reports.interventions import HORIZONS
from app.reports.model import Filter, Report
from app.reports.wanted import (
    IN_SEGMENT,
    MOST_MONTHS,
    Wanted,
    code_of,
    first_of_month,
    month_of,
    months_before,
    months_between,
)
from app.ui import choices, segment_data, segment_details
from app.ui.visit import Visit


@st.cache_data(max_entries=4, show_spinner=False)
def _options(build_id: int, scope: str) -> Options:
    with reading_build(build_id) as db:
        return catalogue.options(db)


def report() -> str:
    """The control of the reports; returns the name of the chosen one."""
    return choices.one("Report", {name: one.title for name, one in REPORTS.items()}, "report", start="portfolio")


def wanted(chosen: Report, here: Visit) -> Wanted:
    """The controls that apply to a report, in one row, and what they hold. Raises MartUnavailable."""
    known = _options(here.build_id, here.identity.role)
    assert here.publication is not None  # noqa: S101 -- build_id would have raised
    start = catalogue.at_first(chosen, here.publication.as_of_date)
    filters = catalogue.filters_for(chosen, here.identity)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="report_choices"):
        by = _by(chosen) if chosen.groups else ""
        period = _period(chosen, start, known) if Filter.PERIOD in filters else (start.start, start.end)
        csms = choices.chip("CSM", known.csms, "csm") if Filter.CSM in filters else ()
        segments = choices.chip("Segment", known.segments, "segment") if Filter.SEGMENT in filters else ()
        plans = choices.chip("Plan", known.plans, "plan") if Filter.PLAN in filters else ()
        in_segment = _in_segment(here) if catalogue.members_for(chosen, here.identity) else None
        horizon = _horizon() if Filter.HORIZON in filters else start.horizon_days
    return Wanted(
        start=period[0],
        end=period[1],
        csms=csms,
        plans=plans,
        segments=segments,
        in_segment=in_segment,
        by=by,
        horizon_days=horizon,
    )


def _in_segment(here: Visit) -> UUID | None:
    """A filter that somebody saved on Accounts."""
    names = segment_details.named(segment_data.segments(here))
    if not names:
        return None
    code = choices.chip_of_one("Saved segment", names, IN_SEGMENT)
    return UUID(code) if code else None


def _by(chosen: Report) -> str:
    first = next(iter(chosen.groups))
    if st.session_state.get("by", first) not in chosen.groups:
        del st.session_state["by"]  # of the report that stood here before
    return choices.one("Count by", chosen.groups, "by", start=first)


def _period(chosen: Report, start: Wanted, known: Options) -> tuple:
    """First and last month; the last is one from the first on."""
    newest = first_of_month(start.end)
    oldest = max(known.first_month or start.start, months_before(newest, MOST_MONTHS - 1))
    months = {code_of(month): f"{month:%b %Y}" for month in reversed(months_between(min(oldest, newest), newest))}
    begin = _month(chosen.period[0], months, "from", code_of(max(start.start, oldest)))
    later = {code: name for code, name in months.items() if code >= begin}
    end = _month(chosen.period[1], later, "to", code_of(newest))
    return month_of(begin) or start.start, month_of(end) or start.end


def _month(label: str, months: dict[str, str], key: str, first: str) -> str:
    if st.session_state.get(key, first) not in months:
        del st.session_state[key]
    choices.accept(key, months)
    st.markdown(f":gray[{label}]", width="content")
    chosen = st.selectbox(
        label,
        list(months),
        index=list(months).index(first),
        format_func=lambda code: months[code],
        key=key,
        bind="query-params",
        label_visibility="collapsed",
        width=116,
    )
    return chosen or first


def _horizon() -> int:
    names = {str(days): f"after {days} days" for days in HORIZONS}
    return int(choices.one("Measured", names, "horizon", start=str(HORIZONS[0])))
