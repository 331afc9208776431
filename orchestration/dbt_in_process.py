"""dbt inside the run worker: no second Python to start, its results as Dagster events while it works.

dagster-dbt starts `dbt` as a process, and `dbt --version` before that: 6 s and 5 s on two cores, against 26 ms for a
node. The worker has imported dbt anyhow, so here the command runs in a thread and hands over its events through a
queue. What an event means stays dagster-dbt's own translation (`DbtCoreCliEventMessage`), which is internal to a
pinned release and covered by tests.

A thread, because dbt returns only at the end and the run page should fill while it works. It is a daemon thread: a
cancelled run cuts dbt's connections, PostgreSQL rolls the open statement back, and the process may end.
"""

import contextlib
import queue
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

RESULT_EVENTS = frozenset({"LogSeedResult", "LogModelResult", "LogSnapshotResult", "LogTestResult"})
_FAILED = frozenset({"error", "fail", "runtime error"})
_ROWS = re.compile(r"^(?:SELECT|INSERT \d+|INSERT|MERGE|UPDATE|DELETE) (\d+)$")

Event = dg.Output | dg.AssetMaterialization | dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.AssetObservation


@dataclass(frozen=True)
class FailedNode:
    """A model, seed, snapshot or test that did not pass. `message` is dbt's, which may quote row values."""

    name: str
    kind: str
    message: str


@dataclass(frozen=True)
class Ending:
    """How a dbt command ended. `exception` is set when it broke before or between nodes."""

    success: bool
    node_count: int
    failed: tuple[FailedNode, ...]
    exception: BaseException | None


@dataclass
class DbtCommand:
    """One dbt command, running in a thread of this process from the moment `events` is iterated.

    `ending` is there when the iteration is over.
    """

    arguments: Sequence[str]
    ending: Ending | None = None
    _events: "queue.Queue[Any]" = field(default_factory=queue.Queue)

    def _work(self) -> None:
        from dbt.cli.main import dbtRunner

        try:
            answer = dbtRunner(callbacks=[self._keep]).invoke(list(self.arguments))
            self.ending = _ending(answer.success, answer.result, answer.exception)
        except BaseException as error:  # whatever it is, the consumer must hear of it instead of waiting for ever
            self.ending = Ending(success=False, node_count=0, failed=(), exception=error)
        finally:
            self._events.put(None)

    def _keep(self, event: Any) -> None:
        if event.info.name in RESULT_EVENTS:
            self._events.put(event)

    def events(self) -> Iterator[Mapping[str, Any]]:
        """dbt's structured result events in the order they happen, as dictionaries. Raises nothing of dbt's."""
        from dbt_common.events.functions import msg_to_dict

        thread = threading.Thread(target=self._work, name="dbt", daemon=True)
        thread.start()
        try:
            while (event := self._events.get()) is not None:
                yield msg_to_dict(event)
        except BaseException:
            _cancel_statements()
            raise
        thread.join()


def _ending(success: bool, result: Any, exception: BaseException | None) -> Ending:
    results = list(getattr(result, "results", None) or [])
    failed = tuple(
        FailedNode(one.node.name, str(one.node.resource_type), str(one.message or "").strip())
        for one in results
        if str(one.status) in _FAILED
    )
    return Ending(success=success, node_count=len(results), failed=failed, exception=exception)


def _cancel_statements() -> None:
    """End dbt's open statements after a cancelled run. Best effort: the process ends right after.

    By libpq's cancel request, which any thread may send. dbt's own way asks through a connection of the calling
    thread, and this thread has none.
    """
    from dbt.adapters.factory import get_adapter_by_type

    with contextlib.suppress(Exception):
        connections: Any = get_adapter_by_type("postgres").connections
        for connection in list(connections.thread_connections.values()):
            if connection.state == "open":
                with contextlib.suppress(Exception):
                    connection.handle.cancel()


def rows_written(status: str) -> int | None:
    """Rows of a command tag, e.g. "SELECT 12" or "INSERT 0 12"; None for views and the like."""
    match = _ROWS.match(status)
    return int(match.group(1)) if match else None


def to_dagster(
    event: Mapping[str, Any],
    *,
    manifest: Mapping[str, Any],
    translator: DagsterDbtTranslator,
    context: dg.AssetExecutionContext,
    metadata: Mapping[str, Any],
) -> Iterator[Event]:
    """The Dagster events of one dbt result; a table carries `metadata`, its rows written and its seconds."""
    message = DbtCoreCliEventMessage(raw_event=dict(event), event_history_metadata={})
    for made in message.to_default_asset_events(manifest=manifest, dagster_dbt_translator=translator, context=context):
        if isinstance(made, dg.Output):
            rows = rows_written(str(event["data"].get("status", "")))
            own = {**metadata, "duration_seconds": round(float(event["data"].get("execution_time", 0.0)), 3)}
            if rows is not None:
                own["dagster/row_count" if _is_rebuilt(manifest, event) else "rows_written"] = rows
            yield made.with_metadata({**made.metadata, **own})
        else:
            yield made


def _is_rebuilt(manifest: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    node = manifest["nodes"][event["data"]["node_info"]["unique_id"]]
    return node.get("config", {}).get("materialized") in ("table", "seed")
