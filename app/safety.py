"""Whether a process may start: careless secrets and too powerful accounts stop it, each with one line that says why.

A default password is found by strangers within hours, and an application that is a superuser turns any injection into
the whole server. Both work perfectly until then, so nobody notices unless the start refuses. The demo makes its own
secrets and is let through.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urlsplit

import psycopg

SHORTEST_SECRET = 16
FEWEST_CHARACTERS = 6  # different ones: "aaaaaaaaaaaaaaaa" is long
_ADDRESSES = (
    "APP_DATABASE_URL", "ANALYST_DSN", "LOADER_DSN", "LEARNER_DSN", "DAGSTER_PG_URL", "BACKUP_DSN", "REDIS_URL",
)  # fmt: skip
# a secret by itself, and the variable that holds the same one where a process has both
_PASSWORDS = {
    "POSTGRES_PASSWORD": None,
    "DBT_ENV_SECRET_PASSWORD": None,
    "PROXY_SECRET": None,
    "APPLICATION_PASSWORD": "APP_DATABASE_URL",
    "LOADER_PASSWORD": "LOADER_DSN",
    "LEARNER_PASSWORD": "LEARNER_DSN",
    "TRANSFORMER_PASSWORD": "DBT_ENV_SECRET_PASSWORD",
    "DAGSTER_PASSWORD": "DAGSTER_PG_URL",
    "ANALYST_PASSWORD": "ANALYST_DSN",
    "BACKUP_PASSWORD": "BACKUP_DSN",
    "REDIS_PASSWORD": "REDIS_URL",
}
_DATABASES = ("APP_DATABASE_URL", "ANALYST_DSN", "LOADER_DSN", "LEARNER_DSN", "DAGSTER_PG_URL", "BACKUP_DSN")
_BROWSER_ADDRESSES = ("PUBLIC_URL", "ORCHESTRATOR_SITE", "API_URL", "STREAMLIT_URL")
# as a whole, or with digits and punctuation around: "Password-2026!"
_DEFAULTS = frozenset(
    {
        "password", "passwort", "passw0rd", "postgres", "postgresql", "redis", "valkey", "admin", "administrator",
        "root", "secret", "changeme", "changethis", "default", "example", "test", "testpassword", "demo",
        "warehouse", "application", "loader", "transformer", "learner", "dagster", "analyst", "token", "key",
        "mysecretpassword", "insecure",
    }
)  # fmt: skip
_TOO_POWERFUL = """
    select string_agg(distinct reason, ', ' order by reason) from (
        select unnest(array[
            case when rolsuper then 'superuser' end,
            case when rolcreaterole then 'may create roles' end,
            case when rolcreatedb then 'may create databases' end,
            case when rolreplication then 'may replicate' end,
            case when rolbypassrls then 'passes row security' end]) as reason
        from pg_roles where rolname = current_user
        union all
        select 'is a member of ' || rolname from pg_roles
        where (rolsuper or rolname in
               ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
          and rolname <> current_user and pg_has_role(current_user, oid, 'member')
          and not (select rolsuper from pg_roles where rolname = current_user)  -- who is a member of everything
    ) as reasons where reason is not null
"""


class UnsafeStart(Exception):
    """The process must not start; `reasons` has a line for each thing that is wrong, none of which shows a secret."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("Refusing to start: " + "; ".join(reasons) + ".")
        self.reasons = list(reasons)


def _password(address: str) -> str | None:
    found = urlsplit(address).password
    return unquote(found) if found else None


def _is_default(secret: str) -> bool:
    letters = "".join(character for character in secret.casefold() if character.isalpha())
    return letters in _DEFAULTS or any(letters == 2 * word for word in _DEFAULTS)


def _secrets(environment: Mapping[str, str]) -> dict[str, str | None]:
    given = {name: _password(environment[name]) for name in _ADDRESSES if environment.get(name)}
    alone = {name for name, same in _PASSWORDS.items() if environment.get(name) and not environment.get(same or "")}
    return given | {name: environment[name] for name in _PASSWORDS if name in alone}


def careless(environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the secrets and addresses of `environment` (variables by name); [] when nothing is.

    Looks at what is there only: which variables a process needs is its settings' business.
    """
    reasons = []
    seen: dict[str, str] = {}
    for name, secret in _secrets(environment).items():
        if not secret:
            reasons.append(f"{name} has no password")
        elif _is_default(secret):
            reasons.append(f"the password of {name} is a default that anybody would try")
        elif len(secret) < SHORTEST_SECRET:
            reasons.append(f"the password of {name} has fewer than {SHORTEST_SECRET} characters")
        elif len(set(secret)) < FEWEST_CHARACTERS:
            reasons.append(f"the password of {name} repeats itself")
        elif secret in seen:
            reasons.append(f"{seen[secret]} and {name} have the same password")
        else:
            seen[secret] = name
    for name in _BROWSER_ADDRESSES:
        parts = urlsplit(environment.get(name) or "https://localhost")
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            reasons.append(f"{name} does not begin with https://, so the session cookie would travel in the clear")
    return reasons


def refuse_careless(environment: Mapping[str, str]) -> None:
    """Raise UnsafeStart when `careless` finds anything."""
    if reasons := careless(environment):
        raise UnsafeStart(reasons)


def too_powerful(address: str) -> str | None:
    """What makes the account of a database address too powerful for a service, e.g. "superuser"; None when nothing.

    Raises psycopg.OperationalError when the server can not be asked.
    """
    scheme, _, rest = address.partition("://")
    plain = f"{scheme.partition('+')[0]}://{rest}"
    with psycopg.connect(plain, connect_timeout=5, autocommit=True) as server:
        try:
            row = server.execute(_TOO_POWERFUL).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            # the analysts' account: who may not even look up what it is has been given nothing (`local/warehouse.py`)
            return None
    return row[0] if row else None


def refuse_unsafe(environment: Mapping[str, str], *, is_production: bool, needs_server: bool = False) -> None:
    """Raise UnsafeStart when a production process must not start with this environment.

    A database that does not answer can not be asked about its accounts: with `needs_server` that raises
    psycopg.OperationalError, else the start goes on and the service says by itself that its database is away.
    """
    if not is_production:
        return
    refuse_careless(environment)
    reasons = []
    for name in _DATABASES:
        if not environment.get(name):
            continue
        try:
            power = too_powerful(environment[name])
        except psycopg.OperationalError:
            if needs_server:
                raise
            continue
        if power:
            reasons.append(f"the account of {name} is too powerful for a service ({power})")
    if reasons:
        raise UnsafeStart(reasons)
