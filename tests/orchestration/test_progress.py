"""What a run says of itself in lines, from Dagster's events alone."""

from typing import Any

from orchestration.progress import Progress, in_flow


def event(kind: str, *, at: float = 0, **values: Any) -> dict[str, Any]:
    return {"__typename": kind, "timestamp": str(int(at * 1000)), "message": "", "stepKey": None, **values}


def made(*path: str, rows: int | None = None, label: str = "dagster/row_count") -> dict[str, Any]:
    entries = [{"label": label, "intValue": rows}] if rows is not None else []
    return event("MaterializationEvent", stepKey="dbt", assetKey={"path": list(path)}, metadataEntries=entries)


def texts(progress: Progress, *events: dict[str, Any]) -> list[str]:
    return [line.text for one in events for line in progress.take(one)]


def test_tables_are_counted_by_layer() -> None:
    progress = Progress({"staging": 2, "marts": 3})

    told = texts(progress, made("staging", "a"), made("staging", "b"), made("marts", "fct_invoices", rows=6927))

    assert told == ["staging 1/2  a", "staging 2/2  b", "marts 1/3  fct_invoices  6,927 rows"]
    assert (progress.done_count, progress.total) == (3, 5)


def test_a_step_that_is_tried_again_counts_its_tables_once() -> None:
    progress = Progress({"raw_stripe": 2})

    texts(progress, made("raw_stripe", "prices", rows=3, label="rows_loaded"), made("raw_stripe", "prices"))

    assert progress.counter("raw_stripe") == "raw_stripe 1/2"


def test_tables_of_dbt_are_quiet_until_a_layer_is_complete() -> None:
    progress = Progress({"marts": 2, "raw_stripe": 9})

    lines = [
        line
        for one in (made("marts", "a"), made("marts", "b"), made("raw_stripe", "prices"))
        for line in progress.take(one)
    ]

    assert [line.is_quiet for line in lines] == [True, False, False]


def test_a_finished_step_says_how_long_it_took() -> None:
    progress = Progress({})

    told = texts(
        progress,
        event("ExecutionStepStartEvent", at=10, stepKey="load_stripe"),
        event("ExecutionStepSuccessEvent", at=12.5, stepKey="load_stripe"),
    )

    assert told == ["done  load_stripe in 2.5 s"]


def test_a_failed_step_gives_its_sentence_and_not_a_stack() -> None:
    progress = Progress({})

    progress.take(
        event(
            "ExecutionStepFailureEvent",
            stepKey="load_stripe",
            error={"message": "dagster._core.definitions.events.Failure: load_stripe: refused\n"},
            failureMetadata={"description": "load_stripe: Stripe refuses the key (401)."},
        )
    )

    [failed] = progress.failed_steps
    assert (failed.step, failed.sentence) == ("load_stripe", "load_stripe: Stripe refuses the key (401).")


def test_a_run_that_fails_outside_a_step_is_told_too() -> None:
    progress = Progress({})

    progress.take(event("RunFailureEvent", message="The worker of this run is gone."))

    assert progress.failed_steps[0].sentence == "The worker of this run is gone."


def test_failing_and_warning_checks_are_told_and_passing_ones_counted() -> None:
    progress = Progress({})
    evaluation = {"checkName": "unique_key", "assetKey": {"path": ["marts", "dim_accounts"]}, "severity": "ERROR"}

    told = texts(
        progress,
        event("AssetCheckEvaluationEvent", evaluation={**evaluation, "success": True}),
        event("AssetCheckEvaluationEvent", evaluation={**evaluation, "success": False}),
        event("AssetCheckEvaluationEvent", evaluation={**evaluation, "success": False, "severity": "WARN"}),
    )

    assert told == ["check failed  marts/dim_accounts: unique_key", "check warns  marts/dim_accounts: unique_key"]
    assert progress.check_count == 3
    assert progress.failed_checks == ["marts/dim_accounts: unique_key"]


def test_groups_are_shown_in_the_order_data_flows() -> None:
    assert in_flow(["marts", "staging", "app", "raw_stripe"]) == ["raw_stripe", "staging", "app", "marts"]
