"""Who gets which action: four strategies, planned as a whole before anything moves, each move explained in a sentence.

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
from app.wording import listed


class Strategy(StrEnum):
    """What makes somebody the next one."""

    ACCOUNT_OWNER = "account_owner"
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

    def looks_after(self, item: Assignable) -> bool:
        return item.account_owner == self.person.user_id

    def takes(self, item: Assignable, *, is_new: bool) -> None:
        self.open_count += 1
        if item.is_booked:
            self.booked += item.effort_minutes
        else:
            self.later += item.effort_minutes
        if is_new and item.account_key not in self.given and not self.looks_after(item):
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


def _least(desks: Sequence[_Desk], item: Assignable, strategy: Strategy) -> tuple[_Desk, str]:
    """Who has least, and, when somebody else has as little, what decided between them.

    Of two who have as little, whoever looks after the account comes first, then who has fewer open actions.
    """

    def has(desk: _Desk) -> tuple[float, ...]:
        by_load = (desk.share(item), float(desk.booked + desk.later))
        return (desk.mrr_eur, *by_load) if strategy is Strategy.LEAST_MRR else by_load

    def key(desk: _Desk) -> tuple[Any, ...]:
        return (*has(desk), not desk.looks_after(item), desk.open_count, desk.person.display_name)

    first, *others = sorted(desks, key=key)
    equal = [desk for desk in others if has(desk) == has(first)]
    if not equal:
        return first, ""
    if first.looks_after(item):
        by = "looks after this account"
    elif all(first.open_count < desk.open_count for desk in equal):
        by = f"has the fewest open actions ({first.open_count})"
    else:
        by = "comes first by name"
    return first, f"as little as {listed([desk.person.display_name for desk in equal])}, but {by}"


def _hours(desk: _Desk, item: Assignable) -> str:
    booked = f"{shown_hours(desk.booked)} of {shown_hours(desk.person.capacity_minutes)} h are booked this week"
    with_this = "and this is due later" if not item.is_booked else f"{shown_hours(desk.would_book(item))} h with this"
    return f"{booked}, {with_this}"


def _whose_account(item: Assignable, desks: Sequence[_Desk]) -> str:
    """Why an action does not go to whoever looks after the account."""
    owner = next((desk for desk in desks if desk.looks_after(item)), None)
    if owner is None:
        return "No CSM looks after this account."
    why = "is away" if owner.person.is_away else "has no room this week"
    return f"{owner.person.display_name} looks after this account and {why}."


def _chosen(
    item: Assignable, choice: Sequence[_Desk], strategy: Strategy, *, in_turn: Sequence[_Desk], after: str | None
) -> tuple[_Desk, str]:
    """Who of `choice` gets it, and the sentence that says why. `in_turn` is everybody, the next one first."""
    if strategy is Strategy.ROUND_ROBIN:
        desk = next(desk for desk in in_turn if desk in choice)
        turn = f"the turn of {desk.person.display_name}" + (f", after {after}" if after else "")
        passed = [one.person.display_name for one in in_turn[: in_turn.index(desk)] if not one.person.is_away]
        no_room = f"; {listed(passed)} {'has' if len(passed) == 1 else 'have'} no room" if passed else ""
        return desk, f"It is {turn}: {_hours(desk, item)}{no_room}"
    own = next((desk for desk in choice if desk.looks_after(item)), None)
    if strategy is Strategy.ACCOUNT_OWNER and own:
        return own, f"{own.person.display_name} looks after this account: {_hours(own, item)}"
    desk, tie = _least(choice, item, strategy)
    but = f", {tie}" if tie else ""
    if strategy is Strategy.LEAST_MRR:
        has_least = f"looks after the least recurring revenue: €{desk.mrr_eur:,.0f} a month"
        return desk, f"{desk.person.display_name} {has_least}{but}; {_hours(desk, item)}"
    said = f"{desk.person.display_name} has the least load{but}: {_hours(desk, item)}"
    return desk, f"{_whose_account(item, in_turn)} {said}" if strategy is Strategy.ACCOUNT_OWNER else said


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
        before_it = known[last].person.display_name if last in known and last else None
        chosen, why = _chosen(item, choice, strategy, in_turn=_in_turn(desks, last), after=before_it)
        sentence = f"{why}." if with_room else f"Nobody has room this week. {why}."
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
