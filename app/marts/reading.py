"""How a mart is read: columns named once by the row's dataclass, one round trip, and a named error before the first
build.

Amounts arrive as floats: these rows are for showing; whatever must balance to the cent is added up in the warehouse.
"""

from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Select,
    TableClause,
    Text,
    TextClause,
    cast,
    column,
    select,
    table,
    text,
)

from app.db import reading_mart
from app.errors import MartUnavailable

RowType = TypeVar("RowType")

IS_PUBLISHED = text("exists (select from marts.publications)")


@lru_cache(maxsize=64)
def mart(name: str, row_type: type) -> TableClause:
    """The mart `name` with the columns that `row_type` has fields for, in their order."""
    return table(name, *(column(field.name) for field in fields(row_type)), schema="marts")


def _is_float(hint: Any) -> bool:
    if get_origin(hint) in (UnionType, Union):
        return float in get_args(hint)
    return hint is float


def as_double(numeric: ColumnElement) -> ColumnElement:
    """A numeric column would arrive as Decimal; the cast happens in the database, where it is cheap."""
    return cast(numeric, Double())


def as_text(key: ColumnElement) -> ColumnElement:
    """A key compared as text, whether the mart keeps it as uuid or as text."""
    return cast(key, Text())


def key_column(name: str) -> ColumnElement:
    """A column to filter by that is not part of the row."""
    return column(name)


@lru_cache(maxsize=64)
def columns(name: str, row_type: type) -> tuple[ColumnElement, ...]:
    """The columns of a mart for a select, floats cast."""
    hints = get_type_hints(row_type)
    source = mart(name, row_type).c
    return tuple(
        as_double(source[field.name]).label(field.name) if _is_float(hints[field.name]) else source[field.name]
        for field in fields(row_type)
    )


def query(name: str, row_type: type) -> Select:
    """All published rows of a mart; add conditions, order and limit to it."""
    return select(*columns(name, row_type)).select_from(mart(name, row_type)).where(IS_PUBLISHED)


def _check_published(db: Connection, name: str) -> None:
    if not db.execute(select(IS_PUBLISHED)).scalar_one():
        raise MartUnavailable(name)


def rows(db: Connection, name: str, row_type: type[RowType], wanted: Select) -> list[RowType]:
    """Rows of `wanted` as dataclasses. Raises MartUnavailable when nothing is published.

    Only an empty answer costs a second round trip, to tell "no rows" from "no build".
    """
    with reading_mart(name):
        found = [row_type(*row) for row in db.execute(wanted)]
        if not found:
            _check_published(db, name)
    return found


def frame(db: Connection, name: str, row_type: type, wanted: Select | TextClause) -> pd.DataFrame:
    """Rows of `wanted` as a DataFrame with one column per field of `row_type`. Raises as `rows`."""
    names = [field.name for field in fields(row_type)]
    with reading_mart(name):
        found: Sequence[Any] = db.execute(wanted).all()
        if not found:
            _check_published(db, name)
    return pd.DataFrame(found, columns=pd.Index(names))
