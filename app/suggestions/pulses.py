"""The pulse: how an account feels to its own CSM, 1 to 5, said before they see what is suggested.

It is what a CSM knows and no source holds, and only untouched by the suggestion is it worth anything: so it is asked
first, at most once a day for an account and person, and never while an earlier one is remembered. Answering is free;
who is not asked, says no or walks past sees the card all the same, and which of these it was is kept. Append-only:
a snapshot of a decision holds the newest one given before it (`app.actions.context`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_pass

from app.actions.context import PULSE_REMEMBERED
from app.auth import Identity, Permission, require
from app.calendar import display_date
from app.errors import InvalidInput, NotFound
from app.idempotency import once
from app.marts import accounts
from app.suggestions.tables import account_pulses, pulse_asks

SCORES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One pulse as it was given; 1 is bad, 5 is good."""

    pulse_id: int
    account_key: str
    score: int
    given_by_name: str
    given_at: datetime


_PULSE = TypeAdapter(Pulse)
_COLUMNS = tuple(column for column in account_pulses.c if column.name not in ("given_by", "is_of_owner"))

_DUE = text(
    """
    select k.account_key
    from unnest(cast(:account_keys as text[])) as k (account_key)
    join app.users as u on u.user_id = :user_id and u.is_asked_pulse
    left join app.pulse_asks as q
        on q.user_id = u.user_id and q.account_key = k.account_key and q.asked_on = :today
    where
        (q.user_id is null or (q.answer is null and k.account_key = any(:still_asked)))
        and not exists (
            select from app.account_pulses as p
            where p.account_key = k.account_key and p.given_by = u.user_id and p.given_at >= :since
        )
    """
)


def due(
    db: Connection, *, identity: Identity, now: datetime, account_keys: Collection[str], still_asked: Collection[str]
) -> frozenset[str]:
    """Which of these accounts to ask this person about; `still_asked` are those whose question stands before them.

    None of them when the person has turned it off.
    """
    if not account_keys:
        return frozenset()
    asked = {
        "account_keys": sorted(account_keys),
        "still_asked": sorted(still_asked),
        "user_id": identity.user_id,
        "today": display_date(now),
        "since": now - PULSE_REMEMBERED,
    }
    return frozenset(db.execute(_DUE, asked).scalars())


def asked(db: Connection, *, actor: Identity, now: datetime, of: Mapping[str, UUID]) -> None:
    """Keep that this person was asked today, by account key with the suggestion that waits for it; a second time
    changes nothing."""
    if not of:
        return
    rows = [
        {
            "user_id": actor.user_id,
            "account_key": account_key,
            "asked_on": display_date(now),
            "suggestion_id": suggestion_id,
            "asked_at": now,
        }
        for account_key, suggestion_id in of.items()
    ]
    db.execute(insert_or_pass(pulse_asks).on_conflict_do_nothing(), rows)


def _answered(db: Connection, actor: Identity, now: datetime, account_keys: Collection[str], answer: str) -> None:
    today = (pulse_asks.c.user_id == actor.user_id) & (pulse_asks.c.asked_on == display_date(now))
    open_ones = today & pulse_asks.c.account_key.in_(account_keys) & pulse_asks.c.answer.is_(None)
    db.execute(update(pulse_asks).where(open_ones).values(answer=answer, answered_at=now))


def skip(db: Connection, *, actor: Identity, now: datetime, account_keys: Collection[str]) -> None:
    """Say nothing of these accounts today; what was not asked is passed over. Twice does no harm, so no request key is
    asked for."""
    _answered(db, actor, now, account_keys, "skipped")


def give(
    db: Connection, *, actor: Identity, now: datetime, account_key: str, score: int, idempotency_key: str
) -> Pulse:
    """Say how an account of one's own feels; an admin of any.

    Raises NotFound, NotPermitted, InvalidInput, MartUnavailable, IdempotencyConflict.
    """
    account = accounts.account(db, account_key, today=display_date(now))
    if account is None:
        raise NotFound("account", account_key)
    require(actor, Permission.RATE_ACCOUNT, account_owner_email=account.csm_email)
    if score not in SCORES:
        raise InvalidInput("score", "A pulse is one of 1 to 5.", value=score)

    def work() -> Pulse:
        values = {
            "account_key": account_key,
            "score": score,
            "given_by": actor.user_id,
            "given_by_name": actor.display_name,
            "given_at": now,
            "is_of_owner": account.csm_email is not None and account.csm_email.lower() in actor.owner_emails,
        }
        made = db.execute(insert(account_pulses).values(values).returning(*_COLUMNS)).one()
        _answered(db, actor, now, [account_key], "given")
        return _PULSE.validate_python(dict(made._mapping))

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="give_pulse",
        request={"account_key": account_key, "score": score},
        now=now,
        answer=Pulse,
        work=work,
    )


def pulses(db: Connection, account_key: str, *, limit: int = 100) -> list[Pulse]:
    """Pulses of an account, newest first."""
    query = (
        select(*_COLUMNS)
        .where(account_pulses.c.account_key == account_key)
        .order_by(account_pulses.c.given_at.desc(), account_pulses.c.pulse_id.desc())
        .limit(limit)
    )
    return [_PULSE.validate_python(dict(row._mapping)) for row in db.execute(query)]
