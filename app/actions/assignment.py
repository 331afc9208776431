"""Who gets which action: three strategies, planned as a whole before anything moves, each move explained in a sentence.

Pure and deterministic: the same actions and people give the same plan. The gravest action chooses first. Nobody who is
away is given anything, and nobody goes over their week's capacity while somebody else has room. The trap avoided: every
action is counted as soon as it is placed, or the person with the least load at the start would get them all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.actions.vocabulary import Priority
from app.calendar import shown_hours


class Strategy(StrEnum):
    """What makes somebody the next one."""

    LEAST_LOAD = "least_load"
    LEAST_MRR = "least_mrr"
    ROUND_ROBIN = "round_robin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignable:
    """An open action that may be given to somebody.

    `is_booked` says whether it is due by the end of this week, so that its minutes count against the week's capacity;
    `account_owner` whose book the account is in.
    """

    action_id: UUID
    version: int
    account_key: str
    account_name: str
    title: str
    priority: Priority
    due_date: date | None
    effort_minutes: int
    account_mrr_eur: float | None
    current_owner: UUID | None
    is_booked: bool = True
    account_owner: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may be given actions. Minutes are of this week; `mrr_eur` is that of their accounts, a month."""

    user_id: UUID
    display_name: str
    capacity_minutes: int
    booked_minutes: int
    open_count: int
    overdue_count: int
    mrr_eur: float
    account_count: int
    is_away: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMove:
    """One action and who gets it; `reason` is one sentence with the figures that decided."""

    action_id: UUID
    version: int
    owner_user_id: UUID
    owner_name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One action that stays as it is, and why."""

    action_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a candidate has. `mrr_eur` counts the accounts they look after and those they get an action on."""

    user_id: UUID
    display_name: str
    open_count: int
    booked_minutes: int
    capacity_minutes: int
    mrr_eur: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would move, gravest first, what stays, and everybody's load before and after, in the order of names."""

    strategy: Strategy
    moves: tuple[PlannedMove, ...]
    left: tuple[Left, ...]
    before: tuple[Load, ...]
    after: tuple[Load, ...]


@dataclass(slots=True)
class _Desk:
    """A candidate while the plan is made."""

    person: Candidate
    booked: int
    open_count: int
    mrr_eur: float
    later: int = 0  # minutes given by this plan that are due after this week
    given: set[str] = field(default_factory=set)

    def load(self) -> Load:
        return Load(
            user_id=self.person.user_id,
            display_name=self.person.display_name,
            open_count=self.open_count,
            booked_minutes=self.booked,
            capacity_minutes=self.person.capacity_minutes,
            mrr_eur=self.mrr_eur,
        )

    def would_book(self, item: Assignable) -> int:
        return self.booked + (item.effort_minutes if item.is_booked else 0)

    def has_room(self, item: Assignable) -> bool:
        return self.person.capacity_minutes > 0 and self.would_book(item) <= self.person.capacity_minutes

    def share(self, item: Assignable) -> float:
        """Part of the week that would be taken, later work included, so that it is spread as well."""
        minutes = self.booked + self.later + item.effort_minutes
        capacity = self.person.capacity_minutes
        return minutes / capacity if capacity else float("inf")

    def takes(self, item: Assignable, *, is_new: bool) -> None:
        self.open_count += 1
        if item.is_booked:
            self.booked += item.effort_minutes
        else:
            self.later += item.effort_minutes
        if is_new and item.account_key not in self.given and item.account_owner != self.person.user_id:
            self.mrr_eur += item.account_mrr_eur or 0.0
        self.given.add(item.account_key)

    def gives(self, item: Assignable) -> None:
        self.open_count -= 1
        if item.is_booked:
            self.booked -= item.effort_minutes


def by_gravity(items: Iterable[Assignable]) -> list[Assignable]:
    """Gravest first: priority, then the earliest due date (none last), then the most recurring revenue."""
    rank = {priority: place for place, priority in enumerate(Priority)}
    return sorted(
        items,
        key=lambda item: (
            rank[item.priority],
            item.due_date or date.max,
            -(item.account_mrr_eur or 0.0),
            item.account_name,
            str(item.action_id),
        ),
    )


def _in_turn(desks: Sequence[_Desk], last: UUID | None) -> list[_Desk]:
    """The desks from the one after whoever was last."""
    places = [place for place, desk in enumerate(desks) if desk.person.user_id == last]
    start = places[0] + 1 if places else 0
    return [*desks[start:], *desks[:start]]


def _least(desks: Sequence[_Desk], item: Assignable, strategy: Strategy) -> _Desk:
    def key(desk: _Desk) -> tuple[Any, ...]:
        tie = (desk.open_count, desk.person.display_name, str(desk.person.user_id))
        by_load = (desk.share(item), desk.booked + desk.later)
        return (*by_load, *tie) if strategy is Strategy.LEAST_LOAD else (desk.mrr_eur, *by_load, *tie)

    return min(desks, key=key)


def _hours(desk: _Desk, item: Assignable) -> str:
    booked = f"{shown_hours(desk.booked)} of {shown_hours(desk.person.capacity_minutes)} h are booked this week"
    with_this = "and this is due later" if not item.is_booked else f"{shown_hours(desk.would_book(item))} h with this"
    return f"{booked}, {with_this}"


def _sentence(
    desk: _Desk, item: Assignable, strategy: Strategy, *, last: str | None, passed: Sequence[str], is_full: bool
) -> str:
    name = desk.person.display_name
    if strategy is Strategy.LEAST_LOAD:
        said = f"{name} has the least load: {_hours(desk, item)}"
    elif strategy is Strategy.LEAST_MRR:
        said = f"{name} looks after the least recurring revenue: €{desk.mrr_eur:,.0f} a month; {_hours(desk, item)}"
    else:
        said = f"It is the turn of {name}{f', after {last}' if last else ''}: {_hours(desk, item)}"
    if is_full:
        said = f"Nobody has room this week. {said}"
    if passed:
        said += f"; {' and '.join(passed)} {'has' if len(passed) == 1 else 'have'} no room"
    return f"{said}."


def plan(
    strategy: Strategy,
    items: Sequence[Assignable],
    people: Sequence[Candidate],
    *,
    last_assigned: UUID | None,
) -> Plan:
    """Who would get each of the actions, gravest first.

    When nobody has room the action still goes to the next one of the strategy, and the sentence says so: work without
    an owner is worse than a full week. It stays where it is when its owner is the one who would get it, and when
    everybody is away. With `round_robin` the turn goes on after `last_assigned`.
    """
    desks = [
        _Desk(person=one, booked=one.booked_minutes, open_count=one.open_count, mrr_eur=one.mrr_eur)
        for one in sorted(people, key=lambda one: (one.display_name, str(one.user_id)))
    ]
    before = tuple(desk.load() for desk in desks)
    known: Mapping[UUID, _Desk] = {desk.person.user_id: desk for desk in desks}
    present = [desk for desk in desks if not desk.person.is_away]
    moves: list[PlannedMove] = []
    left: list[Left] = []
    last = last_assigned
    for item in by_gravity(items):
        if not present:
            why = "Everybody is away." if desks else "There is nobody who could be given actions."
            left.append(Left(action_id=item.action_id, reason=why))
            continue
        giver = known.get(item.current_owner) if item.current_owner else None
        if giver:
            giver.gives(item)
        with_room = [desk for desk in present if desk.has_room(item)]
        choice = with_room or present
        passed: list[str] = []
        if strategy is Strategy.ROUND_ROBIN:
            order = _in_turn(desks, last)
            chosen = next(desk for desk in order if desk in choice)
            passed = [
                desk.person.display_name for desk in order[: order.index(chosen)] if with_room and desk in present
            ]
        else:
            chosen = _least(choice, item, strategy)
        before_it = known[last].person.display_name if last in known and last else None
        sentence = _sentence(chosen, item, strategy, last=before_it, passed=passed, is_full=not with_room)
        last = chosen.person.user_id
        if chosen is giver:
            left.append(Left(action_id=item.action_id, reason=f"It is theirs already. {sentence}"))
        else:
            moves.append(
                PlannedMove(
                    action_id=item.action_id,
                    version=item.version,
                    owner_user_id=chosen.person.user_id,
                    owner_name=chosen.person.display_name,
                    reason=sentence,
                )
            )
        chosen.takes(item, is_new=chosen is not giver)
    return Plan(
        strategy=strategy,
        moves=tuple(moves),
        left=tuple(left),
        before=before,
        after=tuple(desk.load() for desk in desks),
    )
