"""Upkeep as Dagster runs it: every step once, a failing one alone, behind the pipeline, and mail soon after."""

import json
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from dagster import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import create_engine, text

from app.db import engine, unit_of_work
from app.migrations.run import upgrade
from app.notices import outbox
from app.settings import get_settings
from local.postgres import Postgres, free_port
from orchestration.definitions import build
from orchestration.defs import upkeep
from orchestration.resources import RunLease
from tests.conftest import Warehouse, drop_database, make_warehouse


class Inbox:
    """Subjects that arrived."""

    def __init__(self) -> None:
        self.contents: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.contents.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture(scope="module")
def migrated(postgres_server: Postgres) -> Iterator[Warehouse]:
    """A warehouse of this module with schema app."""
    made = make_warehouse(postgres_server)
    upgrade(made.application_url)
    yield made
    drop_database(postgres_server, made.database)


@pytest.fixture
def inbox(migrated: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """The environment of a run, with a mail server."""
    box, port = Inbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    for name, value in {
        "APP_DATABASE_URL": migrated.application_url,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(port),
        "SMTP_STARTTLS": "false",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FOLLOW_SOURCE_CLOCK", raising=False)
    get_settings.cache_clear()
    engine.cache_clear()
    yield box
    engine().dispose()
    engine.cache_clear()
    get_settings.cache_clear()
    admin = create_engine(migrated.application_url)
    with admin.begin() as db:
        db.execute(text("delete from app.outbox"))
    admin.dispose()
    server.stop()


def put(key: str, at: datetime) -> None:
    with unit_of_work() as db:
        outbox.enqueue(
            db,
            now=at,
            channel=outbox.Channel.EMAIL,
            recipient="maya@force24.example",
            subject=f"Message {key}",
            body="",
            dedupe_key=key,
        )


def run(job: dg.JobDefinition, warehouse: Warehouse, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    lease = RunLease(dsn=warehouse.loader_dsn)
    return job.execute_in_process(instance=instance, resources={"lease": lease}, raise_on_error=False)


def answers(result: dg.ExecuteInProcessResult, op: str) -> dict[str, Any]:
    [output] = [event for event in result.events_for_node(op) if event.is_successful_output]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def ask(instance: dg.DagsterInstance) -> dg.RunRequest | str:
    with dg.build_sensor_context(instance, repository_def=build().get_repository_def()) as context:
        answer = upkeep.messages_waiting.evaluate_tick(context)
    return answer.run_requests[0] if answer.run_requests else answer.skip_message or ""


def tick(instance: dg.DagsterInstance, at: datetime) -> dg.RunRequest | str:
    repository = build().get_repository_def()
    with dg.build_schedule_context(instance, scheduled_execution_time=at, repository_def=repository) as context:
        answer = upkeep.quarterly.evaluate_tick(context)
    return answer.run_requests[0] if answer.run_requests else answer.skip_message or ""


def test_upkeep_does_every_step_and_then_delivers(
    inbox: Inbox, migrated: Warehouse, instance: dg.DagsterInstance
) -> None:
    put("one", datetime.now(UTC) - timedelta(minutes=1))

    first = run(upkeep.tracker_upkeep, migrated, instance)
    again = run(upkeep.tracker_upkeep, migrated, instance)

    assert first.success
    assert list(answers(first, "keep_up")) == [*upkeep.steps(), "deliver"]
    assert answers(first, "keep_up")["deliver"]["sent"] == "1"
    assert answers(again, "keep_up")["deliver"]["sent"] == "0"
    assert len(inbox.contents) == 1


def test_a_step_that_fails_is_named_and_keeps_no_other_from_its_work(
    inbox: Inbox, migrated: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(db: object, now: datetime) -> None:
        raise ValueError("the thresholds make no sense at all")

    done = upkeep.steps()
    monkeypatch.setattr(upkeep, "steps", lambda: {"escalate": broken, "wake_snoozed": done["wake_snoozed"]})
    put("two", datetime.now(UTC) - timedelta(minutes=1))

    result = run(upkeep.tracker_upkeep, migrated, instance)

    assert not result.success
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "escalate: the thresholds make no sense at all" in json.dumps(str(failed.step_failure_data))
    assert len(inbox.contents) == 1


def test_what_a_failed_step_wrote_is_taken_back(
    inbox: Inbox, migrated: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_done(db: Any, now: datetime) -> None:
        outbox.enqueue(
            db, now=now, channel=outbox.Channel.EMAIL, recipient="x@y.example", subject="no", body="", dedupe_key="no"
        )
        raise ValueError("half way through the work")

    monkeypatch.setattr(upkeep, "steps", lambda: {"digests": half_done})

    run(upkeep.tracker_upkeep, migrated, instance)

    assert inbox.contents == []


def test_a_mail_server_that_is_down_fails_no_run(
    inbox: Inbox, migrated: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: object, **keywords: object) -> None:
        raise smtplib.SMTPServerDisconnected

    put("three", datetime.now(UTC) - timedelta(minutes=1))
    monkeypatch.setattr(smtplib.SMTP, "connect", away)

    result = run(upkeep.message_delivery, migrated, instance)

    assert result.success
    assert answers(result, "deliver_messages")["deliver"] == {"sent": "0", "failed": "1", "given_up": "0"}


def test_delivery_is_asked_for_while_a_message_is_due_and_not_otherwise(
    inbox: Inbox, instance: dg.DagsterInstance
) -> None:
    assert ask(instance) == "No message is due."

    put("later", datetime.now(UTC) + timedelta(hours=1))
    assert ask(instance) == "No message is due."

    put("now", datetime.now(UTC) - timedelta(minutes=1))
    assert isinstance(ask(instance), dg.RunRequest)


@pytest.mark.parametrize("job", [upkeep.DELIVERY, upkeep.UPKEEP])
def test_delivery_is_not_asked_for_while_a_run_is_on_its_way_that_delivers(
    inbox: Inbox, instance: dg.DagsterInstance, job: str
) -> None:
    put("waiting", datetime.now(UTC) - timedelta(minutes=1))
    going = create_run_for_test(instance, job_name=job, status=DagsterRunStatus.STARTING)

    assert ask(instance) == f"Run {going.run_id} of {job} will send what is due."


def test_upkeep_does_not_queue_behind_itself(instance: dg.DagsterInstance) -> None:
    at = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
    first = tick(instance, at)
    going = create_run_for_test(instance, job_name=upkeep.UPKEEP, status=DagsterRunStatus.STARTED)

    assert isinstance(first, dg.RunRequest)
    assert tick(instance, at) == f"Run {going.run_id} of {upkeep.UPKEEP} has not ended yet."


@pytest.mark.parametrize("job", [upkeep.tracker_upkeep, upkeep.message_delivery], ids=lambda one: one.name)
def test_runs_stand_behind_the_pipeline_hold_a_lease_and_end_within_ten_minutes(job: dg.JobDefinition) -> None:
    assert int(job.tags["dagster/priority"]) < 0
    assert int(job.tags["dagster/max_runtime"]) == 600
    assert all("lease" in node.definition.required_resource_keys for node in job.nodes)  # pyright: ignore[reportAttributeAccessIssue]
