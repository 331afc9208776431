"""What the pages of one account read: its histories and lists as a build published them, and what people added since.

The rules of `app.ui.data` hold here: what is cached names build, key and scope; what people write is never cached.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app import ratings
from app.actions import service
from app.actions.lifecycle import Category
from app.actions.model import ActionFilter, ActionRow, Note
from app.db import read
from app.marts import health, money, people, risk, sources, support, timeline, usage
from app.marts.risk import RiskDay
from app.marts.version import reading_build
from app.ratings import Rating
from app.suggestions import pulses
from app.suggestions import service as suggestions
from app.suggestions.model import Suggestion
from app.suggestions.pulses import Pulse
from app.ui import columns
from app.ui.visit import Visit


@dataclass(frozen=True)
class AccountFacts:
    """What the overview of an account shows, read in one go: histories oldest first, ending on the as-of day."""

    health: pd.DataFrame
    risk: RiskDay | None
    risk_before: RiskDay | None


@st.cache_data(max_entries=120, show_spinner=False)
def _facts(build_id: int, account_key: str, as_of: date, days: int, scope: str) -> AccountFacts:
    with reading_build(build_id) as db:
        history = health.history(db, account_key, since=as_of - timedelta(days=days))
        return AccountFacts(
            health=columns.until(history, "health_date", as_of),
            risk=risk.on(db, account_key, as_of),
            risk_before=risk.on(db, account_key, as_of - timedelta(days=30)),
        )


@st.cache_data(max_entries=120, show_spinner=False)
def _movement(build_id: int, account_key: str, start: date, end: date, scope: str) -> tuple[Any, Any, list[Any]]:
    with reading_build(build_id) as db:
        before, after = health.on(db, account_key, start), health.on(db, account_key, end)
    return before, after, health.split(before, after) if before and after else []


@st.cache_data(max_entries=120, show_spinner=False)
def _parts(
    build_id: int, account_key: str, as_of: date, scope: str
) -> tuple[health.HealthDay | None, Mapping[str, float]]:
    with reading_build(build_id) as db:
        row = health.on(db, account_key, as_of)
        return row, health.weights(db, row) if row is not None else {}


_READERS = {
    "usage": lambda db, key, since: usage.daily(db, key, since=since),
    "contacts": lambda db, key, since: people.contacts(db, key),
    "invoices": lambda db, key, since: money.invoices(db, key),
    "renewal": lambda db, key, since: money.renewal(db, key),
    "movements": lambda db, key, since: money.movements(db, key),
    "tickets": lambda db, key, since: support.tickets(db, key),
    "nps": lambda db, key, since: support.nps_responses(db, key),
    "events": lambda db, key, since: timeline.events(db, key, limit=400),
    "engagements": lambda db, key, since: timeline.engagements(db, key, limit=100),
    "links": lambda db, key, since: sources.links(db, key),
}


@st.cache_data(max_entries=300, show_spinner=False)
def _of_account(build_id: int, what: str, account_key: str, since: date | None, scope: str) -> Any:
    with reading_build(build_id) as db:
        return _READERS[what](db, account_key, since)


@st.cache_data(ttl=30, max_entries=4, show_spinner=False)
def _freshness(build_id: int, scope: str) -> list[sources.StreamFreshness]:
    with read() as db:
        return sources.freshness(db)


def of_account(what: str, account_key: str, here: Visit, *, since: date | None = None) -> Any:
    """What is known of an account, by name, see `_READERS`: usage and movements as frames, renewal as one row or None,
    the rest as rows.
    """
    return _of_account(here.build_id, what, account_key, since, here.identity.role)


def facts(account_key: str, here: Visit, *, as_of: date, days: int) -> AccountFacts:
    """Health over `days` up to `as_of`, and the risk then and 30 days before."""
    return _facts(here.build_id, account_key, as_of, days, here.identity.role)


def movement(account_key: str, here: Visit, *, start: date, end: date) -> tuple[Any, Any, list[Any]]:
    """Health row at the start, at the end, and what moved it, largest first; rows are None where there is no
    history.
    """
    return _movement(here.build_id, account_key, start, end, here.identity.role)


def parts(account_key: str, here: Visit, *, as_of: date) -> tuple[health.HealthDay | None, Mapping[str, float]]:
    """Health of a day with all its measures, and the weight of each in that score; see `health.weights`."""
    return _parts(here.build_id, account_key, as_of, here.identity.role)


def freshness(here: Visit) -> list[sources.StreamFreshness]:
    """Last loads of every stream, at most half a minute old."""
    return _freshness(here.build_id, here.identity.role)


def closed_actions(account_key: str) -> list[ActionRow]:
    """Actions of an account that were carried out, in no particular order."""
    with read() as db:
        return service.list_actions(
            db, filter=ActionFilter(account_key=account_key, categories=(Category.CLOSED,)), limit=200
        )


def account_notes(account_key: str) -> list[Note]:
    """Notes of all actions of an account, newest first."""
    with read() as db:
        return service.account_notes(db, account_key=account_key, limit=200)


def account_ratings(account_key: str) -> list[Rating]:
    """What people think of an account, newest first."""
    with read() as db:
        return ratings.ratings(db, account_key)


def account_pulses(account_key: str) -> list[Pulse]:
    """How an account felt to people, newest first."""
    with read() as db:
        return pulses.pulses(db, account_key)


def account_suggestions(account_key: str) -> list[Suggestion]:
    """All suggestions of an account in every state, newest first."""
    with read() as db:
        return suggestions.list_for_account(db, account_key=account_key, limit=100)
