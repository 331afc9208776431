"""What the columns of a file are, whatever its format: a name and one kind of value each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file. `kind` is str, int, float, bool, date or datetime; with `is_list` a list of them."""

    name: str
    kind: type
    is_list: bool = False


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (UnionType, Union):
        return next(one for one in get_args(hint) if one is not type(None))
    return hint


def columns_of(row_type: type) -> tuple[Column, ...]:
    """The fields of a dataclass as columns, in order; ids and members of closed lists are text."""

    def column(name: str, hint: Any) -> Column:
        kind = _without_none(hint)
        if get_origin(kind) is list:
            return Column(name, _without_none(get_args(kind)[0]), is_list=True)
        return Column(name, str if issubclass(kind, (str, UUID)) else kind)

    hints = get_type_hints(row_type)
    return tuple(column(field.name, hints[field.name]) for field in fields(row_type))


Rows = Iterable[Sequence[Any]]


def is_nothing(value: object) -> bool:
    """Whether a value is missing: None, not a number, not a time."""
    return value is None or value != value
