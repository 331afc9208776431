"""Everything the demo keeps on disk, under one ignored folder, and the environment its processes get.

Secrets are made once, on the first start, and stay with the data that they protect.
"""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# name of the variable, what listens there
PORTS = {
    "POSTGRES_PORT": (54329, "PostgreSQL"),
    "REDIS_PORT": (63799, "Redis"),
    "SIMULATOR_HUBSPOT_PORT": (9011, "simulated HubSpot"),
    "SIMULATOR_STRIPE_PORT": (9012, "simulated Stripe"),
    "SIMULATOR_ZENDESK_PORT": (9013, "simulated Zendesk"),
    "SIMULATOR_SMTP_PORT": (9014, "simulated mail server"),
    "SIMULATOR_MAILBOX_PORT": (9015, "Simulated mailbox"),
    "DAGSTER_CODE_PORT": (4266, "Dagster code server"),
    "DAGSTER_PORT": (3000, "Dagster"),
    "DAGSTER_READONLY_PORT": (3001, "Dagster, read-only"),
    "API_PORT": (8000, "API"),
    "STREAMLIT_PORT": (8501, "Streamlit"),
    "FRONT_PORT": (8080, "Caddy, the product"),
    "ORCHESTRATOR_PORT": (8081, "Caddy, the orchestrator"),
}
_SECRETS = (
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "LOADER_PASSWORD",
    "TRANSFORMER_PASSWORD",
    "APPLICATION_PASSWORD",
    "LEARNER_PASSWORD",
    "ANALYST_PASSWORD",
    "DAGSTER_PASSWORD",
    "SIMULATOR_PASSWORD",
    "PRODUCT_READER_PASSWORD",
    "HUBSPOT_TOKEN",
    "STRIPE_API_KEY",
    "ZENDESK_CLIENT_SECRET",
    "PROXY_SECRET",
    "DEMO_PASSWORD",
)
_ESTATE = {"SIMULATOR_ACCOUNTS": "620", "SIMULATOR_DAYS": "730", "SIMULATOR_SEED": "24"}
_PREFIXES = {"HUBSPOT_TOKEN": "pat-eu1-", "STRIPE_API_KEY": "rk_live_"}


class StateBroken(Exception):
    """A file of the state folder can not be read; the message says which and what to do."""


@dataclass(frozen=True)
class State:
    """The state folder: where each part lies."""

    folder: Path

    @classmethod
    def default(cls) -> "State":
        """`.state` in the checkout, or the folder that STATE_DIR names."""
        return cls(Path(os.environ.get("STATE_DIR") or ROOT / ".state").resolve())

    @property
    def env_file(self) -> Path:
        return self.folder / "env"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def services_file(self) -> Path:
        return self.run / "services.json"

    @property
    def prepared_file(self) -> Path:
        return self.run / "prepared.json"

    def read_json(self, path: Path) -> dict[str, Any]:
        """The object in `path`, or {} when it is missing or was cut off by a crash."""
        with suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(path.read_text())
        return {}

    def write_json(self, path: Path, value: Mapping[str, Any]) -> None:
        """Replace `path` in one step, so that a reader or a crash never sees half of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps(value, indent=1))
        aside.replace(path)


def read_env(path: Path) -> dict[str, str]:
    """KEY=VALUE lines of an env file; {} when there is none."""
    if not path.exists():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, value in pairs}


@dataclass(frozen=True)
class Environment:
    """All variables of the demo's processes, derived from ports, secrets and the state folder."""

    state: State
    chosen: Mapping[str, str]

    @classmethod
    def establish(cls, state: State) -> "Environment":
        """Read the env file, complete it with fresh secrets and the caller's ports, and write it back (mode 0600)."""
        state.folder.mkdir(parents=True, exist_ok=True)
        kept = read_env(state.env_file)
        chosen = {name: kept.get(name) or _PREFIXES.get(name, "") + secrets.token_urlsafe(24) for name in _SECRETS}
        chosen["DEMO_PASSWORD"] = (
            kept.get("DEMO_PASSWORD") or os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(9)
        )
        defaults = {name: str(port) for name, (port, _) in PORTS.items()} | _ESTATE
        for name, default in defaults.items():
            chosen[name] = os.environ.get(name) or kept.get(name) or default
        environment = cls(state, chosen)
        environment._write()
        return environment

    @classmethod
    def existing(cls, state: State) -> "Environment | None":
        """What the last start used, or None when there was none."""
        kept = read_env(state.env_file)
        # a port or a secret that came with a newer version is not in the file of an older start
        later = dict.fromkeys(_SECRETS, "") | {name: str(port) for name, (port, _) in PORTS.items()}
        return cls(state, later | kept) if kept.get("POSTGRES_PASSWORD") else None

    def _write(self) -> None:
        path = self.state.env_file
        aside = path.with_suffix(".new")
        aside.touch(mode=0o600)
        aside.write_text("".join(f"{key}={value}\n" for key, value in self.variables.items()))
        aside.replace(path)

    def port(self, name: str) -> int:
        """A port by its variable."""
        value = self.chosen[name]
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise StateBroken(f"{name}={value} is not a port: use a number from 1 to 65535.")
        return int(value)

    def dsn(self, role: str, database: str, scheme: str = "postgresql") -> str:
        """Connection string of a role (its password is <ROLE>_PASSWORD)."""
        password = self.chosen[f"{role.upper()}_PASSWORD"]
        return f"{scheme}://{role}:{password}@127.0.0.1:{self.port('POSTGRES_PORT')}/{database}"

    @cached_property
    def variables(self) -> dict[str, str]:
        """The flat environment, secrets included."""
        folder = self.state.folder
        derived = {
            "ENVIRONMENT": "demo",
            "FOLLOW_SOURCE_CLOCK": "true",
            "LOADER_DSN": self.dsn("loader", "warehouse"),
            "APP_DATABASE_URL": self.dsn("application", "warehouse", "postgresql+psycopg"),
            "ANALYST_DSN": self.dsn("analyst", "warehouse"),
            "LEARNER_DSN": self.dsn("learner", "warehouse"),
            "DBT_HOST": "127.0.0.1",
            "DBT_PORT": self.chosen["POSTGRES_PORT"],
            "DBT_DATABASE": "warehouse",
            "DBT_USER": "transformer",
            "DBT_ENV_SECRET_PASSWORD": self.chosen["TRANSFORMER_PASSWORD"],
            "DBT_TARGET_PATH": str(folder / "dbt" / "target"),
            "DBT_LOG_PATH": str(folder / "logs" / "dbt"),
            "COLUMNAR_DIR": str(folder / "columnar"),
            "REDIS_URL": f"redis://:{self.chosen['REDIS_PASSWORD']}@127.0.0.1:{self.chosen['REDIS_PORT']}/0",
            "DAGSTER_PG_URL": self.dsn("dagster", "dagster", "postgresql+psycopg2"),
            "DAGSTER_HOME": str(folder / "dagster"),
            "SIMULATOR_DSN": self.dsn("simulator", "simulator"),
            "SIMULATOR_PRODUCT_DSN": self.dsn("simulator", "product"),
            "SIMULATOR_SURVEYS_FOLDER": str(folder / "surveys"),
            "SIMULATOR_WORKPLACE_URL": f"http://localhost:{self.chosen['FRONT_PORT']}/api",
            "SIMULATOR_CSM_PASSWORD": self.chosen["DEMO_PASSWORD"],
            "HUBSPOT_BASE_URL": f"http://localhost:{self.chosen['SIMULATOR_HUBSPOT_PORT']}",
            "HUBSPOT_VERSION": "2026-09",
            "STRIPE_BASE_URL": f"http://localhost:{self.chosen['SIMULATOR_STRIPE_PORT']}",
            "STRIPE_VERSION": "2026-10-28.endive",
            "ZENDESK_BASE_URL": f"http://localhost:{self.chosen['SIMULATOR_ZENDESK_PORT']}",
            "ZENDESK_CLIENT_ID": "account-intelligence",
            "PRODUCT_DSN": self.dsn("product_reader", "product"),
            "SURVEYS_FOLDER": str(folder / "surveys"),
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": self.chosen["SIMULATOR_SMTP_PORT"],
            "SMTP_FROM": "Account Intelligence <no-reply@force24.example>",
            "SMTP_STARTTLS": "false",
            "NOTIFY_WEBHOOK_URL": f"http://localhost:{self.chosen['SIMULATOR_MAILBOX_PORT']}/hooks/customer-success",
            "MAILBOX_URL": f"http://localhost:{self.chosen['SIMULATOR_MAILBOX_PORT']}",
            # the front door, where messages lead
            "SITE": f"http://localhost:{self.chosen['FRONT_PORT']}",
            "ORCHESTRATOR_SITE": f"http://localhost:{self.chosen['ORCHESTRATOR_PORT']}",
            "PUBLIC_URL": f"http://localhost:{self.chosen['FRONT_PORT']}",
            "API_URL": f"http://localhost:{self.chosen['API_PORT']}",
            "STREAMLIT_URL": f"http://localhost:{self.chosen['STREAMLIT_PORT']}/app",
            "DAGSTER_URL": f"http://localhost:{self.chosen['DAGSTER_PORT']}",
            # nothing calls home
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        }
        return {**self.chosen, **derived}

    def for_processes(self) -> dict[str, str]:
        """The environment of a child: ours, what it inherits of the machine's, byte code kept: where the caller keeps
        it (the tests' many state folders share one place), or under the state folder."""
        # without byte code every process would compile Dagster for itself: 5 to 15 s
        ours = {*self.variables, "PYTHONDONTWRITEBYTECODE"}
        inherited = {key: value for key, value in os.environ.items() if key not in ours}
        byte_code = os.environ.get("PYTHONPYCACHEPREFIX", str(self.state.folder / "cache" / "pycache"))
        python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        here = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "PYTHONPATH": python_path,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPYCACHEPREFIX": byte_code,
            "STATE_DIR": str(self.state.folder),
        }
        return {**inherited, **self.variables, **here}
