"""From a record to the row that is copied: canonical text, its hash, and the reasons a record cannot be stored."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from extract.stream import Quarantined, Record

MAX_PAYLOAD_BYTES = 32 * 1024 * 1024
_MAX_VERSION = 2**63 - 1
# jsonb cannot hold U+0000. An escaped backslash before u0000 is ordinary text, hence the pairs.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Row:
    """A record ready for COPY; `text` is the payload as JSON."""

    pk: str
    version: int | None
    updated_at: datetime | None
    row_hash: bytes
    deleted_at: datetime | None
    delete_reason: str | None
    merged_into: str | None
    is_tombstone: bool
    text: str
    extra: tuple[Any, ...]


def to_row(record: Record, volatile: frozenset[str]) -> Row | Quarantined:
    """The row of `record`, or why there is none.

    The hash is blake2b-128 of the payload with sorted keys and without its volatile members, so that a changed
    order or a freshly signed link is not a change.
    """
    try:
        text = json.dumps(record.payload, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        encoded = text.encode()
    except UnicodeEncodeError:
        return refuse(record, "bad_encoding", "Text with half a surrogate pair: not a character, not storable.")
    except (ValueError, TypeError) as error:
        return refuse(record, "not_json", f"Not storable as JSON: {error}.")
    if not record.pk:
        return refuse(record, "no_primary_key", "The record has no key.")
    if "\\u0000" in text and _NUL.search(text):
        return refuse(record, "nul_char", "Text with a NUL character (U+0000), which jsonb cannot hold.")
    if "\x00" in record.pk or any(isinstance(value, str) and "\x00" in value for value in record.extra):
        return refuse(record, "nul_char", "A key with a NUL character (U+0000).")
    if len(encoded) > MAX_PAYLOAD_BYTES:
        return refuse(record, "too_large", f"{len(encoded)} bytes; the limit is {MAX_PAYLOAD_BYTES}.")
    if record.version is not None and abs(record.version) > _MAX_VERSION:
        return refuse(record, "no_primary_key", f"Version {record.version} does not fit 64 bits.")
    hashed = encoded
    if volatile and not volatile.isdisjoint(record.payload):
        stable = {key: value for key, value in record.payload.items() if key not in volatile}
        hashed = json.dumps(stable, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return Row(
        pk=record.pk,
        version=record.version,
        updated_at=record.updated_at,
        row_hash=hashlib.blake2b(hashed, digest_size=16).digest(),
        deleted_at=record.deleted_at,
        delete_reason=record.delete_reason,
        merged_into=record.merged_into,
        is_tombstone=record.is_tombstone,
        text=text,
        extra=record.extra,
    )


def refuse(record: Record, code: str, reason: str) -> Quarantined:
    """`record` as a quarantined one; the bytes are its JSON with every odd character escaped."""
    raw = json.dumps(record.payload, default=repr).encode()
    return Quarantined(reason_code=code, reason=reason, raw=raw, pk_guess=record.pk.replace("\x00", "") or None)


def to_rows(records: Iterable[Record], volatile: frozenset[str]) -> tuple[list[Row], list[Quarantined]]:
    rows: list[Row] = []
    refused: list[Quarantined] = []
    for record in records:
        made = to_row(record, volatile)
        if isinstance(made, Row):
            rows.append(made)
        else:
            refused.append(made)
    return rows, refused
