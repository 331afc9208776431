"""New members and changed types in what a source sends, noticed while the records pass by.

A walk over key paths, two levels of objects and the first element of each list deep: enough to see a new property
or a string that became a number, and cheap (a set lookup per value). The first load of a stream writes the
baseline: rows of ops.schema_drift with `old_type` null.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}
_DEPTH = 3
# Maps whose keys are data, not structure: customers' own metadata would fill the table.
_OPEN_MAPS = frozenset({"metadata", "user_fields", "organization_fields", "previous_attributes", "object"})


@dataclass
class Drift:
    """Key paths of one stream: those known, and those first seen since the last `drain`."""

    source: str
    stream: str
    known: set[tuple[str, str]] = field(default_factory=set)
    _fresh: list[tuple[str, str | None, str, bytes]] = field(default_factory=list)
    _newest: dict[str, str] = field(default_factory=dict)

    def read_known(self, db: psycopg.Connection) -> None:
        rows = db.execute(
            "select path, new_type from ops.schema_drift where source = %s and stream = %s order by first_seen",
            (self.source, self.stream),
        ).fetchall()
        for path, new_type in rows:
            self.known.add((path, new_type))
            self._newest[path] = new_type

    def observe(self, payload: Mapping[str, Any], path: str = "", depth: int = 0) -> None:
        """Note every (path, type) not seen before. Null says nothing about a type."""
        for key, value in payload.items():
            type_name = _TYPES.get(type(value))
            if type_name is None:
                continue
            place = f"{path}.{key}" if path else key
            if (place, type_name) not in self.known:
                self.note(place, type_name, sample=value)
            if type_name == "object":
                if depth < _DEPTH and key not in _OPEN_MAPS:
                    self.observe(value, place, depth + 1)
            elif type_name == "array" and value and isinstance(value[0], dict) and depth < _DEPTH:
                self.observe(value[0], f"{place}[]", depth + 1)

    def note(self, path: str, type_name: str, *, sample: object = None) -> None:
        """Record that `path` now has `type_name`; the sample is kept as a digest only."""
        if (path, type_name) in self.known:
            return
        digest = hashlib.blake2b(repr(sample).encode("utf-8", "replace"), digest_size=8).digest()
        self._fresh.append((path, self._newest.get(path), type_name, digest))
        self.known.add((path, type_name))
        self._newest[path] = type_name

    def write(self, cursor: psycopg.Cursor, load_id: int) -> None:
        """Insert what is fresh. Call `committed` once the transaction is through."""
        if self._fresh:
            cursor.executemany(
                "insert into ops.schema_drift (source, stream, path, old_type, new_type, first_seen, load_id,"
                " sample_hash) values (%s, %s, %s, %s, %s, now(), %s, %s) on conflict do nothing",
                [(self.source, self.stream, path, old, new, load_id, digest) for path, old, new, digest in self._fresh],
            )

    def committed(self) -> None:
        self._fresh.clear()
