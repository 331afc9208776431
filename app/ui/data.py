"""Everything the pages read. What a build published is cached, what people write never is.

A cached reader takes all it depends on as arguments: the build, the key, and `scope`, the role it was read for, because
Streamlit's cache is shared by every visitor. A new build makes new keys; old entries fall out by `max_entries`. A page
that begins with one build ends with it: a read that finds another one published begins the page anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pandas as pd
import streamlit as st

from app import users
from app.actions import service
from app.actions.lifecycle import Category, Status
from app.actions.model import ActionDetail, ActionFilter, ActionRow, Workload
from app.calendar import DISPLAY_ZONE
from app.db import read
from app.errors import NotFound
from app.exports.formats import Format
from app.marts import accounts as account_mart
from app.marts import outcomes, timeline
from app.marts.accounts import Account
from app.marts.version import reading_build
from app.suggestions import precedents as behind
from app.suggestions import service as suggestions
from app.suggestions.model import Suggestion
from app.suggestions.precedents import Precedents
from app.ui import columns, export_files
from app.ui.portfolio import AccountFilter
from app.ui.visit import Visit

OPEN = (Category.NOT_STARTED, Category.STARTED, Category.PAUSED)
LARGEST_LIST = 1000


def counted_from(frame: pd.DataFrame, today: date) -> pd.DataFrame:
    """The portfolio with `contact_days` from the last two-way contact to today, missing for never."""
    contacted = pd.to_datetime(frame["last_contact_date"])
    return frame.assign(contact_days=(pd.Timestamp(today) - contacted).dt.days)


def with_next_actions(frame: pd.DataFrame, open_actions: Iterable[ActionRow]) -> pd.DataFrame:
    """The portfolio with `next_title` and `next_due` of the first open action of each account, missing without one;
    what is snoozed is due when it comes back."""
    first: dict[str, ActionRow] = {}
    for action in open_actions:
        first.setdefault(action.account_key, action)
    titles = pd.Series({key: action.title for key, action in first.items()}, dtype=object)
    dues = pd.Series(
        {
            key: action.snoozed_until if action.status is Status.SNOOZED else action.due_date
            for key, action in first.items()
        },
        dtype=object,
    )
    return frame.assign(next_title=titles.reindex(frame.index), next_due=dues.reindex(frame.index))


@st.cache_data(max_entries=6, show_spinner=False)
def _portfolio(build_id: int, today: date, scope: str) -> pd.DataFrame:
    with reading_build(build_id) as db:
        frame = account_mart.portfolio_frame(db, today=today)
    return counted_from(frame.set_index("account_key", drop=False), today)


@st.cache_data(max_entries=400, show_spinner=False)
def _account(build_id: int, account_key: str, today: date, scope: str) -> Account | None:
    with reading_build(build_id) as db:
        return account_mart.account(db, account_key, today=today)


@st.cache_data(max_entries=60, show_spinner=False)
def _changes(build_id: int, owner_emails: tuple[str, ...] | None, since: datetime, scope: str) -> list[timeline.Change]:
    with reading_build(build_id) as db:
        return timeline.changes(db, owner_emails, since=since, limit=50)


@st.cache_data(max_entries=400, show_spinner=False)
def _outcome(build_id: int, action_id: UUID, scope: str) -> outcomes.ActionOutcome | None:
    with reading_build(build_id) as db:
        return outcomes.for_action(db, action_id)


def portfolio(here: Visit) -> pd.DataFrame:
    """Active accounts, indexed by account_key: all columns of `Account` and `contact_days`. Raises MartUnavailable."""
    return _portfolio(here.build_id, here.today, here.identity.role)


def account_names(here: Visit) -> dict[str, str]:
    """Names of active accounts by key, in alphabetical order."""
    frame = portfolio(here)
    named = zip(frame["account_key"].tolist(), frame["account_name"].tolist(), strict=True)
    return dict(sorted(named, key=lambda pair: pair[1].lower()))


def account(account_key: str, here: Visit) -> Account:
    """One account, churned ones too. Raises NotFound, MartUnavailable."""
    found = _account(here.build_id, account_key, here.today, here.identity.role)
    if found is None:
        raise NotFound("account", account_key)
    return found


def account_or_none(account_key: str, here: Visit) -> Account | None:
    """As `account`, but None when it is unknown or nothing has been published: an action is shown without its
    figures.
    """
    return None if here.publication is None else _account(here.build_id, account_key, here.today, here.identity.role)


def portfolio_with_actions(here: Visit) -> pd.DataFrame:
    """The portfolio with the next open action of each account; see `with_next_actions`."""
    return with_next_actions(portfolio(here), actions(ActionFilter(categories=OPEN), limit=LARGEST_LIST))


@dataclass(frozen=True)
class MyWork:
    """A person's week: their load, their open and awake actions (due first), and the accounts these belong to."""

    today: date
    load: Workload
    actions: list[ActionRow]
    accounts: pd.DataFrame
    mrr_at_risk_eur: float | None


def my_work(here: Visit) -> MyWork:
    """What My day is made of. Without a published build the actions are still there, their figures are not."""
    me = here.identity
    with read() as db:
        mine = service.list_actions(
            db,
            filter=ActionFilter(owner_user_id=me.user_id, categories=(Category.NOT_STARTED, Category.STARTED)),
            limit=LARGEST_LIST,
        )
        loads = {load.user_id: load for load in service.workload(db, now=here.now)}
    load = loads.get(me.user_id) or Workload(
        user_id=me.user_id,
        display_name=me.display_name,
        owner_email=me.owner_email,
        weekly_capacity_minutes=0,
        open_count=len(mine),
        started_count=0,
        snoozed_count=0,
        overdue_count=0,
        due_this_week_count=0,
        closed_this_week_count=0,
        minutes_this_week=0,
        booked_minutes=0,
        away_until=None,
        covered_by=None,
    )
    if here.publication is None:
        nothing = pd.DataFrame(columns=pd.Index(["health_band", "health_trend_90d", "mrr_at_risk_eur", "csm_email"]))
        return MyWork(here.today, load, mine, nothing, None)
    frame = portfolio(here)
    mine_too = frame["csm_email"].isin(list(me.owner_emails))
    own = columns.total(frame.loc[mine_too], "mrr_at_risk_eur") if me.owner_emails else None
    return MyWork(here.today, load, mine, frame, own)


def actions(wanted: ActionFilter, *, limit: int = 500) -> list[ActionRow]:
    """Actions as they are now: open before ended, then by due date."""
    with read() as db:
        return service.list_actions(db, filter=wanted, limit=limit)


def action(action_id: UUID) -> ActionDetail:
    """One action with its story. Raises NotFound."""
    with read() as db:
        return service.get_action(db, action_id)


def workload(here: Visit) -> list[Workload]:
    """Load of every CSM, and of whoever else holds open actions, by name."""
    with read() as db:
        return service.workload(db, now=here.now)


def people() -> list[users.User]:
    """Active users who work actions, by name."""
    with read() as db:
        return [user for user in users.list_users(db, with_inactive=False) if user.role != "analyst"]


def csms(here: Visit) -> list[account_mart.Csm]:
    """Owners of accounts in the CRM with what they own."""
    return _csms(here.build_id, here.identity.role)


@st.cache_data(max_entries=4, show_spinner=False)
def _csms(build_id: int, scope: str) -> list[account_mart.Csm]:
    with reading_build(build_id) as db:
        return account_mart.csms(db)


def changes(here: Visit) -> list[timeline.Change]:
    """What happened since the start of yesterday that is worth a line, on the accounts the person looks after, newest
    first.
    """
    since = datetime.combine(here.today - timedelta(days=1), time(), DISPLAY_ZONE)
    if here.publication is not None:
        since = min(since, datetime.combine(here.publication.as_of_date, time(), DISPLAY_ZONE))
    return _changes(here.build_id, here.identity.owner_emails or None, since, here.identity.role)


def open_suggestions(here: Visit) -> list[Suggestion]:
    """What is suggested to the person now, best first."""
    with read() as db:
        return suggestions.list_open(db, identity=here.identity, limit=50)


def precedents(suggestion_id: UUID, here: Visit) -> Precedents:
    """What else was eligible, and what became of the same before. Raises MartUnavailable before the first build."""
    with read() as db:
        return behind.precedents(db, identity=here.identity, suggestion_id=suggestion_id)


def suggestion(suggestion_id: UUID) -> Suggestion | None:
    """One suggestion in whatever state, None when it is gone."""
    try:
        with read() as db:
            return suggestions.get_suggestion(db, suggestion_id)
    except NotFound:
        return None


@dataclass(frozen=True)
class Horizon:
    """What was measured so many days after a decision; `status` is pending, measured or censored."""

    status: str
    trigger_cleared: bool | None
    health_change: float | None
    usage_change_ratio: float | None
    ticket_change: int | None
    nps_change: int | None
    mrr_change_eur: float | None
    retention: str | None


def measured_outcome(action_id: UUID, here: Visit) -> outcomes.ActionOutcome | None:
    """The warehouse's row for an action; None until the build after it."""
    return None if here.publication is None else _outcome(here.build_id, action_id, here.identity.role)


def horizon(measured: outcomes.ActionOutcome, days: int) -> Horizon:
    """One horizon of a measured outcome: 30, 60 or 90 days."""

    def of(pattern: str) -> Any:
        return getattr(measured, pattern.format(days))

    return Horizon(
        status=of("measured_{}d_status") or "pending",
        trigger_cleared=of("trigger_cleared_{}d"),
        health_change=of("health_change_{}d"),
        usage_change_ratio=of("usage_change_ratio_{}d"),
        ticket_change=of("ticket_change_{}d"),
        nps_change=of("nps_change_{}d"),
        mrr_change_eur=of("mrr_change_eur_{}d"),
        retention=of("retention_{}d"),
    )


def export_address(
    chosen: AccountFilter, wanted: Format, *, segment_id: UUID | None = None, as_of: date | None = None
) -> str:
    """Address of the file with what is on the screen: the filter, the segment, and the past day."""
    more = {"in_segment": segment_id, "as_of": as_of}
    query = "&".join(filter(None, (chosen.query(), urlencode({name: value for name, value in more.items() if value}))))
    return export_files.of(f"accounts.{wanted}?{query}")
