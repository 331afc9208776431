"""The loader on a real PostgreSQL: what is written, what is not, and what survives a kill."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from extract.errors import SourceRejected, StreamBusy, TruncatedExtract
from extract.scan import tombstone_unseen
from extract.schema import ensure
from extract.stream import Chunk, Counts, Quarantined, State
from tests.conftest import Warehouse
from tests.extract.conftest import NOW, Loaded, record, tombstone


def test_a_new_record_is_stored_logged_and_audited(loaded: Loaded) -> None:
    result = loaded.records(record("1", name="Northwind"))

    assert (result.status, result.read, result.inserted) == ("succeeded", 1, 1)
    assert loaded.row("1")["payload"] == {"id": "1", "name": "Northwind"}
    assert loaded.value("select _op::text || (payload->>'name') from raw_hubspot.notes__log") == "INorthwind"
    assert loaded.value("select read = 1 and inserted = 1 from ops.load_chunk") is True
    assert loaded.value("select source_now from ops.load_run") == NOW


def test_reading_the_same_records_again_writes_nothing_to_raw_tables_or_state(loaded: Loaded) -> None:
    chunk = Chunk([record(str(key), name="x") for key in range(50)], state=State({"at": 5}, NOW))
    loaded.load(chunk)
    trace = "select string_agg(xmin::text || ctid::text, ',' order by _pk) from raw_hubspot.notes"
    state = "select xmin::text || ctid::text from ops.stream_state"
    before = (loaded.value(trace), loaded.value(state), loaded.value("select count(*) from raw_hubspot.notes__log"))

    again = loaded.load(chunk)

    assert (again.read, again.unchanged, again.inserted, again.updated) == (50, 50, 0, 0)
    after = (loaded.value(trace), loaded.value(state), loaded.value("select count(*) from raw_hubspot.notes__log"))
    assert after == before


def test_an_older_version_does_not_overwrite_a_newer_one(loaded: Loaded) -> None:
    loaded.records(record("1", version=20, name="new"))

    result = loaded.records(record("1", version=10, name="old"))

    assert result.stale == 1
    assert loaded.row("1")["payload"]["name"] == "new"


def test_of_two_versions_in_one_chunk_the_newer_wins_and_both_are_accounted_for(loaded: Loaded) -> None:
    result = loaded.records(
        record("1", version=2, name="new"), record("1", version=1, name="old"), record("1", version=2, name="new")
    )

    assert (result.read, result.inserted, result.stale, result.unchanged) == (3, 1, 1, 1)
    assert loaded.row("1")["payload"]["name"] == "new"


def test_a_changed_volatile_member_is_not_a_change(loaded: Loaded) -> None:
    loaded.records(record("1", url="https://a.example/signed?1"))

    assert loaded.records(record("1", url="https://a.example/signed?2")).unchanged == 1


def test_a_tombstone_keeps_the_payload_and_leaves_its_evidence_in_the_log(loaded: Loaded) -> None:
    loaded.records(record("1", name="kept"))

    result = loaded.records(tombstone("1"))

    row = loaded.row("1")
    assert result.updated == 1
    assert (row["_delete_reason"], row["_deleted_at"], row["payload"]["name"]) == ("archived", NOW, "kept")
    assert loaded.value("select payload->>'archived' from raw_hubspot.notes__log where _op = 'D'") == "true"
    assert loaded.records(tombstone("1")).unchanged == 1


def test_a_record_that_returns_with_the_same_content_is_alive_again(loaded: Loaded) -> None:
    loaded.records(record("1", name="back"))
    loaded.records(tombstone("1"))

    loaded.records(record("1", name="back"))

    assert loaded.row("1")["_deleted_at"] is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [("a\x00b", "nul_char"), ("half \ud83d", "bad_encoding"), (float("inf"), "not_json")],
)
def test_a_record_that_cannot_be_stored_is_quarantined_and_the_rest_loads(
    loaded: Loaded, value: object, reason: str
) -> None:
    result = loaded.records(record("1", name=value), record("2", name="emoji 😀 and \\u0000 as text"))

    assert (result.status, result.inserted, result.quarantined) == ("warned", 1, 1)
    assert loaded.value("select reason_code from ops.quarantine where pk_guess = '1'") == reason
    assert loaded.row("2")["payload"]["name"] == "emoji 😀 and \\u0000 as text"


def test_a_bad_record_met_again_is_not_quarantined_twice(loaded: Loaded) -> None:
    loaded.records(record("1", name="a\x00b"))
    loaded.records(record("1", name="a\x00b"))

    assert loaded.value("select count(*) from ops.quarantine") == 1


def test_more_than_a_few_bad_records_stop_the_run_before_the_commit(loaded: Loaded) -> None:
    bad = [Quarantined("no_primary_key", "no id", str(number).encode()) for number in range(101)]

    with pytest.raises(SourceRejected, match="101 of 102 records"):
        loaded.load(Chunk([record("1")], quarantined=bad))

    assert loaded.value("select count(*) from raw_hubspot.notes") == 0
    assert loaded.value("select status from ops.load_run") == "failed"


def test_numbers_keep_every_digit(loaded: Loaded) -> None:
    loaded.records(record("1", big=12345678901234567890123, amount="0.5", price=0.1))

    assert loaded.value("select payload->>'big' from raw_hubspot.notes") == "12345678901234567890123"
    assert loaded.value("select payload->>'price' from raw_hubspot.notes") == "0.1"


def test_new_members_and_changed_types_are_noted_as_drift(loaded: Loaded) -> None:
    loaded.records(record("1", properties={"seats": "17"}))
    loaded.records(record("2", properties={"seats": 17, "plan": "pro"}))

    changed = loaded.db.execute(
        "select path, old_type, new_type from ops.schema_drift where load_id = 2 order by path"
    ).fetchall()
    assert changed == [("properties.plan", None, "string"), ("properties.seats", "string", "number")]


def test_a_state_moved_by_somebody_else_stops_the_chunk(loaded: Loaded) -> None:
    loaded.load(Chunk([record("1")], state=State({"at": 1})))

    def chunks():
        yield Chunk([record("2")], state=State({"at": 2}))
        loaded.db.execute("update ops.stream_state set cursor = '{\"at\": 9}'")
        yield Chunk([record("3")], state=State({"at": 3}))

    with pytest.raises(StreamBusy, match="moved on by another run"):
        loaded.load(*(), kind="full_scan", scanned=lambda run: chunks())

    assert loaded.value("select string_agg(_pk, ',' order by _pk) from raw_hubspot.notes") == "1,2"


def test_a_second_run_of_a_stream_says_so_and_does_nothing(loaded: Loaded) -> None:
    loaded.db.execute("select pg_advisory_lock(hashtext('extract'), hashtext('told.notes'))")

    with pytest.raises(StreamBusy, match=r"told\.notes is being loaded by another run; nothing was done"):
        loaded.load(Chunk([record("1")]), lock_wait_seconds=0.1)

    assert loaded.value("select count(*) from ops.load_run") == 0


def test_a_full_scan_ends_rows_it_did_not_meet(loaded: Loaded) -> None:
    loaded.load(Chunk([record(str(key)) for key in range(60)], state=State({"at": 1})))

    def scanned(run):
        yield Chunk([record(str(key)) for key in range(58)])
        yield from tombstone_unseen(run)

    result = loaded.load(kind="full_scan", scanned=scanned)

    assert (result.read, result.unchanged, result.updated) == (60, 58, 2)
    assert loaded.value("select string_agg(_pk, ',' order by _pk) from raw_hubspot.notes where _deleted_at is not null"
                        " and _delete_reason = 'missing' and payload ? 'id'") == "58,59"  # fmt: skip


@pytest.mark.parametrize("returned", [0, 50])
def test_a_full_scan_that_shrinks_too_much_ends_nothing(loaded: Loaded, returned: int) -> None:
    loaded.load(Chunk([record(str(key)) for key in range(60)], state=State({"at": 1})))

    def scanned(run):
        yield Chunk([record(str(key)) for key in range(returned)])
        yield from tombstone_unseen(run)

    with pytest.raises(TruncatedExtract, match=f"did not meet {60 - returned} of 60 rows"):
        loaded.load(kind="full_scan", scanned=scanned)

    assert loaded.value("select count(*) from raw_hubspot.notes where _deleted_at is not null") == 0


def test_ensuring_the_schema_twice_changes_nothing(loaded: Loaded) -> None:
    assert ensure(loaded.db) is False


def test_readers_of_the_warehouse_can_read_what_the_loader_made(loaded: Loaded, warehouse: Warehouse) -> None:
    loaded.records(record("1"))

    with psycopg.connect(warehouse.transformer_dsn) as db:
        assert db.execute("select count(*) from raw_hubspot.notes").fetchone() == (1,)
        assert db.execute("select count(*) from ops.load_run").fetchone() == (1,)


def test_counts_that_do_not_add_up_are_refused_by_the_audit_itself(loaded: Loaded) -> None:
    loaded.records(record("1"))

    with pytest.raises(psycopg.errors.CheckViolation):
        loaded.db.execute("update ops.load_chunk set read = read + 1")
    assert Counts(read=2, inserted=1, stale=1).is_balanced


KILLED = """
import os, signal, sys
from extract.stream import Chunk, Record, Source, State, Stream, Table
from extract.sources import SOURCES
from extract.run import run_stream

inside = int(sys.argv[2])

class Told:
    def for_run(self, journal):
        return self

    def close(self):
        pass

def die(transaction, counts):
    os.kill(os.getpid(), signal.SIGKILL)

def read(run):
    start = (run.state.cursor or {"next": 0})["next"]
    for number, first in enumerate(range(start, 6000, 100)):
        rows = [Record(str(n), {"id": n, "text": "x" * 200}, 1) for n in range(first, first + 100)]
        yield Chunk(rows, state=State({"next": first + 100}), also=die if number == inside else None)

SOURCES["told"] = Source("told", "Told", {"notes": Stream("notes", Table("raw_hubspot", "notes"), read)}, Told)
tell = lambda report: print(report.number, flush=True)
run_stream("told", "notes", dsn=sys.argv[1], lock_wait_seconds=20, on_chunk=tell)
print("done", flush=True)
"""


def test_a_run_killed_at_any_moment_loses_nothing_and_doubles_nothing(loaded: Loaded) -> None:
    """Killed between COPY and COMMIT (by itself) or anywhere (from outside): the next run continues at a chunk
    border."""
    luck = random.Random(24)
    kills = 0
    for attempt in range(20):
        inside = 2 if attempt % 3 == 0 else -1
        run = subprocess.Popen(
            [sys.executable, "-c", KILLED, loaded.dsn, str(inside)], stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2], env=dict(os.environ),
        )  # fmt: skip
        assert run.stdout is not None
        if kills < 4:
            for _ in range(luck.randrange(1, 5)):
                run.stdout.readline()
            time.sleep(luck.uniform(0, 0.02))
            run.send_signal(signal.SIGKILL)
        rest = run.stdout.read()
        run.wait()
        run.stdout.close()
        if "done" in rest:
            break
        kills += 1

    assert kills >= 4
    assert loaded.value("select count(*) from raw_hubspot.notes") == 6000
    assert loaded.value("select count(*) from raw_hubspot.notes__log") == 6000
    assert loaded.value("select sum(inserted) from ops.load_chunk") == 6000
    assert loaded.value("select sum(read) from ops.load_chunk") == 6000
    assert loaded.value("select count(*) from ops.load_run where error_class = 'Abandoned'") == kills
    assert loaded.value("select count(*) from ops.load_run where status = 'running'") == 0
