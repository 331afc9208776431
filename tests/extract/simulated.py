"""The simulated vendors as tests use them: processes of their own, addressed as a stranger would."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

ROOT = Path(__file__).parents[2]
VENDORS = ("hubspot", "stripe", "zendesk")


@dataclass
class Simulated:
    """A served estate of 30 accounts and 120 days. `environment` is what simulator and extractors read."""

    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> None:
        """`python -m simulator …`, to its end."""
        subprocess.run(
            [sys.executable, "-m", "simulator", *arguments], cwd=ROOT, env={**os.environ, **self.environment},
            check=True, capture_output=True,
        )  # fmt: skip

    def start(self) -> None:
        """Serve, and wait until all three vendors answer."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "serve"], cwd=ROOT, env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        give_up_at = time.monotonic() + 30
        for vendor in VENDORS:
            while True:
                try:
                    httpx.get(f"{self.url(vendor)}/healthz").raise_for_status()
                    break
                except httpx.HTTPError:
                    assert time.monotonic() < give_up_at, "the simulator does not answer"
                    time.sleep(0.1)

    def stop(self) -> None:
        """End the vendors."""
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)

    def url(self, vendor: str) -> str:
        return self.environment[f"{vendor.upper()}_BASE_URL"]

    def now(self, vendor: str = "stripe") -> datetime:
        """The vendor's clock."""
        return parsedate_to_datetime(httpx.get(f"{self.url(vendor)}/healthz").json()["now"])

    def advance(self, days: int) -> None:
        """Let days pass, and wait until every vendor has noticed."""
        before = self.now()
        self.command("advance", "--days", str(days))
        give_up_at = time.monotonic() + 30
        for vendor in VENDORS:
            while self.now(vendor) < before + timedelta(days=days):
                assert time.monotonic() < give_up_at, f"{vendor} does not see the new day"
                time.sleep(0.1)

    def switch(self, vendor: str, **values: Any) -> None:
        """Set fault switches of a vendor."""
        httpx.post(f"{self.url(vendor)}/__switches", json=values, timeout=30).raise_for_status()

    def happen(self, vendor: str, name: str, **arguments: Any) -> Any:
        """Let something happen in the estate; returns what it touched."""
        answer = httpx.post(f"{self.url(vendor)}/__switches", json={"do": [{name: arguments}]}, timeout=30)
        assert answer.is_success, answer.text
        return answer.json()["done"][0][name]

    def calm(self) -> None:
        """No faults any more."""
        for vendor in VENDORS:
            httpx.delete(f"{self.url(vendor)}/__switches").raise_for_status()

    def truth(self, query: str, *values: Any) -> list[Any]:
        """First column of a query on the simulator's own tables: what really exists."""
        with psycopg.connect(self.environment["SIMULATOR_DSN"]) as db:
            return [row[0] for row in db.execute(query.encode(), values).fetchall()]
