"""What each rule does, by its id."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.suggestions.rules import Finding, Rule, held_back
from app.suggestions.triggers.billing import payment, payment_settled
from app.suggestions.triggers.health import drop_back, health_drop, health_recovered
from app.suggestions.triggers.milestones import (
    milestones_met,
    onboarding_stalled,
    renewal_assessed,
    renewal_checkpoint,
)
from app.suggestions.triggers.relationship import (
    champion_left,
    contact_logged,
    detractor,
    loop_closed,
    role_filled,
    silent_account,
)
from app.suggestions.triggers.risk import opinions_differ, rated_again, risk_fallen, risk_high
from app.suggestions.triggers.seats import growth, low_seat_use, room_again, seats_used_again
from app.suggestions.triggers.support import support_calm, support_pressure
from app.suggestions.triggers.usage import activity_seen, decline_back, no_activity, usage_decline, usage_recovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """A rule's trigger, and when it clears.

    `days_back`: of an input that is a series by day, the days that the two look at, counted back from its newest.
    `absence_clears`: an account without input counts as clear. `only_alone`: it speaks only where no other does.
    """

    trigger: Callable[[Rule, Any], Finding | None]
    has_cleared: Callable[[Rule, Any, Mapping[str, Any]], bool]
    days_back: Callable[[Rule], Iterable[int]] = held_back
    absence_clears: bool = False
    only_alone: bool = False


LOGIC: dict[str, Logic] = {
    "R1": Logic(trigger=health_drop, has_cleared=health_recovered, days_back=drop_back),
    "R2": Logic(trigger=usage_decline, has_cleared=usage_recovered, days_back=decline_back),
    "R3": Logic(trigger=no_activity, has_cleared=activity_seen, days_back=lambda rule: (0,)),
    "R4": Logic(trigger=champion_left, has_cleared=role_filled),
    "R5": Logic(trigger=support_pressure, has_cleared=support_calm, absence_clears=True),
    "R6": Logic(trigger=detractor, has_cleared=loop_closed),
    "R7": Logic(trigger=payment, has_cleared=payment_settled, absence_clears=True),
    "R8": Logic(trigger=low_seat_use, has_cleared=seats_used_again),
    "R9": Logic(trigger=onboarding_stalled, has_cleared=milestones_met, absence_clears=True),
    "R10": Logic(trigger=renewal_checkpoint, has_cleared=renewal_assessed, absence_clears=True),
    "R11": Logic(trigger=silent_account, has_cleared=contact_logged),
    "R12": Logic(trigger=growth, has_cleared=room_again),
    "R13": Logic(trigger=risk_high, has_cleared=risk_fallen, only_alone=True),
    "R14": Logic(trigger=opinions_differ, has_cleared=rated_again, absence_clears=True),
}
