"""What all three vendors share on the wire: gate keeping, faults, the simulated `Date`, links from the request's own
host.

A vendor is a `Vendor` subclass: its routes, its credentials, its buckets, its way to say no. The gate runs faults,
authentication and budgets, in this order, before a route sees the request.
"""

import asyncio
import json
import secrets
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from simulator.billing_docs import BASE
from simulator.clock import Clock
from simulator.config import Settings
from simulator.incidents import Incidents
from simulator.limits import Budgets
from simulator.switches import KNOWN, Switches

OPEN_PATHS = ("/", "/healthz", "/__switches")


class Refused(Exception):
    """Raised by a handler that will not answer; carries the vendor's way to say so."""

    def __init__(self, response: Response) -> None:
        super().__init__("refused")
        self.response = response


class Vendor:
    """One simulated vendor; subclasses say what is particular to it."""

    name = "vendor"

    def __init__(self, settings: Settings, clock: Clock, pool: AsyncConnectionPool) -> None:
        self.settings = settings
        self.clock = clock
        self.pool = pool
        self.switches = Switches()
        self.budgets = self.make_budgets()
        self.incidents = Incidents(settings, clock, pool)

    def make_budgets(self) -> Budgets:
        """The vendor's buckets with their published limits."""
        raise NotImplementedError

    def routes(self) -> list[Route]:
        """Paths of the vendor's API."""
        raise NotImplementedError

    def identify(self, request: Request) -> Response | None:
        """None when the credentials are good, else the vendor's 401."""
        raise NotImplementedError

    def buckets(self, request: Request) -> list[str]:
        """Names of the buckets a request is charged to."""
        raise NotImplementedError

    def refusal(self, bucket: str) -> Response:
        """The vendor's 429 for an empty bucket."""
        raise NotImplementedError

    def failure(self, spec: dict[str, Any]) -> Response:
        """The vendor's answer for an injected failure."""
        raise NotImplementedError

    def headers(self, request: Request) -> dict[str, str]:
        """Headers on every answer: request ids, budgets."""
        raise NotImplementedError

    async def rows(self, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query against the simulator's database."""
        async with self.pool.connection() as db:
            cursor = await db.execute(query.encode(), parameters or {})
            return await cursor.fetchall()

    def application(self) -> "Gate":
        """The vendor as an ASGI application."""
        own = [
            Route("/healthz", self._healthz),
            Route("/", self._root),
            Route("/__switches", self._switches, methods=["GET", "POST", "DELETE"]),
        ]
        handlers = {404: self.not_found, Refused: self._refused, ValueError: self._unreadable, 500: self._broken}
        return Gate(self, Starlette(routes=[*own, *self.routes()], exception_handlers=handlers))  # pyright: ignore[reportArgumentType]

    async def not_found(self, request: Request, error: Exception) -> Response:
        """Unknown path."""
        raise NotImplementedError

    def unreadable(self, problem: ValueError) -> Response:
        """The vendor's 400 for numbers that are none and JSON that is none."""
        raise NotImplementedError

    async def _refused(self, request: Request, problem: Exception) -> Response:
        return problem.response if isinstance(problem, Refused) else await self._broken(request, problem)

    async def _unreadable(self, request: Request, problem: Exception) -> Response:
        return self.unreadable(problem if isinstance(problem, ValueError) else ValueError(str(problem)))

    async def _broken(self, request: Request, error: Exception) -> Response:
        return JSONResponse({"simulator": "internal error", "detail": repr(error)}, 500)

    async def _healthz(self, request: Request) -> Response:
        return JSONResponse({"simulator": self.name, "now": self.clock.http_date()})

    async def _root(self, request: Request) -> Response:
        return HTMLResponse(
            f"<!doctype html><title>Simulator</title><h1>This is a simulator of {self.name}</h1>"
            f"<p>Not {self.name} itself, and no real customer is in it: generated companies, people, invoices and "
            f"tickets, served in the vendor's format.</p><p>Simulated time: {self.clock.http_date()}</p>"
        )

    async def _switches(self, request: Request) -> Response:
        if not self.settings.is_loopback():
            return JSONResponse({"simulator": "switches exist only on a server bound to loopback"}, 404)
        done: list[Any] = []
        if request.method == "DELETE":
            self.switches.values.clear()
        elif request.method == "POST":
            body = await request.json()
            orders = body.pop("do", [])
            unknown = self.switches.merge(body)
            if unknown:
                return JSONResponse({"simulator": "unknown switches", "unknown": unknown, "known": KNOWN}, 400)
            try:
                done = [await self.incidents.run(order) for order in orders]
            except (LookupError, ValueError, TypeError, psycopg.Error) as error:
                return JSONResponse({"simulator": "incident refused", "detail": str(error)}, 400)
        self.budgets.override(self.switches.get("rate_limit"))
        self.switched()
        return JSONResponse({"switches": self.switches.values, "done": done})

    def switched(self) -> None:
        """Called after switches changed."""


class Gate:
    """ASGI wrapper around a vendor's routes."""

    def __init__(self, vendor: Vendor, inner: Starlette) -> None:
        self.vendor = vendor
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        request = Request(scope, receive)
        if scope["path"] in OPEN_PATHS:
            await self.inner(scope, receive, self._stamped(send, {}))
            return
        if wait := self.vendor.switches.get("slow_seconds"):
            await asyncio.sleep(float(wait))
        refused = self._refusal(request)
        stamped = self._stamped(send, self.vendor.headers(request))
        if refused is not None:
            await refused(scope, receive, stamped)
        elif self.vendor.switches.spend("truncate_next"):
            await self.inner(scope, receive, _Truncated(stamped, keeps_connection=True))
        elif self.vendor.switches.spend("reset_next"):
            await self.inner(scope, receive, _Truncated(stamped, keeps_connection=False))
        else:
            await self.inner(scope, receive, stamped)

    def _refusal(self, request: Request) -> Response | None:
        switches = self.vendor.switches
        if switches.get("down"):
            return self.vendor.failure({"status": 503})
        failure = switches.next_failure()
        if failure is not None:
            return self.vendor.failure(failure)
        denied = self.vendor.identify(request)
        if denied is not None:
            return denied
        empty = self.vendor.budgets.refusal(self.vendor.buckets(request))
        return None if empty is None else self.vendor.refusal(empty)

    def _stamped(self, send: Send, extra: dict[str, str]) -> Send:
        date = self.vendor.clock.http_date()

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                added = [
                    (name.lower().encode(), value.encode())
                    for name, value in {"date": date, **extra}.items()
                    if name.lower().encode() not in present
                ]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        return stamped


class _Truncated:
    """Sends half a body: as a complete HTTP message with broken JSON, or breaking off in the middle of the transfer."""

    def __init__(self, send: Send, *, keeps_connection: bool) -> None:
        self.send = send
        self.keeps_connection = keeps_connection
        self.start: Message = {"type": "http.response.start", "status": 200, "headers": []}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        body = message.get("body", b"")
        half = body[: len(body) // 2]
        declared = len(half) if self.keeps_connection else len(body)
        headers = [(name, value) for name, value in self.start["headers"] if name != b"content-length"]
        await self.send({**self.start, "headers": [*headers, (b"content-length", str(declared).encode())]})
        await self.send({"type": "http.response.body", "body": half, "more_body": not self.keeps_connection})


def base_url(request: Request) -> str:
    """Scheme and host as the client addressed us: every absolute link is built from it."""
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


def raw_json(text: str, request: Request, status: int = 200) -> Response:
    """JSON that is already text; placeholder links get the request's host."""
    return Response(text.replace(BASE, base_url(request)), status, media_type="application/json")


def text_of(doc: Any) -> str:
    """JSON text of a stored document (psycopg has parsed it, or not)."""
    return doc if isinstance(doc, str) else json.dumps(doc, separators=(",", ":"), ensure_ascii=False)


def request_id(prefix: str = "") -> str:
    """A fresh id for one request."""
    return prefix + secrets.token_hex(7)
