"""What CSMs did of their own accord before the product was there: how they judged, and what it did to the accounts.

Every account is looked at every fourth week by its own CSM, who acts if worried; one thing at a time per account. What
was finished works from the next day on, as a deed of `live` does. The tracker that they used then is written out as a
file (`python -m simulator past FILE`), which the product reads as it would anybody's.
"""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator import colleagues, truth
from simulator.catalogue import CSMS
from simulator.clock import DAY_SECONDS, weekday
from simulator.interventions import CARRIES, setting, take_effect
from simulator.store import Moment
from simulator.world import NEVER, World

WORKDAY = 2  # Wednesdays
EVERY_WEEKS = 4
LONGEST_DAYS = 20
HOUR = 3_600


@dataclass
class Past:
    """The CSMs of one world as its history is made: what they did, and what could have been done."""

    regime: str
    works: list["Work"] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def morning(self, world: World, day: int) -> None:
        """What was finished the day before works."""
        done = [work for work in self.works if work.ends == day - 1 and work.outcome.was_reached]
        take_effect(world, [(work.number, *CARRIES[work.treatment]) for work in done], day, self.regime)

    def evening(self, world: World, day: int) -> None:
        """CSMs look at their accounts."""
        if weekday(day) != WORKDAY:
            return
        columns, week, where = world.columns, day // 7, setting(world, day)
        busy = {work.number for work in self.works if work.ends >= day}
        for account in world.accounts:
            index = account.no - 1
            is_free = columns.active[index] and columns.notice[index] == NEVER and account.no not in busy
            if not is_free or (account.no + week) % EVERY_WEEKS:
                continue
            latents, dice = world.latents_of(index), world.dice("colleagues", day, f"past:{account.no}")
            chance = colleagues.chance_to_begin(colleagues.worry(latents, self.regime))
            treatment = colleagues.chosen(latents, self.regime, dice)
            is_taken = dice.random() < chance
            arm = CARRIES[treatment][0] if is_taken else "none"
            state = truth.state_of(world, index, day, where)
            self.moments.append(Moment(f"past:{account.no}:{day}", day, account.no, arm, chance, state))
            if is_taken:
                ends = day + dice.randrange(1, LONGEST_DAYS)
                outcome = colleagues.outcome(latents, treatment, dice)
                minute = dice.randrange(9 * 60, 17 * 60) * 60
                self.works.append(
                    Work(account.no, account.tenant_id, account.csm, treatment, day, ends, minute, outcome)
                )


@dataclass(frozen=True)
class Work:
    """One thing that a CSM did: begun on a day at a second of it, done on another."""

    number: int
    tenant_id: int
    csm: int
    treatment: str
    day: int
    ends: int
    second: int
    outcome: colleagues.Outcome

    def row(self, today: int) -> dict[str, Any]:
        """It as the tracker of that time writes it out on a day; what is not done by then is open."""
        name = self.treatment.replace("_", " ").capitalize()
        done = asdict(self.outcome)
        closed = {
            "at": _moment(self.ends, self.second + HOUR),
            "result": done["result"],
            "done_intervention": self.treatment,
            "closing_note": done["note"],
            "execution": "done_as_planned" if done["was_reached"] else "attempted_without_reach",
            "customer_response": done["response"],
            "channel": "call",
            "minutes": done["minutes"],
        }
        return {
            "id": f"{self.number}-{self.day}",
            "account": str(self.tenant_id),
            "owner_email": CSMS[self.csm].email,
            "title": f"{name} on my own account",
            "action_type": "activity",
            "intervention": self.treatment,
            "reason": "My own impression",
            "began_at": _moment(self.day, self.second),
            "closed": closed if self.ends < today else None,
        }


def _moment(day: int, second: int) -> str:
    return datetime.fromtimestamp(day * DAY_SECONDS + second, UTC).isoformat()
