"""HTTP beside the pages: the routes that set and clear the session cookie, and what every answer and handshake carries.

The cookie is the one of `app.auth`. A cross-site page cannot use these routes: they take
JSON only and refuse a foreign Origin or Sec-Fetch-Site.
"""

import hashlib
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request, cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import auth, clock, tickets
from app.auth import Door
from app.db import unit_of_work

IDENTITY_HEADER = b"x-account-intelligence-session"


def _is_ours(request: Request) -> bool:
    """Whether the call comes from our own page: same origin, and not a form a foreign page could post."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return False
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def redeem(request: Request) -> Response:
    """`POST /session/redeem {"ticket"}`: 204 and the cookie, 403 for a foreign caller, 400 for a spent ticket."""
    if not _is_ours(request):
        return JSONResponse({"message": "This request did not come from our own page."}, status_code=403)
    try:
        body = await request.json()
        ticket = body["ticket"]
    except (ValueError, KeyError, TypeError):
        ticket = None
    token = await run_in_threadpool(_spend, ticket) if isinstance(ticket, str) else None
    if token is None:
        return JSONResponse({"message": "This sign-in took too long. Sign in again."}, status_code=400)
    answer = Response(status_code=204)
    answer.set_cookie(**auth.session_cookie().kept(token))
    return answer


async def leave(request: Request) -> Response:
    """`POST /session/leave`: end the session of the cookie, clear it, 204. Harmless when nobody is signed in."""
    if not _is_ours(request):
        return JSONResponse({"message": "This request did not come from our own page."}, status_code=403)
    token = request.cookies.get(auth.session_cookie().name)
    if token:
        await run_in_threadpool(_end, token)
    answer = Response(status_code=204)
    answer.delete_cookie(**auth.session_cookie().dropped())
    return answer


def _spend(ticket: str) -> str | None:
    with unit_of_work() as db:
        return tickets.redeem(db, ticket=ticket, door=Door.PRODUCT, now=clock.real_now())


def _end(token: str) -> None:
    with unit_of_work() as db:
        auth.sign_out(db, token=token, now=clock.real_now())


class Frame:
    """ASGI middleware: security headers on every answer, and the owner of a handshake told to Streamlit.

    Streamlit resumes a stored session for whoever knows its id unless it has an identity to compare, so each handshake
    gets a hash of its session cookie in a header; the same header from a client is dropped first.
    """

    def __init__(self, app: ASGIApp, *, frame_ancestors: str) -> None:
        self.app = app
        self._headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
            (
                b"content-security-policy",
                (
                    # Streamlit writes styles and its first script into the page, and loads our components from blobs
                    f"default-src 'self'; frame-ancestors {frame_ancestors}; script-src 'self' 'unsafe-inline' blob:; "
                    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
                    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
                ).encode(),
            ),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            scope = {**scope, "headers": self._owned(scope["headers"])}
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                set_already = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in self._headers if n not in set_already)]
            await send(message)

        await self.app(scope, receive, with_headers)

    @staticmethod
    def _owned(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        kept = [(name, value) for name, value in headers if name.lower() != IDENTITY_HEADER]
        cookies: dict[str, str] = {}
        for name, value in kept:
            if name.lower() == b"cookie":
                cookies |= cookie_parser(value.decode("latin-1"))
        owner = hashlib.sha256(cookies.get(auth.session_cookie().name, "").encode()).hexdigest()
        return [*kept, (IDENTITY_HEADER, owner.encode())]
