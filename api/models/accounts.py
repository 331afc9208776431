"""Answers of /accounts. The rows themselves are the marts' own (`app.marts`), which have no defaults."""

from datetime import date

from pydantic import BaseModel

from app.marts.health import Movement
from app.marts.people import Contact


class HealthPoint(BaseModel):
    """Health of one day, 0 to 100; `band` is null under 60% coverage. `dimensions` by name, null without data."""

    health_date: date
    score: float | None
    band: str | None
    coverage_ratio: float | None
    profile: str | None
    dimensions: dict[str, float | None]


class MeasureToday(BaseModel):
    """One measure on the newest day: its value in its own unit, its points (100, 60, 0) and its part of the score."""

    measure: str
    dimension: str
    value: float | None
    points: int | None
    contribution: float | None


class AccountHealth(BaseModel):
    """Days oldest first; `movement` splits the change between the first and the last of them and adds up exactly."""

    account_key: str
    days: list[HealthPoint]
    measures: list[MeasureToday]
    movement: list[Movement]


class ContactList(BaseModel):
    """Stakeholders: present before former, champions first, then by newest two-way contact."""

    items: list[Contact]
