"""The front door as shipped: the real Caddy with our Caddyfile, before the real API, pages and orchestrator."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.auth import Identity, Role
from local.postgres import Postgres, free_port
from tests.app.factories import PASSWORD, Estate, an_estate
from tests.e2e.conftest import chromium

# here and not in a test's module: its package ends with the folder, and with it the browser's event loop
__all__ = ["chromium"]

ROOT = Path(__file__).resolve().parents[2]
CADDYFILE = ROOT / "Caddyfile"
COOKIE = "account_intelligence_session"
ORCHESTRATOR_COOKIE = "account_intelligence_orchestrator"
ASKING_COOKIE = "account_intelligence_asking"
PROXY_SECRET = "the secret of this front door"
INDEX = "<!doctype html><title>Account intelligence</title><script src=/main-ABCD1234.js></script><p>shell"
_RUNS = "{runsOrError{...on Runs{results{runId}}}}"
LAUNCH = """mutation{launchRun(executionParams:{selector:{repositoryLocationName:"launchable.py",
    repositoryName:"__repository__",jobName:"harmless"},mode:"default"}){__typename}}"""
PAGE = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
IN_PAGE = {"sec-fetch-site": "same-origin", "content-type": "application/json"}


def caddy() -> Path:
    """The Caddy of the package."""
    return Path(sys.executable).parent / "caddy"


@dataclass(frozen=True)
class Program:
    """What to start, where it prints to, and how to tell that it answers."""

    argv: list[str]
    env: Mapping[str, str]
    log: Path
    ready: Callable[[], bool]


@contextmanager
def _started(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    """A program from its start to its end, whether it answers or not."""
    with program.log.open("ab") as out:
        child = subprocess.Popen(
            program.argv,
            cwd=ROOT,
            env=dict(program.env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        with_group = child.pid
        try:
            os.killpg(with_group, 15)
            child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(with_group, 9)
            child.wait()
        except ProcessLookupError:
            child.wait()


@contextmanager
def running(*programs: Program, patience_seconds: float = 90) -> Iterator[None]:
    """Programs from their first answers to their end; they start at the same time."""
    deadline = time.monotonic() + patience_seconds
    with ExitStack() as stack:
        for program, child in [(one, stack.enter_context(_started(one))) for one in programs]:
            while not program.ready():
                said = program.log.read_text(errors="replace")[-2000:]
                assert child.poll() is None, f"{program.argv}: {said}"
                assert time.monotonic() < deadline, f"{program.argv} does not answer: {said}"
                time.sleep(0.1)
        yield


def answers(url: str) -> Callable[[], bool]:
    """Whether somebody answers HTTP there."""

    def ask() -> bool:
        try:
            httpx.get(url, timeout=3, verify=False)  # noqa: S501 - of a door's own authority
        except httpx.HTTPError:
            return False
        return True

    return ask


@dataclass
class Door:
    """A running front door: its two addresses, and the keys that sessions have for the orchestrator's."""

    site: str
    orchestrator: str
    keys: dict[str, str] = field(default_factory=dict)

    def cookies(self, token: str | None) -> str:
        """What somebody with the session `token` can send: as the orchestrator's cookie the key that `hand_over` got,
        and without one the token, where it does not belong."""
        return f"{COOKIE}={token}; {ORCHESTRATOR_COOKIE}={self.keys.get(token, token)}" if token else ""

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """A client with a session's cookies, as a script of our own page would send it; it follows no redirect."""
        cookie = {"cookie": self.cookies(token)} if token else {}
        return httpx.Client(headers={**cookie, **headers}, timeout=30)

    def asking(self, path: str = "/") -> tuple[str, str]:
        """Where the orchestrator's name leads a browser without a cookie, and the cookie it leaves in it."""
        with httpx.Client(headers=PAGE, timeout=30) as browser:
            led = browser.get(f"{self.orchestrator}{path}")
        assert led.status_code == 302, led.text
        return led.headers["location"], f"{ASKING_COOKIE}={led.cookies[ASKING_COOKIE]}"

    def ticket(self, token: str, path: str = "/") -> tuple[str, str]:
        """Where the product leads somebody with this session who wants to the orchestrator, and the cookie of the
        browser that asked."""
        address, asking = self.asking(path)
        with httpx.Client(headers={**PAGE, "cookie": f"{COOKIE}={token}"}, timeout=30) as browser:
            led = browser.get(address)
        assert led.status_code == 303, led.text
        return led.headers["location"], asking

    def hand_over(self, token: str) -> str:
        """The key that this session gets for the orchestrator; from now on `client` has it too."""
        ticket, asking = self.ticket(token)
        with httpx.Client(headers={**PAGE, "cookie": asking}, timeout=30) as browser:
            taken = browser.get(ticket)
        self.keys[token] = taken.cookies[ORCHESTRATOR_COOKIE]
        return self.keys[token]

    def graphql(self, token: str | None, query: str, **headers: str) -> httpx.Response:
        """A question of the orchestrator's own page."""
        given = {**IN_PAGE, "origin": self.orchestrator} | headers
        with self.client(token) as client:
            return client.post(f"{self.orchestrator}/graphql", content=json.dumps({"query": query}), headers=given)


def _keeping_to_itself(environment: Mapping[str, str], folder: Path) -> list[str]:
    """How to start the shipped file behind TLS without what would change this machine: an authority that it is to
    trust, and a listener on port 80."""
    adapt = [str(caddy()), "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    made = json.loads(subprocess.run(adapt, env=dict(environment), check=True, capture_output=True).stdout)
    made["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    for server in made["apps"]["http"]["servers"].values():
        server.setdefault("automatic_https", {})["disable_redirects"] = True
    config = folder / "caddy.json"
    config.write_text(json.dumps(made))
    return ["--config", str(config)]


@contextmanager
def front_door(folder: Path, **variables: str) -> Iterator[Door]:
    """The shipped Caddyfile under two host names of the loopback interface, which share no cookie."""
    site, orchestrator = f"http://localhost:{free_port()}", f"http://127.0.0.1:{free_port()}"
    folder.mkdir(parents=True, exist_ok=True)
    shell = folder / "shell"
    shell.mkdir(exist_ok=True)
    (shell / "index.html").write_text(INDEX)
    (shell / "main-ABCD1234.js").write_text("document.title += ' runs'")
    (shell / ".secret").write_text("not served")
    documentation = folder / "docs"
    documentation.mkdir(exist_ok=True)
    (documentation / "index.html").write_text("<p>every model")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "BIND": "127.0.0.1",
        "SITE": site,
        "ORCHESTRATOR_SITE": orchestrator,
        "SHELL_DIR": str(shell),
        "DOCS_DIR": str(documentation),
        "PROXY_SECRET": PROXY_SECRET,
        **variables,
    }
    ours = (environment["SITE"], environment["ORCHESTRATOR_SITE"])
    environment["STRANGERS"] = ", ".join(f"{urlsplit(one).scheme}://:{urlsplit(one).port}" for one in ours)
    config = ["--config", str(CADDYFILE), "--adapter", "caddyfile"]
    if environment["SITE"].startswith("https:"):
        config = _keeping_to_itself(environment, folder)
    argv = [str(caddy()), "run", *config]
    with running(Program(argv, environment, folder / "caddy.log", answers(environment["SITE"]))):
        yield Door(environment["SITE"], environment["ORCHESTRATOR_SITE"])


@dataclass
class Product:
    """Everything behind the door, the door, and the people of the estate."""

    door: Door
    estate: Estate
    folder: Path
    api: str
    streamlit: str
    dagster: str
    dagster_readonly: str
    environment: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, who: Identity, *, fresh: bool = False) -> str:
        """A session of theirs, opened through the door."""
        if fresh or who.email not in self.tokens:
            with self.door.client() as client:
                given = client.post(
                    f"{self.door.site}/api/session", json={"email": who.email, "password": PASSWORD}, headers=IN_PAGE
                )
            assert given.status_code == 201, given.text
            self.tokens[who.email] = given.cookies[COOKIE]
            if who.role is Role.ADMIN:
                self.door.hand_over(self.tokens[who.email])
        return self.tokens[who.email]

    def runs(self) -> int:
        """How many runs the orchestrator knows, asked beside the door."""
        answer = httpx.post(f"{self.dagster}/graphql", json={"query": _RUNS}, timeout=30)
        return len(answer.json()["data"]["runsOrError"]["results"])


def of_the_faces(
    estate: Estate, redis_url: str, *, api: int, pages: int, site: str, orchestrator: str
) -> dict[str, str]:
    """The environment of the API and the pages on these ports, behind a door at these two addresses."""
    return {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "APP_DATABASE_URL": estate.application_url,
        "REDIS_URL": redis_url,
        "FOLLOW_SOURCE_CLOCK": "false",
        "ENVIRONMENT": "production",
        "API_URL": f"http://127.0.0.1:{api}",
        "STREAMLIT_PORT": str(pages),
        "STREAMLIT_URL": f"http://localhost:{pages}/app",
        "PUBLIC_URL": site,
        "ORCHESTRATOR_SITE": orchestrator,
        "PROXY_SECRET": PROXY_SECRET,
    }


def faces(folder: Path, environment: Mapping[str, str], *, api: int, pages: int) -> tuple[Program, Program]:
    """The API and the pages, as the containers start them."""
    serve = [sys.executable, "-m", "uvicorn", "api.main:create_app", "--factory", "--host", "127.0.0.1"]
    serve += ["--no-proxy-headers", "--no-server-header", "--log-level", "warning", "--port", str(api)]
    show = [sys.executable, "-m", "app.asgi"]
    return (
        Program(serve, environment, folder / "api.log", answers(f"http://127.0.0.1:{api}/health")),
        Program(show, environment, folder / "pages.log", answers(f"http://127.0.0.1:{pages}/app/_stcore/health")),
    )


@pytest.fixture(scope="session")
def product(postgres_server: Postgres, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Started once: API, pages, both webservers of the orchestrator, and the door before them."""
    folder = tmp_path_factory.mktemp("door")
    with an_estate(postgres_server) as estate:
        api, pages, dagster, readonly = (free_port() for _ in range(4))
        site_port, orchestrator_port = free_port(), free_port()
        site, orchestrator = f"http://localhost:{site_port}", f"http://127.0.0.1:{orchestrator_port}"
        environment = of_the_faces(estate, redis_url, api=api, pages=pages, site=site, orchestrator=orchestrator) | {
            "DAGSTER_HOME": str(folder / "dagster"),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        (folder / "dagster").mkdir()
        (folder / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
        python = sys.executable
        web = [
            python,
            "-m",
            "dagster_webserver",
            "-f",
            str(Path(__file__).with_name("launchable.py")),
            "-h",
            "127.0.0.1",
        ]
        migrate = [python, "-m", "dagster", "instance", "migrate"]
        subprocess.run(migrate, env=environment, cwd=ROOT, check=True, capture_output=True, timeout=120)
        webservers = (
            Program([*web, "-p", str(port), *more], environment, folder / log, answers(f"http://127.0.0.1:{port}/"))
            for port, log, more in ((dagster, "dagster.log", []), (readonly, "readonly.log", ["--read-only"]))
        )
        with (
            running(*faces(folder, environment, api=api, pages=pages), *webservers),
            front_door(
                folder / "front",
                SITE=site,
                ORCHESTRATOR_SITE=orchestrator,
                API=f"127.0.0.1:{api}",
                STREAMLIT=f"127.0.0.1:{pages}",
                DAGSTER=f"127.0.0.1:{dagster}",
                DAGSTER_READONLY=f"127.0.0.1:{readonly}",
            ) as door,
        ):
            yield Product(
                door=door,
                estate=estate,
                folder=folder,
                api=f"http://127.0.0.1:{api}",
                streamlit=f"http://127.0.0.1:{pages}",
                dagster=f"http://127.0.0.1:{dagster}",
                dagster_readonly=f"http://127.0.0.1:{readonly}",
                environment=environment,
            )


@pytest.fixture
def maya(product: Product) -> Identity:
    """A CSM."""
    return product.estate.user()


@pytest.fixture
def harriet(product: Product) -> Identity:
    """An admin, whose proof is recent."""
    who = product.estate.user("Harriet Cole", Role.ADMIN)
    product.estate.admin.execute("update app.sessions set confirmed_at = now() where user_id = %s", [who.user_id])
    return who


@pytest.fixture
def alex(product: Product) -> Identity:
    """An analyst."""
    return product.estate.user("Alex Stone", Role.ANALYST)


@dataclass
class Witness:
    """A service that writes down what reaches it, and answers as a test says."""

    address: str
    seen: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    body: str = "witness"
    breaks_off: bool = False  # promises more than it sends


@contextmanager
def witness(**how: Any) -> Iterator[Witness]:
    """A service behind a door that only looks."""
    made = Witness(address="", **how)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            seen = {"line": self.requestline, "headers": self.headers.items(), "body": self.rfile.read(length)}
            made.seen.append(seen)
            time.sleep(made.delay_seconds)
            body = b"" if made.status == 204 else made.body.encode()
            self.send_response(made.status)
            promised = len(body) + made.breaks_off
            for name, value in {**made.headers, "Content-Length": str(promised)}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = self.close_connection or made.breaks_off

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.address = f"127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()
