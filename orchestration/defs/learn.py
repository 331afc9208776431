"""learning/*: between the two dbt steps, train when it is time and score the days that the build works over.

A learner that fails is no reason to show nobody anything: the step ends well, its check says what happened, and the
build goes on with the version of before, or with the rules where there is none. All methods live in `learning/`.
"""

from collections.abc import Callable
from typing import TypeVar

import dagster as dg

from orchestration import pools
from orchestration.failures import retry_or_fail, sentence
from orchestration.resources import Learning, RunLease
from orchestration.translators import LEARNING_SCHEMA, raw_key

VERSIONS = raw_key(LEARNING_SCHEMA, "model_versions")
SCORES = raw_key(LEARNING_SCHEMA, "churn_scores")
CHECK = "learner_did_its_work"
_READ = {VERSIONS: "int_risk__training_days", SCORES: "int_risk__scoring_days"}

Answer = TypeVar("Answer")


def _attempt(context: dg.AssetExecutionContext, step: str, work: Callable[[], Answer]) -> tuple[Answer | None, str]:
    """What the work answers, and "" or why there is no answer. Raises RetryRequested while a retry may help."""
    try:
        return work(), ""
    except Exception as error:
        raised = retry_or_fail(error, step=step, attempt=context)
        if isinstance(raised, dg.RetryRequested):
            raise raised from error
        context.log.exception(f"{step} failed; the build goes on without it")
        return None, sentence(error)


def _told(problem: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK, passed=not problem, severity=dg.AssetCheckSeverity.WARN, description=problem or None
    )


def _spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(CHECK, asset=key, blocking=False, description="False when the build had to do without.")


@dg.asset(
    key=VERSIONS,
    deps=[dg.AssetKey(["intermediate", _READ[VERSIONS]])],
    group_name="learning",
    kinds={"python", "postgres"},
    pool=pools.WAREHOUSE,
    check_specs=[_spec(VERSIONS)],
    description="One row per training of the model of churn: weekly by the data's clock, and when there is none.",
)
def model_versions(context: dg.AssetExecutionContext, learning: Learning, lease: RunLease) -> dg.MaterializeResult:
    """Train when the newest version is a week old; what came of it, rules included, is in force from today on."""
    # Imported here: scientific libraries take a second of the code server's start and are needed by this step only.
    from learning import service
    from learning.store import Version

    def train() -> Version | None:
        with learning.connection() as db:
            return service.train_when_due(db, say=context.log.info)

    made, problem = _attempt(context, "training", train)
    told = {"kind": made.kind, "basis": made.basis, "chosen_because": made.chosen_because} if made else {}
    trained = {"trained": bool(made), **told, **({"model_version": made.model_version} if made else {})}
    return dg.MaterializeResult(metadata=trained, check_results=[_told(problem)])


@dg.asset(
    key=SCORES,
    deps=[VERSIONS, dg.AssetKey(["intermediate", _READ[SCORES]])],
    group_name="learning",
    kinds={"python", "postgres"},
    pool=pools.WAREHOUSE,
    check_specs=[_spec(SCORES)],
    description="One row per account, day and version: the learned probability of churn and its drivers.",
)
def churn_scores(context: dg.AssetExecutionContext, learning: Learning, lease: RunLease) -> dg.MaterializeResult:
    """Score the account-days of this build with the version in force on each; scoring twice writes nothing more."""
    from learning import service

    def score() -> service.Scored:
        with learning.connection() as db:
            return service.score(db)

    done, problem = _attempt(context, "scoring", score)
    counted = {"day_count": done.day_count, "rows_written": done.written_count} if done else {}
    return dg.MaterializeResult(metadata=counted, check_results=[_told(problem)])


def definitions() -> dg.Definitions:
    """The two steps of the learner."""
    return dg.Definitions(assets=[model_versions, churn_scores])
