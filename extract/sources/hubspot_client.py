"""The HubSpot portal: credentials, paths of the two API generations, and its manners when asked too often."""

from dataclasses import dataclass
from typing import Any

import httpx

from extract import config
from extract.http import Advice, HttpClient, Session, Throttle, Vendor, retry_after
from extract.stream import Journal, Json


def _advise(response: httpx.Response, body: Any, attempt: int) -> Advice | None:
    """429 by `policyName`: the search limiter frees in a second, the rolling one in ten, the daily one tomorrow."""
    if response.status_code == 423:
        return Advice(retry=True, wait=retry_after(response) or 2.0)
    if response.status_code == 477:
        return Advice(retry=True, wait=retry_after(response) or 10.0)
    if response.status_code != 429:
        return None
    said = body if isinstance(body, dict) else {}
    policy, message = str(said.get("policyName") or ""), str(said.get("message") or "").lower()
    if policy == "DAILY" or "daily limit" in message:
        return Advice(retry=False, reason="the day's requests are used up; the next run continues where this one ended")
    by_header = retry_after(response)
    if by_header is not None:
        return Advice(retry=True, wait=by_header + 0.1 * attempt)
    is_search = policy == "SECONDLY" or (not policy and "secondly" in message and "ten_secondly" not in message)
    return Advice(retry=True, wait=min(10.0, (1.0 if is_search else 2.5) * attempt))


def _pace(response: httpx.Response, bucket: str, throttle: Throttle) -> None:
    """Before the ten-second window is used up, wait for a part of it: errors count against the account."""
    remaining = response.headers.get("x-hubspot-ratelimit-remaining")
    if remaining is not None and remaining.isdigit() and int(remaining) < 5:
        throttle.hold(bucket, 1.0)


VENDOR = Vendor(
    name="hubspot",
    title="HubSpot",
    base_setting="HUBSPOT_BASE_URL",
    credential_setting="HUBSPOT_TOKEN",
    request_id_header="x-hubspot-correlation-id",
    advise=_advise,
    bucket=lambda path: "search" if path.endswith("/search") else "general",
    pace=_pace,
    # 190 in ten seconds and 5 a second are the limits.
    per_second={"general": 18.0, "search": 4.0},
)


@dataclass
class Hubspot:
    """An open portal: the client, and where this version of the API keeps things.

    `session` is set on the portal as the source opens it; closing that one closes the connections.
    """

    http: HttpClient
    version: str
    session: Session | None = None

    @property
    def api_version(self) -> str:
        return self.version

    def for_run(self, journal: Journal) -> "Hubspot":
        return Hubspot(self.http.for_run(journal), self.version)

    def close(self) -> None:
        if self.session:
            self.session.close()

    def objects(self, kind: str) -> str:
        return f"/crm/v3/objects/{kind}" if self.version == "v3" else f"/crm/objects/{self.version}/{kind}"

    def associations(self, start: str, end: str) -> str:
        if self.version == "v3":
            return f"/crm/v4/associations/{start}/{end}/batch/read"
        return f"/crm/associations/{self.version}/{start}/{end}/batch/read"

    def owners(self) -> str:
        return "/crm/v3/owners" if self.version == "v3" else f"/crm/owners/{self.version}"

    def properties(self, kind: str) -> list[Json]:
        """Property definitions of one object type, archived ones excluded."""
        path = "/crm/v3/properties" if self.version == "v3" else f"/crm/properties/{self.version}"
        return self.http.get(f"{path}/{kind}").body["results"]


def open_portal(transport: httpx.BaseTransport | None = None) -> Hubspot:
    """The portal of HUBSPOT_BASE_URL. Nothing is asked yet."""
    settings = config.read(config.HubspotSettings)
    session = Session(
        VENDOR,
        settings.base_url,
        headers={"Authorization": f"Bearer {settings.token.get_secret_value()}"},
        patience=config.read(config.HttpSettings),
        transport=transport,
    )
    return Hubspot(HttpClient(session, Journal()), settings.version, session)
