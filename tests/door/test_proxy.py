"""What the door itself refuses, strips and adds: the shipped Caddyfile before real services and before witnesses."""

import re
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import streamlit

from app.auth import Identity
from local.postgres import free_port
from tests.door.conftest import (
    CADDYFILE,
    IN_PAGE,
    LAUNCH,
    PROXY_SECRET,
    Door,
    Product,
    Witness,
    front_door,
    witness,
)
from tests.door.test_sessions import socket_status

FORGED = [
    ("X-Auth-User", "admin"),
    ("X-Auth-Role", "admin"),
    ("X-Auth-Recent", "yes"),
    ("x-auth-role", "admin"),
    ("X_Auth_Role", "admin"),
    ("X-Auth-Role", "a" * 8_000),
    ("X-User", "admin"),
    ("X-Roles", "admin"),
    ("Remote-User", "admin"),
    ("X-Forwarded-User", "admin"),
    ("X-Proxy-Secret", "guessed"),
    ("X-Account-Intelligence-Session", "forged"),
]
NOT_FROM_A_PAGE = {"X-Auth-User": "1", "X-Auth-Role": "csm", "X-Auth-Recent": "no"}


class Seen:
    """A door whose services are witnesses."""

    def __init__(self, door: Door, gate: Witness, service: Witness) -> None:
        self.door, self.gate, self.service = door, gate, service

    def headers(self) -> dict[str, list[str]]:
        """What the service got last, by lower-case name."""
        found: dict[str, list[str]] = {}
        for name, value in self.service.seen[-1]["headers"]:
            found.setdefault(name.lower(), []).append(value)
        return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("witnessed")
    with (
        witness(status=204, headers=NOT_FROM_A_PAGE) as gate,
        witness() as service,
        front_door(
            folder,
            API=gate.address,
            STREAMLIT=service.address,
            DAGSTER=service.address,
            DAGSTER_READONLY=service.address,
        ) as door,
    ):
        yield Seen(door, gate, service)


def raw(address: str, request: bytes, *, patience_seconds: float = 5) -> bytes:
    """The first bytes answered to bytes that no client library would send."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=patience_seconds) as line:
        line.sendall(request)
        answer = b""
        try:
            while chunk := line.recv(65_536):
                answer += chunk
                if len(answer) > 100_000:
                    break
        except TimeoutError:
            pass
    return answer


# --- C01, C02: identity


@pytest.mark.parametrize("forged", FORGED, ids=lambda one: f"{one[0]}:{len(one[1])}")
def test_c01_a_visitor_cannot_say_who_they_are(seen: Seen, forged: tuple[str, str]) -> None:
    with seen.door.client() as client:
        client.get(f"{seen.door.site}/app/x", headers=[forged, forged])

    headers = seen.headers()
    assert headers["x-auth-user"] == ["1"]
    assert headers["x-auth-role"] == ["csm"]
    assert headers["x-proxy-secret"] == [PROXY_SECRET]
    assert forged[1] not in [value for name, values in headers.items() for value in values if name != "x-auth-user"]


def test_c01_the_address_of_a_visitor_is_the_one_the_door_saw(seen: Seen) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example", "X-Real-Ip": "203.0.113.9"}
    with seen.door.client(**forged, Forwarded="for=203.0.113.9") as client:
        client.get(f"{seen.door.site}/app/x")

    headers = seen.headers()
    assert headers["x-forwarded-for"] == ["127.0.0.1"]
    assert headers["x-forwarded-host"] == [urlsplit(seen.door.site).netloc]
    assert not {"x-real-ip", "forwarded"} & headers.keys()


def test_the_orchestrator_never_sees_the_cookie_of_its_visitor(seen: Seen) -> None:
    with seen.door.client("a token", Authorization="Bearer x") as client:
        client.get(f"{seen.door.orchestrator}/runs")

    assert not {"cookie", "authorization", "x-proxy-secret"} & seen.headers().keys()


@pytest.mark.parametrize("name", ["X-Auth-User", "X-Auth-Role", "Cookie", "X-Proxy-Secret", "X-Auth-Recent"])
def test_c02_a_stripped_identity_is_nobody_and_never_somebody_else(product: Product, maya: Identity, name: str) -> None:
    with product.door.client(product.token(maya), Connection=f"close, {name}") as client:
        pages = client.get(f"{product.door.site}/app/accounts").status_code
        orchestrator = client.get(f"{product.door.orchestrator}/").status_code

    assert pages in ((401,) if name == "Cookie" else (200, 401))
    assert orchestrator in (401, 403)


# --- C03: the gate


@pytest.mark.parametrize(
    "how",
    [
        {"status": 500},
        {"status": 200},
        {"status": 204},
        {"status": 302, "headers": {"Location": "/"}},
        {"status": 204, "headers": NOT_FROM_A_PAGE, "delay_seconds": 5.0},
        {"status": 403, "headers": NOT_FROM_A_PAGE},
    ],
    ids=str,
)
def test_c03_a_gate_that_fails_lets_nobody_in(tmp_path: Path, how: dict) -> None:
    with (
        witness(**how) as gate,
        witness() as service,
        front_door(tmp_path, API=gate.address, STREAMLIT=service.address, DAGSTER_READONLY=service.address) as door,
        door.client("a token") as client,
    ):
        for address in (f"{door.site}/app/accounts", f"{door.orchestrator}/runs"):
            began = time.monotonic()
            answer = client.get(address)
            assert answer.status_code >= 300
            assert "witness" not in answer.text or how["status"] in (302, 403, 500)
            assert time.monotonic() - began < 4

        assert service.seen == []


def test_c03_a_gate_that_is_away_lets_nobody_in(tmp_path: Path) -> None:
    with (
        witness() as service,
        front_door(tmp_path, API="127.0.0.1:1", STREAMLIT=service.address) as door,
        door.client("a token") as client,
    ):
        answer = client.get(f"{door.site}/app/accounts")

        assert answer.status_code == 502
        assert service.seen == []


def test_c04_beside_the_door_a_forged_identity_is_worth_nothing(product: Product) -> None:
    forged = {"X-Auth-User": "admin", "X-Auth-Role": "admin", "X-Forwarded-For": "203.0.113.9"}

    assert httpx.get(f"{product.api}/session", headers=forged).status_code == 401
    assert httpx.get(f"{product.api}/gate/admin", headers=forged).status_code == 401
    assert httpx.get(f"{product.streamlit}/app/exports/accounts.csv", headers=forged).status_code == 401


# --- C05: paths and hosts

TRICKS = [
    "//app/accounts",
    "/APP/accounts",
    "/%61pp/accounts",
    "/x/../app/accounts",
    "/./app/accounts",
    "/app;x/accounts",
    "/app%2Faccounts",
    "/app/session/redeem/../../accounts",
    "/app/session/redeem/..%2f..%2faccounts",
    "/app/session/leave/%2e%2e/%2e%2e/_stcore/host-config",
    "/app/static/../exports/accounts.csv",
    "/app/static/%2e%2e/exports/accounts.csv",
    "/app/static/..%2fexports/accounts.csv",
    "/app/static/../_stcore/host-config",
    "/app/static/..%5c_stcore/host-config",
    "/app//session/redeem/../../exports/accounts.csv",
    "/api/../app/exports/accounts.csv",
    "/api/..%2fgate/admin",
    "/api//gate/user",
    "/api/%67ate/user",
    "/api/GATE/user",
    "/%61pi/gate/user",
]


@pytest.mark.parametrize("path", TRICKS)
def test_c05_no_spelling_of_a_path_gets_past_the_gate(seen: Seen, product: Product, path: str) -> None:
    parts = urlsplit(product.door.site)
    line = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    line.request("GET", path)
    answer = line.getresponse()
    body = answer.read().decode(errors="replace")
    line.close()

    is_shell = "<p>shell" in body
    assert is_shell or answer.status in (301, 302, 308, 400, 401, 403, 404, 405), (answer.status, body[:200])


@pytest.mark.parametrize("path", ["//graphql", "/GRAPHQL", "/%67raphql", "/x/../graphql", "/graphql/", "/graphql;x"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_c05_c06_no_spelling_of_a_path_launches_anything(
    product: Product, harriet: Identity, path: str, method: str
) -> None:
    before = product.runs()
    parts = urlsplit(product.door.orchestrator)
    line = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    query = httpx.QueryParams({"query": LAUNCH})
    line.request(method, f"{path}?{query}", headers={"Cookie": product.door.cookies(product.token(harriet))})
    line.getresponse().read()
    line.close()

    assert product.runs() == before


@pytest.mark.parametrize("host", ["evil.example", "localhost.", "evil.example/health?x="])
def test_c05_another_host_name_is_served_nothing(product: Product, harriet: Identity, host: str) -> None:
    for address, path in ((product.door.site, "/app/accounts"), (product.door.orchestrator, "/runs")):
        port = urlsplit(address).port
        cookie = product.door.cookies(product.token(harriet))
        answer = raw(
            address,
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode(),
        )
        head, _, body = answer.partition(b"\r\n\r\n")
        assert body in (b"421", b"400 Bad Request", b"400 Bad Request: malformed Host header"), head


# --- C06, C07, C08: requests from elsewhere


@pytest.mark.parametrize(
    "given",
    [
        {"content-type": "text/plain"},
        {"content-type": "text/plain;application/json"},
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "http://localhost:1"},
        {"origin": "null"},
        {"origin": ""},
    ],
    ids=str,
)
def test_c06_only_the_orchestrators_own_script_launches(
    product: Product, harriet: Identity, given: dict[str, str]
) -> None:
    before = product.runs()

    answer = product.door.graphql(product.token(harriet), LAUNCH, **given)

    assert answer.status_code in (403, 405)
    assert product.runs() == before


def test_c06_a_mutation_by_get_and_a_report_beside_graphql_do_nothing(product: Product, harriet: Identity) -> None:
    before = product.runs()
    with product.door.client(product.token(harriet)) as client:
        statuses = [
            client.get(f"{product.door.orchestrator}/graphql", params={"query": LAUNCH}).status_code,
            client.get(f"{product.door.site}/graphql", params={"query": LAUNCH}).status_code,
            client.post(f"{product.door.orchestrator}/report_asset_materialization/x", json={}).status_code,
            client.post(f"{product.door.orchestrator}/runs", json={}, headers=IN_PAGE).status_code,
            client.get(f"{product.door.orchestrator}/download_debug/x").status_code,
            client.get(f"{product.door.orchestrator}/notebook?path=/etc/passwd").status_code,
        ]

    assert statuses == [405, 200, 404, 405, 404, 404]  # the second is the shell
    assert product.runs() == before


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 401),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://localhost:1"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "text/plain;application/json"}, 415),
    ],
    ids=str,
)
def test_c07_a_write_from_elsewhere_is_refused(product: Product, given: dict[str, str], status: int) -> None:
    body = b'{"email": "nobody@force24.example", "password": "not the password"}'
    with product.door.client(**{**IN_PAGE, **given}) as client:
        answer = client.post(f"{product.door.site}/api/session", content=body)

    assert answer.status_code == status


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://localhost:1", "https://localhost"])
def test_c08_a_socket_opens_from_our_own_page_only(product: Product, harriet: Identity, origin: str | None) -> None:
    token = product.token(harriet)

    pages = socket_status(product.door, f"{product.door.site}/app/_stcore/stream", token, origin, "streamlit")
    runs = socket_status(product.door, f"{product.door.orchestrator}/graphql", token, origin, "graphql-ws")

    assert (pages, runs) == (403, 403)


# --- C09, C11, C12: headers


def everywhere(product: Product, token: str | None) -> Iterator[httpx.Response]:
    """An answer of every kind: pages, files, refusals, redirects, errors."""
    site, orchestrator = product.door.site, product.door.orchestrator
    with product.door.client(token) as client:
        for address in (
            *("/", "/accounts", "/main-ABCD1234.js", "/missing.js", "/.secret", "/orchestrator"),
            *("/api/session", "/api/nothing", "/api/gate/user", "/api/accounts?limit=-1"),
            *("/api/session/hand-over?to=orchestrator", "/api/gate/hand-over"),
            *("/app", "/app/", "/app/accounts", "/app/nothing.js", "/app/_stcore/health", "/app/_stcore/metrics"),
        ):
            yield client.get(f"{site}{address}")
        yield client.post(f"{site}/", content=b"x")
        yield client.post(f"{site}/api/session", content=b"x" * 600_000, headers=IN_PAGE)
        yield client.get(f"{site}/api/session", headers={"origin": "http://evil.example"})
        for address in ("/", "/runs", "/graphql", "/report_asset_check/x", "/nothing.js", "/hand-over?ticket=x"):
            yield client.get(f"{orchestrator}{address}")


@pytest.mark.parametrize("who", ["nobody", "admin"])
def test_c09_c11_c12_every_answer_carries_the_security_headers(product: Product, harriet: Identity, who: str) -> None:
    for answer in everywhere(product, product.token(harriet) if who == "admin" else None):
        where = f"{answer.request.method} {answer.request.url} {answer.status_code} {answer.headers}"
        headers = answer.headers
        assert headers.get_list("x-content-type-options") == ["nosniff"], where
        assert headers.get_list("referrer-policy") == ["same-origin"], where
        assert headers.get_list("cross-origin-opener-policy") == ["same-origin"], where
        if not answer.is_redirect:
            assert "frame-ancestors" in headers.get("content-security-policy", ""), where
        assert "server" not in headers, where
        assert "via" not in headers, where
        assert not [name for name in headers if name.startswith("access-control-")], where
        assert "caddy" not in answer.text.lower(), where


def test_c09_the_shell_and_the_orchestrator_are_framed_by_nobody_and_the_pages_by_us(
    product: Product, harriet: Identity
) -> None:
    with product.door.client(product.token(harriet)) as client:
        shell = client.get(f"{product.door.site}/").headers
        pages = client.get(f"{product.door.site}/app/").headers
        orchestrator = client.get(f"{product.door.orchestrator}/").headers

    assert "frame-ancestors 'none'" in shell["content-security-policy"]
    assert "frame-ancestors 'self'" in pages["content-security-policy"]
    assert "frame-ancestors 'none'" in orchestrator["content-security-policy"]
    assert (shell["x-frame-options"], pages["x-frame-options"], orchestrator["x-frame-options"]) == (
        "DENY", "SAMEORIGIN", "DENY",
    )  # fmt: skip


def test_c09_the_documentation_of_the_warehouse_has_no_origin_and_so_nobodys_rights(
    product: Product, harriet: Identity
) -> None:
    with product.door.client(product.token(harriet)) as client:
        led = client.get(f"{product.door.site}/orchestrator/warehouse-docs")
        page = client.get(f"{product.door.orchestrator}/warehouse-docs/")

    assert led.headers["location"] == f"{product.door.orchestrator}/warehouse-docs"
    assert "every model" in page.text
    policies = page.headers.get_list("content-security-policy")
    assert any(one.startswith("sandbox allow-scripts;") for one in policies)
    assert not any("allow-same-origin" in one for one in policies)


def test_a_file_with_its_content_in_its_name_is_kept_and_a_missing_one_is_no_page(product: Product) -> None:
    with product.door.client() as client:
        kept = client.get(f"{product.door.site}/main-ABCD1234.js")
        missing = client.get(f"{product.door.site}/main-WXYZ9876.js")
        page = client.get(f"{product.door.site}/accounts/7")

    assert "immutable" in kept.headers["cache-control"]
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    assert "<p>shell" in page.text
    assert page.headers["cache-control"] == "no-cache"


def test_the_program_of_the_pages_needs_no_session_and_is_kept(product: Product) -> None:
    with product.door.client() as client:
        page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
        script = re.search(r'src="\./(static/js/[^"]+)"', page)
        assert script
        kept = client.get(f"{product.door.site}/app/{script[1]}", headers={"accept-encoding": "gzip"})

    assert kept.status_code == 200
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "gzip"


# --- C14, C15, C16: limits, what is closed, smuggling


def test_c14_what_is_too_large_is_refused_and_others_are_served(product: Product) -> None:
    site = product.door.site
    with product.door.client() as client:
        body = client.post(f"{site}/api/session", content=b"x" * (512 * 1000 + 1), headers=IN_PAGE)
        header = client.get(f"{site}/api/health", headers={"x-long": "x" * 64_000})
        upload = client.post(f"{site}/app/session/redeem", content=b"x" * (2_000_001), headers=IN_PAGE)

    assert (body.status_code, header.status_code, upload.status_code) == (413, 431, 413)


def test_c14_idle_sockets_keep_nobody_out(product: Product) -> None:
    parts = urlsplit(product.door.site)
    idle = [socket.create_connection((parts.hostname or "", parts.port or 80)) for _ in range(300)]
    try:
        for one in idle:
            one.sendall(b"GET / HTTP/1.1\r\nHost: ")
        began = time.monotonic()
        with product.door.client() as client:
            assert client.get(f"{product.door.site}/api/health").status_code == 200
        assert time.monotonic() - began < 3
    finally:
        for one in idle:
            one.close()


@pytest.mark.parametrize(
    "path",
    [
        *("/app/_stcore/metrics", "/app/_stcore/agent/openapi.json", "/app/accounts/_stcore/metrics"),
        *("/api/openapi.json", "/api/docs", "/api/gate/user", "/api/gate/admin", "/.git/config", "/.secret"),
    ],
)
def test_c15_what_is_internal_stays_inside(product: Product, harriet: Identity, path: str) -> None:
    with product.door.client(product.token(harriet)) as client:
        answer = client.get(f"{product.door.site}{path}")

    assert answer.status_code == 404


def test_c15_the_door_has_no_administration(product: Product) -> None:
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", 2019), timeout=2)
    assert "admin off" in CADDYFILE.read_text()


@pytest.mark.parametrize(
    "request_lines",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        b"Content-Length : 5\r\n\r\nhello",
        b"Content-Length: +5\r\n\r\nhello",
        b"X: y\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_c16_no_second_request_hides_in_a_first(seen: Seen, request_lines: bytes) -> None:
    before = len(seen.gate.seen)
    host = urlsplit(seen.door.site).netloc.encode()

    answer = raw(
        seen.door.site, b"POST /api/first HTTP/1.1\r\nHost: " + host + b"\r\n" + request_lines, patience_seconds=2
    )

    reached = [one["line"] for one in seen.gate.seen[before:]]
    assert not any("smuggled" in line for line in reached)
    assert len(reached) <= 1
    assert answer.startswith(b"HTTP/1.1")


def test_z11_the_door_listens_where_it_was_told_only(product: Product) -> None:
    wanted = {urlsplit(address).port for address in (product.door.site, product.door.orchestrator)}
    listening = {
        (local.split(":")[0], int(local.split(":")[1], 16))
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for local, state in (line.split()[1:4:2] for line in Path(table).read_text().splitlines()[1:])
        if state == "0A"
    }

    assert {address for address, port in listening if port in wanted} == {"0100007F"}


def test_a23_an_answer_that_breaks_off_leaves_no_secret_in_the_door_s_log(tmp_path: Path) -> None:
    with witness(breaks_off=True) as service, front_door(tmp_path, API=service.address) as door:
        with door.client("a session's token") as client, pytest.raises(httpx.RemoteProtocolError):
            client.get(f"{door.site}/api/health")
        assert dict(service.seen[-1]["headers"])["X-Proxy-Secret"] == PROXY_SECRET
        written = (tmp_path / "caddy.log").read_text()

    assert "aborting with incomplete response" in written
    assert PROXY_SECRET not in written
    assert "a session's token" not in written


@pytest.mark.parametrize("way", ["GET / HTTP/1.1", "GET /api/session HTTP/1.1", "GET /app/_stcore/stream HTTP/1.1"])
@pytest.mark.parametrize("which", ["site", "orchestrator"])
def test_c08_c11_by_a_name_that_is_not_ours_nobody_gets_in(seen: Seen, which: str, way: str) -> None:
    asked = len(seen.service.seen)
    socket_of_theirs = "Upgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://evil.example\r\n"

    for more in ("Connection: close\r\n", socket_of_theirs):
        head = raw(getattr(seen.door, which), f"{way}\r\nHost: evil.example\r\n{more}\r\n".encode(), patience_seconds=1)
        told = head.decode().lower()
        assert told.startswith("http/1.1 421")
        assert "x-content-type-options: nosniff" in told
        assert "default-src 'none'" in told
        assert "\r\nserver:" not in told

    assert len(seen.service.seen) == asked


def test_c08_c11_behind_tls_too_a_name_that_is_not_ours_is_refused_with_the_headers(seen: Seen, tmp_path: Path) -> None:
    asked = len(seen.service.seen)
    ours = {"SITE": f"https://localhost:{free_port()}", "ORCHESTRATOR_SITE": f"https://127.0.0.1:{free_port()}"}

    with front_door(tmp_path, API=seen.service.address, **ours), httpx.Client(verify=False) as client:  # noqa: S501
        own = client.get(f"{ours['SITE']}/")
        strange = [client.get(f"{one}/api/session", headers={"Host": "evil.example"}) for one in ours.values()]

    assert own.status_code == 200
    for answer in strange:
        assert answer.status_code == 421
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["strict-transport-security"] == own.headers["strict-transport-security"]
        assert "server" not in answer.headers
    assert len(seen.service.seen) == asked
