"""The real pages over their socket: a session that ends or is somebody else's, and messages no page would send."""

import json
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import InvalidStatus

from app import throttle
from app.actions.model import Action
from app.auth import Identity, Role
from app.ui import navigation
from tests.api.conftest import serving
from tests.app.factories import PASSWORD
from tests.door.conftest import IN_PAGE, Product
from tests.door.tab import Drawn, Tab, tab

PAGES = [place.address for place in navigation.PLACES]


def pages(product: Product) -> str:
    """The pages' address behind the door."""
    return f"{product.door.site}/app"


def beside(product: Product) -> str:
    """The pages' own address, which only this machine reaches."""
    return f"{product.streamlit.replace('127.0.0.1', 'localhost')}/app"


def end_sessions(product: Product, who: Identity) -> None:
    """As if an admin had ended them, or they had signed out elsewhere."""
    product.estate.admin.execute(
        "update app.sessions set revoked_at = now() where user_id = %s and revoked_at is null", [who.user_id]
    )
    product.tokens.pop(who.email, None)


def is_signed_out(drawn: Drawn) -> bool:
    """Whether nothing but the form to sign in stands there."""
    return {one.label for one in drawn.buttons()} == {"Sign in"}


@pytest.fixture
def action(product: Product, maya: Identity) -> Action:
    """An action of Maya's on an account of hers."""
    account = product.estate.account(f"Account {uuid4().hex[:8]}")
    product.estate.publish()
    return product.estate.action(actor=maya, account_key=account)


def status_of(product: Product, action: Action) -> str:
    return product.estate.one("select status from app.actions where action_id = %s", action.action_id)


# --- A05, A10: a socket that outlives its session, and a session that changes hands


@pytest.mark.parametrize("how", ["rerun", "callback", "fragment"])
def test_a05_an_open_page_ends_with_its_session(product: Product, maya: Identity, action: Action, how: str) -> None:
    with tab(pages(product), product.token(maya, fresh=True)) as page:
        move = page.open("actions", f"action={action.action_id}").labelled("In progress")
        end_sessions(product, maya)
        before = product.estate.fingerprint()

        if how == "rerun":
            after = page.rerun()
        else:
            after = page.press(move.id, fragment_id=move.fragment_id if how == "fragment" else "")

        assert is_signed_out(after)
        assert "Call the champion" not in after.text
        assert product.estate.fingerprint() == before


def test_a05_the_same_click_of_a_live_session_is_carried_out(product: Product, maya: Identity, action: Action) -> None:
    with tab(pages(product), product.token(maya)) as page:
        move = page.open("actions", f"action={action.action_id}").labelled("In progress")
        page.press(move.id, fragment_id=move.fragment_id)

    assert status_of(product, action) == "in_progress"


def test_a10_a_stored_session_of_the_pages_is_resumed_by_its_owner_only(
    product: Product, maya: Identity, harriet: Identity
) -> None:
    with tab(pages(product), product.token(harriet)) as page:
        page.open("settings")
        theirs = page.session_id

    def resumed(address: str, token: str | None) -> tuple[bool, Drawn]:
        with tab(address, token, resume=theirs) as page:
            drawn = page.rerun()
            return page.session_id == theirs, drawn

    by_another = resumed(pages(product), product.token(maya))
    by_nobody = resumed(beside(product), None)
    by_a_made_up_cookie = resumed(beside(product), "made-up")
    with pytest.raises(InvalidStatus):
        resumed(pages(product), None)
    by_owner = resumed(pages(product), product.token(harriet))

    assert (by_another[0], by_nobody[0], by_a_made_up_cookie[0], by_owner[0]) == (False, False, False, True)
    assert "Harriet Cole" not in by_another[1].text
    assert is_signed_out(by_nobody[1])
    assert is_signed_out(by_a_made_up_cookie[1])


# --- A14: one count of guesses for all faces


def guess_in_the_form(page: Tab, email: str) -> str:
    """What the pages' own form says to a wrong password."""
    form = page.rerun()
    given = {form.labelled("E-mail").id: email, form.labelled("Password").id: "not the password"}
    states = [WidgetState(id=name, string_value=value) for name, value in given.items()]
    return page.rerun([*states, WidgetState(id=form.labelled("Sign in").id, trigger_value=True)]).text


def guess_by_the_api(address: str, email: str) -> int:
    with httpx.Client(headers=IN_PAGE) as client:
        return client.post(address, json={"email": email, "password": "not the password"}).status_code


def test_a14_guesses_at_every_face_add_up_and_a_new_process_forgets_none(product: Product) -> None:
    victim = product.estate.user(f"Victim {uuid4().hex[:8]}")
    insider = product.estate.user(f"Insider {uuid4().hex[:8]}")
    api = f"{product.door.site}/api/session"
    product.estate.admin.execute("delete from app.login_attempts where not succeeded")

    with tab(pages(product), product.token(insider)) as page:
        page.open("accounts")
        end_sessions(product, insider)  # the form stands where a session ended
        said = [guess_in_the_form(page, victim.email) for _ in range(2)]
        statuses = [guess_by_the_api(api, victim.email) for _ in range(throttle.FREE_FOR_PAIR - 2)]
        then = guess_by_the_api(api, victim.email), guess_in_the_form(page, victim.email)
    with serving(product.environment) as restarted:
        again = guess_by_the_api(f"{restarted}/session", victim.email)
    counted = product.estate.one("select count(*) from app.login_attempts where email = %s", victim.email)
    product.estate.admin.execute("delete from app.login_attempts where not succeeded")

    assert all("wrong" in one for one in said), said
    assert statuses == [401] * (throttle.FREE_FOR_PAIR - 2)
    assert then[0] == again == 429
    assert "Too many" in then[1]
    assert counted == throttle.FREE_FOR_PAIR


# --- A23: what is written down of a sign-in, and what is not


def test_a23_every_attempt_is_kept_and_no_secret_is_in_any_log(product: Product) -> None:
    guessed, search = f"canary-{uuid4().hex}", f"words-{uuid4().hex}"
    who = product.estate.user(f"Witness {uuid4().hex[:8]}", Role.ADMIN)
    product.estate.admin.execute("delete from app.login_attempts where not succeeded")
    token = product.token(who)
    site = product.door.site
    with product.door.client(token) as client:
        for password in (guessed, PASSWORD):
            client.post(f"{site}/api/session/confirm", json={"password": password}, headers=IN_PAGE)
        client.post(f"{site}/api/session", json={"email": who.email, "password": guessed}, headers=IN_PAGE)
        client.post(f"{site}/api/session", json={"email": guessed, "password": [guessed]}, headers=IN_PAGE)
        made = client.post(
            f"{site}/api/tokens", json={"name": "Canary", "scopes": ["read"], "days": 1}, headers=IN_PAGE
        )
        client.get(f"{site}/api/accounts", params={"search": search})
        client.get(f"{site}/app/exports/accounts.csv")
    product.door.graphql(token, "{version}")
    with tab(pages(product), token) as page:
        page.open("settings")
        end_sessions(product, who)
        guess_in_the_form(page, guessed)
    bearer = made.json()["secret"]

    attempts = product.estate.admin.execute(
        "select succeeded, address from app.login_attempts where email = %s order by id", [who.email]
    ).fetchall()
    written = {
        str(path.relative_to(product.folder)): path.read_bytes()
        for path in product.folder.rglob("*")
        if path.is_file() and "shell" not in path.parts
    }
    kept = json.dumps(
        [
            product.estate.one(f"select coalesce(string_agg(t::text, ' '), '') from app.{table} as t")
            for table in ("audit_events", "sessions", "api_tokens", "login_attempts", "users")
        ]
    ).encode()
    database_password = product.environment["APP_DATABASE_URL"].split(":")[2].split("@")[0]
    secrets = [guessed, PASSWORD, token, bearer, database_password, product.environment["PROXY_SECRET"]]
    found = [
        (name, secret[:6]) for name, content in written.items() for secret in secrets if secret.encode() in content
    ]

    assert attempts == [(True, "127.0.0.1"), (False, "127.0.0.1"), (True, "127.0.0.1"), (False, "127.0.0.1")]
    assert {"api.log", "pages.log", "front/caddy.log"} <= written.keys()
    assert found == []
    assert not [secret[:6] for secret in (PASSWORD, token, bearer) if secret.encode() in kept]


# --- Z04, Z12: messages that no page would send


LEADS_ELSEWHERE = ("Go on in the SQL editor",)


@pytest.mark.parametrize("address", PAGES)
def test_z04_z12_buttons_of_an_admin_do_nothing_for_an_analyst(
    product: Product, harriet: Identity, alex: Identity, action: Action, address: str
) -> None:
    query = f"action={action.action_id}&account={action.account_key}"
    with tab(pages(product), product.token(harriet)) as page:
        drawn = [one for asked in ("", query) for one in page.open(address, asked).buttons()]
        theirs = {one.id for one in drawn if one.label not in LEADS_ELSEWHERE}
    before = product.estate.fingerprint()

    with tab(pages(product), product.token(alex)) as page:
        drawn = page.open(address, query)
        heading = next(text for text in drawn.texts if text.startswith("# "))
        own = {one.id for one in drawn.buttons() if one.label not in (*LEADS_ELSEWHERE, "Mark all read")}
        for one in sorted(theirs | own):
            pressed = page.press(one)
            assert heading in pressed.texts or pressed.exceptions, "pressed on that page, not on another"

    assert product.estate.fingerprint() == before


def test_z04_a_button_that_somebody_else_may_press_does_nothing_for_a_csm(
    product: Product, maya: Identity, harriet: Identity, action: Action
) -> None:
    tom = product.estate.user("Tom Okafor")
    query = f"action={action.action_id}"
    with tab(pages(product), product.token(maya)) as page:
        theirs = [one for one in page.open("actions", query).buttons() if one.fragment_id]
    with tab(pages(product), product.token(harriet)) as page:
        admins = page.open("settings").buttons()
    before = product.estate.fingerprint()

    with tab(pages(product), product.token(tom)) as page:
        own = page.open("actions", query)
        for one in theirs:
            page.press(one.id)
        settings = page.open("settings")
        for one in admins:
            settings = page.press(one.id)

    assert {one.label for one in theirs} >= {"In progress", "Tomorrow", "Re-date it"}
    assert not {one.label for one in own.buttons() if one.fragment_id} & {"In progress", "Re-date it"}
    assert "This page is for administrators" in settings.text
    assert not settings.exceptions
    assert product.estate.fingerprint() == before


HOSTILE: list[Callable[[str], WidgetState]] = [
    lambda name: WidgetState(id=name, string_value="' or true --"),
    lambda name: WidgetState(id=name, int_value=9_999),
    lambda name: WidgetState(id=name, double_value=float("nan")),
    lambda name: WidgetState(id=name, bool_value=True),
    lambda name: WidgetState(id=name, json_value='{"__proto__": {"role": "admin"}}'),
    lambda name: WidgetState(id=f"{name}-not-there", trigger_value=True),
]


@pytest.mark.parametrize("make", range(len(HOSTILE)))
@pytest.mark.parametrize("address", ["actions", "accounts", "my-day"])
def test_z04_values_that_are_no_option_change_nothing_and_show_nothing_more(
    product: Product, maya: Identity, action: Action, address: str, make: int
) -> None:
    tom = product.estate.user("Tom Okafor")
    before = product.estate.fingerprint()

    with tab(pages(product), product.token(tom)) as page:
        drawn = page.open(address, f"action={action.action_id}")
        after = page.rerun([HOSTILE[make](one.id) for one in drawn.widgets])
    with tab(pages(product), product.token(tom)) as page:
        again = page.open("accounts")

    assert product.estate.fingerprint() == before
    assert "Traceback" not in after.text
    assert not any(word in after.text for word in ("select ", "psycopg", "site-packages"))
    assert "# Accounts" in again.text, "only the session that sent it is hurt"


@pytest.mark.parametrize("query", ["account=' or true --", "action=1", "action=", "account=%00", "view=7", "as=admin"])
def test_z04_an_address_with_somebody_elses_or_no_id_is_a_page(product: Product, maya: Identity, query: str) -> None:
    with tab(pages(product), product.token(maya)) as page:
        for address in PAGES:
            drawn = page.open(address, query)
            assert drawn.exceptions == []
            assert "Something went wrong" not in drawn.text, (address, query)


# --- Z13: what only admins reach


@pytest.mark.parametrize("address", [place.address for place in navigation.PLACES if place.roles == (Role.ADMIN,)])
def test_z13_an_admins_page_is_a_sentence_by_deep_link_and_over_the_socket(
    product: Product, maya: Identity, alex: Identity, harriet: Identity, address: str
) -> None:
    with tab(pages(product), product.token(harriet)) as page:
        assert "This page is for" not in page.open(address).text

    for who in (maya, alex):
        with tab(pages(product), product.token(who)) as page:
            drawn = page.open(address)
        assert "This page is for administrators" in drawn.text
        assert not [one for one in drawn.widgets if one.kind not in ("button", "menu_button", "bidi_component")]
        assert not drawn.buttons()
