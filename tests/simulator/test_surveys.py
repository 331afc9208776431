"""NPS files: manifests, the usual faults, and what an incident can drop."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from simulator.estate import begin, live_through
from simulator.incident_files import VARIANTS
from simulator.ledger import Ledger, SurveyFile
from simulator.surveys import COLUMNS, write_files
from simulator.world import World
from tests.simulator.conftest import Vendors


def folder(vendors: Vendors) -> Path:
    return vendors.settings.simulator_surveys_folder


def test_every_file_has_a_manifest_with_its_rows_and_digest(vendors: Vendors) -> None:
    files = sorted(folder(vendors).glob("nps_relationship_*.csv"))

    assert files
    for path in files:
        manifest = json.loads(path.with_suffix(".done").read_text())
        content = path.read_bytes()
        assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(text.splitlines(), delimiter=";" if ";" in text.splitlines()[0] else ","))
        assert rows[0] == COLUMNS
        assert manifest["rows"] == len(rows) - 1


def test_one_file_has_semicolons_and_a_byte_order_mark_and_one_a_score_of_eleven() -> None:
    today = 20_780  # of a fixed day: how many Mondays have answers is a matter of chance
    world, ledger = World(seed=24, first_day=today - 200, day=today - 201), Ledger(events_since=0)
    begin(world, ledger, 30, 200)
    for day in range(world.first_day, today):
        live_through(world, ledger, day)
    contents = [file.content for file in ledger.files]

    assert 9 <= len(contents) < 40
    assert sum(content.startswith(b"\xef\xbb\xbf") and b";score;" in content for content in contents) == 1
    assert sum(b"\r\nTotal," in content and b",11,," in content for content in contents) == 1


def test_answers_carry_a_zone_and_a_score_from_nought_to_ten(vendors: Vendors) -> None:
    path = sorted(folder(vendors).glob("nps_relationship_*.csv"))[0]

    for row in csv.DictReader(path.read_text().splitlines()):
        assert 0 <= int(row["score"]) <= 10
        assert row["responded_at"][-6] in "+-"


def test_writing_a_file_again_leaves_it_untouched(vendors: Vendors, tmp_path: Path) -> None:
    file = SurveyFile("nps_a_2026-01-01.csv", b"response_id\r\n", 0)
    write_files(tmp_path, [file])
    before = (tmp_path / file.name).stat().st_mtime_ns

    write_files(tmp_path, [file])

    assert (tmp_path / file.name).stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nps_a_2026-01-01.csv", "nps_a_2026-01-01.done"]


@pytest.mark.parametrize("variant", [*VARIANTS, "same_content_new_name"])
def test_every_fault_of_the_survey_tool_can_be_had(vendors: Vendors, variant: str) -> None:
    name = vendors.do("survey_file", variant=variant)

    path = folder(vendors) / name
    assert path.exists()
    assert path.with_suffix(".done").exists() == (variant != "unfinished")
    path.unlink()
    path.with_suffix(".done").unlink(missing_ok=True)


def test_a_file_can_be_delivered_again_under_its_name_with_other_content(vendors: Vendors) -> None:
    newest = sorted(folder(vendors).glob("nps_*.csv"))[-1]
    before = newest.read_bytes()

    name = vendors.do("survey_file", variant="same_name_new_content")

    assert name == newest.name
    assert newest.read_bytes().startswith(before)
    assert newest.read_bytes().count(b"\r\n") == before.count(b"\r\n") + 1
