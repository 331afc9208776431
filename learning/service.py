"""The one thing of this room that is called by others: train when it is time, score what the build works over.

Each function is one transaction's work on a connection of role learner; the caller commits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from learning import scoring, store
from learning.frames import only
from learning.store import Version
from learning.training import RECIPE, Recipe, train

RETRAIN_DAYS = 7


@dataclass(frozen=True)
class Scored:
    """A scoring: account-days of the build's window under a learned model, and how many scores were new."""

    day_count: int
    written_count: int


def _quiet(_: str) -> None:
    """Nobody listens."""


def train_when_due(
    db: psycopg.Connection,
    *,
    force: bool = False,
    recipe: Recipe = RECIPE,
    say: Callable[[str], None] = _quiet,
) -> Version | None:
    """Train when the newest version is a week old by the data's clock, or there is none; None when it is not time.

    The version is in force from the last complete day on; days before keep what was in force on them.
    """
    store.lock(db)
    as_of, known = store.as_of(db), store.versions(db)
    if as_of is None:
        return None
    if known and not force and as_of < known[-1].trained_until + timedelta(days=RETRAIN_DAYS):
        return None
    return store.add_version(db, train(store.training_days(db), known_until=as_of, recipe=recipe, say=say))


def in_force(known: Sequence[Version], day: date) -> Version | None:
    """The version that speaks for a day: the last of those in force by then, in the order of `store.versions`."""
    return next((version for version in reversed(known) if version.valid_from_date <= day), None)


def score(db: psycopg.Connection) -> Scored:
    """Score the account-days of the build under way, each with the version in force on it.

    Writes only what differs from the newest stored score, so that scoring twice adds nothing. Raises ArtefactBroken.
    """
    store.lock(db)
    known = store.versions(db)
    learned = [version.valid_from_date for version in known if version.kind != "rules"]
    if not learned:
        return Scored(0, 0)
    days = store.scoring_days(db, since=min(learned))
    if days.empty:
        return Scored(0, 0)
    before = store.newest_scores(db, since=days["risk_date"].min().date())
    speaking = days["risk_date"].dt.date.map(lambda day: in_force(known, day))
    day_count = written = 0
    for version in (one for one in known if one.kind != "rules"):
        made = scoring.scores(store.model(db, version.version_id), only(days, speaking == version))
        new = [
            one
            for one in made
            if before.get((one.account_key, one.score_date, version.version_id))
            != (one.churn_probability_90d, one.drivers)
        ]
        day_count += len(made)
        written += store.add_scores(db, version.version_id, new)
    return Scored(day_count, written)
