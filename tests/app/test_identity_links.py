"""Deciding whose a source record is: who may, of what, and which decision holds."""

import pytest
from psycopg.types.json import Jsonb

from app import identity_links
from app.auth import Role
from app.errors import InvalidInput, NotFound, NotPermitted
from app.identity_links import Candidate, Decision, IssueKind
from tests.app.factories import NOW, Estate, a_key

CANDIDATE = {"account_name": "Ashford Media", "rule": "name", "confidence": 0.7}


def unsure(estate: Estate) -> str:
    """One organisation of the support desk that is linked by its name alone; returns the account's key."""
    key = estate.account()
    estate.put("bridge_account_sources", source="zendesk", source_id="77", source_name="Ashford", is_linked=False)
    estate.put(
        "fct_identity_issues",
        issue_key="i1",
        issue_kind="conflict",
        source="zendesk",
        source_id="77",
        source_name="Ashford",
        candidates=Jsonb([{"account_key": key, **CANDIDATE}]),
        record_count=3,
    )
    estate.publish()
    return key


def decide(estate: Estate, account_key: str | None, *, role: Role = Role.ANALYST, **other: str) -> Decision:
    given = {"source": "zendesk", "source_id": "77", "reason": "Their invoice says so", "idempotency_key": a_key()}
    who = estate.user("Alex Stone" if role is Role.ANALYST else "Maya Lind", role)
    with estate.work() as db:
        return identity_links.decide(db, actor=who, now=NOW, account_key=account_key, **{**given, **other})


def test_the_newest_decision_on_a_record_holds_and_the_older_one_stays(estate: Estate) -> None:
    key = unsure(estate)

    with estate.work() as db:
        (issue,) = identity_links.issues(db)
    assert (issue.issue_kind, issue.record_count) == (IssueKind.CONFLICT, 3)
    assert issue.candidates == [Candidate(account_key=key, account_name="Ashford Media", rule="name", confidence=0.7)]

    decide(estate, key)
    decide(estate, None, reason="They never signed", idempotency_key="once")
    decide(estate, None, reason="They never signed", idempotency_key="once")
    with estate.work() as db:
        (held,) = identity_links.decisions(db, of=[("zendesk", "77"), ("stripe", "77")])
    assert (held.account_key, held.reason, held.linked_by_name) == (None, "They never signed", "Alex Stone")
    assert estate.one("select count(*) from app.identity_links") == 2


def test_what_cannot_be_is_refused_with_a_sentence(estate: Estate) -> None:
    key = unsure(estate)

    with pytest.raises(NotPermitted, match="analyst or an admin"):
        decide(estate, key, role=Role.CSM)
    with pytest.raises(NotFound, match="source record"):
        decide(estate, key, source_id="78")
    with pytest.raises(InvalidInput, match="no such account"):
        decide(estate, "nobody")
    with pytest.raises(InvalidInput, match="reason"):
        decide(estate, key, reason="  ")
    assert estate.one("select count(*) from app.identity_links") == 0
