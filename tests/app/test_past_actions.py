"""Past actions come in with their own times, the context of their day, once, and what is wrong with them is said."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app import past_actions
from app.actions.context import canonical_hash, contexts
from app.db import unit_of_work
from tests.app.factories import AS_OF, NOW, Estate

BEGAN = datetime(2026, 9, 1, 9, 30, tzinfo=UTC)


def a_row(**changes: Any) -> dict[str, Any]:
    closed = {
        "at": (BEGAN + timedelta(days=6)).isoformat(),
        "result": "successful",
        "done_intervention": "training",
        "closing_note": "They sent two campaigns since.",
        "execution": "done_as_planned",
        "customer_response": "positive",
        "channel": "call",
        "minutes": 40,
    }
    row = {
        "id": "old-1",
        "account": "7001",
        "owner_email": "Maya.Lind@force24.example",
        "title": "Training",
        "action_type": "activity",
        "intervention": "training",
        "reason": "Few seats in use",
        "began_at": BEGAN.isoformat(),
        "closed": closed,
    }
    return row | changes


@pytest.fixture
def lived(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """An account with ninety days of health, and its CSM."""
    monkeypatch.setattr(past_actions, "unit_of_work", partial(unit_of_work, estate.engine))
    estate.user("Maya Lind")
    key = estate.account(tenant_id="7001", csm_email="maya.lind@force24.example")
    estate.health(key, [float(number) for number in range(10, 100)])
    estate.risk(key, *[(0.2, "Medium")] * 90)
    estate.usage(key, [(5, 5)] * 90)
    estate.publish()
    return estate


def take(*rows: dict[str, Any] | str) -> past_actions.Taken:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return past_actions.take(lines, now=NOW, report=lambda done: None)


def test_a_past_action_has_its_own_times_and_the_context_of_its_day(lived: Estate) -> None:
    assert take(a_row()) == past_actions.Taken(new=1)

    assert lived.one("select status from app.actions") == "closed"
    assert lived.one("select created_at from app.actions") == BEGAN
    assert lived.one("select closed_at from app.actions") == BEGAN + timedelta(days=6)
    assert lived.one("select min(at) from app.action_events") == BEGAN
    assert lived.one("select done_date from app.action_outcomes").isoformat() == "2026-09-07"
    assert lived.one("select decided_at from app.decisions") == BEGAN
    features = lived.one("select features from app.context_snapshots")
    day = (BEGAN - timedelta(days=1)).date()
    score = 99 - (AS_OF - day).days
    assert (features["health"]["health_date"], features["health"]["score"]) == (day.isoformat(), score)
    assert features["account"]["health_score"] == score
    assert features["usage"]["usage_date"] == features["risk"]["risk_date"] == day.isoformat()
    assert lived.one("select newest_input_at from app.decisions") < BEGAN
    assert not set(features["account"]) & {"mrr", "plan", "segment", "health_trend_90d", "is_active"}, "of today alone"


def test_the_context_of_a_past_day_is_made_again_to_the_same_hash_whatever_was_done_since(lived: Estate) -> None:
    take(a_row(), a_row(id="old-2", began_at=(BEGAN + timedelta(days=2)).isoformat(), closed=None))
    key = lived.one("select account_key from app.actions limit 1")

    with lived.work() as db:
        again = [contexts(db, [key], decided_at=BEGAN + timedelta(days=days))[key] for days in (0, 2)]

    hashes = {
        lived.one(f"select snapshot_hash from app.decisions order by decided_at offset {at} limit 1") for at in (0, 1)
    }
    assert {canonical_hash(one.features) for one in again} == hashes
    assert [one.csm_open_load for one in again] == [0, 1]


def test_of_a_day_before_all_history_nothing_is_known(lived: Estate) -> None:
    assert take(a_row(began_at="2021-09-01T09:30:00+00:00")).new == 1

    features = lived.one("select features from app.context_snapshots")
    assert features["account"]["as_of_date"] == "2021-08-31"
    assert (features["health"], features["risk"], features["usage"]) == (None, None, None)
    assert features["account"]["health_score"] is None


def test_given_again_nothing_comes_in_twice_and_what_was_mended_does(lived: Estate) -> None:
    assert take(a_row(), a_row(id="old-2", account="9")).new == 1

    assert take(a_row(), a_row(id="old-2")) == past_actions.Taken(new=1, known=1)
    assert lived.one("select count(*) from app.actions") == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (a_row(account="nobody"), "There is no account 'nobody' here. Give its id in the CRM"),
        (a_row(owner_email="who@x.example"), "There is no owner_email 'who@x.example' here."),
        (a_row(began_at="last summer"), "began_at is no time."),
        (a_row(began_at="2026-09-01T09:30:00"), "does not say of which zone"),
        (a_row(began_at="2031-09-01T09:30:00+00:00"), "lies in the future"),
        (a_row(intervention="magic"), "ntervention"),
        (a_row(closed=a_row()["closed"] | {"at": "2026-08-01T00:00:00+00:00"}), "closed before it was begun"),
        (a_row(closed=a_row()["closed"] | {"closing_note": ""}), "note"),
        (a_row(id=None), "id"),
        ("{not json", "no JSON object"),
        ('"a text"', "no JSON object"),
        ("[1]", "no JSON object"),
    ],
)
def test_what_cannot_be_taken_is_named_by_its_line_and_takes_nothing_with_it(
    lived: Estate, row: dict[str, Any] | str, said: str
) -> None:
    taken = take(a_row(id="good-1"), row, a_row(id="good-2"))

    assert taken.new == 2
    [refused] = taken.refused
    assert refused.startswith("line 2: ")
    assert said in refused
    assert lived.one("select count(*) from app.actions") == 2


def test_the_command_says_what_came_in_and_fails_when_a_line_was_left_out(
    lived: Estate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "past.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in (a_row(), a_row(id="x", account="9"))), encoding="utf-8")

    assert past_actions.main([str(file)]) == 1
    assert "1 past actions came in, 0 were in already, 1 cannot be taken." in capsys.readouterr().out
    assert past_actions.main([str(file), "--allow-refused"]) == 0
    assert past_actions.main([str(tmp_path / "none")]) == 2
