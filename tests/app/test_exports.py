"""Files: what goes in comes out again, in every format; no cell runs; nobody takes away what is not theirs."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from pyarrow import parquet

from app.actions import service
from app.actions.lifecycle import Status
from app.auth import Identity, Role
from app.errors import InvalidInput, MartUnavailable
from app.exports import datasets, formats, sheet
from app.exports.columns import Column, columns_of
from app.exports.datasets import Dataset
from app.exports.formats import Format, disarmed
from tests.app.factories import NOW, Estate, a_key, an_outcome, key_of


@dataclass
class Line:
    """One of everything."""

    key: UUID
    status: Status
    text: str | None
    count: int | None
    ratio: float | None
    is_active: bool
    day: date | None
    at: datetime | None
    trend: list[float | None] | None


LINE = [
    UUID(int=7),
    Status.NEW,
    'Grüße, "so"\nweiter',
    3,
    0.25,
    True,
    date(2028, 2, 29),
    datetime(2026, 11, 20, 9, 30, 1, tzinfo=UTC),
    [1.5, None],
]
NOTHING = [UUID(int=8), Status.CLOSED, None, None, None, False, None, None, None]
COLUMNS = columns_of(Line)


def a_file(wanted: Format, columns: Sequence[Column], *batches: Sequence[Sequence[Any]]) -> io.BytesIO:
    file = io.BytesIO()
    formats.write(file, wanted, columns, batches)
    file.seek(0)
    return file


def from_csv(file: io.BytesIO) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.read().decode("utf-8-sig"), newline="")))


def from_xlsx(file: io.BytesIO) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(file).active
    assert sheet
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_a_csv_holds_every_kind_of_value() -> None:
    head, line, nothing = from_csv(a_file(Format.CSV, COLUMNS, [LINE], [NOTHING]))

    assert head == ["key", "status", "text", "count", "ratio", "is_active", "day", "at", "trend"]
    assert line == [
        str(UUID(int=7)), "new", 'Grüße, "so"\nweiter', "3", "0.25", "true", "2028-02-29",
        "2026-11-20T09:30:01+00:00", "[1.5, null]",
    ]  # fmt: skip
    assert nothing == [str(UUID(int=8)), "closed", "", "", "", "false", "", "", ""]


def test_a_sheet_holds_numbers_and_days_as_such() -> None:
    _, line, nothing = from_xlsx(a_file(Format.XLSX, COLUMNS, [LINE], [NOTHING]))

    assert line == [
        str(UUID(int=7)), "new", 'Grüße, "so"\nweiter', 3, 0.25, True, datetime(2028, 2, 29),  # noqa: DTZ001
        datetime(2026, 11, 20, 9, 30, 1), "[1.5, null]",  # noqa: DTZ001
    ]  # fmt: skip
    assert nothing == [str(UUID(int=8)), "closed", None, None, None, False, None, None, None]


def test_a_parquet_file_keeps_types_also_where_everything_is_missing() -> None:
    table = parquet.read_table(a_file(Format.PARQUET, COLUMNS, [LINE], [NOTHING]))

    assert table.to_pylist() == [
        dict(zip(table.column_names, [str(LINE[0]), *LINE[1:]], strict=True)),
        dict(zip(table.column_names, [str(NOTHING[0]), *NOTHING[1:]], strict=True)),
    ]
    assert parquet.read_schema(a_file(Format.PARQUET, COLUMNS)).types == table.schema.types
    assert parquet.read_table(a_file(Format.PARQUET, COLUMNS, [])).num_rows == 0


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=50)


@settings(deadline=None, max_examples=30)
@given(st.lists(TEXT, max_size=40))
def test_any_text_comes_back_from_a_sheet_and_none_is_a_formula(texts: list[str]) -> None:
    columns = [Column("text", str), Column("last", str)]
    sheet = openpyxl.load_workbook(a_file(Format.XLSX, columns, [[text, "end"] for text in texts])).active

    assert sheet
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert "f" not in {cell.data_type for cell in cells}
    # what XML has no letter for is said by its number
    assert [unescape(str(cell.value or "")) for cell in cells] == texts


@settings(deadline=None)
@given(TEXT)
def test_no_cell_of_a_csv_begins_like_a_formula_and_the_text_is_whole(text: str) -> None:
    _, row = from_csv(a_file(Format.CSV, [Column("text", str), Column("last", str)], [[text, "end"]]))

    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row[0].removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("text", ["=1", "＝1", "＋1", "－1", "＠x", "−1", "\t1", "\n1", " =1", ";=1", ",@x", "\x00=1"])
def test_a_sign_in_disguise_is_disarmed_too(text: str) -> None:
    assert disarmed(text) == "'" + text


@pytest.mark.parametrize("text", ["a=1", "Ashford - Media", "'=1", "", "; then", "№ 1"])
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert disarmed(text) == text


def test_a_negative_number_is_no_formula_and_not_a_number_is_nothing() -> None:
    columns = [Column("amount", float)]
    rows = [[-5.0], [math.nan]]

    assert from_csv(a_file(Format.CSV, columns, rows)) == [["amount"], ["-5.0"], [""]]
    assert from_xlsx(a_file(Format.XLSX, [*columns, Column("x", str)], [[*row, "x"] for row in rows])) == [
        ["amount", "x"], [-5.0, "x"], [None, "x"],
    ]  # fmt: skip


def test_what_excel_has_no_number_or_day_for_is_text_and_a_wide_sheet_has_its_columns_in_order() -> None:
    kinds = (float, int, date, datetime)
    wide = [Column(f"c{place}", int) for place in range(30)]
    columns = [*(Column(kind.__name__, kind) for kind in kinds), *wide]
    line = [math.inf, 2**53, date(1, 1, 1), datetime(1899, 12, 31, 12, tzinfo=UTC), *range(30)]

    assert from_xlsx(a_file(Format.XLSX, columns, [line]))[1] == [
        "inf", 2**53, "0001-01-01", "1899-12-31 12:00:00+00:00", *range(30),
    ]  # fmt: skip


def test_a_sheet_that_is_too_long_is_refused_and_a_long_text_ends_in_an_ellipsis(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sheet, "ROW_LIMIT", 2)
    columns = [Column("text", str)]

    assert from_xlsx(a_file(Format.XLSX, columns, [["x" * 40_000]]))[1] == ["x" * 32_766 + "…"]
    with pytest.raises(InvalidInput, match="A sheet holds 2 rows"):
        a_file(Format.XLSX, columns, [["1"], ["2"]], [["3"]])


def rows_of(estate: Estate, dataset: Dataset, identity: Identity, *, since: date | None = None) -> list[dict[str, Any]]:
    file = io.BytesIO()
    with estate.work() as db:
        datasets.write(db, dataset, Format.PARQUET, file, identity=identity, today=NOW.date(), since=since)
    return parquet.read_table(file).to_pylist()


@pytest.fixture
def shared(estate: Estate) -> Estate:
    """One account of Maya's, one of Tom's, an action by each on their own and one of Maya's on Tom's."""
    estate.publish()
    estate.account("Ashford Media")
    estate.account("Beech Labs", csm_email="tom.okafor@force24.example", health_trend_90d=[70.0, None, 64.5])
    estate.health(key_of("Ashford Media"), [60.0, 61.0])
    estate.health(key_of("Beech Labs"), [None])
    maya, tom = estate.user(), estate.user("Tom Okafor")
    estate.action(actor=maya, title="Mine")
    estate.action(actor=tom, title="His", account_key=key_of("Beech Labs"))
    estate.action(actor=maya, title="Mine on his", account_key=key_of("Beech Labs"))
    return estate


def test_a_csm_takes_away_what_is_their_own_and_others_all(shared: Estate) -> None:
    def taken(identity: Identity) -> tuple[set[str], set[str], int]:
        accounts = rows_of(shared, Dataset.ACCOUNTS, identity)
        actions = rows_of(shared, Dataset.ACTIONS, identity)
        days = rows_of(shared, Dataset.HEALTH, identity)
        return {row["account_name"] for row in accounts}, {row["title"] for row in actions}, len(days)

    assert taken(shared.user()) == ({"Ashford Media"}, {"Mine", "Mine on his"}, 2)
    assert taken(shared.user("Tom Okafor")) == ({"Beech Labs"}, {"His", "Mine on his"}, 1)
    everything = ({"Ashford Media", "Beech Labs"}, {"Mine", "His", "Mine on his"}, 3)
    assert taken(shared.user("Ada Boss", Role.ADMIN)) == everything
    assert taken(shared.user("Alex Stone", Role.ANALYST)) == everything


def test_a_csm_who_owns_no_account_takes_none_away(shared: Estate) -> None:
    newcomer = shared.user("New Comer", owns_accounts=False)

    assert rows_of(shared, Dataset.ACCOUNTS, newcomer) == []
    assert rows_of(shared, Dataset.ACTIONS, newcomer) == []


def test_since_a_day_there_is_what_changed_or_is_dated_then_or_later(shared: Estate) -> None:
    maya, today = shared.user(), NOW.date()
    later = today + timedelta(days=3)
    moved = shared.action(actor=maya, title="Moved later")
    with shared.work() as db:
        service.transition(
            db, actor=maya, now=NOW + timedelta(days=3), action_id=moved.action_id, expected_version=1,
            to_status="in_progress", reason=None, idempotency_key=a_key(),
        )  # fmt: skip
    days = sorted(row["health_date"] for row in rows_of(shared, Dataset.HEALTH, maya))

    assert [row["title"] for row in rows_of(shared, Dataset.ACTIONS, maya, since=later)] == ["Moved later"]
    assert len(rows_of(shared, Dataset.ACTIONS, maya, since=today)) == 3
    assert [row["health_date"] for row in rows_of(shared, Dataset.HEALTH, maya, since=days[-1])] == days[-1:]
    with pytest.raises(InvalidInput, match="say nothing of when they changed"):
        rows_of(shared, Dataset.ACCOUNTS, maya, since=today)


def test_an_action_carries_its_newest_outcome(shared: Estate) -> None:
    maya = shared.user()
    action = shared.action(actor=maya, title="Twice closed")
    for number, result in enumerate(("unsuccessful", "successful")):
        with shared.work() as db:
            closed = service.close_action(
                db, actor=maya, now=NOW, action_id=action.action_id, expected_version=1 + 2 * number,
                outcome=an_outcome(result=result), idempotency_key=a_key(),
            )  # fmt: skip
            if number == 0:
                service.transition(
                    db, actor=maya, now=NOW, action_id=action.action_id, expected_version=closed.version,
                    to_status="in_progress", reason="It came back", idempotency_key=a_key(),
                )  # fmt: skip

    rows = [row for row in rows_of(shared, Dataset.ACTIONS, maya) if row["title"] == "Twice closed"]

    assert [(row["result"], row["status"], row["minutes"], row["owner_name"]) for row in rows] == [
        ("successful", "closed", 25, "Maya Lind")
    ]


def test_before_the_first_build_there_is_nothing_to_take_away(estate: Estate) -> None:
    with pytest.raises(MartUnavailable):
        rows_of(estate, Dataset.ACCOUNTS, estate.user())
