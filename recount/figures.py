"""The figures that are counted a second time: each by a function of what raw tables say of its account.

A function knows the day the row speaks of, and nothing of how dbt arrives at the figure. What is not in FIGURES has no
second count yet; a test holds the list of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from recount import billing
from recount.records import Account, Catalogue, Event, Settings

Value = Decimal | float | int | str | date | None


@dataclass(frozen=True)
class Case:
    """What a figure is recounted from: `on` is the day its row speaks of, `as_of` the last day of the build."""

    account: Account
    catalogue: Catalogue
    settings: Settings
    on: date
    as_of: date


@dataclass(frozen=True)
class Figure:
    """A column of a mart with one row per account, or per account and day.

    `day_column` says which day a row speaks of: as_of_date of one row per account, else it is part of the key.
    """

    mart: str
    column: str
    day_column: str
    count: Callable[[Case], Value]
    only: str = "true"

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that tell the rows apart."""
        return ("account_key",) if self.day_column == "as_of_date" else ("account_key", self.day_column)


def _mrr(case: Case, on: date) -> Decimal:
    return billing.mrr(case.account, case.catalogue, case.settings, on, as_of=case.as_of)


def _mrr_eur(case: Case, on: date) -> Decimal:
    return billing.mrr_eur(case.account, case.catalogue, case.settings, on, as_of=case.as_of)


def _movement(case: Case, value: Callable[[Case, date], Decimal]) -> Decimal:
    """What the value at the end of the month, or of the build, has more than at the end of the month before."""
    next_month = (case.on.replace(day=1) + timedelta(days=32)).replace(day=1)
    return value(case, min(next_month - timedelta(days=1), case.as_of)) - value(case, case.on - timedelta(days=1))


def _seats(case: Case) -> int | None:
    return billing.seats(case.account, case.catalogue, case.settings, case.on, as_of=case.as_of)


def _renewal_date(case: Case) -> date | None:
    return billing.renewal_date(case.account, case.catalogue, case.settings, case.on)


def _users(case: Case, days: int) -> int:
    """Distinct users with any use in so many days to the day."""
    kinds = case.settings.kinds
    used = [one for one in _events(case, days) if kinds.get(one.name or "", (True, False))[0]]
    return len({one.user_id for one in used if one.user_id is not None})


def _key_activity(case: Case, days: int) -> int:
    return sum(case.settings.kinds.get(one.name or "", (True, False))[1] for one in _events(case, days))


def _events(case: Case, days: int) -> list[Event]:
    first = max(case.on - timedelta(days=days - 1), case.account.usage_from or case.on)
    return [one for one in case.account.events if first <= one.day <= case.on]


def _open(case: Case, priority: str | None = None) -> int:
    """Tickets that are open as the build found them, whenever they were opened."""
    tickets = [one for one in case.account.tickets if one.solved_date is None]
    return sum(priority in (None, one.priority) for one in tickets)


def _tickets_30d(case: Case) -> int | None:
    days = [(case.on - one.created_date).days for one in case.account.tickets]
    return sum(0 <= one < 30 for one in days) if "zendesk" in case.account.sources else None


def _urgent_then(case: Case) -> int | None:
    urgent = [one for one in case.account.tickets if one.priority == "urgent" and one.created_date <= case.on]
    still = sum(one.solved_date is None or case.on < one.solved_date for one in urgent)
    return still if "zendesk" in case.account.sources else None


def _newest_score(case: Case, *, until: date | None = None, valid_days: int | None = None) -> int | None:
    answers = [one for one in case.account.answers if until is None or one.responded_at.date() <= until]
    newest = max(answers, key=lambda one: one.responded_at, default=None)
    if newest is None or (valid_days and (case.on - newest.responded_at.date()).days >= valid_days):
        return None
    return newest.score


def _last_contact(case: Case) -> date | None:
    return max((one for one in case.account.contact_days if one <= case.on), default=None)


def _seat_use(case: Case) -> float | None:
    seats = _seats(case)
    return _users(case, 28) / seats if seats and case.account.usage_from else None


def _now(column: str, count: Callable[[Case], Value]) -> Figure:
    return Figure("dim_accounts", column, "as_of_date", count, "is_active")


def _used(column: str, count: Callable[[Case], Value]) -> Figure:
    return Figure("fct_usage_daily", column, "usage_date", count)


def _measured(measure: str, count: Callable[[Case], Value]) -> Figure:
    return Figure("fct_account_health_daily", f"{measure}_value", "health_date", count)


FIGURES: tuple[Figure, ...] = (
    _now("mrr", lambda case: _mrr(case, case.on)),
    _now("mrr_eur", lambda case: _mrr_eur(case, case.on)),
    _now("seats_paid", _seats),
    _now("seat_use_ratio", _seat_use),
    _now("renewal_date", _renewal_date),
    _now("days_to_renewal", lambda case: (renewal - case.on).days if (renewal := _renewal_date(case)) else None),
    _now("overdue_invoice_count", lambda case: len(billing.overdue_now(case.account, case.on))),
    _now("oldest_overdue_days", lambda case: max(billing.overdue_now(case.account, case.on), default=0)),
    _now("open_ticket_count", _open),
    _now("urgent_open_ticket_count", lambda case: _open(case, "urgent")),
    _now("nps_score", _newest_score),
    _now("last_contact_date", _last_contact),
    _now("seats_used_28d", lambda case: _users(case, 28) if case.account.usage_from else None),
    _used("active_user_count", lambda case: _users(case, 1)),
    _used("active_users_28d", lambda case: _users(case, 28)),
    _used("key_activity_count", lambda case: _key_activity(case, 1)),
    _used("key_activity_7d", lambda case: _key_activity(case, 7)),
    _used("key_activity_30d", lambda case: _key_activity(case, 30)),
    Figure("fct_renewals", "mrr_due", "as_of_date", lambda case: _mrr(case, case.on)),
    Figure("fct_mrr_movements", "amount", "movement_month", lambda case: _movement(case, _mrr)),
    Figure("fct_mrr_movements", "amount_eur", "movement_month", lambda case: _movement(case, _mrr_eur)),
    _measured("seat_use", _seat_use),
    _measured("ticket_volume", _tickets_30d),
    _measured("urgent_unresolved", _urgent_then),
    _measured("overdue_invoice", lambda case: billing.overdue_days_then(case.account, case.on)),
    _measured("nps", lambda case: _newest_score(case, until=case.on, valid_days=case.settings.nps_valid_days)),
)
