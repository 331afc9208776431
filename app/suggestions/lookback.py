"""What a rule would have done over past days: the same triggers on what those days knew, step by step. Pure.

A suggestion is taken to stay open until its trigger clears or it expires unanswered, and then to cool down: what people
would have answered is not known. What already held on the first day looked at is not counted, for nobody knows since
when. Accounts, not firings, are what shares are of: several firings of one account say one thing.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any

from app.suggestions.rates import Rate
from app.suggestions.rules import Rule, is_cooling_down
from app.suggestions.triggers.registry import LOGIC

STEP = timedelta(days=7)
REACH = timedelta(days=364)
CHURN_WITHIN = timedelta(days=90)
EXAMPLES = 5

Progress = Callable[[float], None]

# What is not kept by day is taken as it is today; a reader must know of it before they rely on a figure.
FOR_ALL: tuple[str, ...] = (
    "Looked at every seventh day: what came and went in between is missed.",
    "Whose an account is, is taken as it is today.",
    "Whether a source was late on a day is not kept: nothing is taken to have been blocked.",
    "Each CSM's budget of a day is left out: everything that fires is counted.",
)
NOT_KEPT: Mapping[str, tuple[str, ...]] = {
    "R1": (
        "Health of past days is as it is counted today: records that came late, and weights changed since, are in.",
    ),
    "R2": ("Events that came late count on the day they are of, not the day they came.",),
    "R3": ("The plan of an account is taken as it is today, so which days of quiet are usual.",),
    "R4": (
        "Roles of contacts, and whose mail bounces, are taken as they are today.",
        "Of accounts that have left the renewal is not known: theirs are never critical.",
    ),
    "R5": ("The priority of a ticket is taken as it is today, and one opened anew as open from the start.",),
    "R6": ("Contacts that were logged later than they happened count from the day they happened.",),
    "R7": (
        "A failed payment is known by account: every invoice that was unpaid then counts as failed.",
        "Invoices that were voided since are left out, also on days on which they were open.",
    ),
    "R8": ("Seats paid are in the use of each day; the number in the sentence is today's.",),
    "R9": ("The day somebody became a customer is taken as it is today.",),
    "R10": (
        "Renewal dates are not kept by day: they are reckoned back by whole years from today's.",
        "Of accounts that have left the renewal is not known, so nothing is said about leaving.",
    ),
    "R11": ("Contacts that were logged later than they happened count from the day they happened.",),
    "R12": ("Seats paid are in the use of each day; the number in the sentence is today's.",),
    "R13": (
        "It speaks only where no other rule does; here it is counted also where another one did.",
        "The risk of a day is what the model of that day said.",
    ),
    "R14": ("The risk of a day is what the model of that day said.",),
}
WITHOUT_CHURN = frozenset({"R10"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """An account over time; `left_on` is None for those that stayed."""

    account_key: str
    account_name: str
    csm: str | None
    since: date | None
    left_on: date | None

    def is_alive(self, day: date) -> bool:
        """Whether it was a customer at the end of a day."""
        return (self.since is None or self.since <= day) and (self.left_on is None or self.left_on > day)

    def leaves_after(self, day: date) -> bool:
        """Whether it left within the time that a firing is judged by."""
        return self.left_on is not None and day < self.left_on <= day + CHURN_WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The input of a rule as past days knew it. `since` is the first day that is known (None: nothing is), and `covers`
    says whether an account's input would have been read under the rule's own parameters."""

    since: date | None
    at: Callable[[date], Mapping[str, Any]]
    covers: Callable[[Rule, Any], bool] = lambda _rule, _given: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A suggestion as it would have been raised."""

    account_key: str
    day: date
    priority: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one version of a rule would have done.

    `precision` is of accounts with a firing old enough to judge: those that left within 90 days after one. `caught` is
    of accounts that left: those with a firing in the 90 days before. Both None where leaving cannot be told.
    `lead_days` is the median from the earliest such firing to the leaving. `young` firings are too new to judge.
    """

    firings: int
    accounts: int
    by_priority: Mapping[str, int]
    by_csm: Mapping[str | None, int]
    young: int
    precision: Rate | None
    caught: Rate | None
    lead_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An account that only one of both versions would have raised, at its first firing."""

    account_key: str
    account_name: str
    csm: str | None
    day: date
    sentence: str
    left_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions of a rule over the same days. `base` is the share of all accounts, on an average day old enough to
    judge, that left within 90 days. The counts are of accounts that one version raises and the other does not."""

    first: date
    last: date
    steps: int
    now: Effect
    then: Effect
    base: Rate | None
    only_now: int
    only_then: int
    lost: tuple[Example, ...]
    gained: tuple[Example, ...]


@dataclass(slots=True)
class _Track:
    """One version of the rule on its way through the days."""

    rule: Rule
    expire_after: timedelta
    open: dict[str, tuple[date, Mapping[str, Any]]] = field(default_factory=dict)
    ended: dict[str, date] = field(default_factory=dict)
    firings: list[Firing] = field(default_factory=list)

    def step(self, day: date, given: Mapping[str, Any], *, is_first: bool) -> None:
        """End what cleared or expired by a day, then raise what its trigger holds for."""
        logic = LOGIC[self.rule.rule_id]
        for key, (opened, figures) in list(self.open.items()):
            mine = given.get(key)
            if logic.absence_clears if mine is None else logic.has_cleared(self.rule, mine, figures):
                del self.open[key]
            elif day - opened > self.expire_after:
                del self.open[key]
                self.ended[key] = day
        for key, mine in given.items():
            if key in self.open or is_cooling_down(self.rule, self.ended.get(key), day):
                continue
            finding = logic.trigger(self.rule, mine)
            if finding is None:
                continue
            self.open[key] = (day, finding.evidence["figures"])
            if not is_first:
                fired = Firing(account_key=key, day=day, priority=finding.priority, sentence=finding.sentence)
                self.firings.append(fired)


def steps(last: date, since: date | None) -> list[date]:
    """The days looked at, oldest first, the newest last: a year of weeks, or as many as are known."""
    if since is None:
        return []
    first = max(since, last - REACH)
    return [last - STEP * back for back in range((last - first) // STEP, -1, -1)]


def compare(
    now: Rule,
    then: Rule,
    *,
    past: Past,
    lives: Mapping[str, Life],
    last: date,
    expire_after_days: int,
    progress: Progress = lambda _: None,
) -> Comparison | None:
    """Both versions over the same days; None when fewer than two steps are known. `progress` gets 0 to 1, and may raise
    to stop."""
    days = steps(last, past.since)
    if len(days) < 2:
        return None
    tracks = [_Track(rule=rule, expire_after=timedelta(days=expire_after_days)) for rule in (now, then)]
    for place, day in enumerate(days):
        known = {key: mine for key, mine in past.at(day).items() if key in lives and lives[key].is_alive(day)}
        for track in tracks:
            mine = {key: one for key, one in known.items() if past.covers(track.rule, one)}
            track.step(day, mine, is_first=place == 0)
        progress((place + 1) / len(days))
    before, after = ({one.account_key for one in track.firings} for track in tracks)
    says_churn = now.rule_id not in WITHOUT_CHURN
    return Comparison(
        first=days[1],
        last=last,
        steps=len(days) - 1,
        now=effect(tracks[0].firings, lives, days=days[1:], says_churn=says_churn),
        then=effect(tracks[1].firings, lives, days=days[1:], says_churn=says_churn),
        base=_base(lives, days[1:]) if says_churn else None,
        only_now=len(before - after),
        only_then=len(after - before),
        lost=_examples(tracks[0].firings, before - after, lives),
        gained=_examples(tracks[1].firings, after - before, lives),
    )


def effect(firings: Sequence[Firing], lives: Mapping[str, Life], *, days: Sequence[date], says_churn: bool) -> Effect:
    """The counts of some firings, of any order; `days` are those looked at."""
    last = days[-1]
    judged = [one for one in firings if one.day + CHURN_WITHIN <= last]
    before_leaving: dict[str, int] = {}
    for one in firings:
        life = lives[one.account_key]
        if life.left_on is not None and life.leaves_after(one.day):
            lead = (life.left_on - one.day).days
            before_leaving[one.account_key] = max(lead, before_leaving.get(one.account_key, 0))
    # by its first firing: an account called every few weeks is called all year, and would be right whenever it leaves
    called: dict[str, Firing] = {}
    for one in sorted(judged, key=lambda one: one.day):
        called.setdefault(one.account_key, one)
    right = [key for key, one in called.items() if lives[key].leaves_after(one.day)]
    # who left soon after the first day may have been called before it, where nothing was looked at
    began = days[0] + CHURN_WITHIN
    gone = {key for key, life in lives.items() if life.left_on is not None and began <= life.left_on <= last}
    return Effect(
        firings=len(firings),
        accounts=len({one.account_key for one in firings}),
        by_priority=Counter(one.priority for one in firings),
        by_csm=Counter(lives[one.account_key].csm for one in firings),
        young=len(firings) - len(judged),
        precision=Rate(len(right), len(called)) if says_churn else None,
        caught=Rate(len(gone & before_leaving.keys()), len(gone)) if says_churn else None,
        lead_days=median(before_leaving.values()) if says_churn and before_leaving else None,
    )


def _base(lives: Mapping[str, Life], days: Sequence[date]) -> Rate:
    """What calling accounts at random would have come to: of those alive on a day, who left within 90 days, all days
    together."""
    judged = [day for day in days if day + CHURN_WITHIN <= days[-1]]
    alive = left = 0
    for life in lives.values():
        on_days = [day for day in judged if life.is_alive(day)]
        alive += len(on_days)
        left += sum(life.leaves_after(day) for day in on_days)
    return Rate(left, alive)


def _examples(firings: Sequence[Firing], keys: set[str], lives: Mapping[str, Life]) -> tuple[Example, ...]:
    """The newest first firings of these accounts, those that left first: they teach most."""
    first: dict[str, Firing] = {}
    for one in firings:
        if one.account_key in keys:
            first.setdefault(one.account_key, one)
    newest = sorted(first.values(), key=lambda one: one.day, reverse=True)
    chosen = sorted(newest, key=lambda one: not lives[one.account_key].leaves_after(one.day))
    return tuple(
        Example(
            account_key=one.account_key,
            account_name=lives[one.account_key].account_name,
            csm=lives[one.account_key].csm,
            day=one.day,
            sentence=one.sentence,
            left_on=lives[one.account_key].left_on,
        )
        for one in chosen[:EXAMPLES]
    )
