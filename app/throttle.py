"""Slowing down guesses: counted in the database, per user and address together, per address, and per user.

The count must hold across processes and restarts, and must not become a weapon: an attacker who fails on purpose
throttles his own address, while the person still gets in from an address that has worked for them before.
Each count allows some failures, then makes the next attempt wait, doubling to a cap; failures older than the window
no longer count, so it decays by itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, text, update

from app.errors import Throttled
from app.tables import login_attempts

WINDOW = timedelta(hours=1)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
KEPT = timedelta(days=31)

FREE_FOR_PAIR = 5  # one person at one desk
FREE_FOR_ADDRESS = 30  # an office behind one address
FREE_FOR_USER = 20  # from addresses this person never used


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures within the window and when the newest one was."""

    count: int
    newest: datetime | None

    def wait_until(self, free: int) -> datetime | None:
        """When the next attempt may be looked at, or None for at once."""
        if self.count < free or self.newest is None:
            return None
        doublings = min(self.count - free, 10)
        return self.newest + min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)


_LOCKS = text(
    """
    select pg_advisory_xact_lock(hashtextextended(key, 7461))
    from (select key from unnest(cast(:keys as text[])) as keys (key) order by key) as ordered
    """
)

# A failure of a pair counts only after its last success; an address is not forgiven by a success, or an attacker
# with an account of his own would reset it between guesses.
_COUNTS = text(
    """
    select
        count(*) filter (where email = :email and address = :address and attempted_at > coalesce((
            select max(s.attempted_at) from app.login_attempts as s
            where s.email = :email and s.address = :address and s.succeeded
        ), '-infinity')) as pair_count,
        max(attempted_at) filter (where email = :email and address = :address) as pair_newest,
        count(*) filter (where address = :address) as address_count,
        max(attempted_at) filter (where address = :address) as address_newest,
        count(*) filter (where email = :email) as user_count,
        max(attempted_at) filter (where email = :email) as user_newest,
        exists (
            select from app.login_attempts as s
            where s.email = :email and s.address = :address and s.succeeded
        ) as is_known_address
    from app.login_attempts
    where not succeeded and attempted_at > :since and attempted_at <= :now and (email = :email or address = :address)
    """
)


def admit(db: Connection, *, email: str, address: str, now: datetime) -> int:
    """Count an attempt as failed until it proves otherwise, and return its id; the caller commits before checking.

    Attempts on one user or from one address take turns, so that parallel guesses cannot pass the limit together.
    Raises Throttled, without counting, when this attempt must wait.
    """
    db.execute(_LOCKS, {"keys": [f"address:{address}", f"email:{email}"]})
    row = db.execute(_COUNTS, {"email": email, "address": address, "since": now - WINDOW, "now": now}).one()
    waits = [
        Failures(row.pair_count, row.pair_newest).wait_until(FREE_FOR_PAIR),
        Failures(row.address_count, row.address_newest).wait_until(FREE_FOR_ADDRESS),
        None if row.is_known_address else Failures(row.user_count, row.user_newest).wait_until(FREE_FOR_USER),
    ]
    retry_at = max((wait for wait in waits if wait is not None), default=None)
    if retry_at is not None and retry_at > now:
        raise Throttled(retry_at, retry_after_seconds=int((retry_at - now).total_seconds()) + 1)
    return db.execute(
        insert(login_attempts)
        .values(email=email, address=address, attempted_at=now, succeeded=False)
        .returning(login_attempts.c.id)
    ).scalar_one()


def succeeded(db: Connection, attempt_id: int, *, now: datetime) -> None:
    """Turn the attempt into a success, and forget attempts too old to matter."""
    db.execute(update(login_attempts).where(login_attempts.c.id == attempt_id).values(succeeded=True))
    db.execute(delete(login_attempts).where(login_attempts.c.attempted_at < now - KEPT))


def forget(db: Connection, attempt_id: int) -> None:
    """Take back an attempt that proved neither a guess nor a sign-in."""
    db.execute(delete(login_attempts).where(login_attempts.c.id == attempt_id))
