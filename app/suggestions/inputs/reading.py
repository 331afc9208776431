"""How a rule's input is read: one statement for all active accounts at once, and one more for what is said of some.

Only marts that hold nothing of our own actions feed a trigger, or a suggestion would feed on itself; what people have
done about an account since (a contact logged, a renewal assessed) is asked of the tables of the application.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, TextClause, text

from app.db import reading_mart


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInputs:
    """The inputs of one rule by account key, and the day they end with (None without any row)."""

    as_of: date | None
    by_account: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is read of a mart with a row an account and day: which days, counted back from its newest (0), of which
    accounts (None: all that are active), and whether with what is only said in a sentence and decides nothing."""

    days_back: Iterable[int]
    account_keys: Sequence[str] | None = None
    with_reasons: bool = False


def fetch(db: Connection, mart: str, statement: TextClause, **parameters: object) -> list[Any]:
    """The rows of a statement on a mart. Raises MartUnavailable."""
    with reading_mart(mart):
        return list(db.execute(statement, parameters))


def fetch_cut(db: Connection, mart: str, newest: TextClause, statement: TextClause, cut: Cut) -> tuple[Any, list[Any]]:
    """The newest day of a mart, by a statement of one value, and the rows of a cut of it; its statement knows the
    newest day as `:as_of` and the cut as `:days` and `:account_keys`. Raises MartUnavailable."""
    as_of = fetch(db, mart, newest)[0][0]
    if as_of is None:
        return None, []
    days = [as_of - timedelta(days=back) for back in sorted(cut.days_back)]
    keys = None if cut.account_keys is None else list(cut.account_keys)
    return as_of, fetch(db, mart, statement, as_of=as_of, days=days, account_keys=keys)


def newest_day(db: Connection) -> date | None:
    """The last complete day of the published accounts; None before there are any."""
    return fetch(db, "dim_accounts", text("select max(as_of_date) as as_of from marts.dim_accounts"))[0].as_of
