"""The closed loop: time passes, the product is told, its CSMs work on what it suggests, and the world answers.

Everything a CSM does goes through the product's public API, and so carries the time that the product lives in. What
they have done shifts latents from the next day on; what becomes of the account shows in the sources, or does not.
"""

import shlex
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from simulator import colleagues, store, truth
from simulator.advance import Report, advance, real_today
from simulator.catalogue import CSMS
from simulator.clock import date_of
from simulator.config import Settings
from simulator.estate import store_connection
from simulator.interventions import CARRIES, setting
from simulator.workplace import Workplace
from simulator.world import NEVER, World

STEP_DAYS = 7
DAYS_A_MONTH = 30
OWN_IDEAS_A_WEEK = 3
PULSE_SHARE = 0.6
PULSE_DAYS = 14
UNWRITTEN_SHARE = 0.5


class PipelineFailed(Exception):
    """The command that brings the sources into the product did not succeed."""


@dataclass(frozen=True)
class Desk:
    """One CSM at work in one world, on the evening of its last day."""

    db: psycopg.Connection
    world: World
    place: Workplace
    regime: str
    done: Counter[str]

    def work(self) -> None:
        """Answer what is suggested, finish what is due, begin what nobody suggested."""
        numbers = {account.tenant_id: account.no for account in self.world.accounts}
        mine = self.place.pages("/accounts", limit=100, owner="me")
        known = {one["account_key"]: numbers[int(one["tenant_id"])] for one in mine if one["tenant_id"]}
        offered = [one for one in self.place.read("/suggestions", limit=200)["items"] if one["account_key"] in known]
        for account_key in dict.fromkeys(one["account_key"] for one in offered):
            self._give_pulse(account_key, known[account_key])
        if offered and self.regime != "broken_logging":
            ids = [one["suggestion_id"] for one in offered]
            self.place.write("/suggestions/exposures", f"shown:{self.world.day}", kind="shown", suggestion_ids=ids)
        for suggestion in offered:
            self._answer(suggestion, known[suggestion["account_key"]])
        busy = set()
        for action in list(
            self.place.pages("/actions", mine="true", limit=200, category=["not_started", "started", "paused"])
        ):
            busy.add(action["account_key"])
            if action["account_key"] in known and action["status"] != "snoozed":
                self._finish(action, known[action["account_key"]])
        self._begin({key: number for key, number in known.items() if key not in busy})
        self.db.commit()

    def _latents(self, number: int) -> colleagues.Latents:
        return self.world.latents_of(number - 1)

    def _moment(self, key: str, number: int, treatment: str, probability: float, *, is_taken: bool) -> None:
        """Keep for evaluation that the CSM could have acted. Accounts that have decided to leave have no more luck."""
        index, day = number - 1, self.world.day
        if self.world.columns.notice[index] == NEVER:
            arm = CARRIES.get(treatment, ("none", 0.0))[0] if is_taken else "none"
            state = truth.state_of(self.world, index, day, setting(self.world, day))
            store.keep_moment(self.db, store.Moment(key, day, number, arm, probability, state))

    def _answer(self, suggestion: dict[str, Any], number: int) -> None:
        day, key = self.world.day, suggestion["suggestion_id"]
        latents = self._latents(number)
        dice = self.world.dice("colleagues", day, f"answer:{number}:{suggestion['rule_id']}")
        worried = colleagues.worry(latents, self.regime)
        chance = colleagues.chance_to_accept(worried)
        lot = dice.random()
        self._moment(f"{key}:{day}", number, suggestion["intervention"], chance, is_taken=lot < chance)
        path, version = f"/suggestions/{key}", suggestion["version"]
        if lot < chance:
            taken = self.place.write(f"{path}/accept", f"accept:{key}:{version}", version=version)
            self.done["accepted"] += taken is not None
        elif dice.random() < 0.6:
            reason = colleagues.reason_against(worried, dice)
            taken = self.place.write(f"{path}/dismiss", f"dismiss:{key}:{version}", version=version, reason=reason)
            self.done["dismissed"] += taken is not None
        elif dice.random() < 0.5:
            until = date_of(day + dice.randrange(8, 20)).isoformat()
            taken = self.place.write(f"{path}/snooze", f"snooze:{key}:{version}", version=version, until=until)
            self.done["snoozed"] += taken is not None
        else:
            self.done["left"] += 1

    def _give_pulse(self, account_key: str, number: int) -> None:
        """Before what is suggested is looked at, if it was not said lately; some never do."""
        day, path = self.world.day, f"/accounts/{account_key}/pulses"
        dice = self.world.dice("colleagues", day, f"pulse:{number}")
        newest = [datetime.fromisoformat(one["given_at"]).date() for one in self.place.read(path, limit=1)["items"]]
        is_old = not newest or newest[0] + timedelta(days=PULSE_DAYS) <= date_of(day)
        if is_old and dice.random() < PULSE_SHARE:
            score = colleagues.pulse(self._latents(number), dice)
            self.done["pulses"] += self.place.write(path, f"pulse:{number}:{day}", score=score) is not None

    def _finish(self, action: dict[str, Any], number: int) -> None:
        """Do what was planned some days after it was taken up, and write it down."""
        dice = self.world.dice("colleagues", 0, f"finish:{action['action_id']}")
        begun = datetime.fromisoformat(action["created_at"]).date()
        if begun + timedelta(days=dice.randrange(1, 20)) > date_of(self.world.day):
            return
        written = colleagues.outcome(self._latents(number), action["intervention"], dice)
        is_unwritten = self.regime == "broken_logging" and dice.random() < UNWRITTEN_SHARE
        if written.was_reached and action["intervention"] in CARRIES:
            is_first = store.keep_deed(self.db, action["action_id"], number, *CARRIES[action["intervention"]])
            # before it is closed: a process killed in between finds the action open and the deed kept
            self.db.commit()
            self.done["never written down"] += is_unwritten and is_first
        if is_unwritten:
            return
        closed = self.place.write(
            f"/actions/{action['action_id']}/close",
            f"close:{action['action_id']}:{action['version']}",
            version=action["version"],
            result=written.result,
            done_intervention=action["intervention"],
            closing_note=written.note,
            execution="done_as_planned" if written.was_reached else "attempted_without_reach",
            customer_response=written.response,
            channel="call",
            minutes=written.minutes,
        )
        self.done["closed"] += closed is not None

    def _begin(self, free: dict[str, int]) -> None:
        """Own ideas, on accounts on which nothing runs."""
        begun, day = 0, self.world.day
        for key, number in sorted(free.items(), key=lambda item: item[1]):
            if not self.world.columns.active[number - 1]:
                continue
            latents, dice = self._latents(number), self.world.dice("colleagues", day, f"begin:{number}")
            chance = colleagues.chance_to_begin(colleagues.worry(latents, self.regime))
            treatment = colleagues.chosen(latents, self.regime, dice)
            is_taken = begun < OWN_IDEAS_A_WEEK and dice.random() < chance
            self._moment(f"own:{number}:{day}", number, treatment, chance, is_taken=is_taken)
            if is_taken:
                made = self.place.write(
                    "/actions",
                    f"begin:{number}:{day}",
                    account_key=key,
                    title=f"{treatment.replace('_', ' ').capitalize()} on my own account",
                    action_type="activity",
                    intervention=treatment,
                    reason="My own impression",
                )
                begun += made is not None
        self.done["begun"] += begun


def live(settings: Settings, *, months: int, regime: str | None, then: str, report: Report) -> Counter[str]:
    """Let `months` of 30 days pass, week by week; returns what the CSMs did.

    After each week `then` is run, the command that loads the sources and publishes; then every CSM works once. Killed
    and started again it goes on from the day the world stands at. Raises LookupError without an estate,
    PipelineFailed, Unwelcome.
    """
    with store_connection(settings) as db:
        store.prepare(db)
        if regime is not None:
            db.execute("update estate set regime = %s", [regime])
        regime = store.regime(db)
    done: Counter[str] = Counter()
    weeks = round(months * DAYS_A_MONTH / STEP_DAYS)
    begun = time.monotonic()
    for week in range(1, weeks + 1):
        advance(settings, days=STEP_DAYS, real_today=real_today(), report=lambda line: None)
        _run(then)
        with store_connection(settings) as db:
            world = store.load_world(db)
            for csm in CSMS:
                with Workplace(settings.simulator_workplace_url, csm.email, settings.simulator_csm_password) as place:
                    Desk(db, world, place, regime, done).work()
        counted = ", ".join(f"{count} {name}" for name, count in sorted((+done).items()))
        bar = "#" * (week * 24 // weeks)
        report(
            f"  [{bar:<24}] {date_of(world.day)}  week {week} of {weeks}, {counted}, {time.monotonic() - begun:.0f} s"
        )
    return done


def _run(command: str) -> None:
    finished = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if finished.returncode != 0:
        last = finished.stdout.decode(errors="replace")[-2_000:]
        raise PipelineFailed(f"`{command}` ended with {finished.returncode}:\n{last}")
