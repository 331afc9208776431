"""`python -m orchestration.rollback`: readers get the build before the published one back, under a number of its own.

Until `--release` they keep it: runs go on building and testing aside, and publish nothing. Asks nothing of Dagster: it
is wanted when a build was wrong, whatever else is. Ends with 0, or with 1 and a sentence when there is nothing to do.
"""

import argparse
import os
import sys

import psycopg

from orchestration.publishing import NothingHeld, NoWayBack, let_through, put_back
from orchestration.resources import Transforming

_VARIABLES = {
    "host": "DBT_HOST",
    "port": "DBT_PORT",
    "database": "DBT_DATABASE",
    "user": "DBT_USER",
    "password": "DBT_ENV_SECRET_PASSWORD",
}


def main() -> int:
    """Put the earlier build back, or let newer ones through again, and say so; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.rollback", description=main.__doc__)
    parser.add_argument(
        "--release", action="store_true", help="the fault is mended: the next green run publishes again"
    )
    is_release = parser.parse_args().release
    transforming = Transforming(**{name: os.environ[variable] for name, variable in _VARIABLES.items()})
    try:
        with transforming.connection() as db:
            print(_release(db) if is_release else _put_back(db))
    except (NoWayBack, NothingHeld) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except psycopg.errors.LockNotAvailable:
        print("A mart has to be replaced and is being read without a pause: nothing was changed.", file=sys.stderr)
        return 1
    return 0


def _put_back(db: psycopg.Connection) -> str:
    build_id, restored_id = put_back(db)
    return (
        f"Readers have build {restored_id} again, published as {build_id}, and keep it: what is built from now on waits"
        " until `make release`."
    )


def _release(db: psycopg.Connection) -> str:
    return f"What readers have is build {let_through(db)} now, and the next green run publishes what was built since."


if __name__ == "__main__":
    sys.exit(main())
