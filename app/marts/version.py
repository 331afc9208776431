"""Which build is published. Every cache key and every "as of" on a page comes from here."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from app.db import reading_mart
from app.errors import MartUnavailable


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
