"""What people think of an account, 1 to 5 with a written meaning: an independent check on the health score.

It is kept apart from the score and weighs nothing in it. Append-only: who thinks otherwise later rates again, and the
newest rating is the one that stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select

from app.auth import Identity, Permission, require
from app.calendar import display_date
from app.errors import InvalidInput, NotFound
from app.idempotency import once
from app.inputs import optional_text
from app.marts import accounts
from app.tables import account_ratings

MEANINGS: Mapping[int, str] = {
    1: "Leaving: they have said so, or will soon",
    2: "Unhappy: they may well leave",
    3: "Undecided: neither happy nor unhappy",
    4: "Content: they would stay today",
    5: "Delighted: they recommend us",
}
NOTE_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One rating as it was given; `meaning` is the sentence that stood beside the score then."""

    rating_id: int
    account_key: str
    score: int
    meaning: str
    note: str | None
    rated_by_name: str
    rated_at: datetime


_RATING = TypeAdapter(Rating)
_COLUMNS = tuple(column for column in account_ratings.c if column.name != "rated_by")


def rate(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    account_key: str,
    score: int,
    note: str | None,
    idempotency_key: str,
) -> Rating:
    """Say what one thinks of an account of one's own; an admin of any.

    Raises NotFound, NotPermitted, InvalidInput, MartUnavailable, IdempotencyConflict.
    """
    account = accounts.account(db, account_key, today=display_date(now))
    if account is None:
        raise NotFound("account", account_key)
    require(actor, Permission.RATE_ACCOUNT, account_owner_email=account.csm_email)
    if score not in MEANINGS:
        raise InvalidInput("score", "A rating is one of 1 to 5.", value=score)
    said = optional_text("note", note, limit=NOTE_LIMIT)

    def work() -> Rating:
        values = {
            "account_key": account_key,
            "score": score,
            "meaning": MEANINGS[score],
            "note": said,
            "rated_by": actor.user_id,
            "rated_by_name": actor.display_name,
            "rated_at": now,
        }
        made = db.execute(insert(account_ratings).values(values).returning(*_COLUMNS)).one()
        return _RATING.validate_python(dict(made._mapping))

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="rate_account",
        request={"account_key": account_key, "score": score, "note": said},
        now=now,
        answer=Rating,
        work=work,
    )


def ratings(db: Connection, account_key: str, *, limit: int = 100) -> list[Rating]:
    """Ratings of an account, newest first."""
    query = (
        select(*_COLUMNS)
        .where(account_ratings.c.account_key == account_key)
        .order_by(account_ratings.c.rating_id.desc())
        .limit(limit)
    )
    return [_RATING.validate_python(dict(row._mapping)) for row in db.execute(query)]
