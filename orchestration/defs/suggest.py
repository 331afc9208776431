"""app/suggestions: the rules over the published marts, and the actions whose snooze ended.

All rules live in the application; this step gives them a transaction, the business time and the build they judge.
"""

import dataclasses
from datetime import date, datetime
from typing import Any

import dagster as dg

from orchestration import pools
from orchestration.defs import publish
from orchestration.failures import sorted_out
from orchestration.resources import RunLease

KEY = dg.AssetKey(["app", "suggestions"])
STEP = "suggestions"


def as_metadata(report: Any) -> dict[str, Any]:
    """The scalar and list fields of a report dataclass as Dagster metadata."""
    shown: dict[str, Any] = {}
    for name, value in dataclasses.asdict(report).items():
        if isinstance(value, (bool, int, float, str)):
            shown[name] = value
        elif isinstance(value, (date, datetime)):
            shown[name] = value.isoformat()
        elif isinstance(value, (dict, list, tuple)):
            shown[name] = dg.MetadataValue.json(value)
    return shown


@dg.asset(
    key=KEY,
    deps=[publish.KEY],
    group_name="suggestions",
    kinds={"python", "postgres"},
    pool=pools.WAREHOUSE,
    description="Suggestions made, held out, closed and blocked by the rules over the newest published build.",
)
def suggestions(context: dg.AssetExecutionContext, lease: RunLease) -> dg.MaterializeResult:
    """One transaction: wake what was snoozed until now, then evaluate every rule. Running it twice adds nothing."""
    # Imported here: the application's services are needed by this step only, and cost a second at code-server start.
    from app import clock
    from app.actions import service as actions
    from app.db import unit_of_work
    from app.marts import version
    from app.suggestions import service

    with sorted_out(STEP, context), unit_of_work() as db:
        now = clock.business_now(db)
        build = version.published(db)
        woken = actions.wake_snoozed(db, now=now)
        report = service.evaluate(db, now=now, build_id=build.build_id)
    return dg.MaterializeResult(
        metadata={
            **as_metadata(report),
            "woken_action_count": woken,
            "build_id": build.build_id,
            "as_of_date": build.as_of_date.isoformat(),
            "evaluated_at": now.isoformat(),
        }
    )


def definitions() -> dg.Definitions:
    """The suggestion step."""
    return dg.Definitions(assets=[suggestions])
