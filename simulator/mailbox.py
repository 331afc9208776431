"""The simulated mailbox: takes every e-mail and every chat message, keeps them in memory, and shows them on one page.

It stands in for a mail server, for the mailboxes behind it, and for a chat channel with an incoming webhook. As a good
receiver does, it drops a repeat: a message whose Message-ID (or Idempotency-Key) it has is counted, not kept again.
Nothing leaves it, and a restart empties it.
"""

import asyncio
from collections import OrderedDict
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

NAME = "Simulated mailbox"
MOST_KEPT = 2_000
LARGEST_BYTES = 1_000_000
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
_STYLE = (
    "body{font:14px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "article{border-top:1px solid #ccc;padding:.75rem 0}pre{white-space:pre-wrap;font:inherit;margin:.5rem 0 0}"
    "small{color:#555}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message. `kind` is email or chat, `arrivals` how often it came; `received_at` is real time, ISO."""

    key: str
    kind: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    received_at: str
    arrivals: int = 1


class Mailbox:
    """What arrived, newest last, at most 2,000 messages."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Received] = OrderedDict()

    def keep(self, message: Received) -> None:
        """Keep a message, or count it when it is here already."""
        known = self._kept.get(message.key)
        self._kept[message.key] = replace(known, arrivals=known.arrivals + 1) if known else message
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def messages(self, *, to: str | None = None) -> list[Received]:
        """Newest first; with `to` only those for one address or channel."""
        newest_first = reversed(self._kept.values())
        return [one for one in newest_first if to is None or to in one.recipients]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """What aiosmtpd calls with a whole message."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        mail = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        part = mail.get_body(("plain", "html"))
        self.keep(
            Received(
                key=str(mail["Message-ID"] or f"{id(envelope)}@{datetime.now(UTC).isoformat()}"),
                kind="email",
                sender=str(mail["From"] or envelope.mail_from or ""),
                recipients=tuple(envelope.rcpt_tos),
                subject=str(mail["Subject"] or ""),
                text=str(part.get_content()) if part else "",
                received_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        )
        return "250 OK"

    def application(self) -> Starlette:
        """The page, the list as JSON, and the chat channel's webhook."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/healthz", self._healthz),
                Route("/messages", self._messages, methods=["GET", "DELETE"]),
                Route("/hooks/{channel}", self._hook, methods=["POST"]),
            ]
        )

    async def _healthz(self, request: Request) -> Response:
        return JSONResponse({"simulator": NAME, "messages": len(self._kept)})

    async def _messages(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.clear()
        return JSONResponse([asdict(one) for one in self.messages(to=request.query_params.get("to"))])

    async def _hook(self, request: Request) -> Response:
        try:
            body = await request.json()
            text = body["text"]
        except (ValueError, KeyError, TypeError):
            return Response("invalid_payload", 400)
        if not isinstance(text, str) or not text:
            return Response("no_text", 400)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        self.keep(
            Received(
                key=request.headers.get("idempotency-key") or f"chat@{now}",
                kind="chat",
                sender="webhook",
                recipients=(request.path_params["channel"],),
                subject=text.splitlines()[0].strip("*"),
                text=text,
                received_at=now,
            )
        )
        return Response("ok")

    async def _page(self, request: Request) -> Response:
        shown = self.messages(to=request.query_params.get("to"))
        articles = "".join(
            f"<article><strong>{escape(one.subject or '(no subject)')}</strong><br>"
            f"<small>{escape(one.kind)} to {escape(', '.join(one.recipients))}, {escape(one.received_at)}"
            f"{f', arrived {one.arrivals} times' if one.arrivals > 1 else ''}</small>"
            f"<pre>{escape(one.text)}</pre></article>"
            for one in shown
        )
        return HTMLResponse(
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{NAME}</title><style>{_STYLE}</style>"
            f"<h1>{NAME}</h1><p>No real mailbox: whatever the product sends ends here, and a restart empties it.</p>"
            f"{articles or '<p>Nothing has arrived yet.</p>'}</html>",
            headers=_HEADERS,
        )


async def listen(mailbox: Mailbox, *, host: str, port: int) -> asyncio.Server:
    """Take e-mail for any address on a port of this event loop. Raises OSError when the port is taken."""
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return SMTP(
            mailbox, hostname="mailbox.simulator", loop=loop, data_size_limit=LARGEST_BYTES, enable_SMTPUTF8=True
        )

    return await loop.create_server(connection, host, port)
