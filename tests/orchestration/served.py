"""The small graph as a code server loads it, a schedule over it, and a job of the tracker's pool beside it.

The world is what a file says: one `stream: sentence` refusal a line; while it says `hold`, every load waits.
"""

import os
import time
from pathlib import Path

import dagster as dg

from extract.errors import SourceRejected
from orchestration import pools, resources
from orchestration.defs import load, reaper, schedules
from tests.orchestration import small


class FiledWorld(small.World):
    """A world whose refusals can be changed from another process."""

    def run_source(self, source: str, **keywords):
        """As `World.run_source`, with the refusals of the file."""
        told = Path(os.environ["SMALL_WORLD"])
        while "hold" in told.read_text().splitlines():
            time.sleep(0.1)
        for line in told.read_text().splitlines():
            stream, _, sentence = line.partition(": ")
            self.answers[stream] = [SourceRejected(sentence)]
        return super().run_source(source, **keywords)


@dg.op(pool=pools.TRACKER)
def send(lease: resources.RunLease) -> None:
    """Stands for what the tracker does with its own rows."""


@dg.job(executor_def=dg.in_process_executor)
def message() -> None:
    """A run that waits for no build."""
    send()


@dg.schedule(job_name=schedules.INCREMENTAL, cron_schedule="* * * * *")
def minutely(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ticks as the hourly schedule does, sooner; switched on by the test that is about it."""
    return schedules.tick(context, schedules.INCREMENTAL)


load.run_source = FiledWorld().run_source  # pyright: ignore[reportAttributeAccessIssue]
defs = dg.Definitions.merge(
    small.definitions(), reaper.definitions(), dg.Definitions(jobs=[message], schedules=[minutely])
)
