"""One question, three kinds of answers: whoever types a name finds the account, the person and the work."""

import httpx

from app.auth import Identity
from tests.api.asking import open_action
from tests.api.conftest import World


def found(client: httpx.Client, text: str, **params: int) -> dict[str, list[dict[str, object]]]:
    answer = client.get("/search", params={"text": text, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def contact(world: World, account_key: str, name: str, **values: object) -> None:
    world.estate.put(
        "dim_contacts", contact_key=f"contact {name}", account_key=account_key, contact_name=name, **values
    )


def test_one_text_finds_accounts_contacts_and_actions(world: World, maya: Identity) -> None:
    client = world.client(maya)
    key = world.account(account_name="Quillfeather Press")
    contact(world, key, "Ada Quillfeather", is_champion=True, has_left=False)
    action = open_action(world, client, account_key=key, title="Quillfeather: call the champion")

    answer = found(client, "quillfeather")

    assert [one["account_key"] for one in answer["accounts"]] == [key]
    assert [(one["contact_name"], one["account_name"]) for one in answer["contacts"]] == [
        ("Ada Quillfeather", "Quillfeather Press")
    ]
    assert [one["action_id"] for one in answer["actions"]] == [action["action_id"]]


def test_who_has_left_comes_after_who_is_there_and_a_name_that_begins_with_it_first(
    world: World, maya: Identity
) -> None:
    key = world.account(account_name="Order of contacts")
    contact(world, key, "Zara Obermeier", has_left=False, is_champion=False)
    contact(world, key, "Obermeier Anna", has_left=False, is_champion=False)
    contact(world, key, "Obermeier Gone", has_left=True, is_champion=False)

    answer = found(world.client(maya), "obermeier")

    assert [one["contact_name"] for one in answer["contacts"]] == ["Obermeier Anna", "Zara Obermeier", "Obermeier Gone"]


def test_each_kind_is_bounded_and_signs_of_the_search_language_are_letters(world: World, maya: Identity) -> None:
    for number in range(4):
        world.account(account_name=f"Bounded_{number}% Ltd")
    client = world.client(maya)

    assert len(found(client, "bounded_", limit=2)["accounts"]) == 2
    assert len(found(client, "_3%")["accounts"]) == 1
    assert found(client, "b%d_d") == {"accounts": [], "contacts": [], "actions": []}


def test_blank_text_finds_nothing(world: World, maya: Identity) -> None:
    assert found(world.client(maya), " \x00 ") == {"accounts": [], "contacts": [], "actions": []}
