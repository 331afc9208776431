"""One-time codes of an authenticator app (RFC 6238): six digits, thirty seconds, each taken once.

A code of the step before or after the current one is taken too, for clocks that differ. The newest step that was taken
is kept, so that a code which was looked over a shoulder is worth nothing.
"""

from datetime import datetime
from hmac import compare_digest
from uuid import UUID

import pyotp
from sqlalchemy import Connection, exists, select, update

from app.tables import second_factors

STEP_SECONDS = 30
_DRIFT_STEPS = (0, -1, 1)


def new_secret() -> str:
    """160 random bits, in the letters that apps take."""
    return pyotp.random_base32()


def matching_step(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step whose code this is, or None."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdecimal()):
        return None
    at = int(now.timestamp()) // STEP_SECONDS
    app = pyotp.totp.TOTP(secret, interval=STEP_SECONDS)
    steps = (at + drift for drift in _DRIFT_STEPS)
    return next((step for step in steps if compare_digest(app.at(step * STEP_SECONDS), digits)), None)


def is_enrolled(db: Connection, user_id: UUID) -> bool:
    """Whether this person has an authenticator app that counts."""
    enrolled = exists().where(second_factors.c.user_id == user_id, second_factors.c.confirmed_at.is_not(None))
    return bool(db.execute(select(enrolled)).scalar_one())


def accepts(db: Connection, user_id: UUID, code: str, *, now: datetime) -> bool:
    """Whether the code is right and new; a code is taken by one of any number of callers at once.

    Works for an app that is being enrolled, too. `now` is real time.
    """
    row = db.execute(
        select(second_factors.c.secret, second_factors.c.last_step)
        .where(second_factors.c.user_id == user_id)
        .with_for_update()
    ).one_or_none()
    step = matching_step(row.secret, code, now=now) if row else None
    if row is None or step is None or step <= row.last_step:
        return False
    db.execute(update(second_factors).where(second_factors.c.user_id == user_id).values(last_step=step))
    return True
