"""Survey exports: good rows load, bad rows are kept with file, line and reason, and no file is loaded twice."""

import gzip
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from extract.errors import SourceUnavailable
from extract.run import LoadResult, run_stream
from extract.sources.survey_files import decoded, parse
from tests.extract.conftest import Loaded

HEADER = "response_id,respondent_email,account_external_id,score,comment,survey_id,responded_at,language,channel"
FIRST = "r1,ann@a.example,4711,9,Great,h1,2026-11-16T09:00:00+00:00,en,email"
SECOND = "r2,bob@b.example,4712,3,Slow,h1,2026-11-16T10:00:00+00:00,en,email"


def csv_text(*rows: str, header: str = HEADER) -> str:
    return "\r\n".join([header, *rows]) + "\r\n"


@pytest.mark.parametrize(
    "content",
    [
        csv_text(FIRST).encode("utf-8-sig"),
        csv_text(FIRST).encode("utf-16"),
        csv_text(FIRST).encode("utf-16-le"),
        csv_text(FIRST.replace(",", ";"), header=HEADER.replace(",", ";")).encode(),
        csv_text(FIRST.replace(",", "\t"), header=HEADER.replace(",", "\t")).encode(),
        gzip.compress(csv_text(FIRST).encode()),
    ],
    ids=["bom", "utf-16", "utf-16 without bom", "semicolon", "tab", "gzip"],
)
def test_encoding_and_delimiter_do_not_matter(content: bytes) -> None:
    parsed = parse("nps.csv", content)

    assert [row.values["response_id"] for row in parsed.rows] == ["r1"]
    assert parsed.rows[0].values["comment"] == "Great"
    assert parsed.rows[0].line == 2


def test_a_zip_with_one_file_is_read_and_one_with_two_is_refused() -> None:
    def zipped(*names: str) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name in names:
                archive.writestr(name, csv_text(FIRST))
        return out.getvalue()

    assert len(parse("nps.csv.zip", zipped("a.csv")).rows) == 1
    assert "holds 2 files" in parse("nps.csv.zip", zipped("a.csv", "b.csv")).refused[0].reason


def test_windows_1252_is_read_when_the_bytes_are_not_utf_8() -> None:
    assert decoded("Zürich – naïve".encode("cp1252")) == "Zürich – naïve"


def test_columns_are_found_by_name_in_any_order_and_unknown_ones_are_kept() -> None:
    text = "Survey ID,Email Address,NPS Score,Response-ID,Favourite Colour\nh1,a@a.example,9,r1,blue\n"

    values = parse("nps.csv", text.encode()).rows[0].values

    assert values == {"survey_id": "h1", "respondent_email": "a@a.example", "score": "9", "response_id": "r1",
                      "favourite_colour": "blue"}  # fmt: skip


def test_a_quoted_newline_and_doubled_quotes_stay_in_the_comment_and_lines_are_counted_right() -> None:
    odd = 'r1,a@a.example,1,9,"two\nlines, and ""quotes""",h1,2026-11-16,en,email'

    parsed = parse("nps.csv", csv_text(odd, SECOND).encode())

    assert parsed.rows[0].values["comment"] == 'two\nlines, and "quotes"'
    assert [row.line for row in parsed.rows] == [2, 4]


@pytest.mark.parametrize("score", ["", "0", "10", "10 - very likely", "9,0", "7.5"])
def test_an_odd_score_loads_as_it_came(score: str) -> None:
    parsed = parse("nps.csv", csv_text(FIRST.replace(",9,", f',"{score}",')).encode())

    assert parsed.rows[0].values["score"] == score


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        (FIRST.replace(",9,", ",11,"), "csv_score", "score '11' is not a number from 0 to 10"),
        (FIRST.replace(",9,", ",-1,"), "csv_score", "score '-1'"),
        (FIRST.replace(",9,", ",great,"), "csv_score", "score 'great'"),
        ("Total,,,2,,,,,", "csv_columns", "a total row"),
        ("r9,carl@c.example,4711,8,cut o", "csv_columns", "6 cells where the header has 9".replace("6", "5")),
        (FIRST.replace("r1,", ",", 1), "no_primary_key", "no response_id"),
        (FIRST.replace("r1,", '"1,23E+12",', 1), "no_primary_key", "rounded by a spreadsheet"),
    ],
)
def test_a_row_that_is_no_response_is_refused_with_file_line_and_reason(row: str, code: str, words: str) -> None:
    parsed = parse("nps_x_2026-11-16.csv", csv_text(SECOND, row).encode())

    assert [good.values["response_id"] for good in parsed.rows] == ["r2"]
    assert parsed.refused[0].reason_code == code
    assert parsed.refused[0].reason.startswith("nps_x_2026-11-16.csv, line 3: ")
    assert words in parsed.refused[0].reason
    assert parsed.row_count == 2


def test_a_header_without_keys_refuses_the_file() -> None:
    parsed = parse("nps.csv", b"name,score\nann,9\n")

    assert (parsed.rows, parsed.refused[0].reason_code) == ([], "csv_columns")
    assert "no column response_id and survey_id" in parsed.refused[0].reason


def test_an_empty_file_holds_nothing() -> None:
    assert parse("nps.csv", b"").row_count == 0


class Folder:
    """A drop folder and the stream that reads it."""

    def __init__(self, path: Path, loaded: Loaded) -> None:
        self.path = path
        self.loaded = loaded

    def drop(self, name: str, *rows: str, done: bool = True, mtime: float | None = None) -> Path:
        place = self.path / name
        content = csv_text(*rows).encode()
        place.write_bytes(content)
        if mtime is not None:
            os.utime(place, (mtime, mtime))
        if done:
            digest = hashlib.sha256(content).hexdigest()
            place.with_suffix(".done").write_text(json.dumps({"rows": len(rows), "sha256": digest}))
        return place

    def load(self) -> LoadResult:
        return run_stream("surveys", "responses", dsn=self.loaded.dsn)

    def scores(self) -> dict[str, str]:
        rows = self.loaded.db.execute("select _pk, payload->>'score' from raw_survey.responses order by _pk").fetchall()
        return dict(rows)


@pytest.fixture
def folder(loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("SURVEYS_FOLDER", str(tmp_path))
    return Folder(tmp_path, loaded)


def test_a_file_is_loaded_once_and_registered_by_its_content(folder: Folder) -> None:
    folder.drop("nps_x_2026-11-16.csv", FIRST, SECOND, "Total,,,2,,,,,")

    result = folder.load()

    assert (result.status, result.inserted, result.quarantined) == ("warned", 2, 1)
    registered = folder.loaded.db.execute("select name, row_count, loaded_count, quarantined_count"
                                          " from raw_survey.files").fetchone()  # fmt: skip
    assert registered == ("nps_x_2026-11-16.csv", 3, 2, 1)
    assert folder.loaded.value("select _line_no from raw_survey.responses where _pk = 'h1:r2'") == 3
    assert folder.load().read == 0


def test_the_same_content_under_another_name_is_known(folder: Folder) -> None:
    folder.drop("nps_x_2026-11-16.csv", FIRST)
    folder.load()

    folder.drop("nps_x_2026-11-17.csv", FIRST)

    assert folder.load().read == 0


def test_the_same_name_with_other_content_is_new_and_the_later_delivery_wins(folder: Folder) -> None:
    folder.drop("nps_x_2026-11-16.csv", FIRST, SECOND, mtime=1_000_000)
    folder.load()

    folder.drop("nps_x_2026-11-16.csv", FIRST, SECOND.replace(",3,", ",8,"), mtime=1_000_500)
    result = folder.load()

    assert (result.unchanged, result.updated) == (1, 1)
    assert folder.scores() == {"h1:r1": "9", "h1:r2": "8"}


def test_an_overlapping_older_delivery_does_not_overwrite_a_newer_one(folder: Folder) -> None:
    folder.drop("nps_x_2026-11-16.csv", SECOND.replace(",3,", ",8,"), mtime=1_000_500)
    folder.load()

    folder.drop("nps_x_2026-11-09.csv", SECOND, mtime=1_000_000)

    assert folder.load().stale == 1
    assert folder.scores() == {"h1:r2": "8"}


def test_a_file_without_manifest_waits_until_it_stands_still(folder: Folder) -> None:
    place = folder.drop("nps_x_2026-11-16.csv", FIRST, done=False, mtime=1_000_000)
    assert folder.load().read == 0

    folder.drop(place.name, FIRST, SECOND, done=False, mtime=1_000_060)
    assert folder.load().read == 0

    assert folder.load().inserted == 2
    assert folder.load().read == 0


def test_a_file_that_is_not_what_its_manifest_names_waits_and_is_told(folder: Folder) -> None:
    place = folder.drop("nps_x_2026-11-16.csv", FIRST, SECOND)
    place.write_bytes(place.read_bytes()[:-20])

    result = folder.load()

    assert (result.status, result.read) == ("warned", 0)
    assert "the content is not what its manifest names" in result.warnings[0]


def test_a_missing_folder_is_one_clear_sentence(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SURVEYS_FOLDER", str(tmp_path / "unmounted"))

    with pytest.raises(SourceUnavailable, match="is not there; mount it or check SURVEYS_FOLDER, then run again"):
        folder.load()
