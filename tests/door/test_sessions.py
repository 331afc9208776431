"""A session through the door: what a copy of it is worth, and who gets where."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app import throttle
from app.auth import Identity, Role
from tests.app.factories import PASSWORD
from tests.door.conftest import COOKIE, IN_PAGE, LAUNCH, Product

PAGE = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def socket_status(url: str, token: str | None, origin: str | None, protocol: str) -> int:
    """The answer to a handshake: 101, or the refusal."""
    headers = {"Cookie": f"{COOKIE}={token}"} if token else {}
    try:
        with connect(
            url.replace("http", "ws", 1),
            origin=origin,  # pyright: ignore[reportArgumentType]
            additional_headers=headers,
            subprotocols=[protocol],  # pyright: ignore[reportArgumentType]
            proxy=None,
        ):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def doors_of(product: Product, token: str | None) -> dict[str, int]:
    """What a cookie is answered at every kind of door."""
    site, orchestrator = product.door.site, product.door.orchestrator
    with product.door.client(token) as client:
        return {
            "api": client.get(f"{site}/api/session").status_code,
            "page": client.get(f"{site}/app/accounts").status_code,
            "socket": socket_status(f"{site}/app/_stcore/stream", token, site, "streamlit"),
            "export": client.get(f"{site}/app/exports/accounts.csv").status_code,
            "media": client.get(f"{site}/app/media/{'0' * 40}.csv").status_code,
            "orchestrator": client.get(f"{orchestrator}/").status_code,
            "graphql": product.door.graphql(token, "{version}").status_code,
            "runs": socket_status(f"{orchestrator}/graphql", token, orchestrator, "graphql-ws"),
        }


def test_z13_each_role_gets_exactly_where_it_may(
    product: Product, maya: Identity, alex: Identity, harriet: Identity
) -> None:
    product.estate.publish()

    nobody, csm, analyst, admin = (doors_of(product, who and product.token(who)) for who in (None, maya, alex, harriet))

    assert nobody == dict.fromkeys(nobody, 401)
    inside = {"api": 200, "page": 200, "socket": 101, "export": 200, "media": 404}
    outside = {"orchestrator": 403, "graphql": 403, "runs": 403}
    assert csm == inside | outside
    assert analyst == inside | outside
    assert admin == inside | {"orchestrator": 200, "graphql": 200, "runs": 101}


def test_a04_after_sign_out_a_copy_of_the_cookie_opens_nothing(product: Product, harriet: Identity) -> None:
    token = product.token(harriet, fresh=True)
    product.tokens.clear()
    with product.door.client(token) as client:
        left = client.delete(f"{product.door.site}/api/session", headers=IN_PAGE)

    replayed = doors_of(product, token)

    assert left.status_code == 204
    assert replayed == dict.fromkeys(replayed, 401)


@pytest.mark.parametrize("change", ["is_active = false", "role = 'csm'"])
def test_a06_a_lost_role_closes_the_orchestrator_at_once(product: Product, change: str) -> None:
    leaver = product.estate.user(f"Leaver {change[:4]}", Role.ADMIN)
    token = product.token(leaver)
    assert product.door.graphql(token, "{version}").status_code == 200

    product.estate.admin.execute(f"update app.users set {change} where user_id = %s".encode(), [leaver.user_id])

    assert product.door.graphql(token, "{version}").status_code == (401 if "active" in change else 403)


def test_a03_a_cookie_from_before_the_sign_in_is_dead_after_it(product: Product, maya: Identity) -> None:
    planted = product.token(maya, fresh=True)
    product.tokens.clear()

    with product.door.client(planted) as victim:
        given = victim.post(
            f"{product.door.site}/api/session", json={"email": maya.email, "password": PASSWORD}, headers=IN_PAGE
        )
    with product.door.client(planted) as attacker:
        replayed = attacker.get(f"{product.door.site}/api/session")

    assert given.cookies[COOKIE] != planted
    assert replayed.status_code == 401


@pytest.mark.parametrize("token", ["x", "x" * 10_000, "eyJhbGciOiJub25lIn0.eyJ1c2VybmFtZSI6ImFkbWluIn0.", "%00", '"'])
def test_a19_a_made_up_cookie_is_nobody(product: Product, token: str) -> None:
    answered = doors_of(product, token)

    assert answered == dict.fromkeys(answered, 401)


def test_a22_one_route_behind_the_door_opens_a_session(product: Product, maya: Identity) -> None:
    site, orchestrator = product.door.site, product.door.orchestrator
    credentials = {"email": maya.email, "password": PASSWORD}

    with product.door.client() as client:
        opened = {
            f"{base}{path}"
            for base in (site, orchestrator)
            for path in (
                "/api/session",
                "/session",
                "/login",
                "/app/session",
                "/app/session/redeem",
                "/app/login",
                "/graphql",
            )
            for headers in ({**IN_PAGE, "origin": base},)
            if COOKIE in client.post(f"{base}{path}", json=credentials, headers=headers).cookies
        }

    assert opened == {f"{site}/api/session"}


def test_a_page_leads_to_the_sign_in_and_names_where_to_come_back(product: Product) -> None:
    with product.door.client(**PAGE) as client:
        page = client.get(f"{product.door.site}/app/accounts?band=Critical")
        orchestrator = client.get(f"{product.door.orchestrator}/runs")

    assert page.headers["location"] == f"{product.door.site}/sign-in?next=/app/accounts%3Fband%3DCritical"
    assert orchestrator.headers["location"] == f"{product.door.site}/sign-in?next=/orchestrator"
    assert {page.status_code, orchestrator.status_code} == {302}


def test_the_orchestrator_has_an_address_of_its_own_that_the_product_leads_to(product: Product) -> None:
    with product.door.client() as client:
        led = client.get(f"{product.door.site}/orchestrator")
        below = client.get(f"{product.door.site}/graphql")

    assert (led.status_code, led.headers["location"]) == (302, product.door.orchestrator)
    assert "shell" in below.text, "the product's own origin serves nothing of the orchestrator"


def test_launching_needs_a_recent_proof_and_reading_does_not(product: Product, harriet: Identity) -> None:
    token = product.token(harriet)
    before = product.runs()

    launched = product.door.graphql(token, LAUNCH)
    product.estate.admin.execute(
        "update app.sessions set confirmed_at = now() - interval '16 minutes' where user_id = %s", [harriet.user_id]
    )
    refused = product.door.graphql(token, LAUNCH)
    read = product.door.graphql(token, "{version}")
    with product.door.client(token) as client:
        proven = client.post(f"{product.door.site}/api/session/confirm", json={"password": PASSWORD}, headers=IN_PAGE)
    again = product.door.graphql(token, LAUNCH)

    assert launched.json()["data"]["launchRun"]["__typename"] == "LaunchRunSuccess", launched.text
    assert refused.json()["data"]["launchRun"]["__typename"] == "UnauthorizedError", refused.text
    assert read.status_code == 200
    assert proven.status_code == 204
    assert again.json()["data"]["launchRun"]["__typename"] == "LaunchRunSuccess"
    assert product.runs() == before + 2


def test_the_scheduled_runs_need_no_sign_in(product: Product) -> None:
    before = product.runs()

    launched = httpx.post(f"{product.dagster}/graphql", json={"query": LAUNCH}, timeout=30)

    assert launched.json()["data"]["launchRun"]["__typename"] == "LaunchRunSuccess"
    assert product.runs() == before + 1


def test_a12_a_sprayer_is_slowed_down_by_the_address_that_the_door_saw(product: Product) -> None:
    with product.door.client() as client:
        statuses = [
            client.post(
                f"{product.door.site}/api/session",
                json={"email": f"nobody{n}@force24.example", "password": "Winter2026!"},
                headers={**IN_PAGE, "x-forwarded-for": f"203.0.113.{n}"},
            ).status_code
            for n in range(throttle.FREE_FOR_ADDRESS + 3)
        ]
    product.estate.admin.execute("delete from app.login_attempts where email like 'nobody%'")

    assert 429 in statuses
    addresses = product.estate.admin.execute("select distinct address from app.login_attempts").fetchall()
    assert addresses == [("127.0.0.1",)]
