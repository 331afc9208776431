"""Sign-in by an identity provider; the shell's tests do it in a browser."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey

from app.auth import Identity, Role
from tests.api.conftest import World, serving
from tests.api.provider import CLIENT, SECRET, Provider, a_provider
from tests.api.test_identity import enrolled, person, signed_in

FRONT = "http://accounts.localhost"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """One provider for this module."""
    with a_provider() as made:
        yield made


@pytest.fixture(scope="module")
def served(world: World, provider: Provider) -> Iterator[str]:
    """The API of an installation that has this provider."""
    with serving(world.environment | provider.settings() | {"PUBLIC_URL": FRONT}) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(provider: Provider) -> None:
    """The provider as it is by itself."""
    provider.signs_with, provider.algorithm, provider.claims, provider.is_away = None, "RS256", {}, False
    provider.taken.clear()


def begun(client: httpx.Client, provider: Provider, **params: str) -> str:
    """Go to the provider; the state that it will send back."""
    answer = client.get("/session/provider", params=params)
    assert answer.status_code == 302, answer.text
    address = answer.headers["location"]
    assert address.startswith(f"{provider.address}/authorize?")
    provider.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    return provider.asked["state"]


def come_back(client: httpx.Client, state: str, code: str = "the-code") -> httpx.Response:
    return client.get(f"/session/provider/callback?{urlencode({'state': state, 'code': code})}")


def went_wrong(answer: httpx.Response, problem: str = "identity_provider_failed") -> bool:
    return answer.headers["location"] == f"{FRONT}/sign-in?problem={problem}" and "session=" not in str(
        answer.headers.get_list("set-cookie")
    )


def test_whom_the_provider_vouches_for_is_signed_in_and_led_to_where_they_wanted(
    world: World, served: str, provider: Provider
) -> None:
    somebody, client = person(world), world.client(url=served)
    provider.claims = {"email": somebody.email.upper(), "auth_time": int(time.time())}

    answer = come_back(client, begun(client, provider, next="/pages/accounts?view=mine"))

    assert answer.headers["location"] == f"{FRONT}/pages/accounts?view=mine"
    signed_in_as = client.get("/session").json()
    assert (signed_in_as["email"], signed_in_as["confirmed_at"] is not None) == (somebody.email, True)
    assert client.get("/session/ways").json() == {"provider": "Example SSO"}
    assert (provider.asked["redirect_uri"], provider.asked["scope"]) == (
        f"{FRONT}/api/session/provider/callback", "openid email",
    )  # fmt: skip
    assert "max_age" not in provider.asked


def test_a_person_can_be_asked_again_and_an_old_proof_is_not_recent(
    world: World, served: str, provider: Provider
) -> None:
    somebody, client = person(world), world.client(url=served)
    provider.claims = {"email": somebody.email}

    state = begun(client, provider, fresh="true")
    come_back(client, state)

    assert (provider.asked["prompt"], provider.asked["max_age"]) == ("login", "0")
    assert client.get("/session").json()["confirmed_at"] is None
    assert client.post("/second-factor").json()["code"] == "sign_in_again"


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
        {"iss": "https://other.example"},
        {"aud": "another"},
        {"aud": ["another", CLIENT], "azp": "another"},
        {"nonce": "of another attempt"},
        {"exp": 1_700_000_000},
        {"iat": 4_000_000_000},
    ],
    ids=str,
)
def test_an_answer_that_is_not_for_us_now_opens_nothing(
    world: World, served: str, provider: Provider, maya: Identity, claims: dict[str, Any]
) -> None:
    client = world.client(url=served)
    provider.claims = {"email": maya.email, **claims}

    assert went_wrong(come_back(client, begun(client, provider)))
    assert client.get("/session").status_code == 401


@pytest.mark.parametrize("algorithm", ["RS256", "HS256"])
def test_a_signature_by_another_key_or_by_the_shared_secret_opens_nothing(
    world: World, served: str, provider: Provider, maya: Identity, algorithm: str
) -> None:
    client = world.client(url=served)
    keys = {"RS256": RSAKey.generate_key(2048), "HS256": OctKey.import_key(SECRET.ljust(32, "."))}
    provider.claims, provider.algorithm, provider.signs_with = {"email": maya.email}, algorithm, keys[algorithm]

    assert went_wrong(come_back(client, begun(client, provider)))


def test_nobody_finishes_what_another_browser_began_or_the_same_twice(
    world: World, served: str, provider: Provider, maya: Identity
) -> None:
    mine, others = world.client(url=served), world.client(url=served)
    provider.claims = {"email": maya.email}
    state = begun(mine, provider)
    begun_elsewhere = begun(others, provider)

    assert went_wrong(come_back(others, state))
    assert went_wrong(come_back(world.client(url=served), begun_elsewhere))
    state = begun(mine, provider)
    assert come_back(mine, state).headers["location"] == f"{FRONT}/"
    assert went_wrong(come_back(mine, state))


@pytest.mark.parametrize("code", ["", "another-code"])
def test_a_refusal_by_the_provider_leads_back_to_the_sign_in(
    world: World, served: str, provider: Provider, code: str
) -> None:
    client = world.client(url=served)

    assert went_wrong(come_back(client, begun(client, provider), code))


def test_a_stranger_and_a_person_who_left_are_not_let_in(world: World, served: str, provider: Provider) -> None:
    left, client = person(world), world.client(url=served)
    world.estate.admin.execute("update app.users set is_active = false where user_id = %s", [left.user_id])

    for email in (left.email, "stranger@elsewhere.example"):
        provider.taken.clear()
        provider.claims = {"email": email}
        assert went_wrong(come_back(client, begun(client, provider)), "not_authenticated")


def test_who_has_an_authenticator_app_here_needs_a_second_factor_there(
    world: World, served: str, provider: Provider
) -> None:
    careful, client = person(world, Role.ADMIN), world.client(url=served)
    enrolled(signed_in(world, careful))

    provider.claims = {"email": careful.email, "amr": ["pwd"]}
    assert went_wrong(come_back(client, begun(client, provider)), "second_factor_needed")
    provider.taken.clear()
    provider.claims = {"email": careful.email, "amr": ["pwd", "otp"]}
    assert come_back(client, begun(client, provider)).headers["location"] == f"{FRONT}/"


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", ""],
)
def test_c13_signing_in_by_the_provider_leads_nowhere_else(
    world: World, served: str, provider: Provider, maya: Identity, wanted: str
) -> None:
    client = world.client(url=served)
    provider.claims = {"email": maya.email}

    assert come_back(client, begun(client, provider, next=wanted)).headers["location"] == f"{FRONT}/"


def test_a_planted_session_ends_when_somebody_signs_in_over_it(
    world: World, served: str, provider: Provider, maya: Identity
) -> None:
    somebody = person(world)
    planted = signed_in(world, somebody).cookies["account_intelligence_session"]
    client = world.client(url=served)
    client.cookies.set("account_intelligence_session", planted)
    provider.claims = {"email": maya.email}

    come_back(client, begun(client, provider))

    copy = world.client(url=served)
    copy.cookies.set("account_intelligence_session", planted)
    assert copy.get("/session").status_code == 401


def test_without_a_provider_there_is_no_such_way_and_an_absent_one_is_said(world: World, provider: Provider) -> None:
    assert world.client().get("/session/ways").json() == {"provider": None}
    assert "problem=identity_provider_failed" in world.client().get("/session/provider").headers["location"]
    provider.is_away = True
    settings = {"OIDC_ISSUER": provider.address, "OIDC_CLIENT_ID": CLIENT, "PUBLIC_URL": FRONT}
    with serving(world.environment | settings) as url:
        assert went_wrong(world.client(url=url).get("/session/provider"))
