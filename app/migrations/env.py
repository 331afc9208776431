"""Alembic's environment: schema `app` only, its version table inside it. Started by `run.py`, which gives the
connection.
"""

from alembic import context
from sqlalchemy import create_engine, pool

import app.actions.tables
import app.suggestions.tables  # noqa: F401  # both register their tables in the metadata
from app.settings import get_settings
from app.tables import metadata


def _include(name: str | None, kind: str, parents: object) -> bool:
    return kind != "schema" or name == "app"


def _run(connection: object) -> None:
    context.configure(
        connection=connection,  # pyright: ignore[reportArgumentType]
        target_metadata=metadata,
        version_table_schema="app",
        include_schemas=True,
        include_name=_include,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with create_engine(get_settings().app_database_url.get_secret_value(), poolclass=pool.NullPool).connect() as own:
        _run(own)
