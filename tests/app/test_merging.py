"""Two edits of one action, brought together field by field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actions import service
from app.actions.merging import merge
from app.actions.model import Action
from app.auth import Identity, Role
from app.errors import StaleVersion
from tests.app.factories import NOW, Estate, a_key

FIELDS = ("title", "priority", "due_date")
rows = st.fixed_dictionaries({field: st.sampled_from(["a", "b", "c", None]) for field in FIELDS})
Row = dict[str, Any]


@given(rows, rows, rows)
def test_each_field_ends_as_whoever_changed_it_says_and_as_mine_where_both_did(
    base: Row, theirs: Row, mine: Row
) -> None:
    merged = merge(base, theirs, mine)

    for field in FIELDS:
        if mine[field] != base[field]:
            assert merged.values[field] == mine[field]
        else:
            assert merged.values[field] == theirs[field]
        is_collision = len({base[field], theirs[field], mine[field]}) == 3
        assert (field in merged.collisions) == is_collision
        assert (field in merged.taken) == (theirs[field] != base[field] == mine[field])


@given(rows, rows, rows)
def test_both_sides_meet_the_same_collisions(base: Row, theirs: Row, mine: Row) -> None:
    assert merge(base, theirs, mine).collisions == merge(base, mine, theirs).collisions


@given(rows, rows, rows)
def test_without_a_collision_it_does_not_matter_who_saves_first(base: Row, theirs: Row, mine: Row) -> None:
    merged = merge(base, theirs, mine)

    if not merged.collisions:
        assert merged.values == merge(base, mine, theirs).values


@given(rows, rows)
def test_who_changed_nothing_takes_everything_and_nobody_loses_what_only_they_changed(base: Row, other: Row) -> None:
    assert merge(base, other, base).values == merge(base, base, other).values == other
    assert merge(base, other, other).collisions == ()


# at the service


def _edit(estate: Estate, actor: Identity, action: Action, base: Row | None, **changes: Any) -> Action:
    with estate.work() as db:
        return service.edit_action(
            db,
            actor=actor,
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            changes=changes,
            base=base,
            idempotency_key=a_key(),
        )


@pytest.fixture
def maya(estate: Estate) -> Identity:
    estate.publish()
    estate.account()
    return estate.user("Maya Lind")


def test_a_newer_version_refuses_only_what_somebody_else_set_to_something_else(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, title="Call", priority="medium")
    base = {"title": "Call", "priority": "medium"}
    _edit(estate, estate.user("Harriet Cole", Role.ADMIN), action, None, title="Write", reason="They asked")

    beside = _edit(estate, maya, action, base, priority="high")
    with pytest.raises(StaleVersion) as refused:
        _edit(estate, maya, action, base, title="Visit", priority="low")
    same = _edit(estate, maya, action, base, title="Write")

    assert (beside.title, beside.priority, beside.reason) == ("Write", "high", "They asked")
    assert {event.field for event in refused.value.changes} == {"title", "reason", "priority"}
    assert (same.title, same.priority, same.version) == ("Write", "high", beside.version)


def test_without_a_base_any_newer_version_refuses(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    _edit(estate, maya, action, None, title="Write")

    with pytest.raises(StaleVersion):
        _edit(estate, maya, action, None, priority="high")
