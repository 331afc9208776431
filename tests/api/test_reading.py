"""Reads beside the lists: what was seen is not sent again, files, and how fresh it all is."""

import io
from datetime import UTC, datetime

import pytest
from pyarrow import parquet

from app.auth import Identity
from tests.api.asking import key, open_action
from tests.api.conftest import World


def test_an_answer_that_was_seen_is_not_sent_again_until_it_differs(world: World, maya: Identity) -> None:
    client = world.client(maya)
    action = open_action(world, client)
    address = f"/actions/{action['action_id']}"
    first = client.get(address)

    again = client.get(address, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    client.post(f"{address}/notes", json={"note": "Called."}, headers=key())
    changed = client.get(address, headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-content-type-options"] == "nosniff"
    assert (changed.status_code, changed.headers["etag"] != first.headers["etag"]) == (200, True)
    assert changed.json()["notes"][0]["body"] == "Called."


def test_a_refusal_and_a_write_carry_no_tag(world: World, maya: Identity) -> None:
    client = world.client(maya)

    missing = client.get("/accounts/nothing", headers={"if-none-match": "*"})
    written = client.post("/notices/read", json={"up_to": None}, headers={**key(), "if-none-match": "*"})

    assert (missing.status_code, "etag" in missing.headers) == (404, False)
    assert "etag" not in written.headers


@pytest.mark.parametrize("dataset", ["accounts", "actions", "health"])
@pytest.mark.parametrize(("kind", "begins"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("parquet", b"PAR1")])
def test_every_dataset_is_a_file_of_every_format(
    world: World, maya: Identity, dataset: str, kind: str, begins: bytes
) -> None:
    world.account()

    answer = world.client(maya).get(f"/exports/{dataset}.{kind}")

    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(begins)
    assert len(answer.content) == int(answer.headers["content-length"])
    assert answer.headers["content-disposition"] == f'attachment; filename="{dataset}.{kind}"'
    assert answer.headers["cache-control"] == "no-store"


def test_z14_a_csm_takes_away_own_accounts_only(world: World, maya: Identity, alex: Identity) -> None:
    own, others = world.account(), world.account(csm_email="tom.okafor@force24.example")

    def taken(who: Identity) -> set[str]:
        answer = world.client(who).get("/exports/accounts.parquet")
        return set(parquet.read_table(io.BytesIO(answer.content))["account_key"].to_pylist())

    assert (own in taken(maya), others in taken(maya)) == (True, False)
    assert {own, others} <= taken(alex)


@pytest.mark.parametrize(
    "path",
    [
        "accounts.pdf",
        "users.csv",
        "accounts",
        "accounts.csv.exe",
        "..%2fusers.csv",
        "accounts.csv?since=2026-01-01",
        "actions.csv?since=x",
    ],
)
def test_what_is_no_export_is_not_found(world: World, maya: Identity, path: str) -> None:
    assert world.client(maya).get(f"/exports/{path}").status_code in (404, 422)


def test_freshness_names_the_build_and_every_stream(world: World, maya: Identity) -> None:
    world.account()
    before = world.client(maya).get("/pipeline").json()
    world.estate.loads()
    world.estate.load("hubspot", "companies", "succeeded", datetime(2026, 11, 20, 6, tzinfo=UTC))
    world.estate.load("hubspot", "companies", "failed", datetime(2026, 11, 20, 7, tzinfo=UTC))

    after = world.client(maya).get("/pipeline").json()

    assert (before["streams"], before["state"]) == ([], "stale")
    assert after["publication"]["as_of_date"] == "2026-11-19"
    [stream] = after["streams"]
    assert (stream["source"], stream["stream"], stream["status"]) == ("hubspot", "companies", "failed")
    assert stream["good_ended_at"] == "2026-11-20T06:00:00Z"
    [source] = after["sources"]
    assert (source["source"], source["loaded_at"]) == ("hubspot", "2026-11-20T06:00:00Z")
    assert source["promised_within_minutes"] == 26 * 60
    assert after["state"] == source["state"]
