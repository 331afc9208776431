"""What a run has done so far, told in lines: pure bookkeeping over Dagster's events, no network and no terminal.

Groups are the first part of an asset key (`raw_stripe`, `staging`, `marts`, `app`), in the order data flows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FINISHED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
_FLOW = (
    "raw_hubspot",
    "raw_stripe",
    "raw_zendesk",
    "raw_product",
    "raw_survey",
    "seeds",
    "staging",
    "intermediate",
    "learning",
)


@dataclass(frozen=True)
class Line:
    """One line of progress. `is_quiet` lines (one per dbt model) move the bar and are printed only every so often."""

    text: str
    is_quiet: bool = False
    is_problem: bool = False


@dataclass(frozen=True)
class FailedStep:
    """A step that ended the run, and the sentence it gave."""

    step: str
    sentence: str


@dataclass
class Progress:
    """Counts of one run. `totals` is how many tables each group holds, by the job's definition."""

    totals: Mapping[str, int]
    done: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    check_count: int = 0
    failed_checks: list[str] = field(default_factory=list)
    failed_steps: list[FailedStep] = field(default_factory=list)
    _started_at: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.totals.values())

    @property
    def done_count(self) -> int:
        return sum(len(keys) for keys in self.done.values())

    def counter(self, group: str) -> str:
        """E.g. "marts 43/120"."""
        finished = len(self.done.get(group, ()))
        return f"{group} {finished}/{max(finished, self.totals.get(group, 0))}"

    def take(self, event: Mapping[str, Any]) -> list[Line]:
        """The lines one event is worth; most are worth none."""
        handler = _HANDLERS.get(event["__typename"])
        return handler(self, event) if handler else []

    def _step_start(self, event: Mapping[str, Any]) -> list[Line]:
        self._started_at[event["stepKey"]] = _seconds(event)
        return []

    def _materialized(self, event: Mapping[str, Any]) -> list[Line]:
        path = tuple((event.get("assetKey") or {}).get("path") or ())
        if not path:
            return []
        group = path[0]
        self.done.setdefault(group, set()).add(path)
        rows = _rows(event)
        if rows is not None:
            self.rows[group] = self.rows.get(group, 0) + rows
        words = f"{self.counter(group)}  {'/'.join(path[1:])}"
        if rows is not None:
            words += f"  {rows:,} rows"
        is_last = len(self.done[group]) >= self.totals.get(group, 0)
        return [Line(words, is_quiet=not (group.startswith("raw_") or is_last))]

    def _check(self, event: Mapping[str, Any]) -> list[Line]:
        evaluation = event["evaluation"]
        self.check_count += 1
        if evaluation["success"]:
            return []
        name = f"{'/'.join(evaluation['assetKey']['path'])}: {evaluation['checkName']}"
        if evaluation["severity"] == "ERROR":
            self.failed_checks.append(name)
        return [Line(f"check {'failed' if evaluation['severity'] == 'ERROR' else 'warns'}  {name}", is_problem=True)]

    def _step_success(self, event: Mapping[str, Any]) -> list[Line]:
        step = event["stepKey"]
        return [Line(f"done  {step}{self._took(event)}")]

    def _step_failure(self, event: Mapping[str, Any]) -> list[Line]:
        described = (event.get("failureMetadata") or {}).get("description")
        raised = ((event.get("error") or {}).get("message") or "").strip()
        sentence = described or (raised.splitlines()[0] if raised else "no reason was given")
        self.failed_steps.append(FailedStep(event["stepKey"], sentence))
        return [Line(f"failed  {event['stepKey']}{self._took(event)}: {sentence}", is_problem=True)]

    def _retry(self, event: Mapping[str, Any]) -> list[Line]:
        waits = event.get("secondsToWait")
        return [Line(f"again  {event['stepKey']} in {waits or 0} s: it was not available", is_problem=True)]

    def _run_failure(self, event: Mapping[str, Any]) -> list[Line]:
        if not self.failed_steps:
            self.failed_steps.append(FailedStep("run", (event.get("message") or "the run failed").strip()))
        return []

    def _took(self, event: Mapping[str, Any]) -> str:
        begun = self._started_at.get(event["stepKey"])
        return f" in {_seconds(event) - begun:.1f} s" if begun is not None else ""


_HANDLERS = {
    "ExecutionStepStartEvent": Progress._step_start,
    "MaterializationEvent": Progress._materialized,
    "AssetCheckEvaluationEvent": Progress._check,
    "ExecutionStepSuccessEvent": Progress._step_success,
    "ExecutionStepFailureEvent": Progress._step_failure,
    "ExecutionStepUpForRetryEvent": Progress._retry,
    "RunFailureEvent": Progress._run_failure,
}


def _seconds(event: Mapping[str, Any]) -> float:
    return float(event["timestamp"]) / 1000


def _rows(event: Mapping[str, Any]) -> int | None:
    """Rows the event says the table holds or was given; loads that changed nothing say 0."""
    for entry in event.get("metadataEntries") or ():
        if entry.get("label") in ("dagster/row_count", "rows_written", "rows_loaded"):
            return entry.get("intValue")
    return None


def in_flow(groups: Sequence[str]) -> list[str]:
    """Groups in the order data flows; the rest by name after them."""
    known = [group for group in _FLOW if group in groups]
    return known + sorted(set(groups) - set(known))
