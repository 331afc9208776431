"""Bring schema `app` to the newest migration, from a program. Two at once are harmless: the second waits, then finds
nothing to do."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, pool, text

_LOCK = 7_461_001  # any constant of ours: migrations of this schema take turns on it


def configuration() -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def _with_connection(url: str, run: str, revision: str) -> None:
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"connect_timeout": 5})
    with engine.connect() as guard:
        # The lock is the session's, on a connection of its own, so that it outlives each migration's transaction.
        guard.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        guard.commit()
        with engine.connect() as connection:
            connection.execute(text("set lock_timeout = '5s'"))
            connection.commit()
            config = configuration()
            config.attributes["connection"] = connection
            getattr(command, run)(config, revision)
            connection.commit()
    engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Run the missing migrations on the database at `url` (a SQLAlchemy address of role `application`).

    Raises sqlalchemy.exc.SQLAlchemyError when the server refuses; a failed migration leaves the one before it in place.
    """
    _with_connection(url, "upgrade", revision)


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to `revision`; `base` removes every table of the schema, with all it holds."""
    _with_connection(url, "downgrade", revision)
