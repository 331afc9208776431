"""The environment of a service in a container: secrets come from files and are put where the programs look for them.

A container's declared environment can be read by whoever may inspect it, is inherited by `exec`, and ends in bug
reports; a mounted file does none of that. dbt and Dagster read variables only, so one place turns files into
variables, just before the program takes over.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\{([A-Z_]+)\}")
_SUFFIX = "_FILE"
# By name, because the suffix alone also takes SSL_CERT_FILE and its like for ours.
SECRETS = frozenset(
    {
        *("POSTGRES_PASSWORD", "APPLICATION_PASSWORD", "LOADER_PASSWORD", "TRANSFORMER_PASSWORD", "LEARNER_PASSWORD"),
        *(
            "ANALYST_PASSWORD",
            "DAGSTER_PASSWORD",
            "BACKUP_PASSWORD",
            "REDIS_PASSWORD",
            "DBT_ENV_SECRET_PASSWORD",
            "PROXY_SECRET",
        ),
        *("HUBSPOT_TOKEN", "STRIPE_API_KEY", "ZENDESK_CLIENT_SECRET", "PRODUCT_DSN"),
        *("SMTP_PASSWORD", "NOTIFY_WEBHOOK_URL", "OIDC_CLIENT_SECRET"),
        *("APP_DATABASE_URL", "REDIS_URL", "ANALYST_DSN", "LOADER_DSN", "LEARNER_DSN", "DAGSTER_PG_URL", "BACKUP_DSN"),
    }
)


class CanNot(Exception):
    """Base of what a command of this room can not do; the message is a sentence for the operator."""


class SecretMissing(Exception):
    """A secret's file can not be read, or an address asks for a secret that nobody gave; the message says which."""


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SecretMissing(f"{name}{_SUFFIX} names {path}, which can not be read: {reason}.") from error


def with_secrets(given: Mapping[str, str]) -> dict[str, str]:
    """`given` with the secrets of its files.

    `NAME_FILE=/run/secrets/name` becomes `NAME=<content>`; an empty file means that there is no such secret, and a
    variable set beside its file is refused, because nobody could tell which one counts. `{NAME}` inside another
    value is that secret, quoted for an address: `postgresql://loader:{LOADER_PASSWORD}@postgres/warehouse`. An address
    whose secret is empty is left out.
    Raises SecretMissing.
    """
    files = {name: given[f"{name}{_SUFFIX}"] for name in SECRETS if given.get(f"{name}{_SUFFIX}")}
    both = sorted(name for name in files if given.get(name))
    if both:
        raise SecretMissing(f"{both[0]} and {both[0]}{_SUFFIX} are both set: keep the file.")
    secrets = {name: _read(name, path) for name, path in files.items()}
    named = {f"{name}{_SUFFIX}" for name in SECRETS}
    made = {name: value for name, value in given.items() if name not in named}
    for name, value in list(made.items()):
        asked = [part for part in _PLACEHOLDER.findall(value) if part in secrets]
        if any(not secrets[part] for part in asked):
            del made[name]
            continue
        for part in asked:
            made[name] = made[name].replace(f"{{{part}}}", quote(secrets[part], safe=""))
    return made | {name: value for name, value in secrets.items() if value}


def is_production(environment: Mapping[str, str]) -> bool:
    """Everything but a declared demo: in a container, a forgotten variable must not switch the checks off."""
    return environment.get("ENVIRONMENT") != "demo"


def establish() -> dict[str, str]:
    """Put the secrets into this process's environment, where the program that follows finds them; returns it."""
    made = with_secrets(os.environ)
    made.setdefault("ENVIRONMENT", "production")
    os.environ.clear()
    os.environ.update(made)
    return made
