"""What people do about their own sessions, second factors and tokens, and what an admin does about those of others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pyotp
import pytest

from app import sessions
from app.auth import Identity, Role
from tests.api.asking import a_new_action, key
from tests.api.conftest import World
from tests.app.factories import PASSWORD

COOKIE = "account_intelligence_session"


@pytest.fixture(autouse=True)
def forgiven_address(world: World) -> Iterator[None]:
    """All tests guess from one address, which the sign-in would slow down for those that come after."""
    yield
    world.estate.admin.execute("delete from app.login_attempts where not succeeded")


def person(world: World, role: Role = Role.CSM) -> Identity:
    """Somebody no other test knows."""
    return world.estate.user(f"Person {uuid4().hex[:8]}", role)


def signed_in(world: World, who: Identity, code: str | None = None, agent: str = "test") -> httpx.Client:
    """A session of its own."""
    client = world.client()
    body = {"email": who.email, "password": PASSWORD} | ({"code": code} if code else {})
    answer = client.post("/session", json=body, headers={"user-agent": agent})
    assert answer.status_code == 201, answer.text
    return client


def grown_old(world: World, who: Identity) -> None:
    """The proof of all sessions of somebody lies a while back."""
    world.estate.admin.execute(
        "update app.sessions set confirmed_at = now() - interval '16 minutes' where user_id = %s", [who.user_id]
    )


def enrolled(client: httpx.Client) -> pyotp.totp.TOTP:
    """Set up an app with the code of the step before, so that the current one is still new."""
    app = pyotp.totp.TOTP(client.post("/second-factor").json()["secret"])
    code = app.at(datetime.now(UTC) - timedelta(seconds=30))
    answer = client.post("/second-factor/confirm", json={"code": code})
    assert answer.status_code == 204, answer.text
    return app


# --- sessions


def test_a07_a_person_sees_their_sessions_and_ends_one_or_the_others(world: World) -> None:
    who = person(world)
    here, phone, old = (signed_in(world, who, agent=name) for name in ("here", "phone", "old laptop"))

    seen = here.get("/sessions").json()
    ended = here.delete(f"/sessions/{next(one['session_id'] for one in seen if one['user_agent'] == 'phone')}")
    others = here.delete("/sessions")

    assert {one["user_agent"] for one in seen} == {"here", "phone", "old laptop"}
    assert [one["user_agent"] for one in seen if one["is_current"]] == ["here"]
    assert {one["address"] for one in seen} == {"127.0.0.1"}
    assert (ended.status_code, others.json()) == (204, {"ended_count": 1})
    assert [client.get("/session").status_code for client in (here, phone, old)] == [200, 401, 401]


def test_a04_signing_out_everywhere_ends_this_session_too(world: World) -> None:
    who = person(world)
    here, phone = signed_in(world, who), signed_in(world, who)

    answer = here.delete("/sessions", params={"including_this": True})

    assert answer.json() == {"ended_count": 2}
    assert 'account_intelligence_session=""' in answer.headers["set-cookie"]
    assert [client.get("/session").status_code for client in (here, phone)] == [401, 401]


def test_z03_nobody_ends_the_session_of_somebody_else(world: World, maya: Identity) -> None:
    other = signed_in(world, person(world))
    session_id = other.get("/sessions").json()[0]["session_id"]

    answer = world.client(maya).delete(f"/sessions/{session_id}")

    assert (answer.status_code, other.get("/session").status_code) == (404, 200)


def test_a07_an_admin_ends_every_session_of_somebody_soon_after_proving_who_they_are(world: World) -> None:
    admin, who = person(world, Role.ADMIN), person(world)
    desk, victim = signed_in(world, admin), signed_in(world, who)
    grown_old(world, admin)

    refused = desk.delete(f"/users/{who.user_id}/sessions")
    desk.post("/session/confirm", json={"password": PASSWORD})
    ended = desk.delete(f"/users/{who.user_id}/sessions")

    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_again")
    assert ended.json() == {"ended_count": 1}
    assert victim.get("/session").status_code == 401


def test_the_sweep_forgets_what_ended_long_ago_and_nothing_else_and_may_run_twice(world: World) -> None:
    who = person(world)
    client = signed_in(world, who)
    for _ in range(2):
        signed_in(world, who)
    world.estate.admin.execute(
        "update app.sessions set revoked_at = now() - interval '31 days' where session_hash in"
        " (select session_hash from app.sessions where user_id = %s and session_id::text <> %s)",
        [who.user_id, client.get("/sessions").json()[-1]["session_id"]],
    )
    now = datetime.now(UTC)

    with world.estate.work() as db:
        first = sessions.clean_up(db, now=now)
    with world.estate.work() as db:
        second = sessions.clean_up(db, now=now)

    assert (first >= 2, second) == (True, 0)
    assert world.estate.one("select count(*) from app.sessions where user_id = %s", who.user_id) == 1


# --- second factor


def test_with_an_app_a_password_alone_is_not_enough_and_a_code_counts_once(world: World) -> None:
    who = person(world)
    client = signed_in(world, who)
    elsewhere = signed_in(world, who)
    app = enrolled(client)
    code = app.now()
    credentials = {"email": who.email, "password": PASSWORD}

    without = world.client().post("/session", json=credentials)
    guessed_password = world.client().post("/session", json={**credentials, "password": "not it at all"})
    right = world.client().post("/session", json={**credentials, "code": code})
    replayed = world.client().post("/session", json={**credentials, "code": code})

    assert (without.status_code, without.json()["code"]) == (401, "second_factor_needed")
    assert guessed_password.json()["code"] == "not_authenticated", "nothing is told before the password is right"
    assert right.status_code == 201
    assert (replayed.status_code, "set-cookie" in replayed.headers) == (401, False)
    assert client.get("/session").status_code == 200
    assert elsewhere.get("/session").status_code == 401, "sessions from before it end"


def test_a11_codes_cannot_be_guessed(world: World) -> None:
    who = person(world)
    enrolled(signed_in(world, who))

    statuses = [
        world.client().post("/session", json={"email": who.email, "password": PASSWORD, "code": f"{n:06}"}).status_code
        for n in range(7)
    ]
    # asking without a code must not wipe the count
    world.client().post("/session", json={"email": who.email, "password": PASSWORD})
    last = world.client().post("/session", json={"email": who.email, "password": PASSWORD, "code": "999999"})

    assert statuses[:5] == [401] * 5
    assert statuses[-1] == last.status_code == 429


@pytest.mark.parametrize("code", ["", "000000", "12345", "１２３４５６", "abcdef", " ", "\x00"])
def test_an_app_does_not_count_before_its_code_was_right(world: World, code: str) -> None:
    who = person(world)
    client = signed_in(world, who)
    client.post("/second-factor")

    answer = client.post("/second-factor/confirm", json={"code": code})

    assert answer.status_code == 422
    assert client.get("/second-factor").json()["is_enrolled"] is False
    signed_in(world, who)


@pytest.fixture
def analysts_need_one(world: World) -> Iterator[Identity]:
    """An admin has said so; for the time of one test."""
    admin = person(world, Role.ADMIN)
    desk = signed_in(world, admin)
    assert desk.put("/second-factor/roles/analyst", json={"is_required": True}).status_code == 204
    yield admin
    assert desk.put("/second-factor/roles/analyst", json={"is_required": False}).status_code == 204


def test_whose_role_needs_an_app_can_do_nothing_but_set_one_up(world: World, analysts_need_one: Identity) -> None:
    who = person(world, Role.ANALYST)
    client = signed_in(world, who)

    me = client.get("/session").json()
    before = [client.get(path) for path in ("/accounts", "/gate/user", "/sessions", "/tokens")]
    enrolled(client)
    after = [client.get(path).status_code for path in ("/gate/user", "/sessions", "/tokens")]

    assert me["must_enrol"] is True
    assert [(answer.status_code, answer.json()["code"]) for answer in before] == [(403, "second_factor_required")] * 4
    assert after == [204, 200, 200]
    assert client.get("/second-factor").json() == {"is_enrolled": True, "is_required": True}
    assert client.get("/session").json()["must_enrol"] is False


def test_an_admin_asks_their_own_role_only_after_setting_up_their_own(world: World) -> None:
    desk = signed_in(world, person(world, Role.ADMIN))

    answer = desk.put("/second-factor/roles/admin", json={"is_required": True})

    assert answer.status_code == 422
    assert {"role": "admin", "is_required": False} in desk.get("/second-factor/roles").json()


def test_a_lost_app_is_taken_away_by_an_admin_and_the_trail_says_so(world: World) -> None:
    who, admin = person(world), person(world, Role.ADMIN)
    client = signed_in(world, who)
    enrolled(client)

    answer = signed_in(world, admin).delete(f"/users/{who.user_id}/second-factor")

    assert answer.status_code == 204
    assert client.get("/session").status_code == 401
    signed_in(world, who)
    told = world.estate.one(
        "select string_agg(after #>> '{}', ', ' order by event_id) from app.audit_events"
        " where subject_id = %s and field = 'second_factor'",
        str(who.user_id),
    )
    assert told == "set up, taken away"


# --- tokens


def made(client: httpx.Client, *scopes: str, name: str = "Integration", days: int = 30) -> dict:
    answer = client.post("/tokens", json={"name": name, "scopes": list(scopes), "days": days})
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(world: World, secret: str) -> httpx.Client:
    client = world.client()
    client.headers["authorization"] = f"Bearer {secret}"
    return client


def test_a_token_does_what_its_scopes_say_and_its_secret_is_nowhere_stored(world: World) -> None:
    who = person(world)
    browser = signed_in(world, who)
    token = made(browser, "read")
    reader = bearer(world, token["secret"])
    writer = bearer(world, made(browser, "read", "actions")["secret"])
    body = a_new_action(world.account())

    read = {reader.get(path).status_code for path in ("/accounts", "/exports/accounts.csv")}
    refused = reader.post("/actions", json=body, headers=key())
    marked = reader.post("/notices/read", json={"notice_ids": None}, headers=key())
    written = writer.post("/actions", json=body, headers=key())

    assert (read, refused.status_code, marked.status_code, written.status_code) == ({200}, 403, 403, 201)
    assert refused.json()["detail"] == "This token may not do this.", "the person may: it is not their role"
    listed = browser.get("/tokens").json()
    assert token["token"]["token_id"] in [one["token_id"] for one in listed]
    assert token["secret"] not in str(listed)
    stored = world.estate.one("select string_agg(t::text, ' ') from app.api_tokens as t")
    assert token["secret"] not in stored
    assert token["secret"].encode().hex() not in stored


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/sessions"), ("GET", "/tokens"), ("POST", "/tokens"), ("GET", "/gate/user"), ("GET", "/session")),
        *(("POST", "/session/confirm"), ("POST", "/second-factor"), ("GET", "/gate/admin"), ("POST", "/sql/run")),
    ],
)
def test_a_token_is_no_session_and_is_told_so(world: World, method: str, path: str) -> None:
    browser = signed_in(world, person(world, Role.ADMIN))
    client = bearer(world, made(browser, "read", "actions", "suggestions")["secret"])
    client.cookies.set(COOKIE, browser.cookies[COOKIE])

    answer = client.request(method, path, json={"password": PASSWORD, "name": "x", "scopes": ["read"]})

    assert (answer.status_code, answer.json()["code"]) == (403, "session_needed")
    assert answer.json()["detail"] == "This is not open to tokens."
    assert "Sign in with a browser" in answer.json()["hint"]


def test_a_page_opened_with_a_token_leads_to_the_sign_in(world: World) -> None:
    client = bearer(world, made(signed_in(world, person(world)), "read")["secret"])
    opened = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "x-forwarded-uri": "/app/accounts"}

    answer = client.get("/gate/user", headers=opened)

    assert answer.status_code == 302
    assert "/sign-in?next=" in answer.headers["location"]


@pytest.mark.parametrize("end", ["revoke", "expire", "deactivate"])
def test_a_token_ends_at_once(world: World, end: str) -> None:
    world.account()
    who = person(world)
    browser = signed_in(world, who)
    token = made(browser, "read")
    client = bearer(world, token["secret"])
    assert client.get("/accounts").status_code == 200

    if end == "revoke":
        assert browser.delete(f"/tokens/{token['token']['token_id']}").status_code == 204
    elif end == "expire":
        world.estate.admin.execute("update app.api_tokens set expires_at = now() where user_id = %s", [who.user_id])
    else:
        world.estate.admin.execute("update app.users set is_active = false where user_id = %s", [who.user_id])

    assert client.get("/accounts").status_code == 401


def test_a_token_needs_a_recent_proof_and_is_revoked_by_its_person_only(world: World, maya: Identity) -> None:
    who = person(world)
    browser = signed_in(world, who)
    token_id = made(browser, "read")["token"]["token_id"]
    grown_old(world, who)

    late = browser.post("/tokens", json={"name": "Late", "scopes": ["read"], "days": 1})

    assert (late.status_code, late.json()["code"]) == (403, "sign_in_again")
    assert world.client(maya).delete(f"/tokens/{token_id}").status_code == 404


@pytest.mark.parametrize("secret", ["ait_x", "x", "ait_" + "x" * 10_000, "Bearer", "ait_%00"])
def test_a19_a_made_up_token_is_nobody(world: World, secret: str) -> None:
    client = bearer(world, secret)

    assert {client.get(path).status_code for path in ("/accounts", "/sessions")} <= {401, 431, 400}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "scopes": ["read"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "scopes": ["read"], "days": 0},
        {"name": "x", "scopes": ["read"], "days": 366},
        {"name": "x", "scopes": ["read"], "user_id": "7"},
    ],
    ids=str,
)
def test_a_malformed_token_is_refused(world: World, maya: Identity, body: dict) -> None:
    world.estate.admin.execute("update app.sessions set confirmed_at = now() where user_id = %s", [maya.user_id])

    assert world.client(maya).post("/tokens", json=body).status_code == 422
