"""What a person keeps under a name of their own, and may share: views, queries.

Only its owner changes such a row, by its version; a name stands once among what one person keeps; every change leaves
its trail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Column, Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from app import audit
from app.auth import Identity
from app.errors import InvalidInput, NotPermitted, StaleVersion


class Own(Protocol):
    """A row as it is read."""

    @property
    def owner_user_id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


Row = TypeVar("Row", bound=Own)


@dataclass(frozen=True, slots=True)
class OwnRows:
    """A table of such rows: its key, what the trail calls them, and what a person calls one ("view")."""

    key: Column[Any]
    subject: audit.Subject
    what: str

    def locked(
        self, db: Connection, row_id: UUID, read: Callable[[], Row], *, actor: Identity, expected_version: int | None
    ) -> Row:
        """A row of the actor's own, locked until the end of the transaction. Raises what `read` does, NotPermitted,
        StaleVersion."""
        db.execute(select(self.key).where(self.key == row_id).with_for_update())
        row = read()
        if row.owner_user_id != actor.user_id:
            raise NotPermitted(f"Only its owner may change this {self.what}.", hint="Save it under a name of your own.")
        if row.version != expected_version:
            raise StaleVersion(row, expected_version or 0)
        return row

    def keep(
        self,
        db: Connection,
        row_id: UUID | None,
        columns: Mapping[str, object],
        *,
        actor: Identity,
        now: datetime,
        version: int,
        name: str,
    ) -> UUID:
        """A new row, or with `row_id` that one changed, as `version`; returns its id.

        Raises InvalidInput when the actor has another row of this name.
        """
        table = self.key.table
        written = {**columns, "updated_at": now, "version": version}
        try:
            with db.begin_nested():
                if row_id is not None:
                    db.execute(update(table).where(self.key == row_id).values(written))
                    return row_id
                made = {self.key.name: uuid4(), "owner_user_id": actor.user_id, "created_at": now}
                return db.execute(insert(table).values({**written, **made}).returning(self.key)).scalar_one()
        except IntegrityError:
            raise InvalidInput("name", f"You have a {self.what} of this name already.", value=name) from None

    def archive(
        self,
        db: Connection,
        row_id: UUID,
        told: Mapping[str, object],
        *,
        actor: Identity,
        now: datetime,
        idempotency_key: str,
    ) -> None:
        """Take a row out of every list; the trail keeps what is `told` of it. Its name is free again."""
        table = self.key.table
        written = {"archived_at": now, "updated_at": now, "version": table.c.version + 1}
        db.execute(update(table).where(self.key == row_id).values(written))
        self.tell(db, row_id, actor=actor, now=now, before=told, after=None, idempotency_key=idempotency_key)

    def tell(
        self,
        db: Connection,
        row_id: UUID,
        *,
        actor: Identity,
        now: datetime,
        before: Mapping[str, object] | None,
        after: Mapping[str, object] | None,
        idempotency_key: str,
    ) -> None:
        """Keep in the trail that a row was made (nothing before), changed, or taken away (nothing after)."""
        kind = audit.Kind.CREATED if before is None else audit.Kind.ENDED if after is None else audit.Kind.CHANGED
        audit.record(
            db,
            author=audit.Author.of(actor),
            now=now,
            subject=self.subject,
            subject_id=row_id,
            kind=kind,
            before=before,
            after=after,
            idempotency_key=idempotency_key,
        )
