"""Analysts' SQL over HTTP: what is answered, how many run at once over all servers, and who hangs up."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.auth import Identity, Role
from app.clock import real_now
from app.sandbox import ledger
from tests.api.asking import key
from tests.api.conftest import World

SLOW = (
    "select count(*) from generate_series(1, 30000) as a (x), generate_series(1, 30000) as b (y) where a.x * b.y = -1"
)
RUNNING = "select count(*) from pg_stat_activity where usename = 'analyst' and state = 'active'"


def is_soon(world: World, count: int, *, seconds: float) -> bool:
    """Whether as many statements of analysts run within so long."""
    until = time.monotonic() + seconds
    while world.estate.one(RUNNING) != count:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_a_statement_is_answered_and_leaves_a_row_of_what_was_asked(world: World, alex: Identity) -> None:
    world.account(account_name="Sandford", mrr_eur=77)
    client = world.client(alex)
    asked = {
        "text": "select account_name, mrr_eur, 'NaN'::float8 as odd from dim_accounts where account_name = :name",
        "parameters": {"name": "Sandford"},
    }

    answer = client.post("/sql/run", json=asked)
    refused = client.post("/sql/run", json={"text": "select *\nfrom app.users", "parameters": {}})
    failed = client.post("/sql/run", json={"text": "select account_name::int from dim_accounts", "parameters": {}})
    missing = client.post("/sql/run", json={**asked, "parameters": {}})
    told = client.get("/sql/history").json()["items"][:4]

    assert answer.json()["rows"] == [["Sandford", 77.0, "nan"]]
    assert answer.json()["columns"][1] == {"name": "mrr_eur", "kind": "float"}
    assert [one.status_code for one in (refused, failed, missing)] == [422, 422, 422]
    assert [one.json()["code"] for one in (refused, failed)] == ["invalid_input", "statement_failed"]
    assert refused.json()["detail"] == "There is no table app.users here. (line 2, column 6)"
    assert [one["verdict"] for one in told] == ["refused", "failed", "refused", "answered"]
    assert told[-1]["text"] == asked["text"]
    assert told[-1]["parameters"] == asked["parameters"]
    assert told[-1]["row_count"] == 1
    with pytest.raises(Exception, match="append-only"):
        world.estate.admin.execute("delete from app.sql_statements")
    with pytest.raises(Exception, match="is kept"):
        world.estate.admin.execute("update app.sql_statements set verdict = 'refused' where verdict = 'answered'")


def test_what_was_asked_is_forgotten_after_its_time_and_that_it_was_asked_stays(world: World) -> None:
    asker = world.estate.user("Old Asker", Role.ANALYST)
    client = world.client(asker)
    assert client.post("/sql/run", json={"text": "select 1 as kept", "parameters": {}}).status_code == 200
    world.estate.admin.execute(
        "insert into app.sql_statements"
        " select gen_random_uuid(), user_id, purpose, 'select 1 as old', text_sha256, '{\"a\": \"x\"}',"
        " started_at - interval '400 days', ended_at - interval '400 days', verdict, row_count, is_cut, duration_ms,"
        " 'said of it' from app.sql_statements where user_id = %s",
        [asker.user_id],
    )

    with world.estate.work() as db:
        forgotten = [ledger.forget(db, now=real_now()) for _ in range(2)]

    assert forgotten == [1, 0]
    assert [one["text"] for one in client.get("/sql/history").json()["items"]] == ["select 1 as kept"]
    left = "select count(*) from app.sql_statements where user_id = %s and verdict = 'answered' and text is null"
    assert world.estate.one(f"{left} and parameters = '{{}}' and message is null", asker.user_id) == 1
    with pytest.raises(Exception, match="is kept"):
        world.estate.admin.execute("update app.sql_statements set text = null, parameters = '{}', message = null")


def test_s10_two_statements_of_one_person_run_at_once_over_all_servers_and_the_rest_wait(
    world: World, second_server: str, alex: Identity, maya: Identity
) -> None:
    analysts = [world.client(alex), world.client(alex, url=second_server)]
    csm = world.client(maya)
    csm.get("/actions")
    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        sent = [pool.submit(analysts[number % 2].post, "/sql/run", json={"text": SLOW}) for number in range(20)]
        most, waits = 0, []
        while not all(one.done() for one in sent):
            most = max(most, world.estate.one(RUNNING))
            asked = time.monotonic()
            assert csm.get("/actions").status_code == 200
            waits.append(time.monotonic() - asked)
        answers = [one.result() for one in sent]

    assert most == 2
    assert sorted(answer.status_code for answer in answers) == [422, 422] + [429] * 18
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 429} == {"2"}
    assert {answer.json()["code"] for answer in answers} == {"statement_ended", "too_many_statements"}
    assert time.monotonic() - began < 8
    assert sorted(waits)[len(waits) * 95 // 100] < 1


def test_s12_a_client_that_hangs_up_ends_its_statement_within_two_seconds(world: World, alex: Identity) -> None:
    client = world.client(alex)

    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(client.post, "/sql/run", json={"text": SLOW}, timeout=httpx.Timeout(10, read=1))
        assert is_soon(world, 1, seconds=3)
        assert isinstance(sent.exception(), httpx.ReadTimeout)
    hung_up = time.monotonic()

    assert is_soon(world, 0, seconds=2)
    assert time.monotonic() - hung_up < 2
    newest = client.get("/sql/history").json()["items"][0]
    assert (newest["verdict"], newest["message"]) == ("ended", "The statement was cancelled.")


def test_s14_a_shared_query_opens_for_analysts_and_a_private_one_for_nobody(
    world: World, alex: Identity, maya: Identity
) -> None:
    owner, reader = world.client(alex), world.client(world.estate.user("Robin Vale", Role.ANALYST))
    text = "select account_name from dim_accounts -- <script>alert(1)</script>"
    made = owner.post("/sql/queries", json={"name": "Names", "text": text, "is_shared": False}, headers=key()).json()
    place = f"/sql/queries/{made['query_id']}"

    assert reader.get(place).status_code == 404
    change = {"name": "Names", "text": text + "!", "is_shared": True, "version": 1}
    assert owner.post(f"{place}/versions", json=change, headers=key()).json()["version"] == 2
    assert owner.post(f"{place}/versions", json=change, headers=key()).status_code == 409
    opened = reader.get(place).json()
    assert [one["text"] for one in opened["versions"]] == [text + "!", text]
    assert reader.post(f"{place}/versions", json={**change, "version": 2}, headers=key()).status_code == 403
    # it runs as whoever runs it: in their name, with the rights of their role
    assert reader.post("/sql/run", json={"text": opened["query"]["text"]}).status_code == 200
    assert reader.get("/sql/history").json()["items"][0]["text"] == text + "!"
    csm = world.client(maya)
    assert (csm.get(place).status_code, csm.post("/sql/run", json={"text": text}).status_code) == (403, 403)
    assert owner.post(f"{place}/remove", json={"version": 2}, headers=key()).status_code == 204
    assert reader.get(place).status_code == 404
