"""The Streamlit face as one ASGI application: pages, session routes, export, security headers.

Start it from the root of the repository with `python -m app.asgi`, or with any ASGI server on the factory
`app.asgi:create_app`. Where it listens and who may frame it come from the environment, so `.streamlit/config.toml` is
the same everywhere.
"""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.safety import UnsafeStart, refuse_unsafe
from app.settings import get_settings
from app.ui import session_routes, unknown_page

ENTRY = Path(__file__).resolve().parent / "main.py"
PAGE_MODULES = (
    "day_lists",
    "account_table",
    "account_page",
    "action_tracker",
    "assignment",
    "exports",
    "explore_page",
    "sql_page",
    "reports_page",
    "sign_in",
)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _hosts(*addresses: str) -> set[str]:
    return {host for address in addresses if (host := urlsplit(address).hostname)}


def _base() -> str:
    """The path below which the pages are served, without slashes: that of STREAMLIT_URL."""
    return urlsplit(get_settings().streamlit_url).path.strip("/")


@asynccontextmanager
async def _warm(_app: st.App) -> AsyncIterator[None]:
    """Import what the pages need before the first visitor waits for it (plotly and pandas take a second).

    Not earlier: a function that is cached before Streamlit's runtime exists is warned about.
    """
    # streamlit-authenticator registers a component while it is imported and is told that no page is running: as meant
    noise = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    was_off, noise.disabled = noise.disabled, True
    for name in PAGE_MODULES:
        import_module(f"app.ui.{name}")
    noise.disabled = was_off
    charts = import_module("app.ui.charts")
    charts.evidence([1.0, 2.0, 3.0], 2.0, dark=False)
    yield


async def _export(request: Request) -> Response:
    return await import_module("app.ui.exports").accounts(request)


async def _export_report(request: Request) -> Response:
    return await import_module("app.ui.reports_files").report(request)


async def _export_explore(request: Request) -> Response:
    return await import_module("app.ui.explore_files").answer(request)


async def _export_sql(request: Request) -> Response:
    return await import_module("app.ui.sql_export").answer(request)


def create_app() -> st.App:
    """Pages with our routes in front of them and our headers around everything."""
    base = _base()
    prefix = f"/{base}" if base else ""
    return st.App(
        ENTRY,
        lifespan=_warm,
        routes=[
            Route(f"{prefix}/session/redeem", session_routes.redeem, methods=["POST"]),
            Route(f"{prefix}/session/leave", session_routes.leave, methods=["POST"]),
            Route(f"{prefix}/exports/accounts.{{format}}", _export, methods=["GET"]),
            Route(f"{prefix}/exports/reports/{{report}}.{{format}}", _export_report, methods=["GET"]),
            Route(f"{prefix}/exports/explore.{{format}}", _export_explore, methods=["GET"]),
            Route(f"{prefix}/exports/sql/{{statement_id:uuid}}.{{format}}", _export_sql, methods=["GET"]),
        ],
        middleware=[
            Middleware(session_routes.Frame, frame_ancestors=f"'self' {_origin(get_settings().front_url)}"),
            Middleware(unknown_page.UnknownPage, prefix=prefix),
        ],
    )


def main() -> None:
    """Serve until stopped, on STREAMLIT_PORT; on this machine only, unless STREAMLIT_URL names another host."""
    settings = get_settings()
    try:
        refuse_unsafe(os.environ, is_production=settings.environment == "production")
    except UnsafeStart as refusal:
        raise SystemExit(str(refusal)) from None
    is_local = urlsplit(settings.streamlit_url).hostname in ("localhost", "127.0.0.1")
    create_app().run(
        config={
            "server.address": "127.0.0.1" if is_local else "0.0.0.0",  # noqa: S104
            "server.port": settings.streamlit_port,
            "server.baseUrlPath": _base(),
            # a handshake names the address that the browser has: the front door's, or our own
            "server.corsAllowedOrigins": [_origin(settings.front_url), _origin(settings.streamlit_url)],
            "server.allowedHosts": sorted(_hosts(settings.front_url, settings.streamlit_url)),
            "client.allowedOrigins": [_origin(settings.front_url)],
        }
    )


if __name__ == "__main__":
    main()
