"""What runs in the demo: the services, and the steps that prepare them. Data, in the order of their start."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local import probes
from local.state import ROOT, Environment


@dataclass(frozen=True)
class Service:
    """One long-running program of ours: how to start it, where it answers, how to ask."""

    name: str
    argv: tuple[str, ...]
    address: str
    ports: tuple[str, ...]
    is_up: probes.Probe
    # only one that hangs waits so long, one that ends is told at once; eight programs that import at the same time on a
    # busy machine, on a first start without byte code, have needed more than 90 s
    ready_within_seconds: float = 240.0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One command that must have succeeded before the services start.

    With `fingerprint` it is skipped as long as that value is the one of its last success and `makes`, if it makes a
    file, is there. A verbose one reports its own progress, which is shown.
    """

    title: str
    argv: tuple[str, ...]
    fingerprint: Callable[[], str] | None = None
    is_verbose: bool = False
    makes: Path | None = None


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


def services(environment: Environment) -> list[Service]:
    """The eight programs beside PostgreSQL and Redis."""
    url = environment.variables
    workspace = f"{url['DAGSTER_HOME']}/workspace.yaml"
    code_port = url["DAGSTER_CODE_PORT"]
    simulated = [url[f"{vendor}_BASE_URL"] for vendor in ("HUBSPOT", "STRIPE", "ZENDESK")]
    simulated.append(url["MAILBOX_URL"])
    health = [probes.http_ok(f"{base}/healthz") for base in simulated]
    loaded = probes.dagster_location_loaded(url["DAGSTER_URL"])
    return [
        Service(
            "simulator",
            _python("-m", "simulator", "serve"),
            simulated[0],
            ("SIMULATOR_HUBSPOT_PORT", "SIMULATOR_STRIPE_PORT", "SIMULATOR_ZENDESK_PORT", "SIMULATOR_SMTP_PORT",
             "SIMULATOR_MAILBOX_PORT"),
            lambda: all(probe() for probe in health),
        ),
        Service(
            "dagster-code",
            _python("-m", "dagster", "code-server", "start", "-m", "orchestration.definitions",
                    "-h", "127.0.0.1", "-p", code_port),
            f"127.0.0.1:{code_port}",
            ("DAGSTER_CODE_PORT",),
            loaded,
        ),
        Service(
            "dagster",
            _python("-m", "dagster_webserver", "-w", workspace, "-h", "127.0.0.1", "-p", url["DAGSTER_PORT"]),
            url["DAGSTER_URL"],
            ("DAGSTER_PORT",),
            probes.http_ok(f"{url['DAGSTER_URL']}/server_info"),
        ),
        Service(
            "dagster-readonly",
            _python("-m", "dagster_webserver", "-w", workspace, "-h", "127.0.0.1",
                    "-p", url["DAGSTER_READONLY_PORT"], "--read-only"),
            f"http://localhost:{url['DAGSTER_READONLY_PORT']}",
            ("DAGSTER_READONLY_PORT",),
            probes.http_ok(f"http://localhost:{url['DAGSTER_READONLY_PORT']}/server_info"),
        ),
        Service(
            "dagster-daemon",
            _python("-m", "dagster._daemon", "run", "-w", workspace),
            "no port",
            (),
            probes.dagster_daemons_healthy(url["DAGSTER_URL"]),
        ),
        Service(
            "api",
            _python("-m", "uvicorn", "api.main:create_app", "--factory", "--host", "127.0.0.1",
                    "--port", url["API_PORT"], "--no-server-header", "--no-proxy-headers"),
            url["API_URL"],
            ("API_PORT",),
            probes.http_ok(f"{url['API_URL']}/health"),
        ),
        Service(
            "streamlit",
            _python("-m", "app.asgi"),
            url["STREAMLIT_URL"],
            ("STREAMLIT_PORT",),
            probes.http_ok(f"{url['STREAMLIT_URL']}/_stcore/health"),
        ),
        Service(
            "front",
            (str(Path(sys.executable).with_name("caddy")), "run", "--adapter", "caddyfile",
             "--config", str(ROOT / "Caddyfile")),
            url["SITE"],
            ("FRONT_PORT", "ORCHESTRATOR_PORT"),
            probes.http_ok(f"{url['SITE']}/api/health"),
            env={
                "BIND": "127.0.0.1",
                "STRANGERS": f"http://:{url['FRONT_PORT']}, http://:{url['ORCHESTRATOR_PORT']}",
                "API": f"127.0.0.1:{url['API_PORT']}",
                "STREAMLIT": f"127.0.0.1:{url['STREAMLIT_PORT']}",
                "DAGSTER": f"127.0.0.1:{url['DAGSTER_PORT']}",
                "DAGSTER_READONLY": f"127.0.0.1:{url['DAGSTER_READONLY_PORT']}",
                "SHELL_DIR": str(environment.state.folder / "shell" / "browser"),
                "DOCS_DIR": str(environment.state.folder / "dbt" / "target" / "docs"),
                "XDG_DATA_HOME": str(environment.state.folder / "caddy"),
                "XDG_CONFIG_HOME": str(environment.state.folder / "caddy"),
            },
        ),
    ]  # fmt: skip
