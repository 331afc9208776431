"""Figures said to be wrong: what is kept of them, who joins, who closes, who hears, and what undo takes back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.auth import Identity, Role
from app.errors import InvalidInput, NotPermitted, StaleVersion
from app.suggestions import data_issues, service
from app.suggestions.data_issues import DataIssue, IssueStatus
from app.suggestions.model import Suggestion
from app.suggestions.proofs import figures_of
from app.suggestions.rules import Finding
from app.suggestions.triggers.registry import LOGIC
from tests.app import test_triggers as given
from tests.app.factories import AS_OF, NOW, Estate, a_key, key_of, mart_columns
from tests.app.test_suggestions import DROP, dismiss, evaluate, evaluated, maya, next_day, raised, undo
from tests.app.test_triggers import AS_OF as DAY

__all__ = ["maya"]
KEY = key_of("Ashford Media")


def wrong(estate: Estate, who: Identity, suggestion: Suggestion, **more: Any) -> Suggestion:
    return dismiss(estate, who, suggestion, "wrong_data", **more)


def issues(estate: Estate, status: IssueStatus = IssueStatus.OPEN) -> list[DataIssue]:
    with estate.work() as db:
        return data_issues.issues(db, status=status)


def resolve(estate: Estate, who: Identity, issue: DataIssue, key: str | None = None) -> DataIssue:
    with estate.work() as db:
        return data_issues.resolve(
            db,
            actor=who,
            now=NOW,
            issue_id=issue.issue_id,
            expected_version=issue.version,
            resolution="The seats were counted twice.",
            idempotency_key=key or a_key(),
        )


def say(estate: Estate, who: Identity, suggestion: Suggestion, note: str = "They have 40 seats") -> DataIssue:
    with estate.work() as db:
        return data_issues.say(
            db, actor=who, now=NOW, suggestion_id=suggestion.suggestion_id, note=note, idempotency_key=a_key()
        )


def test_wrong_data_opens_an_issue_with_the_figures_and_where_each_is_proved(estate: Estate, maya: Identity) -> None:
    (suggestion,) = evaluated(estate)

    wrong(estate, maya, suggestion, key="once")
    wrong(estate, maya, suggestion, key="once")

    (issue,) = issues(estate)
    assert (issue.account_key, issue.rule_id, issue.build_id) == (KEY, "R1", suggestion.build_id)
    assert (issue.figure, issue.sentence) == ("fct_account_health_daily.score", suggestion.sentence)
    assert [(one.key, one.value) for one in issue.figures] == [
        ((KEY, AS_OF.isoformat()), "60"),
        ((KEY, (AS_OF - timedelta(days=7)).isoformat()), "80"),
    ]
    (report,) = issue.reports
    assert (report.reported_by, report.reported_at, report.note) == (maya.user_id, NOW, None)
    assert estate.one("select count(*) from app.audit_events where subject_kind = 'data_issue'") == 1
    assert say(estate, maya, suggestion).reports[0].note == "They have 40 seats"
    with pytest.raises(NotPermitted):
        say(estate, estate.user("Tom Okafor"), suggestion)


def test_other_reasons_open_nothing_and_take_no_note(estate: Estate, maya: Identity) -> None:
    (suggestion,) = evaluated(estate)

    with pytest.raises(InvalidInput, match="wrong data only"), estate.work() as db:
        service.dismiss(
            db,
            actor=maya,
            now=NOW,
            suggestion_id=suggestion.suggestion_id,
            expected_version=suggestion.version,
            reason="bad_timing",
            note="not now",
            idempotency_key=a_key(),
        )
    dismiss(estate, maya, suggestion)

    assert issues(estate) == []


def test_the_same_said_again_joins_the_open_issue_and_undo_takes_back_ones_own(estate: Estate, maya: Identity) -> None:
    (first,) = evaluated(estate)
    wrong(estate, maya, first)
    later = next_day(estate, DROP, days=40)
    evaluate(estate, now=later)
    (second,) = raised(estate)
    answered = wrong(estate, maya, second, now=later)
    (issue,) = issues(estate)
    assert [one.suggestion_id for one in issue.reports] == [first.suggestion_id, second.suggestion_id]

    undo(estate, maya, answered, now=later)

    (issue,) = issues(estate)
    assert [one.suggestion_id for one in issue.reports] == [first.suggestion_id]


def test_undo_withdraws_an_issue_that_nobody_else_reported(estate: Estate, maya: Identity) -> None:
    (suggestion,) = evaluated(estate)

    answered = undo(estate, maya, wrong(estate, maya, suggestion))

    assert issues(estate) == []
    assert estate.one("select status from app.data_issues") == "withdrawn"
    wrong(estate, maya, answered)
    assert len(issues(estate)) == 1


def test_an_analyst_resolves_it_once_and_who_reported_it_hears(estate: Estate, maya: Identity) -> None:
    (suggestion,) = evaluated(estate)
    wrong(estate, maya, suggestion)
    (issue,) = issues(estate)
    with pytest.raises(NotPermitted):
        resolve(estate, maya, issue)

    alex = estate.user("Alex Stone", Role.ANALYST)
    done = resolve(estate, alex, issue, key="once")

    assert resolve(estate, alex, issue, key="once") == done
    assert (done.status, done.resolved_by_name, issues(estate)) == ("resolved", "Alex Stone", [])
    assert issues(estate, IssueStatus.RESOLVED) == [done]
    assert estate.one("select (user_id, kind) = (%s, 'data_issue_resolved') from app.notices", maya.user_id)
    with pytest.raises(StaleVersion):
        resolve(estate, alex, issue)
    with pytest.raises(InvalidInput, match="resolved since"):
        say(estate, maya, suggestion)


FOUND: Mapping[str, Finding | None] = {
    rule_id: LOGIC[rule_id].trigger(given.RULES[rule_id], seen)
    for rule_id, seen in {
        "R3": given.usage(8),
        "R4": given.people(),
        "R5": given.support(*[given.URGENT] * 3),
        "R6": given.answer(),
        "R8": given.seats(*[given.LOW] * 15),
        "R9": given.onboarding(8),
        "R10": given.renewal(90),
        "R11": given.people(last_contact_on=given.ago(90)),
        "R12": given.seats(*[given.FULL] * 8),
        "R13": given.risk(*[given.HIGH] * 3),
        "R14": given.opinion(4, *["High"] * 4),
    }.items()
}
WRITTEN: Mapping[str, dict[str, Any]] = {
    "R1": {"before": 80.0, "now": 60.0, "change": -20.0, "window_days": 7},
    "R2": {"window_days": 7, "now": 10, "before": 20, "change_ratio": -0.5, "baseline_7d": 20.0},
    "R7": {"oldest_overdue_days": 40, "invoice_ids": ["in_1"]},
}


@pytest.mark.parametrize("rule_id", LOGIC)
def test_every_rule_names_figures_that_the_marts_have(rule_id: str) -> None:
    found = FOUND.get(rule_id)
    evidence = found.evidence if found else {"as_of": DAY.isoformat(), "figures": WRITTEN[rule_id]}

    proved = figures_of(rule_id, "a", evidence)

    assert proved[0].value is not None or rule_id in ("R9", "R11"), "what decided is shown beside its proof"
    for one in proved:
        assert one.column in mart_columns()[one.mart]
