"""NPS exports from a drop folder.

    {folder}/nps_{survey}_{YYYY-MM-DD}[_v{n}].csv[.gz|.zip] + .done → raw_survey.responses, raw_survey.files

Key of a response: survey_id:response_id. State: the registry raw_survey.files, keyed by the content's sha256, so that
the same content under another name is known and the same name with other content is new. One file is one chunk. A
file counts as complete when its `.done` manifest names its sha256, or, without a manifest, when size and time of
change stand still over two runs. Where files overlap, the one delivered later wins.
A folder has no clock: `source_now` of these runs stays empty.
Alone: `python -m extract surveys responses`.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extract import config
from extract.errors import SourceUnavailable
from extract.sources.survey_files import Parsed, parse
from extract.stream import Chunk, Counts, Journal, Json, Record, Run, Source, State, Stream, Table, Transaction

_NAME = re.compile(r"^nps_(?P<survey>.+)_(?P<day>\d{4}-\d{2}-\d{2})(?:_v(?P<version>\d+))?\.csv(?:\.gz|\.zip)?$")
TABLE = Table("raw_survey", "responses", extra=(("_file_sha256", "text"), ("_line_no", "int")))


@dataclass(frozen=True)
class Folder:
    """The drop folder."""

    path: Path

    def for_run(self, journal: Journal) -> "Folder":
        return self

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Delivery:
    """A complete file, not loaded yet; `received_at` is its time of change."""

    path: Path
    content: bytes
    sha256: str
    received_at: datetime
    announced_rows: int | None


def open_folder() -> Folder:
    """The folder of SURVEYS_FOLDER."""
    return Folder(config.read(config.SurveysSettings).folder)


def read_responses(run: Run[Folder]) -> Iterator[Chunk]:
    """One chunk per new file, in the order of delivery; at last the files that must be looked at again."""
    folder = run.client.path
    if not folder.is_dir():
        raise SourceUnavailable(
            f"The survey folder {folder} is not there; mount it or check SURVEYS_FOLDER, then run again."
        )
    known = {row[0] for row in run.db.execute("select sha256 from raw_survey.files").fetchall()}
    pending: Json = {}
    met: dict[str, list[int]] = (run.state.cursor or {}).get("pending", {})
    for path in _in_order_of_delivery(folder):
        delivery = _delivery(run, path, met, pending)
        if delivery is None or delivery.sha256 in known:
            continue
        known.add(delivery.sha256)
        parsed = parse(path.name, delivery.content)
        if delivery.announced_rows is not None and delivery.announced_rows != parsed.row_count:
            run.journal.warn(f"{path.name}: the manifest announces {delivery.announced_rows} rows, the file holds "
                             f"{parsed.row_count}.")  # fmt: skip
        yield _chunk(delivery, parsed)
    state = State({"pending": pending} if pending else None)
    yield Chunk(state=state)


def _in_order_of_delivery(folder: Path) -> list[Path]:
    files = [path for path in folder.iterdir() if path.is_file() and _NAME.match(path.name)]
    return sorted(files, key=lambda path: (path.stat().st_mtime_ns // 1_000_000, _order(path.name)))


def _order(name: str) -> tuple[str, int, str]:
    found = _NAME.match(name)
    return (found["day"], int(found["version"] or 0), name) if found else ("", 0, name)


def _delivery(run: Run[Folder], path: Path, met: dict[str, list[int]], pending: Json) -> Delivery | None:
    """The file when it is complete, else None; what it looks like now goes to `pending`."""
    status = path.stat()
    manifest = _manifest(path)
    looks = [status.st_size, status.st_mtime_ns // 1_000_000]
    if manifest is None and met.get(path.name) != looks:
        if not _is_loaded_as_it_stands(run, path):
            pending[path.name] = looks
        return None
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if manifest is not None and manifest.get("sha256") not in (None, digest):
        run.journal.warn(f"{path.name}: the content is not what its manifest names; it is being written or was cut.")
        return None
    rows = manifest.get("rows") if manifest else None
    received_at = datetime.fromtimestamp(looks[1] // 1000, UTC).replace(microsecond=looks[1] % 1000 * 1000)
    return Delivery(path, content, digest, received_at, rows if isinstance(rows, int) else None)


def _is_loaded_as_it_stands(run: Run[Folder], path: Path) -> bool:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    found = run.db.execute("select 1 from raw_survey.files where sha256 = %s", (digest,)).fetchone()
    return found is not None


def _manifest(path: Path) -> dict[str, Any] | None:
    """The `.done` file beside `path`, under either of its two usual names. One that cannot be read yet is none."""
    for place in (path.with_name(f"{path.name}.done"), path.with_suffix(".done")):
        if place.is_file():
            try:
                found = json.loads(place.read_bytes() or b"{}")
            except ValueError:
                return None
            return found if isinstance(found, dict) else None
    return None


def _chunk(delivery: Delivery, parsed: Parsed) -> Chunk:
    version = delivery.received_at
    records = [
        Record(
            pk=f"{row.values['survey_id'].strip()}:{row.values['response_id'].strip()}",
            payload=row.values,
            version=int(version.timestamp() * 1000),
            extra=(delivery.sha256, row.line),
        )
        for row in parsed.rows
    ]

    def register(transaction: Transaction, counts: Counts) -> None:
        transaction.cursor.execute(
            "insert into raw_survey.files (sha256, name, received_at, row_count, loaded_count, quarantined_count,"
            " load_id) values (%s, %s, %s, %s, %s, %s, %s) on conflict (sha256) do nothing",
            (
                delivery.sha256,
                delivery.path.name,
                delivery.received_at,
                parsed.row_count,
                counts.read - counts.quarantined,
                counts.quarantined,
                transaction.load_id,
            ),
        )

    return Chunk(records=records, quarantined=parsed.refused, also=register)


_STREAM = Stream("responses", TABLE, read_responses)

SOURCE = Source("surveys", "The survey folder", {_STREAM.name: _STREAM}, open_folder)
