"""The Stripe account: credentials, lists that are newest first, and nested lists that are cut after ten rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from extract import config
from extract.http import RETRIED, Advice, HttpClient, Params, Reply, Session, Vendor, retry_after
from extract.stream import Journal, Json

LIST_PAGE = 100
Asked = dict[str, str | int]


def _advise(response: httpx.Response, body: Any, attempt: int) -> Advice | None:
    """Stripe's own header decides first; without it a lock time-out (409, 429) and every 429 are tried again."""
    header = response.headers.get("stripe-should-retry", "").lower()
    if header == "true":
        return Advice(retry=True, wait=retry_after(response))
    if header == "false":
        return Advice(retry=False, reason="it asks not to be tried again now") if response.status_code in (
            409, 429) else Advice(retry=False)  # fmt: skip
    if response.status_code == 409 or response.status_code in RETRIED:
        return Advice(retry=True, wait=retry_after(response))
    return None


VENDOR = Vendor(
    name="stripe",
    title="Stripe",
    base_setting="STRIPE_BASE_URL",
    credential_setting="STRIPE_API_KEY",
    request_id_header="request-id",
    advise=_advise,
    # 25 a second for each kind of object is the default limit.
    bucket=lambda path: path.split("/")[2] if path.startswith("/v1/") else path,
    per_second=dict.fromkeys(
        ("customers", "subscriptions", "subscription_items", "invoices", "prices", "products", "events"), 24.0
    ),
)


@dataclass
class Stripe:
    """An open account. `session` is set on the account as the source opens it."""

    http: HttpClient
    api_version: str
    session: Session | None = None

    def for_run(self, journal: Journal) -> "Stripe":
        return Stripe(self.http.for_run(journal), self.api_version)

    def close(self) -> None:
        if self.session:
            self.session.close()

    def pages(self, path: str, params: Asked, *, types: Sequence[str] = ()) -> Iterator[Reply]:
        """All pages of a list, newest object first. The object a page ends with may be deleted before the next page
        is asked for (400 resource_missing): the caller hears of it as a reply of status 400, and starts over."""
        after: str | None = None
        while True:
            page: Asked = {"limit": LIST_PAGE, **params, **({"starting_after": after} if after else {})}
            asked = [*page.items(), *(("types[]", name) for name in types)]
            reply = self.http.get(path, asked, allow=(400,))
            if reply.status == 400:
                _refuse_unless_cursor_is_gone(self.http, path, asked, reply)
                yield reply
                return
            yield reply
            if not reply.body.get("has_more") or not reply.body["data"]:
                return
            after = reply.body["data"][-1]["id"]

    def complete(self, nested: Json, path: str, params: Asked) -> Json:
        """`nested` (a list inside an object) with all its rows: the answer holds the first ten."""
        if not nested.get("has_more"):
            return nested
        rows = list(nested["data"])
        while True:
            asked: Asked = {"limit": LIST_PAGE, **params, **({"starting_after": rows[-1]["id"]} if rows else {})}
            page = self.http.get(path, asked).body
            rows += page["data"]
            if not page.get("has_more") or not page["data"]:
                return {**nested, "data": rows, "has_more": False}


def is_cursor_gone(reply: Reply) -> bool:
    error = (reply.body or {}).get("error") or {}
    return reply.status == 400 and error.get("code") == "resource_missing" and error.get("param") == "starting_after"


def _refuse_unless_cursor_is_gone(http: HttpClient, path: str, asked: Params, reply: Reply) -> None:
    """Any other 400 is a refusal: asking once more without the allowance raises it with all its words."""
    if not is_cursor_gone(reply):
        http.get(path, asked)


def open_account(transport: httpx.BaseTransport | None = None) -> Stripe:
    """The account of STRIPE_BASE_URL. Nothing is asked yet."""
    settings = config.read(config.StripeSettings)
    session = Session(
        VENDOR,
        settings.base_url,
        headers={
            "Authorization": f"Bearer {settings.api_key.get_secret_value()}",
            "Stripe-Version": settings.version,
        },
        patience=config.read(config.HttpSettings),
        transport=transport,
    )
    return Stripe(HttpClient(session, Journal()), settings.version, session)
