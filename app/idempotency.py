"""The same request twice has one effect and one answer.

A double click, a resent request and a retry after a lost answer all carry the key that was minted when the form was
drawn. The key's row is inserted first, in the transaction of the work: a second one waits on it, then finds the
first answer.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from app.errors import IdempotencyConflict, InvalidInput
from app.tables import idempotency_keys

Answer = TypeVar("Answer")
LONGEST_KEY = 200


@lru_cache(maxsize=64)
def _adapter(answer: Any) -> TypeAdapter:
    return TypeAdapter(answer)


def _request_hash(operation: str, request: Mapping[str, object]) -> bytes:
    plain = _adapter(dict[str, Any]).dump_python(dict(request), mode="json")
    canonical = json.dumps([operation, plain], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return blake2b(canonical.encode(), digest_size=32).digest()


def once(
    db: Connection,
    *,
    actor: UUID,
    key: str,
    operation: str,
    request: Mapping[str, object],
    now: datetime,
    answer: type[Answer],
    work: Callable[[], Answer],
) -> Answer:
    """What `work` answers, or, when this actor has sent `key` before, what it answered then.

    Keys are private to their actor. `request` is everything that makes the request what it is; `answer` the type to
    rebuild from the stored JSON. When `work` raises, nothing of it stays, the key included, even if the caller goes on.
    Raises IdempotencyConflict for the same key with another request, InvalidInput for an unusable key.
    """
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidInput("idempotency_key", f"The request key must be 1 to {LONGEST_KEY} printable characters.")
    hashed = _request_hash(operation, request)
    with db.begin_nested():
        is_first = db.execute(
            insert(idempotency_keys)
            .values(key=key, actor=actor, operation=operation, request_hash=hashed, created_at=now)
            .on_conflict_do_nothing()
            .returning(idempotency_keys.c.key)
        ).one_or_none()
        same_key = (idempotency_keys.c.key == key) & (idempotency_keys.c.actor == actor)
        if is_first is None:
            stored = db.execute(select(idempotency_keys).where(same_key)).one()
            if stored.request_hash != hashed:
                raise IdempotencyConflict(key)
            return _adapter(answer).validate_python(stored.response)
        made = work()
        response = _adapter(answer).dump_python(made, mode="json")
        db.execute(update(idempotency_keys).where(same_key).values(response=response))
        return made
