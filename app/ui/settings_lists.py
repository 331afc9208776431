"""Types, reasons and treatments as tables that are edited in place: what they are called, whether they are offered, and
what a new action starts with."""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.configuration import InterventionCode, TypeCode
from app.ui import frame, tables, words
from app.ui.settings_drafts import Draft, Rows

TYPES: tuple[str, ...] = TypeCode.__args__
TREATMENTS: tuple[str, ...] = InterventionCode.__args__
_NAMES = {
    "label": "name",
    "is_offered": "offered",
    "priority": "priority",
    "due_offset_bd": "due after business days",
    "effort_minutes": "minutes",
    "action_type": "type",
}
_BY_WORD = {name: code for names in (words.ACTION_TYPES, words.PRIORITIES) for code, name in names.items()}


def by_code(codes: Sequence[str]) -> Any:
    """How a mapping by code becomes rows, in a fixed order: JSON has none."""
    return lambda value: {code: dict(value[code]) for code in codes}


def reasons_read(value: list[dict[str, Any]]) -> Rows:
    """Reasons as rows by their code."""
    return {one["code"]: {field: given for field, given in one.items() if field != "code"} for one in value}


def reasons_write(rows: Rows) -> list[dict[str, Any]]:
    """The way back of `reasons_read`."""
    return [{"code": code, **row} for code, row in rows.items()]


def is_code(code: str) -> bool:
    """Whether a reason could have this code, as `code_of` makes them."""
    return re.fullmatch(r"[a-z][a-z0-9_]{0,59}", code) is not None


def code_of(label: str, taken: Sequence[str]) -> str:
    """A new reason's code, made of its name: `Board change` is board_change, or board_change_2 when that is taken."""
    plain = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
    start = (plain if plain[:1].isalpha() and len(plain) > 1 else f"reason_{plain}".strip("_"))[:50]
    code, number = start, 2
    while code in taken:
        code, number = f"{start}_{number}", number + 1
    return code


def _coded(field: str, value: Any) -> Any:
    """A cell as it is stored: words become codes, numbers plain."""
    if field in ("action_type", "priority"):
        return _BY_WORD.get(value, value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def rows_of(cells: pd.DataFrame, start: Rows) -> Rows:
    """The edited table as rows: known rows by place, new ones under a code of their own; rows without a name are left
    out until they have one."""
    found: Rows = {}
    codes = list(start)
    for place, (_, cell) in enumerate(cells.iterrows()):
        given = {str(field): _coded(str(field), value) for field, value in cell.items()}
        if place < len(codes):
            found[codes[place]] = {**start[codes[place]], **given}
        elif isinstance(given.get("label"), str) and given["label"].strip():
            kind = given["action_type"] if isinstance(given["action_type"], str) else "activity"
            label = given["label"].strip()
            found[code_of(label, list(found))] = {"label": label, "action_type": kind, "is_offered": True}
    return found


def _table(draft: Draft, fields: Sequence[str], *, alt: str, can_add: bool = False) -> None:
    cells = pd.DataFrame(
        {
            field: [
                words.ACTION_TYPES[row[field]]
                if field == "action_type"
                else words.PRIORITIES[row[field]]
                if field == "priority"
                else row[field]
                for row in draft.start.values()
            ]
            for field in fields
        }
    )
    column = st.column_config
    types = [words.ACTION_TYPES[code] for code in TYPES]
    every = {
        "label": column.TextColumn("Name", max_chars=60, required=True, width=230),
        "is_offered": column.CheckboxColumn("Offered", width=76, default=True),
        "action_type": column.SelectboxColumn("Type", options=types, required=True, width=110, default="Activity"),
        "priority": column.SelectboxColumn(
            "Priority", options=list(words.PRIORITIES.values()), required=True, width=100
        ),
        "due_offset_bd": column.NumberColumn(
            "Due after, business days", min_value=0, max_value=250, step=1, required=True, width=170
        ),
        "effort_minutes": column.NumberColumn(
            "Minutes booked", min_value=0, max_value=2400, step=5, required=True, width=126
        ),
    }
    # above the table: below two dozen rows nobody would see what is to be published
    above = st.container()
    edited = st.data_editor(
        cells,
        column_config={field: every[field] for field in fields},
        hide_index=True,
        num_rows="add" if can_add else "fixed",
        row_height=tables.ROW,
        height=tables.height(len(cells) + can_add),
        key=f"{draft.key}_table",
        alt=alt,
    )
    with above:
        draft.finish(rows_of(edited, draft.start))


@frame.panel
def types() -> None:
    """What types of action are called, and whether new actions may have them."""
    draft = Draft("action_types", "types", names=_NAMES, read=by_code(TYPES), write=dict)
    draft.head("Types", "a type that is not offered stays on the actions that have it")
    _table(draft, ["label", "is_offered"], alt="Types of action")


@frame.panel
def reasons() -> None:
    """Why an action exists: the list people choose from."""
    draft = Draft(
        "action_reasons", "reasons", names=_NAMES, read=reasons_read, write=reasons_write, is_new_code=is_code
    )
    draft.head("Reasons", "add one in the last row; the type is what it proposes")
    _table(draft, ["label", "action_type", "is_offered"], alt="Reasons for actions", can_add=True)


@frame.panel
def treatments() -> None:
    """Treatments: what they are called and how long they take."""
    draft = Draft("interventions", "treatments", names=_NAMES, read=by_code(TREATMENTS), write=dict)
    draft.head("Interventions", "the minutes are what a week's load and every plan count with")
    _table(draft, ["label", "effort_minutes", "action_type", "is_offered"], alt="Interventions and their minutes")


@frame.panel
def dues() -> None:
    """What a new action of each type starts with."""
    draft = Draft("action_types", "dues", names=_NAMES, read=by_code(TYPES), write=dict)
    draft.head("New actions start with", "people can change both; business days of the owner's calendar")
    with_label = ["label", "priority", "due_offset_bd"]
    _table(draft, with_label, alt="Priority and due date of new actions by type")
