"""Bodies and answers of /sql."""

import math
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.models.actions import Body, Version
from api.models.values import Flag, Text
from app.sandbox.gate import LONGEST, MOST_PARAMETERS
from app.sandbox.ledger import Entry
from app.sandbox.queries import QueryVersion, SavedQuery
from app.sandbox.reach import Relation
from app.sandbox.runner import Answer
from app.sandbox.service import LONGEST_VALUE

Sql = Annotated[Text, Field(min_length=1, max_length=LONGEST, description="One SELECT; `:name` stands for a value.")]
Value = Annotated[Text, Field(max_length=LONGEST_VALUE)]
Name = Annotated[Text, Field(max_length=63)]
Cell = bool | int | float | str | None


class Asked(Body):
    """A statement with the values of its parameters, each as text or null; the database reads it as what it stands
    for."""

    text: Sql
    parameters: Annotated[dict[Name, Value | None], Field(max_length=MOST_PARAMETERS, default_factory=dict)]


class AnswerColumn(BaseModel):
    """A column of an answer. Days and moments (UTC) arrive as text in ISO 8601, what is no kind of its own as text."""

    name: str
    kind: Literal["int", "float", "bool", "date", "datetime", "str"]


class AnswerTable(BaseModel):
    """What a statement gave, row by row. `is_cut`: there is more than the limits let through."""

    columns: list[AnswerColumn]
    rows: list[list[Cell]]
    is_cut: bool
    duration_ms: int

    @classmethod
    def of(cls, answer: Answer) -> "AnswerTable":
        """An answer as JSON can hold it."""
        return cls(
            columns=[
                AnswerColumn.model_validate({"name": one.name, "kind": one.kind.__name__}) for one in answer.columns
            ],
            rows=[[_cell(cell) for cell in row] for row in answer.rows],
            is_cut=answer.is_cut,
            duration_ms=answer.duration_ms,
        )


def _cell(cell: Any) -> Cell:
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return cell


class Plan(BaseModel):
    """How the database would run a statement, in its own words."""

    plan: str


class RelationList(BaseModel):
    """Every table that can be read, by name."""

    items: list[Relation]


class EntryList(BaseModel):
    """Own statements, newest first."""

    items: list[Entry]


class QueryList(BaseModel):
    """Own queries and those that colleagues share, own first."""

    items: list[SavedQuery]


class QueryWithVersions(BaseModel):
    """A query as it stands, and every text it had, newest first."""

    query: SavedQuery
    versions: list[QueryVersion]


class NewQuery(Body):
    """A text under a name."""

    name: str
    text: str
    is_shared: Flag


class NextVersion(NewQuery):
    """An own query as it shall be from now on."""

    version: Version


class QueryRemoval(Body):
    """The version of the query that is taken away."""

    version: Version
