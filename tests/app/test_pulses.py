"""The pulse of an account: asked once, remembered for a fortnight, and never known to a decision made before it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.actions.context import canonical_hash, contexts
from app.auth import Identity, Role
from app.errors import InvalidInput, NotPermitted
from app.suggestions import pulses
from app.suggestions.pulses import Pulse
from app.users import set_preferences
from tests.app.factories import NOW, Estate, a_key, key_of
from tests.app.test_suggestions import evaluated, maya

__all__ = ["maya"]
KEY = key_of("Ashford Media")


def give(estate: Estate, who: Identity, score: int = 4, *, now: datetime = NOW, key: str | None = None) -> Pulse:
    with estate.work() as db:
        return pulses.give(db, actor=who, now=now, account_key=KEY, score=score, idempotency_key=key or a_key())


def due(estate: Estate, who: Identity, *, now: datetime = NOW, still_asked: tuple[str, ...] = ()) -> set[str]:
    with estate.work() as db:
        return set(pulses.due(db, identity=who, now=now, account_keys=[KEY], still_asked=still_asked))


def rebuilt(estate: Estate, decided_at: datetime) -> dict[str, Any]:
    """The snapshot of that moment, made again from what is stored now."""
    with estate.work() as db:
        return contexts(db, [KEY], decided_at=decided_at)[KEY].features


def test_a_pulse_is_asked_once_a_day_and_not_again_for_fourteen_days(estate: Estate, maya: Identity) -> None:
    (suggestion,) = evaluated(estate)
    assert due(estate, maya) == {KEY}

    for _ in range(2):
        with estate.work() as db:
            pulses.asked(db, actor=maya, now=NOW, of={KEY: suggestion.suggestion_id})
    assert due(estate, maya) == set()
    assert due(estate, maya, still_asked=(KEY,)) == {KEY}, "the question that stands is the same asking"
    with estate.work() as db:
        pulses.skip(db, actor=maya, now=NOW, account_keys=[KEY])
    assert due(estate, maya, still_asked=(KEY,)) == set()

    next_day = NOW + timedelta(days=1)
    assert due(estate, maya, now=next_day) == {KEY}
    give(estate, maya, now=next_day)
    assert due(estate, maya, now=next_day + timedelta(days=14)) == set()
    assert due(estate, maya, now=next_day + timedelta(days=15)) == {KEY}
    assert estate.one("select answer from app.pulse_asks") == "skipped", "a later pulse rewrites no day before it"

    with estate.work() as db:
        set_preferences(db, actor=maya, now=NOW, is_asked_pulse=False)
    assert due(estate, maya, now=next_day + timedelta(days=15)) == set()


def test_a_pulse_is_the_owners_to_give_once_and_never_changed(estate: Estate, maya: Identity) -> None:
    first = give(estate, maya, 2, key="once")

    assert give(estate, maya, 2, key="once") == first
    for stranger in (estate.user("Tom Okafor"), estate.user("Alex Stone", Role.ANALYST)):
        with pytest.raises(NotPermitted):
            give(estate, stranger)
    for wrong in (0, 6):
        with pytest.raises(InvalidInput, match="1 to 5"):
            give(estate, maya, wrong)
    with pytest.raises(Exception, match="append-only"), estate.work() as db:
        db.execute(text("update app.account_pulses set score = 5"))
    with estate.work() as db:
        assert [one.score for one in pulses.pulses(db, KEY)] == [2]


def test_a_snapshot_is_rebuilt_to_the_same_hash_and_knows_no_pulse_given_since(estate: Estate, maya: Identity) -> None:
    earlier = NOW - timedelta(days=3)
    give(estate, maya, 5, now=earlier - timedelta(minutes=1))
    give(estate, maya, 2, now=earlier)
    evaluated(estate)
    stored = estate.one("select snapshot_hash from app.decisions")
    assert estate.one("select features from app.context_snapshots")["csm_pulse"] == {
        "score": 2,
        "given_at": earlier.isoformat(),
    }

    give(estate, maya, 1, now=NOW)
    give(estate, maya, 1, now=NOW + timedelta(seconds=1))

    assert canonical_hash(rebuilt(estate, NOW)) == stored
    give(estate, estate.user("Harriet Cole", Role.ADMIN), 5, now=NOW + timedelta(seconds=2))
    assert rebuilt(estate, NOW + timedelta(seconds=3))["csm_pulse"]["score"] == 1, "what its own CSM says counts"


@pytest.mark.parametrize(("age", "is_known"), [(timedelta(days=14), True), (timedelta(days=14, seconds=1), False)])
def test_a_pulse_is_in_no_snapshot_after_a_fortnight(
    estate: Estate, maya: Identity, age: timedelta, is_known: bool
) -> None:
    give(estate, maya, 3, now=NOW - age)

    evaluated(estate)

    features = estate.one("select features from app.context_snapshots")
    assert (features["csm_pulse"] is not None, features["feature_set_version"]) == (is_known, 2)
