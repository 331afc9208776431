"""Actions of the tracker that was used before, brought in with their own times: `python -m app.past_actions FILE`.

One JSON object a line: `id` (of that tracker), `account` (its key here, its id in the CRM or of its tenant in the
product), `owner_email` (of the person here or of the owner in the CRM), `title`, `action_type`, `intervention`,
`reason`, `began_at` (ISO 8601 with its offset), and `closed`: null while it is open, else `at`, `result`,
`done_intervention`, `closing_note`, `execution`, `customer_response`, `channel`, `minutes`.

They pass through the same use cases as a person's clicks, as their owner at their time, and each decision gets the
context of its day. What cannot be taken is named by its line and left out; the file is given again when it is mended,
and what is in already is left as it is.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, func, select, text

from app.actions.model import ActionDraft, OutcomeDraft
from app.actions.service import close_action, create_action
from app.actions.tables import action_events
from app.auth import Identity, identity_of
from app.calendar import display_date
from app.clock import business_now
from app.db import reading_mart, unit_of_work
from app.errors import AppError, InvalidInput
from app.inputs import required_text
from app.tables import users

TOGETHER = 100
_ACCOUNTS = text("select account_key, account_id, tenant_id from marts.dim_accounts")
_ACCOUNT_HINT = "Give its id in the CRM, of its tenant in the product, or its key here."
_PERSON_HINT = "Give the address of somebody who may sign in, or leave the line out."
Report = Callable[[int], None]


@dataclass(slots=True)
class Taken:
    """What became of the lines: how many came in, how many were in already, and what is wrong with the others."""

    new: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Names:
    """Account keys and people by the names that another tracker knows them by."""

    accounts: Mapping[str, str]
    people: Mapping[str, Identity]


def names(db: Connection) -> Names:
    """All that are known here. Raises MartUnavailable."""
    with reading_mart("dim_accounts"):
        rows = db.execute(_ACCOUNTS).all()
    accounts = {str(name): row.account_key for row in rows for name in row if name is not None}
    people: dict[str, Identity] = {}
    for row in db.execute(select(users.c.user_id, users.c.email, users.c.owner_email).where(users.c.is_active)):
        identity = identity_of(db, row.user_id)
        if identity is not None:
            people |= {email.lower(): identity for email in (row.owner_email, row.email) if email}
    return Names(accounts, people)


def _time(row: Mapping[str, Any], name: str, *, latest: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(str(row.get(name)))
    except ValueError:
        raise InvalidInput(name, f"{name} is no time.", hint="Write it like 2026-03-31T14:05:00+01:00.") from None
    if at.tzinfo is None:
        raise InvalidInput(name, f"{name} does not say of which zone it is.", hint="End it with +00:00 or another one.")
    if at > latest:
        raise InvalidInput(name, f"{name} lies in the future.")
    return at


def _one(among: Mapping[str, Any], name: str, value: object, *, hint: str) -> Any:
    try:
        return among[str(value).lower()]
    except KeyError:
        raise InvalidInput(name, f"There is no {name} {str(value)[:80]!r} here.", hint=hint) from None


def enter(db: Connection, row: Mapping[str, Any], known: Names, *, now: datetime) -> bool:
    """One past action, with its outcome when it is done; False when it is in already. `now` is the newest time it may
    have. Raises InvalidInput naming the field."""
    name = required_text("id", None if row.get("id") is None else str(row["id"]), limit=200)
    key = str(uuid5(NAMESPACE_URL, f"past action {name}"))
    if db.execute(select(func.count()).where(action_events.c.idempotency_key == key)).scalar_one():
        return False
    account_key = _one(known.accounts, "account", row.get("account"), hint=_ACCOUNT_HINT)
    actor: Identity = _one(known.people, "owner_email", row.get("owner_email"), hint=_PERSON_HINT)
    began_at, closed = _time(row, "began_at", latest=now), row.get("closed")
    texts: dict[str, Any] = {part: row.get(part) for part in ("title", "action_type", "intervention", "reason")}
    draft = ActionDraft(account_key=account_key, owner_user_id=actor.user_id, **texts)
    made = create_action(db, actor=actor, now=began_at, draft=draft, idempotency_key=key)
    if closed is not None:
        closed_at = _time(closed, "at", latest=now)
        if closed_at < began_at:
            raise InvalidInput("at", "It was closed before it was begun.")
        parts = ("result", "done_intervention", "closing_note", "execution", "customer_response", "channel", "minutes")
        said: dict[str, Any] = {part: closed.get(part) for part in parts}
        close_action(
            db,
            actor=actor,
            now=closed_at,
            action_id=made.action_id,
            expected_version=made.version,
            outcome=OutcomeDraft(**said, done_date=display_date(closed_at)),
            idempotency_key=str(uuid5(NAMESPACE_URL, f"past action {name} closed")),
        )
    return True


def take(lines: Sequence[str], *, now: datetime, report: Report) -> Taken:
    """Enter every line, some together in one transaction; a line that cannot be taken takes none with it."""
    taken = Taken()
    with unit_of_work() as db:
        known = names(db)
    for first in range(0, len(lines), TOGETHER):
        with unit_of_work() as db:
            for number, line in enumerate(lines[first : first + TOGETHER], start=first + 1):
                try:
                    with db.begin_nested():
                        is_new = enter(db, json.loads(line), known, now=now)
                    taken.new, taken.known = taken.new + is_new, taken.known + (not is_new)
                except AppError as problem:
                    taken.refused.append(f"line {number}: {problem.message} {problem.hint}".rstrip())
                except (ValueError, TypeError, AttributeError):
                    taken.refused.append(f"line {number}: this is no JSON object of a past action.")
        report(min(first + TOGETHER, len(lines)))
    return taken


def _written(taken: Taken, say: Callable[[str], None]) -> None:
    say(f"{taken.new} past actions came in, {taken.known} were in already, {len(taken.refused)} cannot be taken.")
    same = Counter(one.partition(": ")[2] for one in taken.refused)
    for one in taken.refused[:20]:
        say(one)
    if len(taken.refused) > 20:
        why = "; ".join(f"{count} times {reason}" for reason, count in same.most_common(3))
        say(f"… and {len(taken.refused) - 20} more. Most often: {why}")


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns 1 when a line was refused."""
    parser = argparse.ArgumentParser(prog="python -m app.past_actions", description="Actions of the tracker before.")
    parser.add_argument("file", type=Path, help="one JSON object a line")
    parser.add_argument("--allow-refused", action="store_true", help="end well though lines were refused")
    wanted = parser.parse_args(argv)
    try:
        lines = [line for line in wanted.file.read_text(encoding="utf-8").splitlines() if line.strip()]
        with unit_of_work() as db:
            now = business_now(db)
        taken = take(lines, now=now, report=lambda done: print(f"  {done} of {len(lines)} lines", flush=True))
    except (AppError, OSError, UnicodeDecodeError) as error:
        print(f"{error.message} {error.hint}".strip() if isinstance(error, AppError) else error, file=sys.stderr)
        return 2
    _written(taken, print)
    return 1 if taken.refused and not wanted.allow_refused else 0


if __name__ == "__main__":
    raise SystemExit(main())
