"""NPS files with the faults such files have in the wild, one variant per fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulator.ledger import SurveyFile
from simulator.surveys import COLUMNS, render, write_files

if TYPE_CHECKING:
    from simulator.incidents import Scene

RowList = list[list[str]]


def _rows(now: datetime, count: int = 4) -> RowList:
    stamp = now.strftime("%d%H%M%S%f")
    return [
        [
            f"x{stamp}{number}",
            f"person{number}@someone.example",
            "",
            str(6 + number),
            f"Answer {number}",
            "extra-2026H2",
            now.isoformat(),
            "en",
            "email",
        ]
        for number in range(count)
    ]


def _plain(rows: RowList) -> bytes:
    return render(rows).encode()


def _scored(rows: RowList, score: str) -> RowList:
    return [[*rows[0][:3], score, *rows[0][4:]], *rows[1:]]


def _quoted(rows: RowList) -> bytes:
    return _plain([[*rows[0][:4], 'First line\nsecond line with "quotes"', *rows[0][5:]], *rows[1:]])


def _drifted(rows: RowList) -> bytes:
    renamed = ["Response ID", "Email", *COLUMNS[2:], "region"]
    return render([[*row, "north"] for row in rows], columns=renamed).encode()


VARIANTS: dict[str, Callable[[RowList], bytes]] = {
    "bom": lambda rows: b"\xef\xbb\xbf" + _plain(rows),
    "utf16": lambda rows: render(rows).encode("utf-16"),
    "windows1252": lambda rows: render([[*rows[0][:4], "Très bien, größer", *rows[0][5:]], *rows[1:]]).encode("cp1252"),
    "semicolon": lambda rows: render(rows, ";").encode(),
    "quoted_newline": _quoted,
    "truncated": lambda rows: _plain(rows)[:-40],
    "header_drift": _drifted,
    "score_11": lambda rows: _plain(_scored(rows, "11")),
    "score_words": lambda rows: _plain(_scored(rows, "10 - very likely")),
    "total_row": lambda rows: _plain([*rows, ["Total", "", "", str(len(rows)), "", "", "", "", ""]]),
    "empty": lambda rows: b"",
    "plain": _plain,
    "unfinished": _plain,
}


async def survey_file(scene: Scene, variant: str) -> str:
    """The survey tool drops a file with a fault of its own.

    `same_name_new_content` rewrites the newest file with one answer more, `same_content_new_name` copies it,
    `unfinished` has no manifest. Raises ValueError for an unknown variant.
    """
    folder, now = scene.settings.simulator_surveys_folder, datetime.fromtimestamp(scene.now, UTC)
    newest = max(folder.glob("nps_*.csv"))
    content = newest.read_bytes()
    count = content.count(b"\r\n") - 1
    if variant == "same_content_new_name":
        file = SurveyFile(f"nps_copy_{now:%Y-%m-%d}.csv", content, count)
    elif variant == "same_name_new_content":
        file = SurveyFile(newest.name, content + _plain(_rows(now, 1)).split(b"\r\n", 1)[1], count + 1)
    elif variant in VARIANTS:
        rows, name = _rows(now), f"nps_{variant.replace('_', '-')}_{now:%Y-%m-%d}.csv"
        file = SurveyFile(name, VARIANTS[variant](rows), len(rows) + (variant == "total_row"), variant != "unfinished")
    else:
        known = ", ".join(["same_name_new_content", "same_content_new_name", *VARIANTS])
        raise ValueError(f"unknown variant {variant!r}; known: {known}")
    write_files(folder, [file])
    return file.name
