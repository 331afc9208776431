"""marts/figure_checks: every night a hundred random figures of what was published are counted again from raw rows.

It stands behind the publication, in the same run as the loads: nothing comes in between, so raw rows are what the build
saw. What does not match fails the check and is named on the page Trust; it takes nothing back, because a person should
see first which of the two counts is wrong (`make rollback` is theirs). How it is counted: `recount/`.
"""

import dagster as dg

from orchestration import pools
from orchestration.defs.publish import KEY as PUBLICATIONS
from orchestration.failures import sorted_out
from orchestration.resources import RunLease, Transforming
from orchestration.translators import raw_key

STEP = "figure_checks"
KEY = raw_key("marts", "figure_checks")
CHECK = "figures_match_raw"
_NAMED = 10  # that did not match, in the check's own words


@dg.asset(
    key=KEY,
    deps=[PUBLICATIONS],
    group_name="publication",
    kinds={"python", "postgres"},
    pool=pools.WAREHOUSE,
    check_specs=[
        dg.AssetCheckSpec(
            CHECK, asset=KEY, blocking=False, description="False when a second count comes out different."
        )
    ],
    description="One row per published figure that was counted again from raw rows.",
)
def figure_checks(
    context: dg.AssetExecutionContext, transforming: Transforming, lease: RunLease
) -> dg.MaterializeResult:
    """Count a hundred again; the seed is this run's id."""
    # Imported here: needed by this step only.
    from recount.check import Verdict, check

    with sorted_out(STEP, context), transforming.connection() as db:
        db.execute("set transaction isolation level repeatable read")
        db.execute("set local time zone 'UTC'")
        answers = check(db, seed=context.run.run_id)
    counted = {verdict: sum(one.verdict is verdict for one in answers) for verdict in Verdict}
    different = [str(one) for one in answers if one.verdict is Verdict.DIFFERS]
    told = {f"{verdict}_count": count for verdict, count in counted.items()}
    return dg.MaterializeResult(
        metadata={"seed": context.run.run_id, **told},
        check_results=[
            dg.AssetCheckResult(
                check_name=CHECK,
                passed=not different and counted[Verdict.SAME] > 0,
                severity=dg.AssetCheckSeverity.ERROR,
                description="; ".join(different[:_NAMED])
                or ("nothing could be compared" if not counted[Verdict.SAME] else None),
                metadata=told,
            )
        ],
    )


def definitions() -> dg.Definitions:
    """The second count."""
    return dg.Definitions(assets=[figure_checks])
