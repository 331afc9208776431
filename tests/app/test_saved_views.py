"""Saved views: own ones, shared ones, and what nobody else may know of."""

from datetime import timedelta
from typing import Any

import pytest

from app import audit, saved_views
from app.auth import Identity, Role
from app.errors import InvalidInput, NotFound, NotPermitted, StaleVersion
from app.saved_views import SavedView
from tests.app.factories import NOW, Estate, a_key

QUERY = {"who": ["mine"], "status": ["New", "Blocked"]}


def save(estate: Estate, actor: Identity, **values: Any) -> SavedView:
    given = {"page": "actions", "name": "My blocked work", "query": QUERY, "is_shared": False, "now": NOW} | values
    with estate.work() as db:
        return saved_views.save(db, actor=actor, idempotency_key=given.pop("key", None) or a_key(), **given)


def names(estate: Estate, identity: Identity, page: str = "actions") -> list[str]:
    with estate.work() as db:
        return [view.name for view in saved_views.list_views(db, identity=identity, page=page)]


def test_a_view_gives_back_the_filters_it_was_saved_with(estate: Estate, maya: Identity) -> None:
    view = save(estate, maya)

    with estate.work() as db:
        again = saved_views.get_view(db, identity=maya, view_id=view.view_id)
    assert again == view
    assert again.query == QUERY
    assert names(estate, maya, page="accounts") == []


def test_a_private_view_does_not_exist_for_a_colleague_and_a_shared_one_does(
    estate: Estate, maya: Identity, tom: Identity
) -> None:
    hidden = save(estate, maya)
    shared = save(estate, maya, name="Team: overdue", is_shared=True)
    save(estate, tom, name="Zebra")

    assert names(estate, tom) == ["Zebra", "Team: overdue"]
    with estate.work() as db:
        assert saved_views.get_view(db, identity=tom, view_id=shared.view_id).owner_name == "Maya Lind"
        with pytest.raises(NotFound):
            saved_views.get_view(db, identity=tom, view_id=hidden.view_id)


def test_only_its_owner_changes_a_view_and_only_as_it_is_now(estate: Estate, maya: Identity, tom: Identity) -> None:
    view = save(estate, maya, is_shared=True)

    with pytest.raises(NotPermitted):
        save(estate, tom, view_id=view.view_id, expected_version=1, name="Mine now")
    changed = save(estate, maya, view_id=view.view_id, expected_version=1, name="Renamed", is_shared=True)
    assert (changed.name, changed.version, changed.view_id) == ("Renamed", 2, view.view_id)
    with pytest.raises(StaleVersion):
        save(estate, maya, view_id=view.view_id, expected_version=1, name="Renamed again")


def test_a_name_is_used_once_a_person_and_page_and_free_again_after_removal(
    estate: Estate, maya: Identity, tom: Identity
) -> None:
    view = save(estate, maya)
    save(estate, tom)
    save(estate, maya, page="accounts")

    with pytest.raises(InvalidInput, match="of this name already"):
        save(estate, maya, name="my BLOCKED work")
    with estate.work() as db:
        saved_views.remove(
            db,
            actor=maya,
            now=NOW + timedelta(minutes=1),
            view_id=view.view_id,
            expected_version=1,
            idempotency_key=a_key(),
        )
        with pytest.raises(NotFound):
            saved_views.get_view(db, identity=maya, view_id=view.view_id)
    assert save(estate, maya).version == 1


def test_a_double_click_saves_one_view(estate: Estate, maya: Identity) -> None:
    key = a_key()

    assert save(estate, maya, key=key) == save(estate, maya, key=key)
    assert names(estate, maya) == ["My blocked work"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": " "}, "name"), ({"name": "x" * 81}, "name"), ({"query": {"find": ["x" * 9_000]}}, "query")],
)
def test_what_cannot_be_a_view_is_refused_with_its_field(
    estate: Estate, maya: Identity, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        save(estate, maya, **change)

    assert refused.value.field == field


def test_every_change_of_a_view_is_in_the_trail(estate: Estate, maya: Identity) -> None:
    view = save(estate, maya)
    save(estate, maya, view_id=view.view_id, expected_version=1, name="Renamed")

    with estate.work() as db:
        told = audit.trail(db, actor=estate.user("Harriet Cole", Role.ADMIN), subject=audit.Subject.SAVED_VIEW)
    assert [(event.kind, event.field, event.before, event.after) for event in told[:1]] == [
        ("changed", "name", "My blocked work", "Renamed")
    ]
    assert told[1].kind == "created"
    assert told[1].after["query"] == QUERY
