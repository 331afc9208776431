"""What a new action starts with, as the admins have set it: the kind of a treatment, and the priority and due date of a
kind, counted in the owner's own business days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from app.auth import Identity
from app.calendar import SATURDAY, Calendar, calendar_of
from app.configuration import ActionReasons, ActionTypes, CompanyHolidays, Interventions, active
from app.users import get_user

TOLD_DAYS = 366  # how far ahead a screen can count business days by itself


@dataclass(frozen=True)
class Defaults:
    """The configuration that holds now, and the calendar of the person here."""

    types: ActionTypes
    reasons: ActionReasons
    interventions: Interventions
    calendar: Calendar
    today: date

    def offered_interventions(self) -> Mapping[str, str]:
        """Treatments that may be chosen, with their names, in the order of the configuration."""
        return {code: setting.label for code, setting in self.interventions.root.items() if setting.is_offered}

    def offered_types(self) -> Mapping[str, str]:
        """Kinds that may be chosen, with their names."""
        return {code: setting.label for code, setting in self.types.root.items() if setting.is_offered}

    def offered_reasons(self, action_type: str) -> Mapping[str, str]:
        """Reasons of a kind, with their names."""
        return {
            reason.code: reason.label
            for reason in self.reasons.root
            if reason.is_offered and reason.action_type == action_type
        }

    def type_of(self, intervention: str) -> str:
        """The kind that a treatment proposes; the first one offered where its own is not."""
        proposed = self.interventions.of(intervention).action_type
        offered = self.offered_types()
        return proposed if proposed in offered else next(iter(offered))

    def priority_of(self, action_type: str) -> str:
        """The priority that a kind starts with."""
        return self.types.of(action_type).priority

    def due_of(self, action_type: str) -> date:
        """The due date that a kind starts with."""
        return self.calendar.add_business_days(self.today, self.types.of(action_type).due_offset_bd)

    def days_off(self) -> tuple[date, ...]:
        """Mondays to Fridays of the year from today on which the person here does not work, in order."""
        ahead = (self.today + timedelta(days=number) for number in range(TOLD_DAYS))
        return tuple(day for day in ahead if day.weekday() < SATURDAY and not self.calendar.is_business_day(day))


def defaults(db: Connection, *, actor: Identity, today: date) -> Defaults:
    """What holds now for a person. Raises NotFound when the configuration was never published."""
    return Defaults(
        types=active(db, ActionTypes),
        reasons=active(db, ActionReasons),
        interventions=active(db, Interventions),
        calendar=calendar_of(get_user(db, actor.user_id), active(db, CompanyHolidays).days),
        today=today,
    )
