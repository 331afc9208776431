"""Keys that a full scan did not meet: missing, unless the scan itself is not to be believed.

An empty or filtered answer looks exactly like a mass deletion. So the share of a table that one scan may end is
limited, and the limit is checked before anything is written.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from psycopg import sql

from extract import config
from extract.errors import TruncatedExtract
from extract.stream import Chunk, Counts, Record, Run, Table, Transaction

# Two rows may always go: five per cent of a table of ten would be none.
ALWAYS_ALLOWED = 2
CHUNK_SIZE = 1000

Confirm = Callable[[Sequence[str]], Iterable[Record]]


def unseen(run: Run) -> list[str]:
    """Keys of live rows that this full scan has not met, in key order. Raises TruncatedExtract above the limit."""
    table = run.table
    query = sql.SQL(
        "select count(*), array_agg(_pk order by _pk) filter (where _seen_at < %s) from {} where _deleted_at is null"
    ).format(table.identifier)
    live, missing = run.db.execute(query, (run.started_at,)).fetchone() or (0, None)
    keys: list[str] = missing or []
    refuse_shrinking(f"{table.schema}.{table.name}", live=live, missing=len(keys))
    return keys


def refuse_shrinking(name: str, *, live: int, missing: int) -> None:
    """Raises TruncatedExtract when `missing` of `live` rows is more than one scan may end."""
    ratio = config.read(config.ScanSettings).missing_limit_ratio
    if missing > max(ALWAYS_ALLOWED, ratio * live) or (missing == live and live > 0):
        raise TruncatedExtract(
            f"The full scan of {name} did not meet {missing} of {live} rows, more than {ratio:.0%}; that is more like "
            "a cut answer than like deletions, so nothing was tombstoned. Look at the source; if it is right, raise "
            "EXTRACT_MISSING_LIMIT_RATIO for one run."
        )


def tombstone_unseen(run: Run, *, reason: str = "missing", confirm: Confirm | None = None) -> Iterator[Chunk]:
    """Chunks that end the rows this scan did not meet. `confirm` asks the source about them first, and may find that
    some exist after all (it returns live records for those) or know a better reason."""
    keys = iter(unseen(run))
    erases = config.read(config.ScanSettings).erase_privacy_deleted
    while batch := list(islice(keys, CHUNK_SIZE)):
        records = list(confirm(batch)) if confirm else [missing(run, key, reason) for key in batch]
        private = [record.pk for record in records if record.delete_reason == "privacy"]
        yield Chunk(records=records, also=_eraser(run.table, private) if private and erases else None)


def _eraser(table: Table, keys: list[str]) -> Callable[[Transaction, Counts], None]:
    """What removes the content of erased people from the table and its change log, in the transaction that ends
    them; the tombstone in the log stays as the proof."""

    def erase(transaction: Transaction, counts: Counts) -> None:
        transaction.cursor.execute(
            sql.SQL(
                "update {} set payload = jsonb_build_object('id', _pk, '_erased', true), _row_hash = ''::bytea"
                " where _pk = any(%s)"
            ).format(table.identifier),
            (keys,),
        )
        transaction.cursor.execute(
            sql.SQL("update {} set payload = null where _pk = any(%s) and _op <> 'D'").format(table.log_identifier),
            (keys,),
        )

    return erase


def missing(run: Run, key: str, reason: str = "missing") -> Record:
    """The tombstone of a key that the source does not know any more."""
    at = run.source_now
    return Record(
        pk=key,
        payload={"id": key, "_reason": reason},
        version=None,
        deleted_at=at,
        delete_reason=reason,
        is_tombstone=True,
    )
