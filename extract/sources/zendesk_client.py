"""The Zendesk account: OAuth client credentials, the export bucket of ten a minute, and its many error envelopes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from extract import config
from extract.errors import SourceRejected
from extract.http import RETRIED, Advice, HttpClient, Session, Throttle, Vendor, retry_after
from extract.stream import Journal

_EXPORT_HEADER = "zendesk-ratelimit-incremental-exports"


def _export_bucket(response: httpx.Response) -> dict[str, int]:
    """`total=10; remaining=9; resets=2` as numbers; empty without the header."""
    found: dict[str, int] = {}
    for part in response.headers.get(_EXPORT_HEADER, "").split(";"):
        name, _, value = part.strip().partition("=")
        if value.isdigit():
            found[name] = int(value)
    return found


def _pace(response: httpx.Response, bucket: str, throttle: Throttle) -> None:
    """When the export bucket is empty, the next export waits until it is full again instead of collecting a 429."""
    if bucket == "export":
        export = _export_bucket(response)
        if export.get("remaining") == 0 and response.status_code != 429:
            throttle.hold("export", export.get("resets", 60) + 0.2)


def _advise(response: httpx.Response, body: Any, attempt: int) -> Advice | None:
    """429 says `retry-after: 1` while the bucket frees much later: the longest of header, bucket and a growing wait."""
    if response.status_code == 409:
        return Advice(retry=True, wait=retry_after(response))
    if response.status_code != 429:
        return None
    resets = _export_bucket(response).get("resets", 0)
    by_header = retry_after(response) or 0.0
    growing = min(60.0, 1.0 * 2 ** (attempt - 1)) if attempt > 1 or not by_header else 0.0
    return Advice(retry=True, wait=max(by_header, float(resets), growing))


VENDOR = Vendor(
    name="zendesk",
    title="Zendesk",
    base_setting="ZENDESK_BASE_URL",
    credential_setting="ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET",
    request_id_header="x-request-id",
    advise=_advise,
    bucket=lambda path: "export" if "/incremental/" in path else "account",
    pace=_pace,
)


@dataclass
class Zendesk:
    """An open account. `session` is set on the account as the source opens it."""

    http: HttpClient
    session: Session | None = None

    def for_run(self, journal: Journal) -> "Zendesk":
        return Zendesk(self.http.for_run(journal))

    def close(self) -> None:
        if self.session:
            self.session.close()


def open_account(transport: httpx.BaseTransport | None = None) -> Zendesk:
    """The account of ZENDESK_BASE_URL. Nothing is asked yet; the token is fetched with the first request."""
    settings = config.read(config.ZendeskSettings)
    host = settings.base_url.rstrip("/").removesuffix("/api/v2")

    def sign_in(client: httpx.Client, again: bool) -> Mapping[str, str]:
        response = client.post(
            f"{host}/oauth/tokens",
            json={
                "grant_type": "client_credentials",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret.get_secret_value(),
                "scope": "read",
            },
        )
        if response.status_code in {*RETRIED, 409}:
            raise httpx.ReadError(f"the sign-in answered {response.status_code}", request=response.request)
        try:
            token = response.json().get("access_token") if response.is_success else None
        except ValueError as error:
            raise httpx.ReadError("the sign-in was cut off", request=response.request) from error
        if not token:
            raise SourceRejected(
                f"Zendesk at {host}/oauth/tokens refused the sign-in with {response.status_code}; check "
                "ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET."
            )
        return {"Authorization": f"Bearer {token}"}

    session = Session(VENDOR, host, sign_in=sign_in, patience=config.read(config.HttpSettings), transport=transport)
    return Zendesk(HttpClient(session, Journal()), session)
