"""One-time tickets: how a session token gets from a page's script, which cannot set cookies, to a route that can.

A ticket lives in this process for half a minute and is taken once. That suffices because a browser that talks to
several processes must already be kept on one of them for its websocket.
"""

import secrets
import threading
import time

LIFE_SECONDS = 30.0
_tokens: dict[str, tuple[float, str]] = {}
_lock = threading.Lock()


def issue(token: str) -> str:
    """A fresh ticket for `token`; expired ones are swept."""
    ticket = secrets.token_urlsafe(32)
    now = time.monotonic()
    with _lock:
        for old in [known for known, (until, _) in _tokens.items() if until < now]:
            del _tokens[old]
        _tokens[ticket] = (now + LIFE_SECONDS, token)
    return ticket


def redeem(ticket: str) -> str | None:
    """The token behind a ticket, once and in time; else None."""
    with _lock:
        until, token = _tokens.pop(ticket, (0.0, ""))
    return token if token and until >= time.monotonic() else None
