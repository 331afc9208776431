"""One HTTP client per vendor: time-outs, retries, pacing, host pinning, and a line in the journal per request.

The traps it avoids: a token sent to another host because a recorded page holds an absolute link; a half page taken
for a whole one; a 429 answered by trying again at once; a source that is down, reported as a stack trace.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import stamina

from extract.config import HttpSettings
from extract.errors import SourceRejected, SourceUnavailable
from extract.stream import HttpEntry, Journal

RETRIED = frozenset({408, 423, 425, 429, 500, 502, 503, 504, *range(520, 525)})
# A body that does not parse is mostly a cut connection. One that never parses is a page from something else.
MAX_BROKEN_BODIES = 5
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)

Params = Mapping[str, str | int] | list[tuple[str, str | int]]


@dataclass(frozen=True)
class Reply:
    """An answer that was accepted: its JSON (None for an empty body) and the source's clock when it was given."""

    status: int
    body: Any
    headers: httpx.Headers
    at: datetime


@dataclass(frozen=True)
class Advice:
    """What a vendor's rules say about an answer that is not 2xx. `wait` None means the general back-off."""

    retry: bool
    wait: float | None = None
    reason: str | None = None


class Throttle:
    """Spaces requests of one bucket, and holds a bucket back until the vendor's own window has passed."""

    def __init__(self, per_second: Mapping[str, float]) -> None:
        self._interval = {bucket: 1.0 / rate for bucket, rate in per_second.items()}
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, bucket: str) -> None:
        with self._lock:
            now = time.monotonic()
            slot = max(now, self._free_at.get(bucket, 0.0))
            self._free_at[bucket] = slot + self._interval.get(bucket, 0.0)
        if slot > now:
            time.sleep(slot - now)

    def hold(self, bucket: str, seconds: float) -> None:
        """No request of `bucket` before `seconds` from now."""
        with self._lock:
            self._free_at[bucket] = max(self._free_at.get(bucket, 0.0), time.monotonic() + seconds)


@dataclass(frozen=True)
class Vendor:
    """What differs between vendors. `advise` decides about answers that are not 2xx, None leaves it to the table;
    `pace` looks at every answer's headers and may hold a bucket; `base_setting` names the variable to check."""

    name: str
    title: str
    base_setting: str
    credential_setting: str
    request_id_header: str
    advise: Callable[[httpx.Response, Any, int], Advice | None] = lambda response, body, attempt: None
    bucket: Callable[[str], str] = lambda path: "all"
    pace: Callable[[httpx.Response, str, Throttle], None] = lambda response, bucket, throttle: None
    per_second: Mapping[str, float] = field(default_factory=dict)


@dataclass
class _Again(Exception):
    """This attempt failed in a way that a later one may not."""

    reason: str
    wait: float | None = None
    refused_connection: bool = False
    broken_body: bool = False


class Session:
    """The connection pool, credentials and pace of one vendor account, shared by the runs of its streams."""

    def __init__(
        self,
        vendor: Vendor,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        sign_in: Callable[[httpx.Client, bool], Mapping[str, str]] | None = None,
        patience: HttpSettings,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`headers` go with every request; `sign_in(client, again)` gives the credentials, anew when `again`."""
        self.vendor = vendor
        self.base_url = base_url.rstrip("/")
        self.patience = patience
        self.throttle = Throttle(vendor.per_second)
        self.client = httpx.Client(
            base_url=self.base_url,
            headers={"Accept": "application/json", "User-Agent": "account-intelligence-extract", **(headers or {})},
            timeout=_TIMEOUT,
            follow_redirects=False,
            transport=transport,
        )
        self.has_answered = False
        self._sign_in = sign_in
        self._credentials: Mapping[str, str] | None = None
        self._signing = threading.Lock()

    def credentials(self, *, instead_of: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """The credential headers; new ones when the current ones are those in `instead_of`."""
        if self._sign_in is None:
            return {}
        with self._signing:
            if self._credentials is None or self._credentials is instead_of:
                self._credentials = self._sign_in(self.client, self._credentials is not None)
            return self._credentials

    def for_run(self, journal: Journal) -> "HttpClient":
        return HttpClient(self, journal)

    def close(self) -> None:
        self.client.close()


@dataclass
class HttpClient:
    """What one run of one stream uses to ask its vendor."""

    session: Session
    journal: Journal

    def for_run(self, journal: Journal) -> "HttpClient":
        return HttpClient(self.session, journal)

    def close(self) -> None:
        """The session belongs to the source and stays open."""

    def get(self, path: str, params: Params | None = None, *, allow: tuple[int, ...] = ()) -> Reply:
        """GET `path` of the base URL. Statuses in `allow` come back as a Reply instead of an error.

        Raises SourceUnavailable when the retry budget is used up, SourceRejected for a refusal.
        """
        return self._request("GET", path, params=params, allow=allow)

    def post(self, path: str, body: Any, *, allow: tuple[int, ...] = ()) -> Reply:
        """POST JSON for reading (searches, batch reads): repeated as freely as a GET. Errors as in `get`."""
        return self._request("POST", path, json_body=body, allow=allow)

    def pinned(self, link: str) -> str:
        """Path and query of an absolute `next` link. Raises SourceRejected when it leads to another host."""
        target, base = urlsplit(link), urlsplit(self.session.base_url)
        if target.netloc and target.netloc != base.netloc:
            raise SourceRejected(
                f"{self.session.vendor.title} at {self.session.base_url} sent a next link to another host "
                f"({target.netloc}); it was not followed, so that no credential leaves for it."
            )
        path = target.path.removeprefix(base.path) if base.path else target.path
        return f"{path}?{target.query}" if target.query else path

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json_body: Any = None,
        allow: tuple[int, ...] = (),
    ) -> Reply:
        started = time.monotonic()
        patience = self.session.patience
        broken = 0
        signed_in_again = False
        wait = 0.0

        def next_wait(error: Exception) -> bool | float:
            nonlocal broken
            if not isinstance(error, _Again):
                return False
            broken += error.broken_body
            spent = time.monotonic() - started
            budget = patience.retry_budget_seconds
            if error.refused_connection and not self.session.has_answered:
                budget = min(budget, patience.connect_budget_seconds)
            if spent + wait > budget or broken >= MAX_BROKEN_BODIES:
                return False
            return wait

        try:
            for attempt in stamina.retry_context(on=next_wait, attempts=None, timeout=None):
                with attempt:
                    try:
                        reply = self._attempt(method, path, params, json_body, allow, attempt.num, signed_in_again)
                    except _Again as again:
                        wait = self._back_off(attempt.num) if again.wait is None else again.wait
                        signed_in_again = signed_in_again or again.reason == "signed in again"
                        raise
                    return reply
        except _Again as last:
            raise SourceUnavailable(self._unavailable(path, last, time.monotonic() - started)) from last
        raise AssertionError("a retry loop ends with an answer or an error")

    def _back_off(self, attempt: int) -> float:
        """Full jitter: anything between nothing and the doubled wait, so that parallel streams do not march in step."""
        patience = self.session.patience
        most = min(patience.wait_max_seconds, patience.wait_initial_seconds * 2 ** (attempt - 1))
        return random.uniform(min(patience.wait_initial_seconds, most) / 2, most)  # noqa: S311 - spreads load only

    def _attempt(
        self,
        method: str,
        path: str,
        params: Params | None,
        json_body: Any,
        allow: tuple[int, ...],
        attempt: int,
        signed_in_again: bool,
    ) -> Reply:
        session, vendor = self.session, self.session.vendor
        bucket = vendor.bucket(path)
        session.throttle.wait(bucket)
        began, clock = datetime.now(UTC), time.perf_counter()
        entry = HttpEntry(began, method, path, None, None, 0, 0, attempt)
        try:
            credentials = session.credentials()
            response = session.client.request(
                method,
                path,
                params=params,  # pyright: ignore[reportArgumentType] - a list of pairs is accepted
                json=json_body,
                headers=dict(credentials),
            )
        except httpx.UnsupportedProtocol as error:
            raise SourceRejected(
                f"{vendor.title}: {session.base_url} is no address; check {vendor.base_setting}."
            ) from error
        except httpx.TransportError as error:
            entry.error = type(error).__name__
            raise _Again(_plain(error), refused_connection=isinstance(error, httpx.ConnectError)) from error
        finally:
            entry.milliseconds = round((time.perf_counter() - clock) * 1000)
            self.journal.entries.append(entry)
        session.has_answered = True
        entry.path = _loggable(response.request.url)
        entry.status = response.status_code
        entry.request_id = response.headers.get(vendor.request_id_header)
        entry.byte_count = len(response.content)
        at = _clock(response) or began
        self.journal.saw_clock(at)
        vendor.pace(response, bucket, session.throttle)
        body, is_broken = _json(response)
        if response.is_success and not is_broken:
            return Reply(response.status_code, body, response.headers, at)
        if response.is_success:
            entry.error = "body is not JSON"
            raise _Again(f"answered {response.status_code} with a body that is not JSON", broken_body=True)
        if response.status_code in allow and not is_broken:
            return Reply(response.status_code, body, response.headers, at)
        if response.status_code == 401 and not signed_in_again:
            try:
                session.credentials(instead_of=credentials)
            except httpx.TransportError as error:
                raise _Again(_plain(error)) from error
            raise _Again("signed in again", wait=0.0)
        advice = vendor.advise(response, body, attempt)
        if advice is None:
            advice = Advice(retry=response.status_code in RETRIED, wait=retry_after(response))
        said = f"answered {response.status_code}{_excerpt(response, body)}{_named(entry.request_id)}"
        if not advice.retry:
            raise self._refusal(path, response.status_code, said, advice)
        raise _Again(advice.reason or said, wait=retry_after(response) if advice.wait is None else advice.wait)

    def _refusal(self, path: str, status: int, said: str, advice: Advice) -> Exception:
        vendor, place = self.session.vendor, f"{self.session.base_url}{path}"
        if advice.reason:
            return SourceUnavailable(f"{vendor.title} at {place} {said}: {advice.reason}.")
        if status in (401, 403):
            return SourceRejected(
                f"{vendor.title} at {place} {said}. Check {vendor.credential_setting} and what it is allowed to read."
            )
        if 300 <= status < 400:
            return SourceRejected(f"{vendor.title} at {place} {said}; redirects are not followed. Check "
                                  f"{vendor.base_setting}.")  # fmt: skip
        return SourceRejected(f"{vendor.title} at {place} {said}. Trying again would change nothing.")

    def _unavailable(self, path: str, last: _Again, seconds: float) -> str:
        vendor = self.session.vendor
        return (
            f"{vendor.title} at {self.session.base_url}{path} {last.reason} (gave up after {seconds:.0f} s). What was "
            f"committed stays; start the source or check {vendor.base_setting}, then run again."
        )


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of the Retry-After header, which may also be a date on the server's clock."""
    value = response.headers.get("retry-after")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    now = _clock(response) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds()) if until.tzinfo else None


def _clock(response: httpx.Response) -> datetime | None:
    try:
        at = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    return at.astimezone(UTC)


def _json(response: httpx.Response) -> tuple[Any, bool]:
    """The body as JSON, and whether it is something else. NaN and Infinity are not JSON."""
    if not response.content:
        return None, False
    try:
        return json.loads(response.content, parse_constant=_no_constant), False
    except ValueError:
        return None, True


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _plain(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "does not answer: connection refused or name unknown"
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    return f"broke the connection ({str(error)[:100] or type(error).__name__})"


def _excerpt(response: httpx.Response, body: Any) -> str:
    """What the vendor says about an error, whichever envelope it uses, at most 200 characters."""
    found: Any = body
    if isinstance(body, dict):
        found = body.get("message") or body.get("description") or body.get("error") or body.get("errors")
        if isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, dict):
            found = found.get("message") or found.get("detail") or found.get("title")
    elif body is None:
        found = response.text if "html" not in response.headers.get("content-type", "") else "a web page"
    text = " ".join(str(found or "").split())[:200]
    return f' "{text}"' if text else ""


def _named(request_id: str | None) -> str:
    return f" (request {request_id})" if request_id else ""


def _loggable(url: httpx.URL) -> str:
    """Path and query, shortened: a list of 400 property names says nothing."""
    text = url.raw_path.decode("ascii", "replace")
    return text if len(text) <= 300 else f"{text[:297]}..."
