"""An answer that the asker has already seen is not sent again: entity tags and conditional reads.

The tag is made from the bytes of the answer, so it is right whatever the answer was made of. What it spares is the way
back and the asker's work; the cache spares ours. Answers are `no-store` nevertheless: who may keep customers' data is
whoever asked for it, not their browser by itself.
"""

from hashlib import blake2b

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def entity_tag(body: bytes) -> str:
    """A strong tag (RFC 9110, 8.8.3): equal for equal bytes only."""
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


def is_known(tag: str, if_none_match: str) -> bool:
    """Whether the asker names this tag, or any; weak and strong compare as equal here (RFC 9110, 13.1.2)."""
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return tag in named or "*" in named


class Conditional:
    """ASGI middleware: a JSON answer to a read carries its tag, and is 304 without a body to who knows it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match", "")
        held: Message | None = None
        body = bytearray()

        async def tagged(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                is_json = Headers(raw=message["headers"]).get("content-type", "").startswith("application/json")
                if message["status"] == 200 and is_json:
                    held = message
                    return
            if held is None:
                await send(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            tag = entity_tag(bytes(body))
            headers = MutableHeaders(raw=list(held["headers"]))
            headers["etag"] = tag
            is_seen = is_known(tag, asked)
            if is_seen:
                del headers["content-length"]
                del headers["content-type"]
            await send({**held, "status": 304 if is_seen else 200, "headers": headers.raw})
            await send({"type": "http.response.body", "body": b"" if is_seen else bytes(body)})

        await self.app(scope, receive, tagged)
