"""Which hand-overs may stand beside each other, what to think of before one, and what both people are told. Pure.

The trap avoided: chains. A person whose book is with somebody else covers for nobody, and who covers gives their own
book to nobody, so that whose accounts these are always has one answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from app.actions.lifecycle import Status
from app.actions.model import Action
from app.calendar import shown_date, shown_hours
from app.errors import InvalidInput
from app.handovers.model import BookLoad, Handover, HandoverDraft, Moves, MovingAccount, MovingAction
from app.inputs import member, required_text

REASON_LIMIT = 500
FURTHEST_START = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who gives a book or takes it; `today` is a day of their own zone, `capacity_minutes` theirs of a week."""

    user_id: UUID
    name: str
    is_active: bool
    may_work: bool
    owns_accounts: bool
    today: date
    capacity_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the giver has open, and the minutes that the receiver has booked in their week."""

    open_count: int
    booked_minutes: int


def days(handover: Handover) -> str:
    """From when to when, as words in a sentence."""
    if handover.ends_on is None:
        return f"from {shown_date(handover.starts_on)} on"
    return f"from {shown_date(handover.starts_on)} to {shown_date(handover.ends_on)}"


def overlaps(handover: Handover, draft: HandoverDraft) -> bool:
    """Whether both have a day in common; both ends count."""
    begins_before_end = handover.ends_on is None or draft.starts_on <= handover.ends_on
    return begins_before_end and (draft.ends_on is None or handover.starts_on <= draft.ends_on)


def worded(draft: HandoverDraft) -> HandoverDraft:
    """The draft with its words checked and trimmed. Raises InvalidInput."""
    moves = member("moves", draft.moves, Moves)
    reason = required_text("reason", draft.reason, limit=REASON_LIMIT).strip()
    if draft.from_user_id == draft.to_user_id:
        raise InvalidInput("to_user_id", "Nobody covers for themselves.", value=draft.to_user_id)
    return replace(draft, moves=moves, reason=reason)


def check(draft: HandoverDraft, *, giver: Person, receiver: Person, standing: Sequence[Handover]) -> None:
    """Refuse what cannot be, beside everything that runs or waits. Raises InvalidInput."""
    if not receiver.is_active:
        raise InvalidInput("to_user_id", f"{receiver.name} is deactivated.", value=draft.to_user_id)
    if not receiver.may_work:
        raise InvalidInput(
            "to_user_id", f"{receiver.name} is an analyst and cannot work actions.", value=draft.to_user_id
        )
    if draft.ends_on is not None and draft.ends_on < draft.starts_on:
        raise InvalidInput("ends_on", "The last day lies before the first.", value=draft.ends_on)
    if draft.ends_on is not None and draft.ends_on < giver.today:
        raise InvalidInput("ends_on", "The last day has passed.", value=draft.ends_on)
    if draft.starts_on > giver.today + FURTHEST_START:
        raise InvalidInput("starts_on", "The first day is more than a year away.", value=draft.starts_on)
    for other in standing:
        if overlaps(other, draft):
            _check_beside(other, draft)


def _check_beside(other: Handover, draft: HandoverDraft) -> None:
    if other.from_user_id == draft.from_user_id:
        raise InvalidInput(
            "starts_on",
            f"The book of {other.from_name} is with {other.to_name} {days(other)} already.",
            value=draft.starts_on,
            hint="End that hand-over first, or choose other days.",
        )
    if other.from_user_id == draft.to_user_id:
        raise InvalidInput(
            "to_user_id",
            f"{other.from_name} is away then: {other.to_name} has their book {days(other)}.",
            value=draft.to_user_id,
            hint="Choose somebody else.",
        )
    if other.to_user_id == draft.from_user_id:
        raise InvalidInput(
            "from_user_id",
            f"{other.to_name} has the book of {other.from_name} {days(other)}, and a book is not passed on twice.",
            value=draft.from_user_id,
            hint=f"End that hand-over first, then give the book of {other.from_name} to somebody else.",
        )


def moving(found: Sequence[Action]) -> tuple[MovingAction, ...]:
    """Actions as a preview lists them: by due date, snoozed ones by the day they are back, those without any last."""
    listed = (
        MovingAction(
            action_id=one.action_id,
            title=one.title,
            account_key=one.account_key,
            account_name=one.account_name,
            priority=one.priority,
            status=one.status,
            due_date=one.due_date,
            snoozed_until=one.snoozed_until if one.status is Status.SNOOZED else None,
        )
        for one in found
    )
    return tuple(sorted(listed, key=lambda one: (one.next_on or date.max, one.title, str(one.action_id))))


def warnings(
    draft: HandoverDraft,
    *,
    giver: Person,
    receiver: Person,
    standing: Sequence[Handover],
    found: Sequence[Action],
    load: Load,
    effort: Mapping[str, int],
) -> tuple[str, ...]:
    """What to think of before it begins, a sentence each; `effort` is minutes by intervention."""
    said: list[str] = []
    if draft.starts_on > giver.today:
        said.append(f"It starts on {shown_date(draft.starts_on)}; what moves is what is open then.")
    if draft.ends_on is None:
        said.append("It has no last day: it runs until somebody ends it.")
    if not giver.owns_accounts:
        said.append(f"{giver.name} owns no accounts in the CRM: only actions can move.")
    others = [one.from_name for one in standing if one.to_user_id == receiver.user_id and overlaps(one, draft)]
    if others:
        said.append(f"{receiver.name} already has the book of {' and '.join(others)} then.")
    if (count := load.open_count - len(found)) > 0:
        said.append(
            f"{count} open {'action stays' if count == 1 else 'actions stay'} with {giver.name}"
            f"{'' if giver.is_active else ', who is deactivated'}:"
            f" {receiver.name} may work {'it' if count == 1 else 'them'} meanwhile."
        )
    more = _minutes_this_week(found, receiver.today, effort)
    if more and load.booked_minutes + more > receiver.capacity_minutes:
        said.append(
            f"{receiver.name} would have {shown_hours(load.booked_minutes + more)} of"
            f" {shown_hours(receiver.capacity_minutes)} h booked this week."
        )
    return tuple(said)


def with_book(
    load: BookLoad,
    accounts: Sequence[MovingAccount],
    found: Sequence[Action],
    *,
    today: date,
    effort: Mapping[str, int],
) -> BookLoad:
    """A load with a book and the actions that move with it; `effort` is minutes by intervention."""
    return BookLoad(
        account_count=load.account_count + len(accounts),
        mrr_eur=load.mrr_eur + sum(account.mrr_eur for account in accounts),
        open_count=load.open_count + len(found),
        booked_minutes=load.booked_minutes + _minutes_this_week(found, today, effort),
    )


def _minutes_this_week(found: Sequence[Action], today: date, effort: Mapping[str, int]) -> int:
    """What the actions book of this week: those that are awake and due until its end, late ones too."""
    week_end = today + timedelta(days=6 - today.weekday())
    return sum(
        effort.get(one.intervention, 0)
        for one in found
        if one.status is not Status.SNOOZED and one.due_date is not None and one.due_date <= week_end
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A title for each of the two people, and the text under both."""

    to_receiver: str
    to_giver: str
    body: str


def words(handover: Handover, what: str) -> Words:
    """What both are told of a turn of the hand-over: `planned`, `started`, `ended` or `called_off`."""
    giver, receiver = handover.from_name, handover.to_name
    until = f" until {shown_date(handover.ends_on)}" if handover.ends_on else ""
    if what == "planned":
        return Words(
            to_receiver=f"You will have the book of {giver} {days(handover)}",
            to_giver=f"{receiver} will have your book {days(handover)}",
            body=f"Reason: {handover.reason}",
        )
    if what == "started":
        count = len(handover.items)
        return Words(
            to_receiver=f"You have the book of {giver}{until}",
            to_giver=f"{receiver} has your book{until}",
            body=f"{_count_of(count)} moved with it. Reason: {handover.reason}",
        )
    if what == "ended":
        back = sum(1 for item in handover.items if item.returned_at)
        return Words(
            to_receiver=f"The book of {giver} is no longer yours",
            to_giver=f"Your book is yours again: {receiver} has covered",
            body=f"{_count_of(back)} went back.",
        )
    return Words(
        to_receiver=f"You will not have the book of {giver} after all",
        to_giver=f"{receiver} will not have your book after all",
        body="",
    )


def _count_of(count: int) -> str:
    return f"{count} open {'action' if count == 1 else 'actions'}"
