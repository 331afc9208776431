"""Rows as files: CSV, XLSX and Parquet, written batch by batch, so that a file costs no memory for its length.

A cell that a spreadsheet would run as a formula stays text: in CSV by an apostrophe before it, in XLSX by its type.
Numbers stay numbers. Times are UTC; XLSX knows no zones, there they are shown without one.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, BinaryIO
from uuid import UUID

from app.exports import sheet
from app.exports.columns import Column, Rows, is_nothing

# signs, full-width ones too, behind anything that a spreadsheet skips or takes for the end of a cell
_STARTS_A_FORMULA = re.compile(r"[\t\r\n\0]|[\s\0;,|]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\u2212]")


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


def disarmed(text: str) -> str:
    """A text that a spreadsheet would read as a formula, with an apostrophe before it; any other as it is."""
    return "'" + text if _STARTS_A_FORMULA.match(text) else text


def _csv_cell(value: Any) -> object:
    if is_nothing(value):
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
            if not rows:
                continue
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
    Format.XLSX: sheet.write,
    Format.PARQUET: _write_parquet,
}


def write(file: BinaryIO, wanted: Format, columns: Sequence[Column], batches: Iterable[Rows]) -> None:
    """Write all rows under the heads of `columns`. Raises InvalidInput when a sheet cannot hold them."""
    _WRITERS[wanted](file, columns, batches)
