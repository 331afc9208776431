"""The running orchestrator as seen from outside: the few GraphQL questions we ask the Dagster webserver.

Nothing here imports Dagster: that would cost a caller 2 s before the first question.
"""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx

_JOBS = """query Jobs { repositoriesOrError { __typename
  ... on RepositoryConnection { nodes { name location { name } jobs { name } } }
  ... on PythonError { message } } }"""
_ASSETS = """query Assets($job: PipelineSelector!) {
  assetNodes(pipeline: $job) { assetKey { path } isMaterializable } }"""
_LAUNCH = """mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } }
  ... on RunConfigValidationInvalid { errors { message } }
  ... on PythonError { message } } }"""
_RETRY = """mutation Again($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } }
  ... on PythonError { message } } }"""
_STATUS = """query Status($runId: ID!) { runOrError(runId: $runId) { __typename
  ... on Run { status startTime endTime }
  ... on PythonError { message } } }"""
_EVENTS = """query Events($runId: ID!, $cursor: String) { logsForRun(runId: $runId, afterCursor: $cursor, limit: 1000) {
  __typename
  ... on EventConnection { cursor hasMore events { __typename
    ... on MessageEvent { message timestamp stepKey }
    ... on MaterializationEvent { assetKey { path } metadataEntries { label ... on IntMetadataEntry { intValue } } }
    ... on ExecutionStepFailureEvent { error { message } failureMetadata { description } }
    ... on ExecutionStepUpForRetryEvent { secondsToWait }
    ... on AssetCheckEvaluationEvent { evaluation { success checkName severity assetKey { path } } } } } } }"""


class LaunchFailed(Exception):
    """The orchestrator can not be asked, or refuses; the message is a sentence for a person."""


@dataclass(frozen=True)
class Job:
    """Where a job lives."""

    name: str
    repository: str
    location: str

    @property
    def selector(self) -> dict[str, str]:
        return {
            "repositoryLocationName": self.location,
            "repositoryName": self.repository,
            "pipelineName": self.name,
        }


class Orchestrator:
    """The webserver's GraphQL, with the few questions this module asks."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        try:
            answer = self._client.post("/graphql", json={"query": query, "variables": variables})
            answer.raise_for_status()
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise LaunchFailed(f"The orchestrator at {self._client.base_url} does not answer: {error}") from error
        if body.get("errors"):
            raise LaunchFailed(f"The orchestrator refuses the question: {body['errors'][0]['message']}")
        return body["data"]

    def find(self, name: str) -> Job:
        """The job of that name. Raises LaunchFailed when no loaded code location has it."""
        found = self._ask(_JOBS)["repositoriesOrError"]
        if found["__typename"] != "RepositoryConnection":
            raise LaunchFailed(f"The orchestrator could not load its definitions: {found.get('message', '')}")
        jobs = [
            Job(job["name"], node["name"], node["location"]["name"]) for node in found["nodes"] for job in node["jobs"]
        ]
        for job in jobs:
            if job.name == name:
                return job
        known = ", ".join(sorted(job.name for job in jobs if not job.name.startswith("__"))) or "none is loaded yet"
        raise LaunchFailed(f"There is no job called {name}; known jobs: {known}.")

    def find_when_loaded(self, name: str, *, patience_seconds: float) -> Job:
        """As `find`, but waits for a code location that is still loading."""
        give_up = time.monotonic() + patience_seconds
        while True:
            try:
                return self.find(name)
            except LaunchFailed:
                if time.monotonic() > give_up:
                    raise
            time.sleep(1)

    def totals(self, job: Job) -> dict[str, int]:
        """Tables per group that the job writes."""
        nodes = self._ask(_ASSETS, job=job.selector)["assetNodes"]
        return dict(Counter(node["assetKey"]["path"][0] for node in nodes if node["isMaterializable"]))

    def launch(self, job: Job) -> str:
        """Start the job; returns the run's id."""
        selector = {**job.selector, "jobName": job.name}
        del selector["pipelineName"]
        return self._started(self._ask(_LAUNCH, params={"selector": selector, "mode": "default"})["launchRun"])

    def launch_from_failure(self, run_id: str) -> str:
        """Continue a failed run where it failed; returns the new run's id."""
        params = {"parentRunId": run_id, "strategy": "FROM_FAILURE"}
        return self._started(self._ask(_RETRY, params=params)["launchRunReexecution"])

    @staticmethod
    def _started(answer: dict[str, Any]) -> str:
        if answer["__typename"] == "LaunchRunSuccess":
            return answer["run"]["runId"]
        reasons = [one["message"] for one in answer.get("errors", [])] or [answer.get("message", "")]
        raise LaunchFailed(f"The run was not started ({answer['__typename']}): {' '.join(reasons).strip()}")

    def status(self, run_id: str) -> str:
        """E.g. QUEUED, STARTED, SUCCESS."""
        run = self._ask(_STATUS, runId=run_id)["runOrError"]
        if run["__typename"] != "Run":
            raise LaunchFailed(f"Run {run_id} is unknown to the orchestrator.")
        return run["status"]

    def events(self, run_id: str, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
        """Events after the cursor, and the next cursor."""
        events: list[dict[str, Any]] = []
        while True:
            page = self._ask(_EVENTS, runId=run_id, cursor=cursor)["logsForRun"]
            if page["__typename"] != "EventConnection":
                return events, cursor
            events += page["events"]
            cursor = page["cursor"]
            if not page["hasMore"]:
                return events, cursor
