"""Rows as one Excel sheet, row by row into the file: six parts of XML in a zip archive (ECMA-376).

Written here and not by a library: columns of a known kind need no decision per cell, which is where xlsxwriter spends
its time (20,000 rows of 58 columns: 3.9 s there, 0.8 s here). A text is an inline
string, which no spreadsheet takes for a formula, whatever it begins with.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, BinaryIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from app.errors import InvalidInput
from app.exports.columns import Column, Rows

ROW_LIMIT = 1_048_575  # of a sheet, less the head
CELL_LIMIT = 32_767  # characters; a longer text ends in an ellipsis
SIZE_LIMIT = 2**31 - 2**20  # bytes of XML; beyond it an archive is of a kind that Excel wants to repair

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_MIME}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_MIME}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_MIME}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_KINDS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_KINDS}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_KINDS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_KINDS}/styles" Target="styles.xml"/></Relationships>',
    # the styles of cells, by number: plain, a head, a day, a moment
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_OPENING = (
    f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_CLOSING = "</sheetData></worksheet>"

# what XML has no letter for is said by its number, and so is a text that only looks like such a number
_UNSAYABLE = re.compile("[\\x00-\\x08\\x0b-\\x1f\ufffe\uffff]|_(?=x[0-9a-fA-F]{4}_)")
_DAY_ZERO = date(1899, 12, 30)
_FIRST_DAY = date(1900, 3, 1)  # Excel knows a 29 February 1900; days before it are text
_MIDNIGHT_ZERO = datetime(1899, 12, 30, tzinfo=UTC)


def _text(value: object) -> str:
    text = str(value)
    if len(text) > CELL_LIMIT:
        text = text[: CELL_LIMIT - 1] + "…"
    said = escape(_UNSAYABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
    return f' t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'


def _number(value: float) -> str:
    return f"><v>{value}</v></c>" if math.isfinite(value) else _text(value)


def _truth(value: object) -> str:
    return f' t="b"><v>{1 if value else 0}</v></c>'


def _day(value: date) -> str:
    return f' s="2"><v>{(value - _DAY_ZERO).days}</v></c>' if value >= _FIRST_DAY else _text(value)


def _moment(value: datetime) -> str:
    as_utc = value if value.tzinfo else value.replace(tzinfo=UTC)
    if as_utc.date() < _FIRST_DAY:
        return _text(value)
    return f' s="3"><v>{(as_utc - _MIDNIGHT_ZERO).total_seconds() / 86_400:.11f}</v></c>'


def _list(value: object) -> str:
    return _text(json.dumps(value))


_CELLS: dict[type, Callable[[Any], str]] = {
    str: _text, int: _number, float: _number, bool: _truth, date: _day, datetime: _moment,
}  # fmt: skip


def _letters(place: int) -> str:
    """The name of a column, from 0: A to Z, AA and on."""
    before, last = divmod(place, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


def _lines(columns: Sequence[Column], batches: Iterable[Rows]) -> Iterator[str]:
    """The XML of the rows, a batch at a time, the head first."""
    starts = [f'<c r="{_letters(place)}' for place in range(len(columns))]
    cells = [_list if column.is_list else _CELLS[column.kind] for column in columns]
    head = "".join(f'{start}1" s="1"{_text(column.name)}' for start, column in zip(starts, columns, strict=True))
    yield f'<row r="1">{head}</row>'
    number = 1
    for rows in batches:
        lines = []
        for row in rows:
            number += 1
            lines.append(f'<row r="{number}">')
            lines += [
                f'{start}{number}"{cell(value)}'
                for start, cell, value in zip(starts, cells, row, strict=True)
                if value is not None and value == value  # is_nothing, but called for millions
            ]
            lines.append("</row>")
        if number - 1 > ROW_LIMIT:
            raise InvalidInput(
                "format",
                f"A sheet holds {ROW_LIMIT:,} rows, this has more.",
                hint="Take CSV or Parquet, or narrow it.",
            )
        yield "".join(lines)


def write(file: BinaryIO, columns: Sequence[Column], batches: Iterable[Rows]) -> None:
    """Write a workbook of one sheet. Raises InvalidInput when a sheet cannot hold the rows."""
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=4) as archive:
        for name, part in _PARTS.items():
            archive.writestr(name, _HEAD + part)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            size = sheet.write(_OPENING.encode())
            for lines in _lines(columns, batches):
                piece = lines.encode()
                size += len(piece)
                if size > SIZE_LIMIT:
                    raise InvalidInput("format", "This is too much for a sheet.", hint="Take CSV or Parquet.")
                sheet.write(piece)
            sheet.write(_CLOSING.encode())
