"""The tracker keeps itself in order: every quarter of an hour, and soon after a message was enqueued.

Runs take turns with each other but not with the pipeline (`orchestration.pools`): a message does not wait for a
build. They hold a lease as every run does so that the reaper knows them, and are cut off after ten minutes. Nothing
is tried again within a run, because the next one comes anyway. The steps are transactions of their own: one that
fails fails the run at its end and keeps no other from its work. All rules live in the application.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import dagster as dg

from orchestration import pools
from orchestration.defs.schedules import TIME_ZONE, tick, unfinished
from orchestration.defs.suggest import as_metadata
from orchestration.failures import failure, sentence
from orchestration.resources import RunLease

UPKEEP = "tracker_upkeep"
DELIVERY = "message_delivery"
Step = Callable[[Any, datetime], Any]
TAGS = {"dagster/priority": "-1", "dagster/max_runtime": "600"}


def steps() -> dict[str, Step]:
    """What upkeep does, in order: each takes a connection and business time, and answers a count or a report."""
    # Imported here: the application's services are needed by a run only, and cost a second at code-server start.
    from app import clock, digest, sessions
    from app.actions import escalation, upkeep
    from app.actions import service as actions
    from app.handovers import service as handovers
    from app.sandbox import ledger

    return {
        "wake_snoozed": lambda db, now: actions.wake_snoozed(db, now=now),
        "handovers": lambda db, now: handovers.run_due(db, now=now),
        "retire": lambda db, now: upkeep.run(db, now=now),
        "escalate": lambda db, now: escalation.escalate(db, now=now),
        "digests": lambda db, now: digest.send_due(db, now=now),
        # sessions live in real time: a simulated world that runs ahead signs nobody out
        "sessions": lambda db, _now: sessions.clean_up(db, now=clock.real_now()),
        # and so do statements, which the database dates too
        "statements": lambda db, _now: ledger.forget(db, now=clock.real_now()),
    }


def deliver(now: datetime) -> Any:
    """Send what is due; each message is a transaction of its own."""
    from app.notices.delivery import deliver_due

    return deliver_due(now)


def business_now() -> datetime:
    """The time the data lives in."""
    from app import clock
    from app.db import read

    with read() as db:
        return clock.business_now(db)


def _told(answer: Any) -> Any:
    """A count, or the fields of a report."""
    return answer if isinstance(answer, int) else {name: str(value) for name, value in as_metadata(answer).items()}


class _Round:
    """The steps of one run: what each answered, and the sentence of each that failed."""

    def __init__(self, context: dg.OpExecutionContext) -> None:
        self.context = context
        self.answers: dict[str, Any] = {}
        self.failed: dict[str, str] = {}

    def attempt(self, name: str, work: Callable[[], Any]) -> None:
        """Do one step; whatever it raises is kept for the end."""
        try:
            self.answers[name] = _told(work())
        except Exception as error:
            self.context.log.exception(f"{name} failed")
            self.failed[name] = sentence(error)

    def end(self) -> None:
        """Report. Raises Failure when a step failed."""
        self.context.log.info(json.dumps(self.answers))
        if self.failed:
            told = "; ".join(f"{name}: {words}" for name, words in self.failed.items())
            raise failure("upkeep", told, metadata=self.failed)
        self.context.add_output_metadata(self.answers)


@dg.op(
    description="Wakes, hands over, retires, escalates, writes digests, forgets, then delivers; each by itself.",
    pool=pools.TRACKER,
)
def keep_up(context: dg.OpExecutionContext, lease: RunLease) -> None:
    """Every step once. Running it twice changes nothing more."""
    from app.db import unit_of_work

    round_ = _Round(context)
    now = business_now()

    def in_its_own_transaction(step: Step) -> Any:
        with unit_of_work() as db:
            return step(db, now)

    for name, step in steps().items():
        round_.attempt(name, partial(in_its_own_transaction, step))
    round_.attempt("deliver", partial(deliver, now))
    round_.end()


@dg.op(description="Sends the messages of the outbox that are due.", pool=pools.TRACKER)
def deliver_messages(context: dg.OpExecutionContext, lease: RunLease) -> None:
    """One round of delivery."""
    round_ = _Round(context)
    round_.attempt("deliver", lambda: deliver(business_now()))
    round_.end()


@dg.job(name=UPKEEP, tags=TAGS, executor_def=dg.in_process_executor)
def tracker_upkeep() -> None:
    """Actions, hand-overs, escalation, digests, delivery."""
    keep_up()


@dg.job(name=DELIVERY, tags=TAGS, executor_def=dg.in_process_executor)
def message_delivery() -> None:
    """Delivery alone."""
    deliver_messages()


@dg.schedule(
    job=tracker_upkeep,
    cron_schedule="10,25,40,55 * * * *",
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every quarter of an hour, five minutes after the pipeline's start.",
)
def quarterly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run, unless the last one is still going or waiting."""
    return tick(context, UPKEEP)


def is_waiting() -> bool:
    """Whether a message could be sent now."""
    from app import clock
    from app.db import read
    from app.notices import outbox

    with read() as db:
        return outbox.is_waiting(db, now=clock.business_now(db))


@dg.sensor(
    name="messages_waiting",
    job=message_delivery,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for delivery soon after a message was enqueued.",
)
def messages_waiting(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run while something is due and no run is on its way that would send it."""
    if not is_waiting():
        return dg.SkipReason("No message is due.")
    going = unfinished(context.instance, DELIVERY, UPKEEP)
    if going:
        return dg.SkipReason(f"Run {going.run_id} of {going.job_name} will send what is due.")
    return dg.RunRequest()


def definitions() -> dg.Definitions:
    """Two jobs, a schedule and a sensor."""
    return dg.Definitions(jobs=[tracker_upkeep, message_delivery], schedules=[quarterly], sensors=[messages_waiting])
