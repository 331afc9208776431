"""How a rule's input is read: one statement, for all active accounts at once.

Only marts that hold nothing of our own actions feed a trigger, or a suggestion would feed on itself; what people have
done about an account since (a contact logged, a renewal assessed) is asked of the tables of the application.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, TextClause, text

from app.db import reading_mart


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInputs:
    """The inputs of one rule by account key, and the day they end with (None without any row)."""

    as_of: date | None
    by_account: dict[str, Any]


def fetch(db: Connection, mart: str, statement: TextClause, **parameters: object) -> list[Any]:
    """The rows of a statement on a mart. Raises MartUnavailable."""
    with reading_mart(mart):
        return list(db.execute(statement, parameters))


def newest_day(db: Connection) -> date | None:
    """The last complete day of the published accounts; None before there are any."""
    return fetch(db, "dim_accounts", text("select max(as_of_date) as as_of from marts.dim_accounts"))[0].as_of
