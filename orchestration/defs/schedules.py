"""When things run: the same graph hourly over what changed, and nightly over everything.

One run at a time (orchestration/dagster.yaml). An hourly tick finds a run still going only when that one is late; it
then says so and waits for the next hour instead of queueing behind it.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from orchestration.defs import load, publish, recount, transform

TIME_ZONE = "Europe/London"
INCREMENTAL = "incremental"
NIGHTLY = "nightly_full_check"
_UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def _graph(
    name: str, *, selection: dg.AssetSelection, description: str, config: Mapping[str, Any] | None = None
) -> Any:
    return dg.define_asset_job(
        name,
        selection=selection,
        description=description,
        config=dict(config) if config else None,
        executor_def=dg.in_process_executor,
        tags={"pipeline": name},
    )


def full_check_config() -> dict[str, Any]:
    """Run config of the nightly job: every stream read in full, every dbt test, every row of the marts compared."""
    loads = {step: {"config": {"kind": load.LoadKind.FULL_SCAN.name}} for step in load.steps()}
    every_test = {"config": {"tests": transform.BuildScope.ALL.name}}
    builds = dict.fromkeys((transform.STEP, transform.STEP_AFTER_LEARNING), every_test)
    return {"ops": {**loads, **builds, publish.OP: {"config": {"every_row": True}}}}


incremental = _graph(
    INCREMENTAL,
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(recount.KEY),
    description="What changed at the sources, to marts, a publication and suggestions.",
)
nightly_full_check = _graph(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    description="Every stream in full, so that what a change clock missed is found; every dbt test; a second count.",
    config=full_check_config(),
)


def unfinished(instance: dg.DagsterInstance, *jobs: str) -> dg.DagsterRun | None:
    """A run of one of the jobs that waits or is going, if there is one."""
    for job in jobs:
        found = instance.get_runs(RunsFilter(job_name=job, statuses=_UNFINISHED), limit=1)
        if found:
            return found[0]
    return None


def tick(context: dg.ScheduleEvaluationContext, job: str) -> dg.RunRequest | dg.SkipReason:
    """What a schedule answers: one run a tick, none while the last one waits or is going."""
    going = unfinished(context.instance, job)
    if going:
        return dg.SkipReason(f"Run {going.run_id} of {job} has not ended yet.")
    at = context.scheduled_execution_time
    return dg.RunRequest(run_key=at.isoformat(), tags={"scheduled_at": at.isoformat()})


@dg.schedule(
    job=incremental,
    cron_schedule="5 * * * *",
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Five past every hour.",
)
def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One incremental run, unless the last one is still going."""
    return tick(context, INCREMENTAL)


@dg.schedule(
    job=nightly_full_check,
    cron_schedule="30 2 * * *",
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Half past two at night, London time; both clock changes pass at one o'clock.",
)
def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One full check, unless the last one is still going."""
    return tick(context, NIGHTLY)


def definitions() -> dg.Definitions:
    """Jobs and schedules."""
    return dg.Definitions(jobs=[incremental, nightly_full_check], schedules=[hourly, nightly])
