"""The product as a CSM's client sees it: its public HTTP API, with their own session.

What the server refuses because somebody was faster (409) or because it is gone (404) is not done, and nothing is
raised; what it asks to wait for is waited for.
"""

import time
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

PATIENCE = 8
PASSED_OVER = (404, 409)
WAIT_AND_REPEAT = (429, 502, 503, 504)


class Unwelcome(Exception):
    """The product does not let somebody in, or does not take what they send."""


class Workplace:
    """One CSM at work. Use as a context manager; the session is ended behind them."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self.email, self._password = email, password
        self._client = httpx.Client(base_url=address, timeout=60)

    def __enter__(self) -> "Workplace":
        answer = self._send("POST", "/session", json={"email": self.email, "password": self._password})
        if answer.status_code != 201:
            self._client.close()
            raise Unwelcome(f"{self.email} is not let in: {answer.status_code} {answer.text[:200]}")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._send("DELETE", "/session")
        finally:
            self._client.close()

    def _send(self, method: str, path: str, **given: Any) -> httpx.Response:
        for attempt in range(PATIENCE):
            try:
                answer = self._client.request(method, path, **given)
            except httpx.TransportError as problem:
                if attempt == PATIENCE - 1:
                    raise Unwelcome(f"{method} {path}: the product does not answer ({problem}).") from problem
                time.sleep(1 + attempt)
                continue
            if answer.status_code not in WAIT_AND_REPEAT:
                return answer
            time.sleep(min(float(answer.headers.get("retry-after", 1 + attempt)), 60))
        raise Unwelcome(f"{method} {path} was put off {PATIENCE} times.")

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """An answer. Raises Unwelcome."""
        answer = self._send("GET", path, params=query)
        if answer.status_code != 200:
            raise Unwelcome(f"GET {path}: {answer.status_code} {answer.text[:200]}")
        return answer.json()

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list that comes in pages."""
        cursor: dict[str, str] = {}
        while True:
            page = self.read(path, **query, **cursor)
            yield from page["items"]
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def write(self, path: str, key: str, **body: Any) -> dict[str, Any] | None:
        """A change, under a request key made of `key`, so that a second time is the same change.

        None when it is passed over. Raises Unwelcome.
        """
        name = str(uuid5(NAMESPACE_URL, f"{self.email}:{key}"))
        answer = self._send("POST", path, json=body, headers={"Idempotency-Key": name})
        if answer.status_code in PASSED_OVER:
            return None
        if answer.status_code not in (200, 201):
            raise Unwelcome(f"POST {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()
