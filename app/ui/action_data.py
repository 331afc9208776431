"""What the tracker reads. Nothing of it is cached: people write it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app import users
from app.actions import queue, service
from app.actions.lifecycle import Status, is_open
from app.actions.model import ActionFilter, ActionRow
from app.auth import Role
from app.calendar import Calendar, calendar_of
from app.configuration import CompanyHolidays, active
from app.db import read
from app.ui.visit import Visit

MOST = 1_000


@dataclass(frozen=True)
class Tracked:
    """Actions of a set, open before ended, by the day they ask for somebody, and the true count of each status. Those
    of the shared queue come in the order in which they are taken from it."""

    rows: list[ActionRow]
    counts: dict[Status, int]

    @property
    def total(self) -> int:
        """All of them, also those beyond the rows that were read."""
        return sum(self.counts.values())


def tracked(parts: Sequence[ActionFilter], *, limit: int = MOST) -> Tracked:
    """The actions of any of the filters, which must not overlap."""
    rows: list[ActionRow] = []
    counts: dict[Status, int] = {}
    with read() as db:
        for part in parts:
            for status, count in service.count_by_status(db, filter=part).items():
                counts[status] = counts.get(status, 0) + count
            if len(rows) < limit:
                listed = queue.list_queue if part.is_unassigned else service.list_actions
                rows += listed(db, filter=part, limit=limit - len(rows))
    is_queue = all(part.is_unassigned for part in parts)
    return Tracked(rows=rows if is_queue else sorted(rows, key=_place), counts=counts)


def _place(action: ActionRow) -> tuple[bool, date]:
    """Open before ended, each by the day it asks for somebody: what sleeps on the day it comes back."""
    if not is_open(action.status):
        return True, date.min
    day = action.snoozed_until if action.status is Status.SNOOZED else action.due_date
    return False, day or date.max


def count(parts: Sequence[ActionFilter]) -> int:
    """How many actions there are."""
    with read() as db:
        return sum(sum(service.count_by_status(db, filter=part).values()) for part in parts)


def owners() -> dict[str, UUID]:
    """Everybody who works actions, by the name a filter shows; an address tells two of one name apart."""
    with read() as db:
        people = [user for user in users.list_users(db, with_inactive=False) if user.role is not Role.ANALYST]
    names = [user.display_name for user in people]
    return {_name(user, is_unique=names.count(user.display_name) == 1): user.user_id for user in people}


def _name(user: users.User, *, is_unique: bool) -> str:
    return user.display_name if is_unique else f"{user.display_name} ({user.email})"


def own_calendar(here: Visit) -> Calendar:
    """The days of the person here: their zone, their country's holidays, and the company's."""
    with read() as db:
        return calendar_of(users.get_user(db, here.identity.user_id), active(db, CompanyHolidays).days)
