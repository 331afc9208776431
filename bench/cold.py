"""The first start of a demo: everything made and loaded from nothing, in a state folder and on ports of its own.

This is `make demo DETACH=1` without its set-up, which would change what the running demo has installed. Stop a running
demo first, or both share the machine and the figure is of neither.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import Figure
from local.postgres import free_port
from local.state import PORTS, ROOT, Environment, State

PROMISE_SECONDS = 360


def first_start() -> list[Figure]:
    """A start on no data at all until it says that it is ready; afterwards nothing of it is left."""
    launcher = [sys.executable, "-m", "local"]
    with tempfile.TemporaryDirectory(prefix="cold-") as folder:
        Path(folder).chmod(0o755)  # as root, the servers run as another account
        ports = {name: str(free_port()) for name in PORTS}
        environment = {**os.environ, **ports, "STATE_DIR": folder}
        try:
            began = time.perf_counter()
            subprocess.run([*launcher, "up", "--detach"], cwd=ROOT, env=environment, check=True)
            seconds = time.perf_counter() - began
            made = Environment.existing(State(Path(folder)))
        finally:
            subprocess.run([*launcher, "stop"], cwd=ROOT, env=environment, check=False)
    accounts = made.chosen["SIMULATOR_ACCOUNTS"] if made else "?"
    name = f"first start after the set-up, {accounts} accounts loaded"
    return [Figure(name, f"{seconds:.0f} s", f"{PROMISE_SECONDS} s", seconds / PROMISE_SECONDS)]
