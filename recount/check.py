"""A hundred random published figures, counted again from raw rows: each must be what readers have.

The seed is kept with the answers, so that a night can be repeated. A figure whose raw rows changed since the build is
`moved`: nothing can be said of it, and it is counted apart so that a check that compares nothing is seen.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

import psycopg
from psycopg import sql

from recount import reading
from recount.figures import FIGURES, Case, Figure, Value

SAMPLE = 100


class Verdict(StrEnum):
    """What the second count says of a published figure."""

    SAME = "same"
    DIFFERS = "differs"
    MOVED = "moved"


@dataclass(frozen=True)
class Sampled:
    """A published figure: its row's key, the day the row speaks of, and the value as text."""

    figure: Figure
    key: tuple[str, ...]
    on: date
    published: str | None


@dataclass(frozen=True)
class Checked:
    """A sampled figure with its second count."""

    sampled: Sampled
    recounted: str | None
    verdict: Verdict

    def __str__(self) -> str:
        one = self.sampled
        where = f"{one.figure.mart}.{one.figure.column} of {', '.join(one.key)}"
        return f"{where}: published {one.published or 'nothing'}, from raw rows {self.recounted or 'nothing'}"


def shares(seed: str, count: int) -> list[int]:
    """How many of `count` figures each of FIGURES gives: as many as the others, the rest by the seed."""
    ranked = sorted(range(len(FIGURES)), key=lambda place: hashlib.sha256(f"{seed} {place}".encode()).digest())
    each, rest = divmod(count, len(FIGURES))
    return [each + (place in ranked[:rest]) for place in range(len(FIGURES))]


def is_same(published: str | None, recounted: Value) -> bool:
    """Counts and money to the last digit; what is no decimal fraction to nine digits."""
    if published is None or recounted is None:
        return published is None and recounted is None
    if isinstance(recounted, date | str):
        return published == str(recounted)
    try:
        held = Decimal(published)
    except InvalidOperation:
        return False
    if isinstance(recounted, float):
        return abs(held - Decimal(recounted)) <= abs(held) * Decimal("1e-9")
    return held == recounted


def sample(db: psycopg.Connection, seed: str, count: int) -> list[Sampled]:
    """So many random figures of the published build; fewer where a mart has fewer rows."""
    found = []
    for figure, share in zip(FIGURES, shares(seed, count), strict=True):
        texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in figure.key)
        query = sql.SQL(
            "select array[{key}], {day}, {figure}::text from marts.{mart} where {only}"
            " order by md5(concat_ws(' ', %s::text, {key})) limit %s"
        ).format(
            key=texts,
            day=sql.Identifier(figure.day_column),
            figure=sql.Identifier(figure.column),
            mart=sql.Identifier(figure.mart),
            only=sql.SQL(figure.only),  # pyright: ignore[reportArgumentType]
        )
        for keys, on, published in db.execute(query, [f"{seed} {figure.column}", share]):
            found.append(Sampled(figure, tuple(keys), on, published))
    return found


def recount(db: psycopg.Connection, sampled: Sequence[Sampled], *, as_of: date, built_from: datetime) -> list[Checked]:
    """Count each figure again, in the order given. What was loaded after `built_from` the build does not know."""
    known, settings, catalogue = reading.whose(db), reading.settings(db), reading.catalogue(db)
    accounts = reading.accounts(db, known, {one.key[0] for one in sampled})
    for key, account in accounts.items():
        reading.events(db, known, key, account, {one.on for one in sampled if one.key[0] == key})
    answers = []
    for one in sampled:
        account = accounts[one.key[0]]
        value = one.figure.count(Case(account, catalogue, settings, one.on, as_of))
        has_moved = account.newest_loaded_at is not None and account.newest_loaded_at > built_from
        verdict = Verdict.SAME if is_same(one.published, value) else Verdict.MOVED if has_moved else Verdict.DIFFERS
        answers.append(Checked(one, None if value is None else str(value), verdict))
    return answers


def check(db: psycopg.Connection, *, seed: str, count: int = SAMPLE) -> list[Checked]:
    """Sample the published build, count again and write down the answers; the caller commits.

    `db` is of role transformer, in a transaction: repeatable read, so that all is of one moment. Empty before the first
    build.
    """
    build = db.execute("select build_id, as_of_date from marts.publications order by build_id desc limit 1").fetchone()
    if build is None:
        return []
    ((built_from,),) = db.execute("select loaded_until from intermediate.int_time__as_of").fetchall()
    answers = recount(db, sample(db, seed, count), as_of=build[1], built_from=built_from)
    with db.cursor() as cursor:
        cursor.executemany(
            "insert into marts.figure_checks (build_id, seed, mart, key, figure, published, recounted, verdict)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    build[0],
                    seed,
                    one.sampled.figure.mart,
                    list(one.sampled.key),
                    one.sampled.figure.column,
                    one.sampled.published,
                    one.recounted,
                    one.verdict,
                )
                for one in answers
            ],
        )
    return answers
