"""The Streamlit face as one ASGI application: pages, session routes, export, security headers.

Start it with `python -m app.asgi` (or any ASGI server on `app.asgi:app`). Where it listens and who may frame it come
from the environment, so `.streamlit/config.toml` stays the same everywhere.
"""

from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit import config

from app.settings import get_settings
from app.ui import exports, session_routes

ENTRY = Path(__file__).resolve().parent / "main.py"


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def create_app() -> st.App:
    """Pages with our routes in front of them and our headers around everything."""
    base = "/" + (config.get_option("server.baseUrlPath") or "").strip("/")
    prefix = "" if base == "/" else base
    ancestors = f"'self' {_origin(get_settings().api_url)}"
    return st.App(
        ENTRY,
        routes=[
            Route(f"{prefix}/session/redeem", session_routes.redeem, methods=["POST"]),
            Route(f"{prefix}/session/leave", session_routes.leave, methods=["POST"]),
            Route(f"{prefix}/exports/accounts.csv", exports.accounts, methods=["GET"]),
        ],
        middleware=[Middleware(session_routes.Frame, frame_ancestors=ancestors)],
    )


app = create_app()


def main() -> None:
    """Serve until stopped, on STREAMLIT_PORT of this machine only."""
    settings = get_settings()
    address = urlsplit(settings.streamlit_url)
    app.run(
        config={
            "server.address": "127.0.0.1" if address.hostname in ("localhost", "127.0.0.1") else "0.0.0.0",  # noqa: S104
            "server.port": settings.streamlit_port,
            "client.allowedOrigins": [_origin(settings.api_url)],
        }
    )


if __name__ == "__main__":
    main()
