"""A session through the door: what a copy of it is worth, and who gets where."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app import throttle
from app.auth import Identity, Role, session_hash
from tests.app.factories import PASSWORD
from tests.door.conftest import ASKING_COOKIE, COOKIE, IN_PAGE, LAUNCH, ORCHESTRATOR_COOKIE, PAGE, Door, Product
from tests.door.tab import tab


def socket_status(door: Door, url: str, token: str | None, origin: str | None, protocol: str) -> int:
    """The answer to a handshake: 101, or the refusal."""
    headers = {"Cookie": door.cookies(token)} if token else {}
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
            "socket": socket_status(product.door, f"{site}/app/_stcore/stream", token, site, "streamlit"),
            "export": client.get(f"{site}/app/exports/accounts.csv").status_code,
            "media": client.get(f"{site}/app/media/{'0' * 40}.csv").status_code,
            "orchestrator": client.get(f"{orchestrator}/").status_code,
            "documentation": client.get(f"{orchestrator}/warehouse-docs/").status_code,
            "graphql": product.door.graphql(token, "{version}").status_code,
            "runs": socket_status(product.door, f"{orchestrator}/graphql", token, orchestrator, "graphql-ws"),
        }


def test_z13_each_role_gets_exactly_where_it_may(
    product: Product, maya: Identity, alex: Identity, harriet: Identity
) -> None:
    product.estate.publish()

    nobody, csm, analyst, admin = (doors_of(product, who and product.token(who)) for who in (None, maya, alex, harriet))

    assert nobody == dict.fromkeys(nobody, 401)
    inside = {"api": 200, "page": 200, "socket": 101, "export": 200, "media": 404}
    outside = {"orchestrator": 401, "documentation": 401, "graphql": 401, "runs": 401}
    assert csm == inside | outside
    assert analyst == inside | outside
    assert admin == inside | {"orchestrator": 200, "documentation": 200, "graphql": 200, "runs": 101}


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


def test_a08_what_pages_ask_by_themselves_is_no_activity_and_what_a_person_does_is(
    product: Product, harriet: Identity
) -> None:
    token = product.token(harriet, fresh=True)
    product.tokens.clear()
    site, orchestrator = product.door.site, product.door.orchestrator
    estate = product.estate
    ours = f"session_hash = '\\x{session_hash(token).hex()}'"
    estate.publish()

    def counts(act: Callable[[], Any]) -> bool:
        """Whether it kept the session from ending for idleness."""
        estate.admin.execute(
            f"update app.sessions set last_seen_at = now() - interval '20 minutes' where {ours}".encode()
        )
        act()
        return estate.one(f"select last_seen_at > now() - interval '19 minutes' from app.sessions where {ours}")

    with (
        product.door.client(token) as here,
        tab(f"{site}/app", token) as page,
        tab(f"{site}/app", token) as waiting,
    ):
        page.open("accounts")
        estate.transformer.execute("delete from marts.publications")
        timer = waiting.open("accounts").timers[0]
        by_itself = {
            "inbox": lambda: here.get(f"{site}/api/notices", headers={"x-background": "1"}).raise_for_status(),
            "server": lambda: here.get(f"{site}/app/_stcore/health").raise_for_status(),
            "settings": lambda: here.get(f"{site}/app/_stcore/host-config").raise_for_status(),
            "timer": lambda: waiting.rerun(fragment_id=timer),
            "news": lambda: product.door.graphql(token, "{version}").raise_for_status(),
        }
        by_a_person = {
            "request": lambda: here.get(f"{site}/api/notices").raise_for_status(),
            "page": lambda: here.get(f"{site}/app/accounts", headers=PAGE).raise_for_status(),
            "click": page.rerun,
            "orchestrator": lambda: here.get(f"{orchestrator}/runs", headers=PAGE).raise_for_status(),
        }
        counted = {name: counts(act) for name, act in (by_itself | by_a_person).items()}
    estate.publish()

    assert counted == dict.fromkeys(by_itself, False) | dict.fromkeys(by_a_person, True)


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
        orchestrator = client.get(f"{product.door.orchestrator}/runs?view=queued")
        hand_over = client.get(orchestrator.headers["location"])

    assert page.headers["location"] == f"{product.door.site}/sign-in?next=/app/accounts%3Fband%3DCritical"
    assert orchestrator.headers["location"].startswith(
        f"{product.door.site}/api/session/hand-over?to=orchestrator&asked="
    )
    assert hand_over.headers["location"] == f"{product.door.site}/sign-in?next=/orchestrator/runs%3Fview%3Dqueued"
    assert {page.status_code, orchestrator.status_code, hand_over.status_code} == {302}


def test_who_may_not_open_the_orchestrator_is_led_to_a_sentence_and_a_program_is_refused(
    product: Product, maya: Identity
) -> None:
    token = product.token(maya)
    with product.door.client(**PAGE, cookie=f"{COOKIE}={token}") as browser:
        deep = browser.get(f"{product.door.orchestrator}/runs")
        led = browser.get(deep.headers["location"])
        sentence = browser.get(led.headers["location"])
    with product.door.client(token) as program:
        refused = program.get(deep.headers["location"])

    assert (led.status_code, led.headers["location"]) == (302, f"{product.door.site}/to-orchestrator")
    assert (sentence.status_code, "shell" in sentence.text) == (200, True)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:problem:not_permitted")


def test_a04_the_key_of_the_orchestrators_name_ends_with_its_session_and_opens_nothing_else(
    product: Product, harriet: Identity
) -> None:
    token = product.token(harriet, fresh=True)
    product.tokens.clear()
    key = product.door.keys[token]
    site, orchestrator = product.door.site, product.door.orchestrator
    with product.door.client(**PAGE, cookie=f"{ORCHESTRATOR_COOKIE}={key}") as there:
        opened = there.get(f"{orchestrator}/runs")
    with product.door.client(cookie=f"{COOKIE}={key}; {ORCHESTRATOR_COOKIE}={key}") as elsewhere:
        as_session = elsewhere.get(f"{site}/api/session")
    with product.door.client(cookie=f"{COOKIE}={token}; {ORCHESTRATOR_COOKIE}={token}") as with_the_other:
        as_key = with_the_other.get(f"{orchestrator}/runs")
    with product.door.client(token) as here:
        here.delete(f"{site}/api/session", headers=IN_PAGE)
    with product.door.client(**PAGE, cookie=f"{ORCHESTRATOR_COOKIE}={key}") as there:
        closed = there.get(f"{orchestrator}/runs")

    assert opened.status_code == 200
    assert (as_session.status_code, as_key.status_code) == (401, 401)
    assert closed.headers["location"].startswith(f"{site}/api/session/hand-over?")


def test_a02_the_orchestrators_cookie_is_host_only_and_out_of_reach_of_scripts(
    product: Product, harriet: Identity
) -> None:
    ticket, asking = product.door.ticket(product.token(harriet, fresh=True))
    with product.door.client(**PAGE) as browser:
        led = browser.get(f"{product.door.orchestrator}/runs")
        taken = browser.get(ticket, headers={"cookie": asking})

    for answer in (led, taken):
        parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
        assert {"httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)
    assert (taken.headers["location"], taken.headers["cache-control"]) == ("/", "no-store")


def test_a_ticket_counts_once_and_never_puts_a_cookie_on_top_of_another(product: Product, harriet: Identity) -> None:
    other = product.estate.user("Iris Dale", Role.ADMIN)
    held = product.door.hand_over(product.token(other))
    ticket, asking = product.door.ticket(product.token(harriet, fresh=True))
    with product.door.client(**PAGE, cookie=f"{ORCHESTRATOR_COOKIE}={held}; {asking}") as somebody:
        kept = somebody.get(ticket)
    with product.door.client(**PAGE, cookie=asking) as browser:
        first, second = browser.get(ticket), browser.get(ticket)
        made_up = browser.get(f"{product.door.orchestrator}/hand-over?ticket=x")
        none = browser.get(f"{product.door.orchestrator}/hand-over")
    product.tokens.clear()

    assert ["set-cookie" in one.headers for one in (kept, first, second, made_up, none)] == [
        False, True, False, False, False,
    ]  # fmt: skip
    assert {(one.status_code, one.headers["location"]) for one in (kept, first, second, made_up)} == {(303, "/")}


def test_a03_a_ticket_is_worth_nothing_in_a_browser_that_did_not_ask_for_it(
    product: Product, harriet: Identity
) -> None:
    """Neither a ticket that leaked nor one that somebody was sent, to make them look as somebody else."""
    leaked, asking = product.door.ticket(product.token(harriet, fresh=True))
    product.tokens.clear()
    _, others = product.door.asking()

    with product.door.client(**PAGE) as stranger:
        taken = [stranger.get(leaked, headers={"cookie": cookie}) for cookie in ("", others, f"{ASKING_COOKIE}=")]
    with product.door.client(**PAGE, cookie=asking) as who_asked:
        then = who_asked.get(leaked)

    assert not any("set-cookie" in one.headers for one in taken)
    assert ORCHESTRATOR_COOKIE in then.cookies


def test_a_ticket_is_given_to_a_browser_that_asks_for_it_and_to_no_link(product: Product, harriet: Identity) -> None:
    address = f"{product.door.site}/api/session/hand-over?to=orchestrator"
    with product.door.client(product.token(harriet), **PAGE) as browser:
        statuses = {
            browser.get(address + asked).status_code for asked in ("", "&asked=", "&asked=x", "&asked=" + "x" * 44)
        }

    assert statuses == {422}


def test_a_deep_link_into_the_orchestrator_leads_there_through_the_sign_in(product: Product, harriet: Identity) -> None:
    deep = "/runs/8f2c?logs=structured&q=a%2Fb"
    door = product.door
    with httpx.Client(headers=PAGE, timeout=30, follow_redirects=True) as browser:
        sign_in = browser.get(f"{door.orchestrator}{deep}").url
        browser.post(
            f"{door.site}/api/session",
            json={"email": harriet.email, "password": PASSWORD},
            headers={**IN_PAGE, "origin": door.site},
        ).raise_for_status()
        arrived = browser.get(f"{door.site}{sign_in.params['next']}")
        again = browser.get(f"{door.orchestrator}{deep}")

    assert sign_in.path == "/sign-in"
    assert (arrived.status_code, str(arrived.url)) == (200, door.orchestrator + deep)
    assert (again.history, str(again.url)) == ([], door.orchestrator + deep)


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "@evil.example",
        ".evil.example",
        "",
    ],
)
def test_c13_after_a_hand_over_no_path_leads_elsewhere(product: Product, harriet: Identity, wanted: str) -> None:
    door = product.door
    token = product.token(harriet, fresh=True)
    product.tokens.clear()
    address, asking = door.asking()
    asked = httpx.URL(address).copy_set_param("next", wanted)
    with door.client(**PAGE) as browser:
        nobody = browser.get(asked)
        led = browser.get(asked, headers={"cookie": f"{COOKIE}={token}"})
        planted = httpx.URL(led.headers["location"]).copy_set_param("next", wanted)
        taken = browser.get(planted, headers={"cookie": asking})

    assert nobody.headers["location"] == f"{door.site}/sign-in?next=/orchestrator/"
    assert httpx.URL(led.headers["location"]).copy_with(query=None) == httpx.URL(f"{door.orchestrator}/hand-over")
    assert httpx.URL(led.headers["location"]).params["next"] == "/"
    assert taken.headers["location"] == "/"


@pytest.mark.parametrize(
    "below", ["/", "/runs/1?a=b", "//evil.example", "/%2f%2fevil.example", "/@evil.example", "/..//evil"]
)
def test_c13_what_is_below_the_orchestrators_path_leads_to_its_host_name_only(product: Product, below: str) -> None:
    with product.door.client() as client:
        led = client.get(f"{product.door.site}/orchestrator{below}")
        beside = client.get(f"{product.door.site}/orchestrator.evil.example")

    assert led.status_code == 302 or "shell" in led.text
    assert led.headers.get("location", "/").removeprefix(product.door.orchestrator).startswith("/")
    assert "location" not in beside.headers


@pytest.mark.parametrize(
    "extra",
    ["&next=//evil.example", "&target=https://evil.example", "&to=https://evil.example", "&url=%5C%5Cevil.example"],
)
def test_c13_a_hand_over_leads_to_the_orchestrator_and_nowhere_else(
    product: Product, harriet: Identity, extra: str
) -> None:
    address, _ = product.door.asking()
    with product.door.client(product.token(harriet), **PAGE, **{"x-forwarded-host": "evil.example"}) as browser:
        led = browser.get(f"{address}{extra}")
        taken = browser.get(f"{product.door.orchestrator}/hand-over?ticket=x{extra}")
        unknown = browser.get(f"{product.door.site}/api/session/hand-over?to=//evil.example")

    assert led.status_code == 422 or led.headers["location"].startswith(
        f"{product.door.orchestrator}/hand-over?ticket="
    )
    assert taken.status_code == 422 or taken.headers["location"] == "/"
    assert unknown.status_code == 422


def test_c06_a_hand_over_is_no_answer_to_a_picture_a_script_or_a_form(product: Product, harriet: Identity) -> None:
    token = product.token(harriet)
    address, _ = product.door.asking()
    picture = {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    frame = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    with product.door.client(token) as client:
        refused = [client.get(address, headers=how).status_code for how in (picture, frame, IN_PAGE, {})]
        posted = client.post(address, headers=IN_PAGE, content="{}").status_code
    ticket, asking = product.door.ticket(token)
    with product.door.client(cookie=asking) as client:
        refused += [client.get(ticket, headers=how).status_code for how in (picture, frame, {})]
        unasked = client.get(f"{product.door.orchestrator}/runs", headers=frame)

    assert set(refused) == {406}
    assert posted == 405
    assert unasked.status_code == 401


def test_only_an_admin_gets_a_ticket(product: Product, maya: Identity, alex: Identity) -> None:
    led = []
    address, _ = product.door.asking()
    for who in (maya, alex):
        with product.door.client(product.token(who), **PAGE) as browser:
            answer = browser.get(address)
            led.append((answer.status_code, urlsplit(answer.headers["location"])))

    # to the page that says so, and with nothing in hand
    assert [(status, to.path, to.query) for status, to in led] == [(302, "/to-orchestrator", "")] * 2


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
