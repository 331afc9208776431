"""All reports by the name that their address and their files have, in the order in which they are offered; and what
their filters may hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, BinaryIO

from sqlalchemy import Connection, text

from app.auth import Identity
from app.db import reading_mart
from app.exports import formats
from app.exports.columns import columns_of
from app.exports.formats import Format
from app.reports import bridge, cohorts, follow_through, funnel, interventions, migration, portfolio
from app.reports.model import Filter, Members, Report
from app.reports.reach import in_file, may_compare_people, on_screen
from app.reports.wanted import Wanted, first_of_month, months_before
from app.segments import members
from app.segments import service as segments

REPORTS: Mapping[str, Report] = {
    "portfolio": portfolio.REPORT,
    "cohorts": cohorts.REPORT,
    "bridge": bridge.REPORT,
    "migration": migration.REPORT,
    "follow-through": follow_through.REPORT,
    "funnel": funnel.REPORT,
    "interventions": interventions.REPORT,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the filters may hold: names of CSMs, plans and segments of all accounts, by name, and the first month that
    the history tells of, None without one.
    """

    csms: list[str]
    plans: list[str]
    segments: list[str]
    first_month: date | None


_OPTIONS = text(
    """
    select
        coalesce(array_agg(distinct csm_name) filter (where csm_name is not null), '{}') as csms,
        coalesce(array_agg(distinct plan) filter (where plan is not null), '{}') as plans,
        coalesce(array_agg(distinct segment) filter (where segment is not null), '{}') as segments,
        (select min(month_start_date) from marts.fct_revenue_retention_monthly) as first_month
    from marts.dim_accounts
    """
)


def options(db: Connection) -> Options:
    """Of the published build. Raises MartUnavailable."""
    with reading_mart("dim_accounts"):
        return Options(**db.execute(_OPTIONS).one()._mapping)


def at_first(report: Report, as_of: date) -> Wanted:
    """What a report shows before anybody chooses: its own period, to the month of the build."""
    newest = first_of_month(as_of)
    back = (report.months or 1) - 1
    return Wanted(start=months_before(newest, back), end=newest, by=next(iter(report.groups), ""))


def filters_for(report: Report, identity: Identity) -> frozenset[Filter]:
    """What this person may narrow the report by."""
    if report.tells_of_people and not may_compare_people(identity):
        return report.filters - {Filter.CSM}
    return report.filters


def members_for(report: Report, identity: Identity) -> Members | None:
    """How a saved segment narrows the report for this person, None when it may not: one may hold a colleague's accounts
    only, and the report would tell how that colleague answers."""
    return None if report.tells_of_people and not may_compare_people(identity) else report.members


def _applied(report: Report, wanted: Wanted, identity: Identity) -> Wanted:
    """Without what the report knows nothing of, or the person may not ask: an address may say anything."""
    filters = filters_for(report, identity)
    fields: dict[str, Any] = {"csms": Filter.CSM, "plans": Filter.PLAN, "segments": Filter.SEGMENT}
    kept: dict[str, Any] = {name: getattr(wanted, name) if needs in filters else () for name, needs in fields.items()}
    by = wanted.by if wanted.by in report.groups else next(iter(report.groups), "")
    if members_for(report, identity) is not None:
        kept["account_keys"] = wanted.account_keys
    return Wanted(start=wanted.start, end=wanted.end, by=by, horizon_days=wanted.horizon_days, **kept)


def within(db: Connection, report: Report, wanted: Wanted, *, identity: Identity, as_of: date, today: date) -> Wanted:
    """With the accounts of the saved segment, where one is asked for and the report can be narrowed by it. Raises
    NotFound, also for somebody else's private one, MartUnavailable."""
    day_of = members_for(report, identity)
    if wanted.in_segment is None or day_of is None:
        return replace(wanted, in_segment=None)
    criteria = segments.get_segment(db, identity=identity, segment_id=wanted.in_segment).asked()
    day = day_of(wanted, as_of)
    keys = (
        members.account_keys(db, criteria, today=today)
        if day is None
        else members.account_keys_on(db, criteria, day=day)
    )
    return replace(wanted, account_keys=tuple(keys))


def rows(db: Connection, report: Report, *, identity: Identity, wanted: Wanted, as_of: date) -> list[Any]:
    """The rows of a report as this person may read them on a screen. Raises MartUnavailable, NotPermitted."""
    return list(report.read(db, wanted=_applied(report, wanted, identity), reach=on_screen(identity), as_of=as_of))


def write(
    db: Connection, report: Report, kind: Format, file: BinaryIO, *, identity: Identity, wanted: Wanted, as_of: date
) -> None:
    """The rows as a file, of what this person may take away. Raises MartUnavailable, NotPermitted."""
    found = report.read(db, wanted=_applied(report, wanted, identity), reach=in_file(identity), as_of=as_of)
    columns = columns_of(report.row_type)
    batch = [[getattr(row, column.name) for column in columns] for row in found]
    formats.write(file, kind, columns, [batch] if batch else [])
