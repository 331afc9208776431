"""What a real Chromium does with texts and pages of strangers while an admin is signed in at both host names."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from app.auth import Identity
from tests.api.asking import a_new_action, key
from tests.door.conftest import COOKIE, IN_PAGE, LAUNCH, ORCHESTRATOR_COOKIE, Product, witness

HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def admins(product: Product, harriet: Identity, chromium: Browser) -> Iterator[BrowserContext]:
    """The browser of an admin who may launch right now."""
    token = product.token(harriet)
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(30_000)
    context.add_cookies(
        [
            {"name": COOKIE, "value": token, "url": product.door.site},
            {"name": ORCHESTRATOR_COOKIE, "value": product.door.keys[token], "url": product.door.orchestrator},
        ]
    )
    yield context
    context.close()


def launching(product: Product) -> str:
    """An address that starts a run wherever the orchestrator itself is asked for it."""
    return f"{product.door.orchestrator}/graphql?query={quote(LAUNCH)}"


def test_c06_a_picture_in_a_note_launches_nothing(product: Product, harriet: Identity, admins: BrowserContext) -> None:
    account = product.estate.account()
    product.estate.publish()
    note = f"![x]({launching(product)}) ![y](/graphql?query={quote(LAUNCH)})"
    headers = {**IN_PAGE, "origin": product.door.site}
    with product.door.client(product.token(harriet), **headers) as client:
        made = client.post(
            f"{product.door.site}/api/actions", json=a_new_action(account, title=note[:80]), headers=key()
        )
        action_id = made.json()["action_id"]
        noted = client.post(f"{product.door.site}/api/actions/{action_id}/notes", json={"note": note}, headers=key())
    assert (made.status_code, noted.status_code) == (201, 201), (made.text, noted.text)
    before = product.runs()
    page = admins.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{product.door.site}/app/account?account={account}&tab=Timeline")
    expect(page.get_by_text("![x](").first).to_be_attached()  # in a cell, which is painted
    page.goto(f"{product.door.site}/app/actions?action={action_id}")
    expect(page.get_by_text("![y](/graphql").locator("visible=true").first).to_be_visible()
    page.wait_for_timeout(1_000)

    assert [url for url in asked if "graphql" in url] == []
    assert product.runs() == before


def test_c06_a_page_of_strangers_launches_nothing(product: Product, admins: BrowserContext) -> None:
    """The control at the end is the same request as the orchestrator's own page makes it."""
    before = product.runs()
    address = launching(product)
    body = json.dumps({"query": LAUNCH})
    hostile = f"""<!doctype html><title>strange</title>
        <iframe name=hidden></iframe><img src="{address}">
        <form id=plain target=hidden method=post enctype=text/plain action="{address}"><input name=a value=b></form>
        <form id=coded target=hidden method=post action="{address}"><input name=query value="{LAUNCH}"></form>
        <form id=asked target=hidden action="{address.partition("?")[0]}"><input name=query value="{LAUNCH}"></form>
        <script>
          const ways = [{{}}, {{mode: 'no-cors'}}].flatMap(how => ['text/plain', 'application/json'].map(type =>
            fetch({json.dumps(address)}, {{...how, method: 'POST', credentials: 'include', body: {json.dumps(body)},
              headers: {{'content-type': type}}}}).catch(() => 0)))
          navigator.sendBeacon({json.dumps(address)}, {json.dumps(body)})
          for (const one of document.forms) ways.push(new Promise(done => {{
            document.querySelector('iframe').addEventListener('load', done, {{once: true}}); setTimeout(done, 3000) }}),
            one.submit())
          Promise.all(ways).then(() => document.title = 'done')
        </script>"""
    with witness(headers=HTML, body=hostile) as stranger:
        port = stranger.address.rpartition(":")[2]
        page = admins.new_page()
        answered: list[int] = []
        page.on("response", lambda answer: answered.append(answer.status) if "graphql" in answer.url else None)
        # another port of each name: as near to us as a stranger can come, cookies go along
        for name in ("127.0.0.1", "localhost"):
            page.goto(f"http://{name}:{port}/")
            page.wait_for_function("document.title === 'done'")
            page.goto(f"http://{name}:{port}/")
            page.evaluate(
                "document.getElementById('coded').target = '_self'; document.getElementById('coded').submit()"
            )
            page.wait_for_url("**/graphql**")
            page.goto("about:blank")

    assert product.runs() == before
    assert len(answered) >= 6
    assert {*answered} <= {403, 405}

    page.goto(f"{product.door.orchestrator}/")
    launched = page.evaluate(
        "body => fetch('/graphql', {method: 'POST', body, headers: {'content-type': 'application/json'}})"
        ".then(answer => answer.json())",
        body,
    )
    assert launched["data"]["launchRun"]["__typename"] == "LaunchRunSuccess"


def test_c09_a_page_of_strangers_that_frames_us_shows_nothing(product: Product, admins: BrowserContext) -> None:
    site, orchestrator = product.door.site, product.door.orchestrator
    framed = [f"{site}/", f"{site}/app/accounts", f"{orchestrator}/", f"{site}/api/session", f"{site}/orchestrator"]
    body = "".join(f'<iframe src="{address}"></iframe>' for address in framed)
    with witness(headers=HTML, body=f"<!doctype html>{body}") as stranger:
        page = admins.new_page()
        for name in ("localhost", "127.0.0.1"):
            page.goto(f"http://{name}:{stranger.address.rpartition(':')[2]}/", wait_until="load")
            shown: list[str] = []
            for _ in range(60):  # a frame has no address until it is refused, which a busy machine does late
                shown = [frame.url for frame in page.frames[1:]]
                if all(shown):
                    break
                page.wait_for_timeout(500)
            assert len(shown) == len(framed)
            assert {url.partition("://")[0] for url in shown} == {"chrome-error"}, shown

    # within the product's own origin the pages are framed, as the shell does it
    page.goto(f"{site}/")
    page.evaluate("document.body.append(Object.assign(document.createElement('iframe'), {src: '/app/accounts'}))")
    expect(page.frame_locator("iframe").get_by_role("heading", name="Accounts").first).to_be_visible()


def test_a_deep_link_into_the_orchestrator_opens_there_in_a_browser_that_has_no_cookie_of_it(
    product: Product, harriet: Identity, chromium: Browser
) -> None:
    context = chromium.new_context(locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": product.token(harriet, fresh=True), "url": product.door.site}])
    product.tokens.clear()
    page = context.new_page()

    page.goto(f"{product.door.orchestrator}/runs?view=all")

    expect(page.get_by_role("tab", name="Backfills")).to_be_visible(timeout=30_000)
    assert page.url.startswith(f"{product.door.orchestrator}/runs")
    context.close()
