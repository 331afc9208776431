"""HTTP beside the pages: the session cookie, the export, and what every answer carries."""

import asyncio
import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pyarrow import parquet
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket

from app import asgi, auth, clock, tickets
from app.auth import Door, Identity, Role, sign_in
from app.db import engine
from app.segments import service as segments
from app.settings import get_settings
from app.ui import exports, session_routes
from tests.app.factories import AS_OF, NOW, PASSWORD, Estate, a_key

SESSION_COOKIE = "account_intelligence_session"
JSON = {"Content-Type": "application/json"}


async def _owner(socket: WebSocket) -> None:
    """What Streamlit would take for the owner of a handshake."""
    await socket.accept()
    await socket.send_json(socket.headers.getlist("x-account-intelligence-session"))
    await socket.close()


async def _page(_: HTTPConnection) -> Response:
    return Response("page")


class Site:
    """Our routes as a client sees them."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    def request(self, method: str, path: str, *, cookie: str | None = None, **given: Any) -> httpx.Response:
        """One request, with the session cookie when one is given."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
                headers = {**given.pop("headers", {})} | ({"Cookie": f"{SESSION_COOKIE}={cookie}"} if cookie else {})
                return await client.request(method, path, headers=headers, **given)

        return asyncio.run(send())

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.request("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        return self.request("POST", path, **given)

    def owner_of_handshake(self, headers: dict[str, str]) -> list[str]:
        """The identity headers that a websocket handshake with these headers arrives with."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "websocket",
            "path": "/socket",
            "raw_path": b"/socket",
            "query_string": b"",
            "scheme": "ws",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "subprotocols": [],
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
            "asgi": {"version": "3.0"},
        }
        asyncio.run(self.app(scope, receive, send))
        return json.loads(next(message["text"] for message in sent if message["type"] == "websocket.send"))


@pytest.fixture
def site(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Our routes and headers on this test's database."""
    monkeypatch.setenv("APP_DATABASE_URL", estate.application_url)
    monkeypatch.setattr(clock, "real_now", lambda: NOW)
    get_settings.cache_clear()
    engine.cache_clear()
    return Site(
        Starlette(
            routes=[
                Route("/", _page),
                Route("/session/redeem", session_routes.redeem, methods=["POST"]),
                Route("/session/leave", session_routes.leave, methods=["POST"]),
                Route("/exports/accounts.{format}", exports.accounts),
                WebSocketRoute("/socket", _owner),
            ],
            middleware=[Middleware(session_routes.Frame, frame_ancestors="'self' http://localhost:8000")],
        )
    )


def _token(estate: Estate, who: Identity | None = None) -> str:
    person = who or estate.user("Maya Lind")
    with estate.work() as db:
        token, _ = sign_in(db, email=person.email, password=PASSWORD, address="127.0.0.1", user_agent="test", now=NOW)
    return token


def _ticket(estate: Estate, door: Door = Door.PRODUCT, age: timedelta = timedelta()) -> str:
    person = estate.user("Maya Lind")
    with estate.work() as db:
        _, me = sign_in(db, email=person.email, password=PASSWORD, address="127.0.0.1", user_agent="test", now=NOW)
        assert me.session_id
        return tickets.issue(db, session_id=me.session_id, door=door, now=NOW - age)


def test_a_ticket_becomes_a_cookie_that_no_script_can_read_once(site: Site, estate: Estate) -> None:
    ticket = _ticket(estate)

    answer = site.post("/session/redeem", json={"ticket": ticket})

    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    with estate.work() as db:
        assert auth.resolve(db, token=answer.cookies[SESSION_COOKIE], now=NOW)
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert site.post("/session/redeem", json={"ticket": ticket}).status_code == 400


def test_a_ticket_that_has_grown_old_or_is_for_another_door_is_worth_nothing(site: Site, estate: Estate) -> None:
    for ticket in (_ticket(estate, age=tickets.LIFE), _ticket(estate, Door.ORCHESTRATOR)):
        assert site.post("/session/redeem", json={"ticket": ticket}).status_code == 400


def test_a09_a_ticket_is_kept_by_its_hash_and_worth_nothing_once_its_session_has_ended(
    site: Site, estate: Estate
) -> None:
    ticket = _ticket(estate)
    stored = bytes(estate.one("select ticket_hash from app.sessions"))
    estate.admin.execute("update app.sessions set revoked_at = now()")

    assert ticket.encode() not in stored
    assert len(stored) == 32
    assert site.post("/session/redeem", json={"ticket": ticket}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {**JSON, "Origin": "http://evil.example"},
        {**JSON, "Sec-Fetch-Site": "cross-site"},
        {**JSON, "Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain;application/json"},
    ],
)
@pytest.mark.parametrize("path", ["/session/redeem", "/session/leave"])
def test_another_page_cannot_sign_anybody_in_or_out(site: Site, path: str, headers: dict[str, str]) -> None:
    answer = site.post(path, content=b'{"ticket": "x"}', headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"ticket": 7}', b"not json"])
def test_a_malformed_ticket_is_refused_and_not_an_error(site: Site, body: bytes) -> None:
    assert site.post("/session/redeem", content=body, headers=JSON).status_code == 400


def test_leaving_ends_the_session_and_clears_the_cookie(site: Site, estate: Estate) -> None:
    token = _token(estate)

    answer = site.post("/session/leave", json={}, cookie=token)

    assert answer.status_code == 204
    assert f'{SESSION_COOKIE}=""' in answer.headers["set-cookie"]
    with estate.work() as db:
        assert auth.resolve(db, token=token, now=NOW) is None


def test_the_export_needs_a_session(site: Site) -> None:
    assert site.get("/exports/accounts.csv").status_code == 401
    assert site.get("/exports/accounts.csv", cookie="made-up").status_code == 401


def test_the_export_holds_the_rows_of_the_filter_and_no_formula(site: Site, estate: Estate) -> None:
    estate.publish()
    estate.account('=HYPERLINK("http://evil.example")', domain="@SUM(1)", mrr_eur=-5, csm_email=None)
    estate.account("Ashford Media")

    answer = site.get("/exports/accounts.csv?bands=Y", cookie=_token(estate, estate.user("Alex Stone", Role.ANALYST)))

    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {row["account_name"] for row in rows} == {"Ashford Media", '\'=HYPERLINK("http://evil.example")'}
    assert {row["domain"] for row in rows} == {"ashford.example", "'@SUM(1)"}
    assert "-5.0" in {row["mrr_eur"] for row in rows}, "numbers stay numbers"
    mine = site.get("/exports/accounts.csv?view=mine", cookie=_token(estate))
    assert mine.text.count("\r\n") == 2
    assert mine.headers["cache-control"] == "no-store"


def test_the_export_of_a_past_day_holds_what_was_known_then_and_of_a_segment_its_accounts(
    site: Site, estate: Estate
) -> None:
    estate.publish()
    then = AS_OF - timedelta(days=1)
    for name in ("Ashford Media", "Beech Labs"):
        estate.health(estate.account(name, is_active=name != "Beech Labs"), [61.0, 44.0], mrr_eur=900)
    maya = estate.user("Maya Lind")
    with estate.work() as db:
        kept = segments.save(
            db,
            actor=maya,
            now=NOW,
            name="A",
            description=None,
            criteria={"search": "ashford"},
            is_shared=False,
            idempotency_key=a_key(),
        )

    def rows(query: str, who: str) -> list[dict[str, str]]:
        text = site.get(f"/exports/accounts.csv?{query}", cookie=who).text
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))

    told = rows(f"as_of={then}", _token(estate, maya))
    assert [(row["account_name"], row["health_score"], row["mrr_eur"]) for row in told] == [
        ("Ashford Media", "61.0", "900.0"),
        ("Beech Labs", "61.0", "900.0"),
    ]
    assert "next_title" not in told[0]
    assert [
        row["account_name"] for row in rows(f"as_of={then}&in_segment={kept.segment_id}", _token(estate, maya))
    ] == ["Ashford Media"]
    for query in (f"in_segment={kept.segment_id}", "in_segment=1", "as_of=soon"):
        tom = _token(estate, estate.user("Tom Okafor"))
        assert site.get(f"/exports/accounts.csv?{query}", cookie=tom).status_code == 404


def test_a_csm_takes_away_their_own_accounts_and_an_analyst_all(site: Site, estate: Estate) -> None:
    estate.publish()
    estate.account("Ashford Media")
    estate.account("Beech Labs", csm_email="tom.okafor@force24.example", seats_paid=12)
    estate.account("Cedar House", csm_email=None, seats_paid=None)
    analyst = _token(estate, estate.user("Alex Stone", Role.ANALYST))

    def taken(token: str) -> set[tuple[str | None, int | None]]:
        answer = site.get("/exports/accounts.parquet", cookie=token)
        rows = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
        return {(row["account_name"], row["seats_paid"]) for row in rows}

    assert taken(_token(estate)) == {("Ashford Media", None)}
    assert taken(analyst) == {("Ashford Media", None), ("Beech Labs", 12), ("Cedar House", None)}
    assert site.get("/exports/accounts.xlsx", cookie=analyst).content.startswith(b"PK")
    assert site.get("/exports/accounts.pdf", cookie=analyst).status_code == 404


def test_the_export_says_when_there_is_nothing_yet(site: Site, estate: Estate) -> None:
    answer = site.get("/exports/accounts.csv", cookie=_token(estate))

    assert answer.status_code == 503
    assert "no figures yet" in answer.text


def test_every_answer_says_who_may_frame_it(site: Site) -> None:
    for path in ("/", "/nothing-here", "/exports/accounts.csv"):
        headers = site.get(path).headers
        assert "frame-ancestors 'self' http://localhost:8000;" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_owner_of_a_handshake_comes_from_the_cookie_and_never_from_the_client(site: Site) -> None:
    expected = hashlib.sha256(b"the-token").hexdigest()

    forged = {"X-Account-Intelligence-Session": "forged", "Cookie": f"{SESSION_COOKIE}=the-token"}

    assert site.owner_of_handshake(forged) == [expected]
    assert site.owner_of_handshake({"X-Account-Intelligence-Session": expected}) != [expected]


def test_the_application_is_built_from_the_environment_and_not_while_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "http://shell.example:8000/somewhere")
    get_settings.cache_clear()

    made = asgi.create_app()

    assert {route.path for route in made._user_routes if isinstance(route, Route)} == {
        "/session/redeem",
        "/session/leave",
        "/exports/accounts.{format}",
        "/exports/explore.{format}",
        "/exports/reports/{report}.{format}",
        "/exports/sql/{statement_id:uuid}.{format}",
    }
    assert made._user_middleware[0].kwargs == {"frame_ancestors": "'self' http://shell.example:8000"}
    assert not hasattr(asgi, "app")
    for name in asgi.PAGE_MODULES:
        assert (asgi.ENTRY.parent / "ui" / f"{name}.py").is_file()
