"""The portfolio over HTTP: every account once, the newest build at once, and a sentence before the first one."""

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.auth import Identity
from app.calendar import display_date
from tests.api.conftest import World
from tests.app.factories import AS_OF


def pages(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = client.get("/accounts", params={**params, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def test_days_to_a_renewal_count_from_today_in_every_answer_and_file(world: World, harriet: Identity) -> None:
    today = display_date(datetime.now(UTC))
    key = world.account(account_name="Renews", renewal_date=today + timedelta(days=30), days_to_renewal=31)
    client = world.client(harriet)

    listed = client.get("/accounts", params={"search": "renews"}).json()["items"]
    lines = client.get("/exports/accounts.csv").text.lstrip("\ufeff").splitlines()

    assert [one["days_to_renewal"] for one in listed] == [30]
    assert client.get(f"/accounts/{key}").json()["days_to_renewal"] == 30
    assert [row["days_to_renewal"] for row in csv.DictReader(lines) if row["account_key"] == key] == ["30"]


def test_pages_hold_every_account_once_most_at_risk_first(world: World, maya: Identity) -> None:
    risks = [10.0, 30.0, None, 30.0, 20.0, None, 0.0]
    keys = {
        world.account(account_name=f"Paged {place}", domain="paged.example", mrr_at_risk_eur=risk)
        for place, risk in enumerate(risks)
    }

    found = pages(world.client(maya), search="paged", limit=2)

    assert len(found) == len(keys)
    assert {one["account_key"] for one in found} == keys
    assert [one["mrr_at_risk_eur"] for one in found] == [30.0, 30.0, 20.0, 10.0, 0.0, None, None]


def test_accounts_are_found_by_band_owner_and_text(world: World, maya: Identity) -> None:
    red = world.account(account_name="Findme Red", health_band="R")
    blank = world.account(account_name="Findme Blank", health_band=None, csm_email="tom.okafor@force24.example")
    gone = world.account(account_name="Findme Gone", is_active=False)
    client = world.client(maya)

    def keys(**params: Any) -> set[str]:
        return {one["account_key"] for one in pages(client, search="FINDME", **params)}

    assert keys() == {red, blank}
    assert keys(band="R") == {red}
    assert keys(band="none") == {blank}
    assert keys(owner="me") == {red}
    assert keys(owner="Tom.Okafor@force24.example") == {blank}
    assert keys(with_churned=True) == {red, blank, gone}


@pytest.mark.parametrize(
    "cursor", ["x", "bm90IGpzb24", "WzEsMl0", "WyJhIiwiYiIsImMiXQ", "%00", "W251bGwsbnVsbCxudWxsXQ"]
)
def test_a_cursor_that_is_not_ours_is_refused(world: World, maya: Identity, cursor: str) -> None:
    world.account()

    answer = world.client(maya).get("/accounts", params={"cursor": cursor})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("params", [{"limit": 101}, {"limit": 0}, {"band": "Purple"}, {"search": "x" * 101}])
def test_what_a_list_does_not_take_is_refused(world: World, maya: Identity, params: dict[str, Any]) -> None:
    assert world.client(maya).get("/accounts", params=params).status_code == 422


def test_a_new_build_is_seen_at_once_by_every_server(world: World, maya: Identity, second_server: str) -> None:
    account = world.account(account_name="Rebuilt", health_score=40.0)
    path = f"/accounts/{account}"
    here, there = world.client(maya), world.client(maya, url=second_server)

    before = [client.get(path).json()["health_score"] for client in (here, there)]
    world.estate.set("dim_accounts", account, health_score=90.0)
    unpublished = [client.get(path).json()["health_score"] for client in (here, there)]
    world.estate.publish()
    after = [client.get(path).json()["health_score"] for client in (here, there)]

    assert before == [40.0, 40.0]
    assert unpublished == [40.0, 40.0]  # from the cache of the build that readers were promised
    assert after == [90.0, 90.0]


def test_an_unknown_account_is_not_found(world: World, maya: Identity) -> None:
    world.account()

    for path in ("/accounts/nothing", "/accounts/nothing/health", "/accounts/nothing/events"):
        answer = world.client(maya).get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_parts_of_a_movement_add_up_to_it(world: World, maya: Identity) -> None:
    account = world.account()
    world.estate.health(account, [60.0, None, 55.0, 40.0])

    told = world.client(maya).get(f"/accounts/{account}/health", params={"days": 30}).json()

    assert [day["score"] for day in told["days"]] == [60.0, None, 55.0, 40.0]
    assert sum(one["delta"] for one in told["movement"]) == pytest.approx(-20.0)
    assert sum(one["contribution"] or 0 for one in told["measures"]) == pytest.approx(40.0)


def test_an_account_without_health_has_an_empty_history(world: World, maya: Identity) -> None:
    told = world.client(maya).get(f"/accounts/{world.account()}/health").json()

    assert (told["days"], told["measures"], told["movement"]) == ([], [], [])


def test_events_page_back_in_time(world: World, maya: Identity) -> None:
    account = world.account()
    newest = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12).astimezone()
    for back in range(5):
        world.estate.put(
            "fct_account_events",
            event_key=f"{account}-{back}",
            account_key=account,
            occurred_at=newest - timedelta(days=back),
            event_kind="call" if back % 2 else "note",
            title=f"{back} days ago",
            importance=1,
        )
    client = world.client(maya)

    first = client.get(f"/accounts/{account}/events", params={"limit": 3}).json()
    rest = client.get(f"/accounts/{account}/events", params={"limit": 3, "before": first["next_cursor"]}).json()
    calls = client.get(f"/accounts/{account}/events", params={"kind": "call"}).json()

    assert [one["title"] for one in first["items"] + rest["items"]] == [f"{back} days ago" for back in range(5)]
    assert rest["next_cursor"] is None
    assert [one["title"] for one in calls["items"]] == ["1 days ago", "3 days ago"]


def test_the_people_of_an_account_are_who_is_there_now_champions_first(world: World, maya: Identity) -> None:
    key = world.account()
    for name, is_champion, has_left in (("Ben", False, False), ("Ada", True, False), ("Cal", True, True)):
        person = {"contact_key": f"{key[:8]}-{name}", "contact_name": name, "stakeholder_role": "decision_maker"}
        world.estate.put("dim_contacts", account_key=key, is_champion=is_champion, has_left=has_left, **person)
    client = world.client(maya)

    present = client.get(f"/accounts/{key}/contacts").json()["items"]
    everybody = client.get(f"/accounts/{key}/contacts", params={"with_former": True}).json()["items"]

    assert [one["contact_name"] for one in present] == ["Ada", "Ben"]
    assert [one["contact_name"] for one in everybody] == ["Ada", "Ben", "Cal"]
    assert client.get("/accounts/nobody/contacts").status_code == 404
