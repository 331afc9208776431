"""What every request passes before a route is found: our own page, JSON, and headers on every answer.

Cross-site request forgery is stopped without looking at paths: a write must be `application/json`, which a foreign form
cannot send and a foreign script may not without a CORS answer that we never give, and must not name a foreign origin.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Mapped, problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FOREIGN = Mapped(403, "foreign_origin", "Not from our own page")
_NOT_JSON = Mapped(415, "not_json", "Only JSON is taken")
_TOO_LARGE = Mapped(413, "too_large", "Too large")

LARGEST_BODY = 256 * 1024  # bytes; the longest note is 20,000 characters, at most 120 kB as JSON escapes

_SIZE = f"A body may hold {LARGEST_BODY:,} bytes."

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; style-src 'unsafe-inline'"),
    (b"cache-control", b"no-store"),
)


def refusal(method: str, headers: Headers) -> Response | None:
    """The answer to a write that is not from our own page, not JSON or too large; None for one that may go on.

    A DELETE carries no body and is never a "simple" request of a browser, so its content type is not asked for.
    """
    if method in SAFE_METHODS:
        return None
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return problem(_FOREIGN, "This request did not come from our own page.")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return problem(_FOREIGN, "This request did not come from our own page.")
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    is_json = media_type.strip().lower() == "application/json" and "," not in parameters and ";" not in parameters
    if not is_json and method != "DELETE":
        return problem(_NOT_JSON, "Send the body as application/json.")
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > LARGEST_BODY:
        return problem(_TOO_LARGE, _SIZE)
    return None


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in _HEADERS if n not in given)]
            await send(message)

        taken = 0

        async def counted() -> Message:
            # a body without a declared length is counted as it comes; the error reaches the handlers like any other
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_BODY:
                raise HTTPException(413, _SIZE)
            return message

        refused = refusal(scope["method"], Headers(scope=scope))
        await (refused or self.app)(scope, counted, with_headers)
