"""Child processes that never outlive us: own process group, parent-death signal, orderly stop.

The trap avoided: a supervisor that is killed leaves servers behind which hold ports and locks. On Linux the kernel
tells every child when its parent died (prctl); elsewhere the next start finds the recorded process group and ends it.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent(death_signal: int) -> Callable[[], None]:
    """What a child does before it becomes the program: ask the kernel for `death_signal` when its parent ends."""

    def prepare() -> None:
        # A shell that starts us with `&` leaves SIGINT ignored, and Dagster copies that to SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)

    return prepare


@dataclass(frozen=True)
class Account:
    """An operating-system account that a child runs as."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path,
    account: Account | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    death_signal: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `argv` in a process group of its own, its output appended to `log`.

    `stdin` is written and closed at once: secrets passed this way never stand in the process list.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        child = subprocess.Popen(
            [str(part) for part in argv],
            env=dict(env),
            cwd=str(cwd) if cwd else None,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(death_signal),  # noqa: PLW1509 - the launcher has no threads
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    if stdin is not None and child.stdin is not None:
        child.stdin.write(stdin)
        child.stdin.close()
    return child


def start_ticks(pid: int) -> int | None:
    """When the kernel says `pid` was started; tells a process from a later one with the same number."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    return None


def is_alive(pid: int, ticks: int | None = None) -> bool:
    """Whether `pid` runs and, where `ticks` is known, is still the process it was."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with suppress(OSError, IndexError):
        if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return False
    return ticks is None or start_ticks(pid) in (None, ticks)


def _group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stop_group(
    group: int,
    *,
    first: int = signal.SIGTERM,
    grace_seconds: float = 8.0,
    reap: subprocess.Popen[bytes] | subprocess.Popen[str] | None = None,
) -> None:
    """End a process group: ask, wait up to `grace_seconds`, then kill. Nothing happens when it is gone."""
    for sign, wait in ((first, grace_seconds), (signal.SIGKILL, 3.0)):
        try:
            os.killpg(group, sign)
        except (ProcessLookupError, PermissionError):
            return
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            if reap is not None:
                reap.poll()
            if not _group_is_alive(group):
                return
            time.sleep(0.05)
