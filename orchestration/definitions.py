"""The one graph: source streams → raw tables → dbt → learning → dbt → publication → suggestions, columnar copy, second
counts.

Loading it connects to nothing. Started as `dagster code-server start -m orchestration.definitions`.
"""

import dagster as dg

from orchestration import manifest, resources
from orchestration.defs import (
    columnar_copy,
    feedback,
    learn,
    load,
    publish,
    reaper,
    recount,
    schedules,
    suggest,
    transform,
    upkeep,
)


def build() -> dg.Definitions:
    """All assets, checks, jobs, schedules and the reaper. Parses the dbt project when its manifest is stale."""
    built = transform.definitions()
    return dg.Definitions.merge(
        load.definitions(),
        feedback.definitions(load.raw_keys()),
        built,
        learn.definitions(),
        publish.definitions(transform.mart_keys(manifest.load()), transform.stopping_checks(built)),
        columnar_copy.definitions(),
        recount.definitions(),
        suggest.definitions(),
        schedules.definitions(),
        upkeep.definitions(),
        reaper.definitions(),
        # One process per run: steps are short, and a process for each would cost 10 s of imports a step.
        dg.Definitions(resources=resources.from_environment(), executor=dg.in_process_executor),
    )


defs = build()
