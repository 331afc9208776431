"""What the front door is told: who may pass, who signs in first, and the one cookie that decides it."""

from collections.abc import Iterator
from http.cookies import SimpleCookie

import httpx
import pytest

from api.routers.gate import sign_in_address
from app import auth, front
from app.auth import Identity
from app.settings import get_settings
from tests.api.conftest import World, serving
from tests.app.factories import PASSWORD

PAGE = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "x-forwarded-method": "GET"}


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("APP_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


def test_the_gate_names_who_passes(world: World, maya: Identity) -> None:
    answer = world.client(maya).get("/gate/user", headers={"x-auth-user": "forged", "x-auth-role": "admin"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert (answer.headers["x-auth-user"], answer.headers["x-auth-role"]) == (str(maya.user_id), "csm")


def test_a_page_leads_to_the_sign_in_and_back_and_a_frame_or_a_script_does_not(world: World) -> None:
    client = world.client()

    page = client.get("/gate/user", headers={**PAGE, "x-forwarded-uri": "/app/accounts?band=Critical&x=1"})
    frame = client.get("/gate/user", headers={**PAGE, "sec-fetch-dest": "iframe"})
    form = client.get("/gate/user", headers={**PAGE, "x-forwarded-method": "POST"})

    assert page.status_code == 302
    assert page.headers["location"].endswith("/sign-in?next=/app/accounts%3Fband%3DCritical%26x%3D1")
    assert [frame.status_code, form.status_code, client.get("/gate/user").status_code] == [401, 401, 401]


def test_a_role_that_may_not_pass_is_led_to_a_sentence_and_a_frame_or_a_script_is_refused(
    world: World, maya: Identity, alex: Identity
) -> None:
    for client in (world.client(maya), world.client(alex)):
        question = f"/session/hand-over?to=orchestrator&asked={'a' * 43}"
        page = client.get(question, headers=PAGE)
        frame = client.get(question, headers={**PAGE, "sec-fetch-dest": "iframe"})

        assert page.status_code == 302
        assert page.headers["location"].endswith("/to-orchestrator")
        assert [frame.status_code, client.get(question).status_code] == [403, 403]


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "", "\\"]
)
def test_c13_the_sign_in_leads_nowhere_but_to_our_own_pages(settings_of: pytest.MonkeyPatch, wanted: str) -> None:
    settings_of.setenv("PUBLIC_URL", "https://accounts.example.com/app")

    assert sign_in_address(wanted) == "https://accounts.example.com/sign-in"


def test_an_admin_may_launch_only_soon_after_proving_who_they_are(world: World, harriet: Identity) -> None:
    client = world.client(harriet)
    assert client.get("/gate/admin").headers["x-auth-recent"] == "yes"
    assert client.get("/session").json()["is_recent"] is True

    world.estate.admin.execute(
        "update app.sessions set confirmed_at = now() - interval '16 minutes' where user_id = %s", [harriet.user_id]
    )
    later = client.get("/gate/admin")
    assert client.get("/session").json()["is_recent"] is False
    wrong = client.post("/session/confirm", json={"password": "not the password"})
    still = client.get("/gate/admin").headers["x-auth-recent"]
    right = client.post("/session/confirm", json={"password": PASSWORD})

    assert (later.status_code, later.headers["x-auth-recent"]) == (204, "no")
    assert (wrong.status_code, still, right.status_code) == (401, "no", 204)
    assert client.get("/gate/admin").headers["x-auth-recent"] == "yes"


def test_a02_behind_https_every_cookie_is_bound_to_the_host_and_out_of_reach_of_scripts(
    world: World, maya: Identity, harriet: Identity
) -> None:
    names = {"PUBLIC_URL": "https://accounts.example.com", "ORCHESTRATOR_SITE": "https://orchestrator.example.com"}
    with serving({**world.environment, **names}) as url:
        given = httpx.post(f"{url}/session", json={"email": maya.email, "password": PASSWORD})
        token = SimpleCookie(given.headers["set-cookie"])["__Host-account_intelligence_session"].value
        plain = httpx.get(f"{url}/session", headers={"cookie": f"account_intelligence_session={token}"})
        bound = {"cookie": f"__Host-account_intelligence_session={token}"}
        known = httpx.get(f"{url}/session", headers=bound)
        proven = httpx.post(f"{url}/session", json={"email": harriet.email, "password": PASSWORD})
        [(name, value)] = [(one.key, one.value) for one in SimpleCookie(proven.headers["set-cookie"]).values()]
        asked = httpx.get(f"{url}/gate/admin", headers={**PAGE, "x-forwarded-uri": "/runs"})
        [asking] = SimpleCookie(asked.headers["set-cookie"]).values()
        question = asked.headers["location"].removeprefix("https://accounts.example.com/api")
        led = httpx.get(f"{url}{question}", headers={**PAGE, "cookie": f"{name}={value}"}).headers["location"]
        ticket = led.removeprefix("https://orchestrator.example.com/hand-over?")
        handed = httpx.get(f"{url}/gate/hand-over?{ticket}", headers={**PAGE, "cookie": f"{asking.key}={asking.value}"})
        taken = httpx.delete(f"{url}/session", headers=bound)

    assert handed.headers["set-cookie"].startswith("__Host-account_intelligence_orchestrator=")
    assert asking.key == "__Host-account_intelligence_asking"
    for answer in (given, asked, handed, taken):
        parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)
    assert (plain.status_code, known.status_code) == (401, 200)


def test_without_https_the_cookie_has_its_plain_name(settings_of: pytest.MonkeyPatch) -> None:
    cookie = auth.session_cookie()

    assert (cookie.name, cookie.is_secure) == ("account_intelligence_session", False)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-forwarded-for": "203.0.113.9"}, "127.0.0.1"),
        ({"x-forwarded-for": "203.0.113.9", "x-proxy-secret": "guessed"}, "127.0.0.1"),
        ({"x-forwarded-for": "203.0.113.9", "x-proxy-secret": ""}, "127.0.0.1"),
        ({"x-forwarded-for": "1.1.1.1, 203.0.113.9", "x-proxy-secret": "the secret"}, "203.0.113.9"),
        ({"x-proxy-secret": "the secret"}, "127.0.0.1"),
    ],
)
def test_c01_only_the_front_door_says_where_a_request_came_from(
    settings_of: pytest.MonkeyPatch, headers: dict[str, str], expected: str
) -> None:
    settings_of.setenv("PROXY_SECRET", "the secret")

    assert front.client_address(headers, "127.0.0.1") == expected


def test_without_a_secret_no_proxy_is_believed(settings_of: pytest.MonkeyPatch) -> None:
    settings_of.delenv("PROXY_SECRET", raising=False)

    assert front.client_address({"x-forwarded-for": "203.0.113.9", "x-proxy-secret": ""}, None) == "unknown"
