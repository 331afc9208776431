"""What the pages read of segments, and of the portfolio of a past day.

The rules of `app.ui.data` hold here: what is cached names build, key and scope; what rests on what people write, open
actions and the segments themselves, is not.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pandas as pd
import streamlit as st

from app.db import read
from app.marts import portfolio_then
from app.marts.version import reading_build
from app.segments import members, service
from app.segments.criteria import Criteria, criteria_from, of_today
from app.segments.members import Size, SizeOnDay
from app.segments.service import Segment
from app.ui import data
from app.ui.visit import Visit


@st.cache_data(max_entries=12, show_spinner=False)
def _portfolio_on(build_id: int, day: date, scope: str) -> pd.DataFrame:
    with reading_build(build_id) as db:
        frame = portfolio_then.portfolio_frame(db, day=day)
    return data.counted_from(frame.set_index("account_key", drop=False), day)


@st.cache_data(max_entries=4, show_spinner=False)
def _first_day(build_id: int, scope: str) -> date | None:
    with reading_build(build_id) as db:
        return portfolio_then.first_day(db)


@st.cache_data(max_entries=60, show_spinner=False)
def _history(build_id: int, stored: str, days: tuple[date, ...], scope: str) -> list[SizeOnDay]:
    with reading_build(build_id) as db:
        return members.history(db, criteria_from(json.loads(stored)), days=days)


def portfolio_on(here: Visit, day: date) -> pd.DataFrame:
    """Who was a customer at the end of a past day, indexed by account_key: all columns of `AccountThen` and
    `contact_days`, counted from that day. Raises MartUnavailable."""
    return _portfolio_on(here.build_id, day, here.identity.role)


def first_day(here: Visit) -> date | None:
    """The first day that one can look back to."""
    return _first_day(here.build_id, here.identity.role)


def segments(here: Visit) -> list[Segment]:
    """Own segments and those visible to all, own first."""
    with read() as db:
        return service.list_segments(db, identity=here.identity)


def segment(here: Visit, segment_id: UUID) -> Segment:
    """One of them. Raises NotFound."""
    with read() as db:
        return service.get_segment(db, identity=here.identity, segment_id=segment_id)


def account_keys(here: Visit, criteria: Criteria, day: date | None) -> frozenset[str]:
    """Whom criteria hold for, today or at the end of a past day."""
    with read() as db:
        if day is None:
            return frozenset(members.account_keys(db, criteria, today=here.today))
        return frozenset(members.account_keys_on(db, criteria, day=day))


def sizes(here: Visit, found: Sequence[Segment]) -> dict[UUID, Size]:
    """How much each segment holds today."""
    with read() as db:
        return members.sizes(db, {one.segment_id: one.asked() for one in found}, today=here.today)


def rules_using(segment_id: UUID) -> list[str]:
    """The rules that are tied to a segment, by name."""
    with read() as db:
        return service.rules_using(db, segment_id)


def history(here: Visit, criteria: Criteria, *, weeks: int = 0, days: int = 0) -> list[SizeOnDay]:
    """The size on each of the last `days` days, or at the ends of the last `weeks` weeks, oldest first."""
    if here.publication is None:
        return []
    step, number = (7, weeks) if weeks else (1, days)
    wanted = tuple(here.publication.as_of_date - timedelta(days=step * back) for back in reversed(range(number)))
    if "next action" in of_today(criteria):
        with reading_build(here.build_id) as db:
            return members.history(db, criteria, days=wanted)
    return _history(here.build_id, json.dumps(criteria.stored()), wanted, here.identity.role)
