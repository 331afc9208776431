"""The services of the product as containers: what each runs, and what lies ready before it does."""

import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_ANY = "0.0.0.0"  # noqa: S104 - inside a container; the network is private and publishes nothing but Caddy


def _dagster(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dagster_webserver", "-w", "workspace.yaml", "-h", _ANY, "-p", "3000", *arguments]


def command(service: str, environment: Mapping[str, str]) -> list[str]:
    """The program of a service. Raises KeyError for an unknown one."""
    return {
        "api": [
            sys.executable, "-m", "uvicorn", "api.main:create_app", "--factory", "--host", _ANY,
            "--port", environment.get("API_PORT", "8000"), "--no-server-header", "--no-proxy-headers",
        ],
        "streamlit": [sys.executable, "-m", "app.asgi"],
        "dagster-code": [
            sys.executable, "-m", "dagster", "code-server", "start", "-m", "orchestration.definitions",
            "-h", _ANY, "-p", "4266",
        ],
        "dagster": _dagster("--read-only"),
        "dagster-control": _dagster(),
        "dagster-daemon": [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"],
        "backup": [sys.executable, "-m", "deploy", "backup", "--every-day"],
    }[service]  # fmt: skip


NAMES = ("api", "streamlit", "dagster-code", "dagster", "dagster-control", "dagster-daemon", "backup")


def lay_out_dagster_home(environment: Mapping[str, str]) -> Path:
    """Put Dagster's configuration where it looks for it; a reader sees the old file or the new one, never half."""
    home = Path(environment["DAGSTER_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    for source in (ROOT / "orchestration" / "dagster.yaml", ROOT / "deploy" / "workspace.yaml"):
        aside = home / f".{source.name}.{socket.gethostname()}"  # the folder is shared by containers
        shutil.copyfile(source, aside)
        aside.replace(home / source.name)
    return home


def make_ready(service: str, environment: Mapping[str, str]) -> None:
    """Do what must be done before the program of a service takes over, in its folder."""
    if not service.startswith("dagster"):
        return
    home = lay_out_dagster_home(environment)
    if service != "dagster-code":
        os.chdir(home)
        return
    from orchestration import documentation  # a parse of 10 s, while nobody waits for an answer yet

    documentation.write()
