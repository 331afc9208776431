"""By hand: `python -m learning train`, `score` or `show`, on the warehouse that LEARNER_DSN names.

`train` learns now, whether it is time or not, and tells how the candidates did; `--dry` keeps nothing. `show` tells
what is in force and why.
"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import psycopg

from learning import service, store
from learning.config import LearnerSettings
from learning.store import Version


def _say(line: str) -> None:
    print(line, flush=True)


def _figures(kind: str, of: Mapping[str, Any]) -> str:
    before = of["before_notice"]
    return (
        f"  {kind:<9} AUC {of['auc']:.3f} ({before['auc']:.3f} before notice)   top tenth {of['top_decile_lift']:.1f} x"
        f"   ECE {of['ece']:.4f}   Brier {of['brier']:.4f}   called High {of['called_share']:.0%} of who left,"
        f" {of['median_lead_days'] or 0:.0f} days ahead"
    )


def tell(version: Version) -> list[str]:
    """A version in lines for a person."""
    metrics = version.metrics
    lines = [
        f"{version.model_version} ({version.kind}), in force from {version.valid_from_date}: {version.basis}",
        f"  {version.chosen_because}",
    ]
    if "split" in metrics:
        parted = metrics["split"]
        lines.append(
            f"  learned up to {parted['learned_until']} from {metrics['learned_churn_count']} churned accounts, judged"
            f" on {parted['judged_from']} to {parted['judged_until']} with {metrics['judged_churn_count']}"
        )
        lines += [_figures(kind, metrics[kind]) for kind in ("rules", "logistic", "boosted") if kind in metrics]
        chosen = metrics.get(version.kind, metrics["rules"])
        lines.append("  said → came, by tenths: " + ", ".join(
            f"{one['mean_probability']:.3f} → {one['churn_rate']:.3f}" for one in chosen["bins"]
        ))  # fmt: skip
    return lines


def main() -> int:
    """Parse the command line and do it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="learning", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("train").add_argument("--dry", action="store_true", help="tell, and keep nothing")
    commands.add_parser("score")
    commands.add_parser("show")
    wanted = parser.parse_args()
    dsn = LearnerSettings().dsn.get_secret_value()  # pyright: ignore[reportCallIssue]
    with psycopg.connect(dsn, application_name="learning") as db:
        if wanted.command == "train":
            version = service.train_when_due(db, force=True, say=_say)
            for line in tell(version) if version else ["There is no account to learn from yet."]:
                _say(line)
            if wanted.dry:
                db.rollback()
        elif wanted.command == "score":
            done = service.score(db)
            _say(f"{done.day_count} account-days of the last build's window, {done.written_count} newly written.")
        else:
            newest = store.versions(db)[-1:]
            for line in tell(newest[0]) if newest else ["Nothing has been trained yet."]:
                _say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
