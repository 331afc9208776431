"""The learner's tables and the two views it may read, as SQL. Rows are added, never changed (`local/warehouse.py`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import psycopg
from psycopg.types.json import Jsonb

from learning.additive import Additive, ArtefactBroken, sha256
from learning.features import NAMES
from learning.scoring import Score
from learning.training import Training

_LOCK = 0x1EA4


@dataclass(frozen=True)
class Version:
    """One row of learning.model_versions, without the model itself. In force from `valid_from_date` on."""

    version_id: int
    model_version: str
    kind: str
    valid_from_date: date
    trained_until: date
    basis: str
    chosen_because: str
    metrics: dict[str, Any]


def lock(db: psycopg.Connection) -> None:
    """One learner at a time, until the transaction ends: two would both find that it is time to train."""
    db.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))


def _frame(db: psycopg.Connection, query: str, values: tuple[Any, ...] = ()) -> pd.DataFrame:
    cursor = db.execute(query.encode(), values)
    frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])
    numbers = dict.fromkeys([name for name in frame.columns if name in NAMES], "float64")
    return frame.astype(numbers).assign(risk_date=pd.to_datetime(frame["risk_date"]))


def as_of(db: psycopg.Connection) -> date | None:
    """The last complete day of the build under way; None before there is anything to learn from."""
    row = db.execute("select as_of_date from intermediate.int_risk__training_days limit 1").fetchone()
    return row[0] if row else None


def training_days(db: psycopg.Connection) -> pd.DataFrame:
    """Monthly account-days with what became of them, as `training.train` takes them; as_of_date is the same in all."""
    found = _frame(db, "select * from intermediate.int_risk__training_days")
    return found.astype({"days_to_churn": "float64", "rule_probability_90d": "float64"})


def scoring_days(db: psycopg.Connection, *, since: date) -> pd.DataFrame:
    """The account-days of the build under way from `since` on: account_key, risk_date and the features."""
    ordered = " where risk_date >= %s order by risk_date, account_key"
    return _frame(db, f"select * from intermediate.int_risk__scoring_days{ordered}", (since,))  # noqa: S608


def versions(db: psycopg.Connection) -> list[Version]:
    """All versions in the order they came into force."""
    found = db.execute(
        "select version_id, model_version, kind, valid_from_date, trained_until, basis, chosen_because, metrics"
        " from learning.model_versions order by valid_from_date, version_id"
    )
    return [Version(*row) for row in found]


def add_version(db: psycopg.Connection, made: Training) -> Version:
    """Write what a training came to; it is in force from the day it was trained on."""
    artefact = made.model.to_json() if made.model else None
    row = db.execute(
        "insert into learning.model_versions (kind, valid_from_date, trained_until, account_count, churn_count,"
        " features, metrics, basis, chosen_because, artefact, artefact_sha256)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " returning version_id, model_version",
        (
            made.kind, made.trained_until, made.trained_until, made.account_count, made.churn_count,
            Jsonb(made.features()), Jsonb(dict(made.metrics)), made.basis, made.chosen_because,
            Jsonb(artefact) if artefact else None, sha256(artefact) if artefact else None,
        ),
    ).fetchone()  # fmt: skip
    assert row is not None  # noqa: S101  (an insert that returns nothing has raised)
    return Version(
        row[0],
        row[1],
        made.kind,
        made.trained_until,
        made.trained_until,
        made.basis,
        made.chosen_because,
        dict(made.metrics),
    )


def model(db: psycopg.Connection, version_id: int) -> Additive:
    """The model of a version. Raises ArtefactBroken when it is not what was stored, or not known to this code."""
    row = db.execute(
        "select artefact, artefact_sha256 from learning.model_versions where version_id = %s", (version_id,)
    ).fetchone()
    if row is None or row[0] is None or sha256(row[0]) != row[1]:
        raise ArtefactBroken(f"The model of version {version_id} does not have the hash it was stored with.")
    return Additive.from_json(row[0])


def newest_scores(db: psycopg.Connection, *, since: date) -> dict[tuple[str, date, int], tuple[float, list[Any]]]:
    """Probability and drivers as last written, by account, day and version, for days from `since` on."""
    found = db.execute(
        "select distinct on (account_key, score_date, version_id) account_key, score_date, version_id,"
        " churn_probability_90d, drivers from learning.churn_scores where score_date >= %s"
        " order by account_key, score_date, version_id, score_id desc",
        (since,),
    )
    return {(key, day, version): (probability, drivers) for key, day, version, probability, drivers in found}


def add_scores(db: psycopg.Connection, version_id: int, made: Iterable[Score]) -> int:
    """Write scores; returns how many."""
    count = 0
    with (
        db.cursor() as cursor,
        cursor.copy(
            "copy learning.churn_scores (version_id, account_key, score_date, churn_probability_90d, drivers)"
            " from stdin"
        ) as copy,
    ):
        for score in made:
            copy.write_row(
                (version_id, score.account_key, score.score_date, score.churn_probability_90d, Jsonb(score.drivers))
            )
            count += 1
    return count
