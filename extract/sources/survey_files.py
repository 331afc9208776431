"""Reading survey exports as they really arrive: any encoding, any delimiter, headers of every kind, a total row.

Pure: bytes in, rows and refused rows out. A row is refused only when it cannot be keyed or is not a response;
everything else loads as it came.
"""

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from extract.stream import Quarantined

REQUIRED = ("response_id", "survey_id")
_COLUMNS = {
    "response_id": ("responseid", "id", "response"),
    "respondent_email": ("respondentemail", "email", "emailaddress", "respondent"),
    "account_external_id": ("accountexternalid", "accountid", "externalid", "account", "tenantid"),
    "score": ("score", "npsscore", "nps", "rating"),
    "comment": ("comment", "comments", "feedback", "verbatim"),
    "survey_id": ("surveyid", "survey"),
    "responded_at": ("respondedat", "responsedate", "submittedat", "date"),
    "language": ("language", "lang", "locale"),
    "channel": ("channel", "source"),
}
_KNOWN = {alias: name for name, aliases in _COLUMNS.items() for alias in aliases}
# 1,23E+12: a spreadsheet has rounded the key away.
_MANGLED = re.compile(r"^\d([.,]\d+)?E\+?\d+$", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"^\s*(-?\d+)(?:[.,](\d+))?(?!\d)")


@dataclass(frozen=True)
class SurveyRow:
    """One response: header (our names where known) to text, and the line of the file it starts on (1 = header)."""

    line: int
    values: dict[str, str]


@dataclass
class Parsed:
    """What a file holds. `row_count` counts the rows below the header, good and refused."""

    rows: list[SurveyRow] = field(default_factory=list)
    refused: list[Quarantined] = field(default_factory=list)
    row_count: int = 0


def unpacked(name: str, content: bytes) -> bytes:
    """The CSV inside `content`, which may be gzipped or a zip with one file. Raises ValueError for a broken archive."""
    try:
        if content[:2] == b"\x1f\x8b":
            return gzip.decompress(content)
        if content[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = [member for member in archive.namelist() if not member.endswith("/")]
                if len(members) != 1:
                    raise ValueError(f"{name} holds {len(members)} files; one is agreed.")
                return archive.read(members[0])
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{name} is a broken archive ({error}).") from error
    return content


def decoded(content: bytes) -> str:
    """`content` as text: by its byte order mark, else UTF-8, else UTF-16 by its zeros, else Windows-1252."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    zeros_even, zeros_odd = content[:400:2].count(0), content[1:400:2].count(0)
    if zeros_odd > 50 and zeros_even < 5:
        return content.decode("utf-16-le", "replace")
    if zeros_even > 50 and zeros_odd < 5:
        return content.decode("utf-16-be", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def parse(name: str, content: bytes) -> Parsed:
    """Rows of a survey export. Raises nothing for odd content: what is unusable is refused with file, line, reason."""
    parsed = Parsed()
    try:
        text = decoded(unpacked(name, content))
    except ValueError as error:
        parsed.refused.append(_refused("csv_columns", name, 1, str(error), content[:10_000]))
        parsed.row_count = 1
        return parsed
    if not text.strip():
        return parsed
    lines = _records(text)
    _, header_cells = next(lines)
    header = [column_name(cell, place) for place, cell in enumerate(header_cells)]
    if missing := [column for column in REQUIRED if column not in header]:
        reason = f"no column {' and '.join(missing)} in the header {', '.join(header_cells)[:200]}"
        parsed.refused.append(_refused("csv_columns", name, 1, reason, content[:10_000]))
        parsed.row_count = 1
        return parsed
    for line, cells in lines:
        parsed.row_count += 1
        refusal = _refuse(header, cells)
        if refusal:
            code, reason = refusal
            parsed.refused.append(_refused(code, name, line, reason, _raw(cells)))
        else:
            values = dict(zip(header, cells, strict=False))
            parsed.rows.append(SurveyRow(line, values))
    return parsed


def column_name(cell: str, place: int) -> str:
    """Our name of a header cell where it is one of ours in any spelling, else the cell in snake case."""
    bare = re.sub(r"[^a-z0-9]", "", cell.lower())
    if bare in _KNOWN:
        return _KNOWN[bare]
    return re.sub(r"[^a-z0-9]+", "_", cell.strip().lower()).strip("_") or f"column_{place + 1}"


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Non-empty CSV records with the line they start on; a quoted newline does not shift the count."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=False)
    csv.field_size_limit(16 * 1024 * 1024)
    line = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _delimiter(text: str) -> str:
    """The character that splits the first line into most cells, quoted parts left out."""
    first = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
    return max(",;\t|", key=first.count)


def _refuse(header: list[str], cells: list[str]) -> tuple[str, str] | None:
    """Why a row is no response: code and reason, or None."""
    values = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    key = values.get("response_id", "")
    if key.lower() in ("total", "totals", "sum", "summe", "gesamt") or cells[0].strip().lower() in ("total", "totals"):
        return "csv_columns", "a total row, not a response"
    if len(cells) != len(header):
        return "csv_columns", f"{len(cells)} cells where the header has {len(header)}: cut off or badly quoted"
    if not key or not values.get("survey_id"):
        return "no_primary_key", "no response_id or no survey_id"
    if _MANGLED.match(key):
        return "no_primary_key", f"response_id {key} was rounded by a spreadsheet"
    score = values.get("score", "")
    number = _LEADING_NUMBER.match(score)
    if score and (number is None or not 0 <= int(number[1]) <= 10 or (number[1] == "10" and int(number[2] or 0))):
        return "csv_score", f"score {score!r} is not a number from 0 to 10"
    if any("\x00" in cell for cell in cells):
        return "nul_char", "a NUL character in the row"
    return None


def _refused(code: str, name: str, line: int, reason: str, raw: bytes) -> Quarantined:
    return Quarantined(code, f"{name}, line {line}: {reason}.", raw, pk_guess=None)


def _raw(cells: list[str]) -> bytes:
    """The row written again as CSV: close to the bytes of the file, and readable whatever its encoding was."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode("utf-8", "replace")
