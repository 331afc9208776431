"""Which build is published. Every cache key and every "as of" on a page comes from here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from app.db import read, reading_mart
from app.errors import BuildReplaced, MartUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One published build. `as_of_date` is the last complete day in it; `published_at` is real time, UTC."""

    build_id: int
    published_at: datetime
    as_of_date: date


_NEWEST = text("select build_id, published_at, as_of_date from marts.publications order by build_id desc limit 1")


def published(db: Connection) -> Publication:
    """The newest published build. Raises MartUnavailable when nothing is published yet."""
    with reading_mart("publications"):
        row = db.execute(_NEWEST).one_or_none()
    if row is None:
        raise MartUnavailable("publications")
    return Publication(**row._mapping)


def expect(db: Connection, build_id: int) -> None:
    """Raises BuildReplaced when another build is published by now."""
    if published(db).build_id != build_id:
        raise BuildReplaced(build_id)


@contextmanager
def reading_build(build_id: int) -> Iterator[Connection]:
    """A connection all of whose statements see the marts of this build. Raises BuildReplaced, MartUnavailable."""
    with read() as db:
        expect(db, build_id)
        yield db
