"""Rows as files: CSV, XLSX and Parquet, written batch by batch, so that a file costs no memory for its length.

A cell that a spreadsheet would run as a formula stays text: in CSV by an apostrophe before it, in XLSX by its type.
Numbers stay numbers. Times are UTC; XLSX knows no zones, there they are shown without one.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from enum import StrEnum
from types import UnionType
from typing import Any, BinaryIO, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from app.errors import InvalidInput

# signs, full-width ones too, behind anything that a spreadsheet skips or takes for the end of a cell
_STARTS_A_FORMULA = re.compile(r"[\t\r\n\0]|[\s\0;,|]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\u2212]")
XLSX_ROW_LIMIT = 1_048_575  # of a sheet, less the head
XLSX_CELL_LIMIT = 32_767  # characters; a longer text ends in an ellipsis


class Format(StrEnum):
    """What a file can be."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file. `kind` is str, int, float, bool, date or datetime; with `is_list` a list of them."""

    name: str
    kind: type
    is_list: bool = False


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (UnionType, Union):
        return next(one for one in get_args(hint) if one is not type(None))
    return hint


def columns_of(row_type: type) -> tuple[Column, ...]:
    """The fields of a dataclass as columns, in order; ids and members of closed lists are text."""

    def column(name: str, hint: Any) -> Column:
        kind = _without_none(hint)
        if get_origin(kind) is list:
            return Column(name, _without_none(get_args(kind)[0]), is_list=True)
        return Column(name, str if issubclass(kind, (str, UUID)) else kind)

    hints = get_type_hints(row_type)
    return tuple(column(field.name, hints[field.name]) for field in fields(row_type))


Rows = Iterable[Sequence[Any]]


def disarmed(text: str) -> str:
    """A text that a spreadsheet would read as a formula, with an apostrophe before it; any other as it is."""
    return "'" + text if _STARTS_A_FORMULA.match(text) else text


def _is_nothing(value: object) -> bool:
    return value is None or value != value  # not a number, not a time


def _csv_cell(value: Any) -> object:
    if _is_nothing(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return json.dumps(value)
    return disarmed(str(value)) if isinstance(value, (str, UUID)) else value


def _write_csv(file: BinaryIO, columns: Sequence[Column], batches: Iterable[Rows]) -> None:
    # a byte order mark, so that spreadsheets read it as UTF-8
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([disarmed(column.name) for column in columns])
    for rows in batches:
        writer.writerows([_csv_cell(value) for value in row] for row in rows)
    text.detach()


def _write_xlsx(file: BinaryIO, columns: Sequence[Column], batches: Iterable[Rows]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        day, moment = (book.add_format({"num_format": shown}) for shown in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"))
        head = book.add_format({"bold": True})
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.name, head)
        sheet.freeze_panes(1, 0)

        def put(row: int, place: int, value: Any) -> None:
            if _is_nothing(value):
                return
            if isinstance(value, bool):
                sheet.write_boolean(row, place, value)
            elif isinstance(value, (int, float)):
                sheet.write_number(row, place, value)
            elif isinstance(value, datetime):
                sheet.write_datetime(row, place, value.replace(tzinfo=None), moment)
            elif isinstance(value, date):
                sheet.write_datetime(row, place, datetime.combine(value, time()), day)
            else:
                text = json.dumps(value) if isinstance(value, list) else str(value)
                is_long = len(text) > XLSX_CELL_LIMIT
                sheet.write_string(row, place, text[: XLSX_CELL_LIMIT - 1] + "…" if is_long else text)

        for row, values in enumerate((values for rows in batches for values in rows), start=1):
            if row > XLSX_ROW_LIMIT:
                raise InvalidInput(
                    "format",
                    f"A sheet holds {XLSX_ROW_LIMIT:,} rows, this has more.",
                    hint="Take CSV or Parquet, or narrow it.",
                )
            for place, value in enumerate(values):
                put(row, place, value)


def _write_parquet(file: BinaryIO, columns: Sequence[Column], batches: Iterable[Rows]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        date: pa.date32(),
        datetime: pa.timestamp("us", tz="UTC"),
    }

    def arrow(column: Column) -> pa.Field:
        kind = kinds[column.kind]
        return pa.field(column.name, pa.list_(kind) if column.is_list else kind)

    schema = pa.schema([arrow(column) for column in columns])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in batches:
            by_column = zip(*rows, strict=True)
            arrays = [
                pa.array(
                    [str(value) if column.kind is str and isinstance(value, UUID) else value for value in values],
                    type=field.type,
                )
                for column, field, values in zip(columns, schema, by_column, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


_WRITERS: dict[Format, Callable[[BinaryIO, Sequence[Column], Iterable[Rows]], None]] = {
    Format.CSV: _write_csv,
    Format.XLSX: _write_xlsx,
    Format.PARQUET: _write_parquet,
}


def write(file: BinaryIO, wanted: Format, columns: Sequence[Column], batches: Iterable[Rows]) -> None:
    """Write all rows under the heads of `columns`. Raises InvalidInput when a sheet cannot hold them."""
    _WRITERS[wanted](file, columns, batches)
