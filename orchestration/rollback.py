"""`python -m orchestration.rollback`: readers get the build before the published one back, under a number of its own.

Asks nothing of Dagster: it is wanted when a build was wrong, whatever else is. Ends with 0, or with 1 and a sentence
when there is no earlier build to put back. The next publication brings what was built since, the faulty build included.
"""

import os
import sys

import psycopg

from orchestration.publishing import NoWayBack, put_back
from orchestration.resources import Transforming

_VARIABLES = {
    "host": "DBT_HOST",
    "port": "DBT_PORT",
    "database": "DBT_DATABASE",
    "user": "DBT_USER",
    "password": "DBT_ENV_SECRET_PASSWORD",
}


def main() -> int:
    """Put the earlier build back and say so; returns the exit code."""
    transforming = Transforming(**{name: os.environ[variable] for name, variable in _VARIABLES.items()})
    try:
        with transforming.connection() as db:
            build_id, restored_id = put_back(db)
    except NoWayBack as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except psycopg.errors.LockNotAvailable:
        print("A mart has to be replaced and is being read without a pause: nothing was changed.", file=sys.stderr)
        return 1
    print(
        f"Readers have build {restored_id} again, published as {build_id}. The next publication brings what was built"
        " since: until its fault is mended, stop the schedules `hourly` and `nightly` in the orchestrator."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
