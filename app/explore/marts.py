"""What can be asked of each mart: its columns by kind, and those of the account that a row belongs to.

The catalogue is the one that the SQL page lists (`app.sandbox.reach`): a column that is not in it has no name here, so
that no name of an address can reach a statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.sandbox.reach import Relation

ACCOUNTS = "dim_accounts"
KEY = "account_key"
OF_ACCOUNT = "account."  # before the name of a column of the account
_SPELT = {word.lower(): word for word in ("MRR", "EUR", "NPS", "CSM", "CSMs", "ID", "NRR", "GRR")}


class Kind(StrEnum):
    """What a column holds, as far as it matters to what can be asked of it."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    DAY = "day"
    MOMENT = "moment"
    BOOLEAN = "boolean"
    OTHER = "other"


NUMBERS = frozenset({Kind.NUMBER, Kind.WHOLE})
TIMES = frozenset({Kind.DAY, Kind.MOMENT})
_KINDS: Mapping[str, Kind] = {
    "text": Kind.TEXT,
    "character varying": Kind.TEXT,
    "integer": Kind.WHOLE,
    "bigint": Kind.WHOLE,
    "smallint": Kind.WHOLE,
    "numeric": Kind.NUMBER,
    "double precision": Kind.NUMBER,
    "real": Kind.NUMBER,
    "date": Kind.DAY,
    "timestamp with time zone": Kind.MOMENT,
    "timestamp without time zone": Kind.MOMENT,
    "boolean": Kind.BOOLEAN,
}


def _words(name: str) -> str:
    return " ".join(_SPELT.get(word, word) for word in name.split("_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as a question names it: `score`, or `account.segment` for one of the row's account."""

    name: str
    kind: Kind
    description: str

    @property
    def label(self) -> str:
        """In words: `Score`, `Account segment`."""
        words = _words(self.name.removeprefix(OF_ACCOUNT))
        if self.name.startswith(OF_ACCOUNT):
            words = "account " + words.removeprefix("account ")
        return words[:1].upper() + words[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mart:
    """A table that can be explored; `columns` by name, its own first, in its order."""

    name: str
    grain: str
    description: str
    columns: Mapping[str, Column]

    @property
    def label(self) -> str:
        """In words: `Account health daily`."""
        words = _words(self.name.partition("_")[2] if self.name.startswith(("dim_", "fct_")) else self.name)
        return words[:1].upper() + words[1:]

    def of(self, *kinds: Kind) -> list[Column]:
        """Its columns of these kinds."""
        return [column for column in self.columns.values() if column.kind in kinds]


def marts(relations: Sequence[Relation]) -> dict[str, Mart]:
    """Every mart by name, facts before dimensions. One with an `account_key` has the account's columns too, as they
    are at the end of the newest day."""
    about_account = next((_own(one) for one in relations if one.name == ACCOUNTS), {})
    of_account = {
        f"{OF_ACCOUNT}{column.name}": Column(
            name=f"{OF_ACCOUNT}{column.name}", kind=column.kind, description=column.description
        )
        for column in about_account.values()
        if column.kind in (Kind.TEXT, Kind.BOOLEAN) and column.name != KEY
    }
    found = {}
    for one in sorted(relations, key=lambda one: (not one.name.startswith("fct_"), one.name)):
        own = _own(one)
        joined = of_account if KEY in own and one.name != ACCOUNTS else {}
        found[one.name] = Mart(name=one.name, grain=one.grain, description=one.description, columns={**own, **joined})
    return found


def _own(relation: Relation) -> dict[str, Column]:
    return {
        field.name: Column(
            name=field.name, kind=_KINDS.get(field.kind.partition("(")[0], Kind.OTHER), description=field.description
        )
        for field in relation.fields
        # a dot in a name of its own would make it one of the account's, and a line break is laid out anew
        if field.name.isprintable() and not field.name.startswith(OF_ACCOUNT)
    }
