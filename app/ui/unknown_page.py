"""The answer to an address that is no page: one sentence and the pages there are.

Streamlit would show its own dialog over the home page. Only what a browser opens as a document is answered here;
scripts, files, sockets and the routes beside the pages go through.
"""

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.ui.navigation import PLACES

ENTRIES = frozenset({"", "home", "sign-in", "index.html", *(place.address for place in PLACES)})
LINKED = ("my-day", "accounts", "actions", "inbox")
_DOCUMENT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>No such page - Account intelligence</title>
<style>
  body {{ font: 14px/1.6 Inter, Arial, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1.5rem }}
  h1 {{ font-size: 20px; font-weight: 600 }}
  a {{ margin-right: 1.25rem }}
</style>
<h1>There is no page at this address.</h1>
<p>It may have been mistyped, or the page has moved. These are the pages there are:</p>
<p>{links}</p>
</html>
"""


class UnknownPage:
    """ASGI middleware below `prefix`, the base path without its last slash: 404 with our own sentence and links."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self.app = app
        self._prefix = prefix
        links = " ".join(
            f'<a href="{prefix}/{place.address}">{place.title}</a>' for place in PLACES if place.address in LINKED
        )
        self._document = _DOCUMENT.format(links=links)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_unknown(scope):
            await HTMLResponse(self._document, status_code=404)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_unknown(self, scope: Scope) -> bool:
        """A document asked for by one name that is no page. Deeper paths belong to Streamlit and to our routes."""
        if scope["method"] != "GET" or "text/html" not in Headers(scope=scope).get("accept", ""):
            return False
        path: str = scope["path"]
        if not path.startswith(f"{self._prefix}/"):
            return False
        name = path.removeprefix(f"{self._prefix}/").rstrip("/")
        return "/" not in name and name not in ENTRIES and "." not in name
