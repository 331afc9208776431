"""What the orchestrator of these tests can launch: a job whose runs are counted."""

import dagster as dg


@dg.op
def nothing() -> None:
    """Done."""


@dg.job
def harmless() -> None:
    """One op that does nothing."""
    nothing()


defs = dg.Definitions(jobs=[harmless])
