"""NPS: who is asked, who answers what, and the CSV files the survey tool drops every Monday, with a few of its usual
faults.
"""

import csv
import hashlib
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simulator import texts
from simulator.clock import DAY_SECONDS, date_of, start_of, weekday
from simulator.latents import R, health
from simulator.ledger import Ledger, SurveyFile
from simulator.world import World

SURVEY = "relationship"
COLUMNS = [
    "response_id",
    "respondent_email",
    "account_external_id",
    "score",
    "comment",
    "survey_id",
    "responded_at",
    "language",
    "channel",
]
ZONE = ZoneInfo("Europe/London")
EVERY_DAYS = 130
LANGUAGE = {"DE": "de", "FR": "fr", "NL": "nl"}


def ask(world: World, day: int) -> None:
    """Accounts whose turn it is.

    Up to four people are asked, almost half answer, fewer where the relationship is poor.
    """
    columns = world.columns
    for index in np.nonzero(columns.active & (columns.survey <= day) & (columns.start < day))[0]:
        account = world.accounts[int(index)]
        dice = world.dice("surveys", day, int(index))
        columns.survey[index] = day + EVERY_DAYS + dice.randrange(-12, 13)
        latents = world.latents()[index]
        true_health = float(health(latents[None, :])[0])
        topic = texts.topic_of(world.latents_of(int(index)), dice)
        for contact in account.present_contacts()[:4]:
            if dice.random() > 0.54 + 0.03 * max(-2.0, min(2.0, float(latents[R]))):
                continue
            score = int(min(10, max(0, round(8.2 + 0.95 * true_health + dice.gauss(0, 1.3)))))
            category = "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
            at = (
                start_of(day)
                + 32_000
                + int(min(9 * DAY_SECONDS, dice.expovariate(1 / 1.7) * DAY_SECONDS))
                + dice.randrange(30_000)
            )
            external = "" if dice.random() < 0.04 else str(account.tenant_id)
            number = world.next_id("response")
            half = f"{SURVEY}-{date_of(day).year}H{1 + (date_of(day).month > 6)}"
            world.answers.append(
                [
                    at,
                    f"r{number:06d}",
                    contact.email,
                    external,
                    score,
                    texts.nps_comment(dice, category, topic),
                    half,
                    LANGUAGE.get(account.country, "en"),
                    "email" if dice.random() < 0.8 else "in_app",
                ]
            )


def drop_file(world: World, ledger: Ledger, day: int) -> None:
    """On Mondays, a file with all answers given before today."""
    if weekday(day) != 0:
        return
    limit = start_of(day)
    given = sorted(answer for answer in world.answers if answer[0] < limit)
    world.answers = [answer for answer in world.answers if answer[0] >= limit]
    if not given:
        return
    number = world.next_id("survey file")
    rows = [_row(answer) for answer in given]
    name = f"nps_{SURVEY}_{date_of(day).isoformat()}.csv"
    if number % 40 == 9:
        rows.append([f"r9{number:05d}", "unknown@webmail.example", "", "11", "", rows[0][5], rows[0][6], "en", "email"])
        rows.append(["Total", "", "", str(len(rows)), "", "", "", "", ""])
    is_semicolon = number % 40 == 4
    content = render(rows, ";" if is_semicolon else ",")
    ledger.files.append(SurveyFile(name, (b"\xef\xbb\xbf" if is_semicolon else b"") + content.encode(), len(rows)))


def _row(answer: list[Any]) -> list[str]:
    at, response, email, external, score, comment, survey, language, channel = answer
    return [
        response,
        email,
        external,
        str(score),
        comment,
        survey,
        datetime.fromtimestamp(at, ZONE).isoformat(),
        language,
        channel,
    ]


def render(rows: list[list[str]], delimiter: str = ",", columns: list[str] | None = None) -> str:
    """CSV text with a header."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(columns or COLUMNS)
    writer.writerows(rows)
    return out.getvalue()


def clear(folder: Path) -> None:
    """Remove the files of an earlier estate, and nothing else that may lie there."""
    for path in folder.glob("nps_*"):
        path.unlink()


def write_files(folder: Path, files: list[SurveyFile]) -> None:
    """Each file under its final name at once (write, rename), then its manifest; writing again changes nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        _place(folder / file.name, file.content)
        if file.manifest:
            digest = hashlib.sha256(file.content).hexdigest()
            _place(
                (folder / file.name).with_suffix(".done"), json.dumps({"rows": file.rows, "sha256": digest}).encode()
            )


def _place(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    partial = path.with_name("." + path.name + ".part")
    partial.write_bytes(content)
    partial.replace(path)
