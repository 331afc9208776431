"""Shell, API and pages behind one address in one process: what the proxy does in front of the real ones.

Nothing here is replaced: the built shell, the API's application and Streamlit's, each as it is served elsewhere.
Start it with `uvicorn tests.shell.one_origin:create_app --factory`; ORIGIN is the address a browser uses, SHELL_DIR the
folder with the built shell.
"""

import os
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from api.main import create_app as create_api
from app.asgi import create_app as create_pages

# nothing inline and nothing from elsewhere; Angular's build needs no exception
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class Static:
    """The built shell: a file that exists, or index.html for an address of the router."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["content-security-policy"] = POLICY
            await send(message)

        wanted = self.folder / scope["path"].lstrip("/")
        if wanted.is_file():
            answer: Response = FileResponse(wanted)
        elif wanted.suffix:
            answer = Response(status_code=404)
        else:
            answer = FileResponse(self.folder / "index.html")
        await answer(scope, receive, with_policy)


class OneOrigin:
    """/api to the API without the prefix, /app to the pages with it, the rest to the shell."""

    def __init__(self, api: ASGIApp, pages: ASGIApp, shell: ASGIApp) -> None:
        self.api, self.pages, self.shell = api, pages, shell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path == "/app" or path.startswith("/app/"):
            await self.pages(scope, receive, send)
        elif path.startswith("/api/"):
            bare = path.removeprefix("/api")
            await self.api({**scope, "path": bare, "raw_path": bare.encode()}, receive, send)
        else:
            await self.shell(scope, receive, send)


def create_app() -> OneOrigin:
    """All three, with the pages below /app."""
    config.set_option("server.baseUrlPath", "app")
    config.set_option("client.allowedOrigins", [os.environ["ORIGIN"]])
    return OneOrigin(create_api(), create_pages(), Static(Path(os.environ["SHELL_DIR"])))
