"""An address that is no page gets our own sentence; everything else goes through."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.ui.navigation import PLACES
from app.ui.unknown_page import UnknownPage

A_BROWSER = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


async def _through(_: Request) -> Response:
    return Response("through")


def _get(path: str, accept: str = A_BROWSER, prefix: str = "") -> httpx.Response:
    app = Starlette(
        routes=[Route("/{path:path}", _through, methods=["GET", "POST"])],
        middleware=[Middleware(UnknownPage, prefix=prefix)],
    )

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver") as client:
            return await client.get(path, headers={"Accept": accept})

    return asyncio.run(send())


def test_an_unknown_address_is_a_sentence_with_the_pages_there_are() -> None:
    answer = _get("/no-such-page?a=1")

    assert answer.status_code == 404
    assert "There is no page at this address." in answer.text
    assert '<a href="/accounts">Accounts</a>' in answer.text
    assert "no-such-page" not in answer.text


@pytest.mark.parametrize("path", ["/", "/home", *(f"/{place.address}" for place in PLACES), "/accounts/?q=mer"])
def test_every_page_goes_through(path: str) -> None:
    assert _get(path).text == "through"


@pytest.mark.parametrize("path", ["/_stcore/health", "/favicon.png", "/static/js/x.js", "/exports/accounts.csv"])
def test_files_and_routes_go_through(path: str) -> None:
    assert _get(path).text == "through"


def test_what_no_browser_asks_as_a_document_goes_through() -> None:
    assert _get("/anything", accept="*/*").text == "through"


def test_below_a_base_path_only_its_own_addresses_are_answered() -> None:
    assert _get("/app/no-such-page", prefix="/app").status_code == 404
    assert '"/app/accounts"' in _get("/app/no-such-page", prefix="/app").text
    assert _get("/app/accounts", prefix="/app").text == "through"
    assert _get("/elsewhere", prefix="/app").text == "through"
