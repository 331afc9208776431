"""Raise, clear, wake and expire suggestions after a published build: set-wise, in one transaction, one run at a time.

Running it twice on the same build changes nothing the second time: what is open is not raised again but says what the
newest build says, what was answered cools down, and a CSM's budget of the day is counted over all runs of the day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from app.actions.context import contexts
from app.actions.decisions import PolicyChoice, record_policy
from app.actions.repository import EventActor
from app.actions.service import cancel_resolved
from app.actions.vocabulary import ActorKind
from app.calendar import DISPLAY_ZONE, display_date
from app.errors import MartUnavailable
from app.marts.sources import complete_until, freshness
from app.suggestions import repository, rule_scopes, throttling
from app.suggestions.inputs.accounts import AccountFacts, accounts
from app.suggestions.inputs.reading import RuleInputs
from app.suggestions.inputs.registry import Inputs
from app.suggestions.model import (
    ANSWERABLE,
    OPEN_STATUSES,
    REFRESHED,
    BlockedRule,
    EvaluationReport,
    Suggestion,
    SuggestionStatus,
)
from app.suggestions.policy import (
    Candidate,
    Policy,
    choose,
    exclusion_of,
    is_in_hold_out,
    policy_from_params,
    score,
    seed_of,
    within_budget,
)
from app.suggestions.repository import Happening
from app.suggestions.rules import Finding, Rule, dedupe_key, is_cooling_down, is_stale, rule_from_params
from app.suggestions.triggers.registry import LOGIC
from app.wording import on

POLICY_ID = "rules"
LONGEST_MEMORY = timedelta(days=730)  # a year of waiting for an answer, and the longest cool-down after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a rule is given: the rows that decide, the accounts it may see (all with None), and the oldest of all that
    its rows rest on, by name and last day."""

    rows: RuleInputs
    seen: rule_scopes.Seen
    oldest: str
    as_of: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A finding that may become a suggestion, or renew the one that is open. Its sentence and its picture are whole
    after `_in_full`."""

    rule: Rule
    facts: AccountFacts
    candidate: Candidate
    finding: Finding
    key: str
    score: float


@dataclass(slots=True)
class Run:
    """One evaluation: what it knows and what it has done so far. `score_shares` are of the rules that are throttled."""

    db: Connection
    now: datetime
    build_id: int
    today: date
    policy: Policy
    accounts: Mapping[str, AccountFacts]
    inputs: Inputs
    open: dict[UUID, Suggestion]
    score_shares: Mapping[str, float]
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))
    blocked: list[BlockedRule] = field(default_factory=list)
    written: list[tuple[Suggestion, Mapping[str, object], EventActor, Happening]] = field(default_factory=list)

    def end(self, suggestion: Suggestion, status: SuggestionStatus, *, actor: EventActor, reason: str) -> None:
        """Take a suggestion out of the open ones, with its event."""
        self.write(suggestion, {"status": status.value, "snoozed_until": None}, actor=actor, kind=status, reason=reason)
        del self.open[suggestion.suggestion_id]

    def write(
        self,
        suggestion: Suggestion,
        changes: Mapping[str, object],
        *,
        actor: EventActor,
        kind: str,
        reason: str | None = None,
        told: tuple[object, object] | None = None,
    ) -> None:
        """Change a suggestion and tell its story, once `send` is called, and only once before it; the event shows what
        is `told`, else the status, before and after."""
        before, after = told or (suggestion.status.value, changes.get("status", suggestion.status.value))
        happening = Happening(
            suggestion_id=suggestion.suggestion_id,
            version=suggestion.version + 1,
            kind=str(kind),
            before=before,
            after=after,
            reason=reason,
        )
        self.written.append((suggestion, changes, actor, happening))

    def send(self) -> None:
        """Write what was changed, in a few statements however much it is, and know the open ones as they are now."""
        written, self.written = self.written, []
        if not written:
            return
        repository.change_all(self.db, [(suggestion, changes) for suggestion, changes, _, _ in written])
        told = [(actor, happening) for _, _, actor, happening in written]
        repository.append_all(self.db, now=self.now, happenings=told)
        still_open = [one.suggestion_id for one, *_ in written if one.suggestion_id in self.open]
        for one in repository.of_ids(self.db, still_open) if still_open else ():
            self.open[one.suggestion_id] = one

    def insert(self, rows: Sequence[Mapping[str, object]], told: Sequence[tuple[EventActor, str | None]]) -> None:
        """New suggestions in the status that their row says, and the first event of each: by whom, and why."""
        made = repository.insert_all(self.db, rows)
        happenings = [
            (actor, Happening(suggestion_id=one, version=1, kind=status, after=status, reason=reason))
            for one, row, (actor, reason) in zip(made, rows, told, strict=True)
            for status in [str(row["status"])]
        ]
        repository.append_all(self.db, now=self.now, happenings=happenings)


_COUNTED = (
    "generated",
    "held_out",
    "refreshed",
    "over_budget",
    "auto_resolved",
    "cancelled_actions",
    "expired",
    "woken",
)
_JOB = EventActor(user_id=None, name="Evaluation", kind=ActorKind.JOB)


def _rule_actor(rule_id: str) -> EventActor:
    return EventActor(user_id=None, name=f"Rule {rule_id}", kind=ActorKind.RULE)


def _follow_accounts(run: Run) -> None:
    """Open suggestions move with their account's owner, and end with their account."""
    for suggestion in list(run.open.values()):
        facts = run.accounts.get(suggestion.account_key)
        if facts is None:
            run.end(suggestion, SuggestionStatus.AUTO_RESOLVED, actor=_JOB, reason="account_churned")
            run.counts["auto_resolved"] += 1
        elif facts.csm_email != suggestion.csm_email:
            run.write(
                suggestion,
                {"csm_email": facts.csm_email},
                actor=_JOB,
                kind="owner_changed",
                reason=f"{suggestion.csm_email or 'nobody'} to {facts.csm_email or 'nobody'}",
            )
    run.send()


def _wake_and_expire(run: Run) -> None:
    for suggestion in list(run.open.values()):
        if suggestion.snoozed_until is not None and suggestion.snoozed_until <= run.today:
            changes = {"status": SuggestionStatus.SHOWN.value, "snoozed_until": None}
            run.write(suggestion, changes, actor=_JOB, kind="woken")
            run.counts["woken"] += 1
    run.send()
    waiting = [one for one in run.open.values() if one.status in (*OPEN_STATUSES, SuggestionStatus.HELD_OUT)]
    woken = repository.woken_at(run.db, [one.suggestion_id for one in waiting])
    longest = timedelta(days=run.policy.expire_after_days)
    for suggestion in waiting:
        since = woken.get(suggestion.suggestion_id, suggestion.generated_at)
        if run.now - since > longest:
            run.end(suggestion, SuggestionStatus.EXPIRED, actor=_JOB, reason=f"unanswered for {longest.days} days")
            run.counts["expired"] += 1
    run.send()


def _has_cleared(rule: Rule, given: Given, account_key: str, evidence: Mapping[str, Any]) -> bool:
    logic, mine = LOGIC[rule.rule_id], given.rows.by_account.get(account_key)
    if mine is None:
        return logic.absence_clears
    return logic.has_cleared(rule, mine, evidence["figures"])


def _clear(run: Run, rule: Rule, given: Given, untouched: Sequence[repository.Untouched]) -> None:
    """Suggestions whose trigger is gone end by themselves; so do accepted ones that nobody has started. What waits on
    an account that the rule does not see any more ends too; what was accepted stays somebody's work."""
    for suggestion in list(run.open.values()):
        if suggestion.rule_id != rule.rule_id:
            continue
        actor = _rule_actor(rule.rule_id)
        if suggestion.status is SuggestionStatus.BLOCKED_STALE_DATA:
            run.end(suggestion, SuggestionStatus.SUPERSEDED, actor=actor, reason="data is fresh again")
        elif not given.seen.holds(suggestion.account_key):
            run.end(suggestion, SuggestionStatus.SUPERSEDED, actor=actor, reason="outside the segment of the rule")
        elif _has_cleared(rule, given, suggestion.account_key, suggestion.evidence):
            run.end(suggestion, SuggestionStatus.AUTO_RESOLVED, actor=actor, reason="trigger cleared")
            run.counts["auto_resolved"] += 1
    run.send()
    cleared = [
        one.action_id
        for one in untouched
        if one.rule_id == rule.rule_id and _has_cleared(rule, given, one.account_key, one.evidence)
    ]
    if cleared:
        run.counts["cancelled_actions"] += cancel_resolved(
            run.db, action_ids=cleared, rule_id=rule.rule_id, now=run.now
        )


def _found(run: Run, rule: Rule, given: Given) -> list[Raised]:
    """Every account that the rule may see and its trigger holds for, whatever is open or was answered."""
    found: list[Raised] = []
    for account_key, facts in run.accounts.items():
        mine = given.rows.by_account.get(account_key) if given.seen.holds(account_key) else None
        finding = LOGIC[rule.rule_id].trigger(rule, mine) if mine is not None else None
        if finding is None:
            continue
        since_contact = (run.today - facts.last_contact_date).days if facts.last_contact_date else None
        candidate = Candidate(
            account_key=account_key,
            rule_id=rule.rule_id,
            priority=finding.priority,
            csm_email=facts.csm_email,
            mrr_eur=facts.mrr_eur,
            mrr_at_risk_eur=facts.mrr_at_risk_eur,
            days_to_renewal=facts.days_to_renewal,
            days_since_contact=since_contact,
            churn_risk_band=facts.churn_risk_band,
            urgent_open_ticket_count=facts.urgent_open_ticket_count,
            customer_age_days=(run.today - facts.customer_since_date).days if facts.customer_since_date else None,
        )
        found.append(
            Raised(
                rule=rule,
                facts=facts,
                candidate=candidate,
                finding=finding,
                key=dedupe_key(account_key, rule.action_type, rule.reason),
                score=score(run.policy, candidate) * run.score_shares.get(rule.rule_id, 1.0),
            )
        )
    return found


def _in_full(run: Run, found: Sequence[Raised]) -> list[Raised]:
    """The same findings with all that is said and drawn, which is read of these accounts alone, in the same order.

    One that a build published meanwhile no longer holds is left out; the evaluation of that build speaks for it.
    """
    whole: dict[str, RuleInputs] = {}
    for rule_id, rule in {one.rule.rule_id: one.rule for one in found}.items():
        whole[rule_id] = run.inputs.whole(rule, [one.facts.account_key for one in found if one.rule is rule])
    told: list[Raised] = []
    for one in found:
        mine = whole[one.rule.rule_id].by_account.get(one.facts.account_key)
        finding = LOGIC[one.rule.rule_id].trigger(one.rule, mine) if mine is not None else None
        if finding is not None:
            told.append(replace(one, finding=finding))
    return told


def _not_yet_open(run: Run, found: Sequence[Raised], standing: repository.Standing) -> list[Raised]:
    taken = standing.open_keys | {one.dedupe_key for one in run.open.values()}
    return [
        one
        for one in found
        if one.key not in taken and not is_cooling_down(one.rule, standing.ended.get(one.key), run.today)
    ]


def _told(one: Raised) -> dict[str, object]:
    """What a suggestion says of its account: all that a newer build may change while it waits for an answer."""
    return {
        "account_name": one.facts.account_name,
        "priority": one.finding.priority,
        "sentence": one.finding.sentence,
        "evidence": one.finding.evidence,
        "score": one.score,
    }


def _refresh(run: Run, found: Sequence[Raised]) -> None:
    """Open and snoozed suggestions whose trigger still holds say what the newest build says.

    The decision and its context stay what they were, and so does the proposal.
    """
    open_by_key = {one.dedupe_key: one for one in run.open.values() if one.status in ANSWERABLE}
    for one in _in_full(run, [one for one in found if one.key in open_by_key]):
        suggestion = open_by_key[one.key]
        after = {name: value for name, value in _told(one).items() if value != getattr(suggestion, name)}
        if not after:
            continue
        after["build_id"] = run.build_id
        before = {name: getattr(suggestion, name) for name in after}
        actor = _rule_actor(one.rule.rule_id)
        run.write(suggestion, after, actor=actor, kind=REFRESHED, told=(before, after))
        run.counts["refreshed"] += 1
    run.send()


def _columns(run: Run, one: Raised) -> dict[str, object]:
    return {
        **_told(one),
        "account_key": one.facts.account_key,
        "rule_id": one.rule.rule_id,
        "rule_version": one.rule.version,
        "action_type": one.rule.action_type,
        "reason": one.rule.reason,
        "title": one.rule.title,
        "due_offset_bd": one.rule.due_offset_bd,
        "dedupe_key": one.key,
        "csm_email": one.facts.csm_email,
        "build_id": run.build_id,
        "generated_at": run.now,
    }


def _loaded_until(db: Connection) -> dict[str, date]:
    """The last complete day of every source that was loaded."""
    try:
        with db.begin_nested():
            return complete_until(freshness(db))
    except MartUnavailable:  # marts filled by other means than our loads: only their own last day is known
        return {}


def _given(rule: Rule, rows: RuleInputs, seen: rule_scopes.Seen, loaded_until: Mapping[str, date]) -> Given:
    ends = [(rule.input, rows.as_of), *((name, loaded_until[name]) for name in rule.sources if name in loaded_until)]
    oldest, as_of = min(ends, key=lambda end: end[1] or date.min)
    return Given(rows=rows, seen=seen, oldest=oldest, as_of=as_of)


def _alone(run: Run, found: Sequence[Raised], raised: Sequence[Raised]) -> list[Raised]:
    """Those of a rule that speaks only where no other does: without another open suggestion, old or new."""
    others = {one.facts.account_key for one in raised}
    others |= {one.account_key for one in run.open.values() if not LOGIC[one.rule_id].only_alone}
    return [one for one in found if one.facts.account_key not in others]


def _block(run: Run, rule: Rule, given: Given, raised: Sequence[Raised]) -> None:
    """Keep what would have fired, visibly blocked, and say which input is too old."""
    days = f"ends on {on(given.as_of)}" if given.as_of else "is empty"
    message = f"{rule.rule_id} did not run: {given.oldest} {days}, at most {rule.max_input_age_days} days are allowed."
    run.blocked.append(
        BlockedRule(
            rule_id=rule.rule_id,
            input=given.oldest,
            as_of=given.as_of,
            max_age_days=rule.max_input_age_days,
            account_count=len(raised),
            message=message,
        )
    )
    status = SuggestionStatus.BLOCKED_STALE_DATA.value
    same = {"status": status, "is_held_out": False, "intervention": rule.interventions[0], "decision_id": None}
    told = _in_full(run, raised)
    run.insert([{**_columns(run, one), **same} for one in told], [(_rule_actor(rule.rule_id), message)] * len(told))


def _stratum(facts: AccountFacts) -> str:
    return "|".join((facts.csm_email or "nobody", facts.segment or "no segment", facts.churn_risk_band or "no risk"))


def _offer(run: Run, chosen: Sequence[Raised], stale_inputs: Sequence[str]) -> None:
    """Write suggestions with their decisions and contexts, best first; some are held out and shown to nobody."""
    known = contexts(run.db, sorted({one.facts.account_key for one in chosen}), decided_at=run.now)
    exclusions = [exclusion_of(run.policy, one.candidate) for one in chosen]
    choices = [
        choose(
            run.policy,
            one.rule.interventions,
            seed=seed_of(run.policy, account_key=one.facts.account_key, rule_id=one.rule.rule_id, day=run.today),
            may_hold_out=exclusion is None,
            is_in_group=is_in_hold_out(run.policy, account_key=one.facts.account_key, day=run.today),
        )
        for one, exclusion in zip(chosen, exclusions, strict=True)
    ]
    decided = record_policy(
        run.db,
        now=run.now,
        choices=[
            (
                known[one.facts.account_key],
                PolicyChoice(
                    policy_id=run.policy.policy_id,
                    policy_version=run.policy.version,
                    rule_id=one.rule.rule_id,
                    eligible=choice.probabilities,
                    chosen_intervention=choice.chosen,
                    propensity_chosen=choice.propensity,
                    seed=choice.seed,
                    rank=rank,
                    arm="held_out" if choice.is_held_out else "shown",
                    exclusion=exclusion,
                    stratum=_stratum(one.facts),
                    stale_inputs=stale_inputs,
                ),
            )
            for rank, (one, choice, exclusion) in enumerate(zip(chosen, choices, exclusions, strict=True), start=1)
        ],
    )
    rows = [
        {
            **_columns(run, one),
            "status": (SuggestionStatus.HELD_OUT if choice.is_held_out else SuggestionStatus.GENERATED).value,
            "is_held_out": choice.is_held_out,
            "intervention": choice.intervention,
            "decision_id": decision_id,
        }
        for one, choice, decision_id in zip(chosen, choices, decided, strict=True)
    ]
    run.insert(rows, [(_rule_actor(one.rule.rule_id), None) for one in chosen])
    for choice in choices:
        run.counts["held_out" if choice.is_held_out else "generated"] += 1


def run_all(db: Connection, *, now: datetime, build_id: int) -> EvaluationReport:
    """Evaluate every active rule on the published marts; see `service.evaluate`."""
    repository.take_time(db)
    open_ones = {one.suggestion_id: one for one in repository.lock_open(db)}
    throttling.review(db, now=now)
    version, params = repository.active_policy(db, POLICY_ID)
    active = [rule_from_params(*row) for row in repository.active_rules(db) if row[0] in LOGIC]
    # who speaks only alone comes last, when it is known who else speaks
    active.sort(key=lambda rule: LOGIC[rule.rule_id].only_alone)
    run = Run(
        db=db,
        now=now,
        build_id=build_id,
        today=display_date(now),
        policy=policy_from_params(POLICY_ID, version, params),
        accounts=accounts(db),
        inputs=Inputs(db, active),
        open=open_ones,
        score_shares=throttling.shares(db),
    )
    _follow_accounts(run)
    _wake_and_expire(run)
    loaded_until = _loaded_until(db)
    seen = rule_scopes.seen_by(db, active, today=run.today)
    given = {rule.rule_id: _given(rule, run.inputs.deciding(rule), seen[rule.rule_id], loaded_until) for rule in active}
    stale = [rule for rule in active if is_stale(rule, given[rule.rule_id].as_of, run.today)]
    untouched = repository.accepted_untouched(db)
    for rule in active:
        if rule not in stale:
            _clear(run, rule, given[rule.rule_id], untouched)
    standing = repository.standing(
        db, day_began=datetime.combine(run.today, time(), DISPLAY_ZONE), since=now - LONGEST_MEMORY
    )
    raised: list[Raised] = []
    for rule in active:
        found = _found(run, rule, given[rule.rule_id])
        if rule not in stale:
            _refresh(run, found)
        new = _not_yet_open(run, found, standing)
        if LOGIC[rule.rule_id].only_alone:
            new = _alone(run, new, raised)
        if rule in stale:
            _block(run, rule, given[rule.rule_id], new)
        else:
            raised.extend(new)
    raised.sort(key=lambda one: (-one.score, one.facts.account_key, one.rule.rule_id))
    chosen, waiting = within_budget(
        [(one.facts.csm_email, one) for one in raised],
        used=standing.used_today,
        budget=run.policy.budget_per_csm_and_day,
    )
    run.counts["over_budget"] = len(waiting)
    _offer(run, _in_full(run, chosen), sorted({given[rule.rule_id].oldest for rule in stale}))
    return EvaluationReport(build_id=build_id, blocked=tuple(run.blocked), **run.counts)
