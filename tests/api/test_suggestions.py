"""Suggestions over HTTP: answered once, by the person whose account it is."""

from itertools import count
from typing import Any

import pytest

from app.auth import Identity
from app.clock import real_now
from tests.api.asking import a_suggestion, key
from tests.api.conftest import World

_numbers = count(1)


def owner_of(world: World, suggestion: dict[str, Any]) -> Identity:
    """The CSM whose account it is."""
    return next(one for one in world.estate.people.values() if one.owner_email == suggestion["csm_email"])


@pytest.fixture
def suggestion(world: World) -> dict[str, Any]:
    """A suggestion about an overdue invoice of a CSM of its own, since each has a budget of five a day."""
    return a_suggestion(world, world.estate.user(f"Owner Number{next(_numbers)}"))


def answer(world: World, who: Identity, suggestion: dict[str, Any], how: str, **body: Any):
    path = f"/suggestions/{suggestion['suggestion_id']}/{how}"
    return world.client(who).post(path, json={"version": suggestion["version"], **body}, headers=key())


def test_accepting_opens_an_action_on_the_suggestions_decision(world: World, suggestion: dict[str, Any]) -> None:
    accepted = answer(world, owner_of(world, suggestion), suggestion, "accept")

    action = accepted.json()["action"]
    assert accepted.status_code == 200
    assert action["suggestion_id"] == suggestion["suggestion_id"]
    assert action["decision_id"] == suggestion["decision_id"]
    assert accepted.json()["already_accepted_by"] is None


def test_accepting_twice_is_one_action_and_the_second_hears_who_was_first(
    world: World, suggestion: dict[str, Any], harriet: Identity
) -> None:
    first = answer(world, owner_of(world, suggestion), suggestion, "accept").json()

    second = answer(world, harriet, suggestion, "accept").json()

    assert second["action"]["action_id"] == first["action"]["action_id"]
    assert second["already_accepted_by"] == owner_of(world, suggestion).display_name


def test_accepting_with_edits_takes_the_edits(world: World, suggestion: dict[str, Any]) -> None:
    edits = {
        "account_key": suggestion["account_key"],
        "title": "Settle the invoice by phone",
        "action_type": suggestion["action_type"],
        "intervention": suggestion["intervention"],
    }

    accepted = answer(world, owner_of(world, suggestion), suggestion, "accept", edits=edits).json()

    assert accepted["action"]["title"] == "Settle the invoice by phone"


def test_a_dismissal_needs_a_reason_from_the_list(world: World, suggestion: dict[str, Any]) -> None:
    refused = answer(world, owner_of(world, suggestion), suggestion, "dismiss", reason="do not like it")
    dismissed = answer(world, owner_of(world, suggestion), suggestion, "dismiss", reason="known_and_accepted")

    assert refused.status_code == 422
    assert dismissed.json()["status"] == "dismissed"
    assert dismissed.json()["dismissal_reason"] == "known_and_accepted"


def test_a_snoozed_suggestion_leaves_the_list(world: World, suggestion: dict[str, Any]) -> None:
    until = real_now().date().replace(year=real_now().year + 1)
    soon = suggestion["generated_at"][:10]

    too_far = answer(world, owner_of(world, suggestion), suggestion, "snooze", until=until.isoformat())
    past = answer(world, owner_of(world, suggestion), suggestion, "snooze", until=soon)

    assert too_far.status_code == past.status_code == 422
    assert too_far.json()["errors"][0]["field"] == "until"


def test_only_the_owner_of_the_account_or_an_admin_may_answer(
    world: World, suggestion: dict[str, Any], tom: Identity
) -> None:
    refused = [answer(world, tom, suggestion, "accept"), answer(world, tom, suggestion, "dismiss", reason="duplicate")]

    assert [one.status_code for one in refused] == [403, 403]
    assert world.client(tom).get(f"/suggestions/{suggestion['suggestion_id']}").json()["status"] != "dismissed"


def test_answering_an_old_version_is_refused_with_the_new_one(world: World, suggestion: dict[str, Any]) -> None:
    answer(world, owner_of(world, suggestion), suggestion, "dismiss", reason="bad_timing")

    late = answer(world, owner_of(world, suggestion), suggestion, "dismiss", reason="wrong_data")

    assert (late.status_code, late.json()["code"]) == (409, "stale_version")
    assert late.json()["current"]["dismissal_reason"] == "bad_timing"
    assert late.json()["yours"]["reason"] == "wrong_data"


def test_a_csm_sees_the_suggestions_of_their_own_accounts(
    world: World, suggestion: dict[str, Any], tom: Identity, harriet: Identity
) -> None:
    def ids(who: Identity) -> set[str]:
        return {
            one["suggestion_id"] for one in world.client(who).get("/suggestions", params={"limit": 200}).json()["items"]
        }

    assert suggestion["suggestion_id"] in ids(owner_of(world, suggestion)) & ids(harriet)
    assert suggestion["suggestion_id"] not in ids(tom)


def test_a_dismissal_is_taken_back_by_who_gave_it(
    world: World, suggestion: dict[str, Any], harriet: Identity, tom: Identity
) -> None:
    owner = owner_of(world, suggestion)
    dismissed = answer(world, owner, suggestion, "dismiss", reason="duplicate").json()

    refused = [answer(world, who, dismissed, "undo") for who in (harriet, tom)]
    undone = answer(world, owner, dismissed, "undo")
    again = answer(world, owner, undone.json(), "undo")

    assert [one.status_code for one in refused] == [403, 403]
    assert undone.status_code == 200
    assert undone.json() == suggestion | {"version": suggestion["version"] + 2}
    assert (again.status_code, again.json()["detail"]) == (422, "There is no answer to undo.")
