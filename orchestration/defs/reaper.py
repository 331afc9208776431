"""Runs that nobody executes any more: found by their lease and marked as failed.

Dagster's default launcher can not ask a worker whether it lives; after a power cut its runs stay STARTED for ever, and
since one run at a time is the rule, every later run would wait behind them. A run whose lease is free and which has
said nothing for `SILENCE_SECONDS` is reported as failed; `run_retries` in dagster.yaml then continues it from the
step that was cut off.
"""

import time

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from orchestration.resources import Loading, is_leased

SILENCE_SECONDS = 60.0  # between a run's start or end and its lease there is a second without lock
_LOOKED_AT = 50
_GONE = "The worker of this run is gone: it was killed, or its machine stopped."


def _last_word(instance: dg.DagsterInstance, run_id: str) -> float:
    """Unix time of the newest event of the run, 0 when it has none."""
    newest = instance.get_records_for_run(run_id, limit=1, ascending=False).records
    return newest[0].timestamp if newest else 0.0


def reap(instance: dg.DagsterInstance, loading: Loading, *, now: float) -> list[str]:
    """Mark orphaned runs as failed; returns their ids. `now` is unix time.

    Raises psycopg.OperationalError when the warehouse is away: without it nobody can say which worker lives.
    """
    started = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]), limit=_LOOKED_AT)
    silent = [run for run in started if now - _last_word(instance, run.run_id) > SILENCE_SECONDS]
    if not silent:
        return []
    reaped = []
    with loading.connection() as connection:
        for run in silent:
            if not is_leased(connection, run.run_id):
                instance.report_run_failed(
                    run, "The worker of this run is gone: it was killed, or its machine stopped."
                )
                reaped.append(run.run_id)
    return reaped


@dg.sensor(
    name="orphaned_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs whose worker died unseen as failed, so that the queue goes on.",
)
def orphaned_runs(context: dg.SensorEvaluationContext, loading: Loading) -> dg.SkipReason:
    """Reap on every tick; asks for no run itself."""
    reaped = reap(context.instance, loading, now=time.time())
    return dg.SkipReason(f"Marked as failed: {', '.join(reaped)}" if reaped else "Every started run has its worker.")


def definitions() -> dg.Definitions:
    """The reaper as a sensor."""
    return dg.Definitions(sensors=[orphaned_runs])
