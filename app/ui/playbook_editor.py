"""Edit one playbook: its fields, its steps in a table, what is wrong with them, what they would make, and publishing.

Everything typed is kept at once (`playbook_drafts`). The table is given the rows it started with on every run and
answers with the edited ones: feeding its answer back to it would undo what is typed meanwhile.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.calendar import add_business_days
from app.errors import StaleVersion
from app.playbooks import plan, service
from app.playbooks.model import Playbook, PlaybookDraft, StepDraft, StepOwner
from app.playbooks.plan import Checked, Owner
from app.ui import figures, frame, playbook_drafts, tables, visit, words, writes
from app.ui.playbook_drafts import Kept
from app.ui.text import escaped, shortened

OWNERS: Mapping[str, str] = {
    StepOwner.ACCOUNT_OWNER.value: "Owner of the account",
    StepOwner.STARTER.value: "Who starts it",
    StepOwner.TAKER.value: "Who takes over",
}
COLUMNS = ("offset_bd", "title", "intervention", "priority", "owner", "guidance")
NEW = "new"
_NOBODY = UUID(int=0)


def name_of(playbook: Playbook | None) -> str:
    """What an edit is kept under."""
    return playbook.playbook_id if playbook else NEW


def place_of(name: str) -> str:
    """Where refusals of this playbook are shown."""
    return f"playbook:{name}"


def _prefix(name: str, base: int | None) -> str:
    """Of the widgets of an edit; another one for another version and after discarding, so that they start afresh."""
    return f"playbook_{name}_{base or 0}_{st.session_state.get(f'playbook_round:{name}', 0)}"


def start_afresh(name: str) -> None:
    """The widgets of the next run show what is kept then, not what they hold now."""
    key = f"playbook_round:{name}"
    st.session_state[key] = st.session_state.get(key, 0) + 1


def edit(playbook: Playbook | None) -> None:
    """Draw the editor of a playbook, or of a new one."""
    here = visit.current()
    name = name_of(playbook)
    kept = playbook_drafts.find(here.identity.user_id, name)
    published = playbook_drafts.draft_of(playbook) if playbook else playbook_drafts.blank()
    start = kept or Kept(draft=published, base_version=playbook.version if playbook else None)
    if playbook is not None and start.base_version != playbook.version:
        st.warning(
            f"Version {playbook.version} has been published since you began on version {start.base_version}. "
            "What changes is listed below: publishing replaces it.",
            icon=":material/sync_problem:",
        )
    draft = _fields(start.draft, _prefix(name, start.base_version))
    if draft != published:
        playbook_drafts.keep(here.identity.user_id, name, Kept(draft=draft, base_version=start.base_version))
    elif kept is not None:
        playbook_drafts.forget(here.identity.user_id, name)
    faults = plan.faults(draft)
    for error in faults if draft != playbook_drafts.blank() else ():
        st.markdown(f":red[:material/error:] {escaped(error.message)} {escaped(error.hint) if error.hint else ''}")
    checked = None if faults else plan.check(draft)
    if checked is not None:
        _preview(checked, here)
        if playbook is not None:
            _changes(playbook, checked)
    _publish_bar(playbook, draft, start.base_version, can_publish=checked is not None)


def _fields(draft: PlaybookDraft, prefix: str) -> PlaybookDraft:
    """Draw the fields and answer what they hold now."""
    steps_key = f"{prefix}_steps"
    if steps_key not in st.session_state or f"{steps_key}:base" not in st.session_state:
        st.session_state[f"{steps_key}:base"] = rows_of(draft)
    left, right = st.columns([2.2, 1], gap="small")
    with left:
        st.session_state.setdefault(f"{prefix}_name", draft.name)
        name = st.text_input("Name", max_chars=plan.NAME_LIMIT, key=f"{prefix}_name")
    with right:
        options = list(words.ACTION_TYPES)
        st.session_state.setdefault(f"{prefix}_type", draft.action_type)
        kind = st.selectbox(
            "Kind of actions", options, format_func=lambda code: words.ACTION_TYPES[code], key=f"{prefix}_type"
        )
    st.session_state.setdefault(f"{prefix}_description", draft.description)
    description = st.text_area(
        "When to start it, and what it leads to",
        max_chars=plan.DESCRIPTION_LIMIT,
        height=72,
        key=f"{prefix}_description",
    )
    st.markdown(
        "**Steps** :small[:gray[the days decide the order: add a step at the end and it finds its place. "
        "Tick a row and press Delete to remove it.]]"
    )
    edited = st.data_editor(
        st.session_state[f"{steps_key}:base"],
        column_config=_columns(),
        column_order=COLUMNS,
        hide_index=True,
        num_rows="dynamic",
        row_height=tables.ROW,
        key=steps_key,
    )
    return PlaybookDraft(
        playbook_id=draft.playbook_id,
        name=name or "",
        description=description or "",
        action_type=kind or "",
        steps=steps_of(edited),
    )


def _columns() -> dict[str, Any]:
    def choice(label: str, codes: Mapping[str, str], width: int, default: str) -> Any:
        return st.column_config.SelectboxColumn(
            label,
            options=list(codes),
            format_func=lambda code: words.word(codes, str(code)),
            width=width,
            default=default,
        )

    return {
        "offset_bd": st.column_config.NumberColumn(
            "Due after", min_value=0, max_value=plan.LONGEST_OFFSET_BD, step=1, width=84, format="%d bd", default=5,
            help="Business days after the start",
        ),
        "title": st.column_config.TextColumn("Step", max_chars=plan.TITLE_LIMIT, width=280),
        "intervention": choice("What to do", words.INTERVENTIONS, 150, "diagnostic_call"),
        "priority": choice("Priority", words.PRIORITIES, 80, "medium"),
        "owner": choice("Goes to", OWNERS, 140, StepOwner.ACCOUNT_OWNER.value),
        "guidance": st.column_config.TextColumn("What the step asks for", max_chars=plan.GUIDANCE_LIMIT, width=380),
    }  # fmt: skip


def rows_of(draft: PlaybookDraft) -> pd.DataFrame:
    """The steps as rows of the table."""
    made = {field: [getattr(step, field) for step in draft.steps] for field in COLUMNS}
    rows = pd.DataFrame(made, columns=pd.Index(COLUMNS))
    return rows.astype({field: "Int64" if field == "offset_bd" else "object" for field in COLUMNS})


def steps_of(rows: pd.DataFrame) -> tuple[StepDraft, ...]:
    """The rows of the table as steps; an empty cell is empty text, or no number. A row with nothing typed is none."""
    steps = []
    for row in rows.to_dict("records"):
        cells = {field: None if pd.isna(row[field]) else row[field] for field in COLUMNS}
        days = cells["offset_bd"]
        if not any(cells.values()):
            continue
        texts = {field: str(cells[field] or "") for field in COLUMNS if field != "offset_bd"}
        steps.append(StepDraft(offset_bd=None if days is None else int(days), **texts))
    return tuple(steps)


def _preview(checked: Checked, here: visit.Visit) -> None:
    """What starting it today would make, with the people as words: there is no account yet."""
    planned = plan.planned(
        checked.steps,
        starts_on=here.today,
        owner_of=lambda owner: Owner(user_id=_NOBODY, name=OWNERS[owner]),
        add_business_days=lambda user_id, day, count: add_business_days(day, count),
    )
    rows = pd.DataFrame(
        {
            "due": [figures.day(step.due_date, today=here.today) for step in planned],
            "title": [shortened(f"{step.number} {step.title}", limit=120) for step in planned],
            "owner": [step.owner_name for step in planned],
        }
    )
    columns = {
        "due": tables.text("Due", 96),
        "title": tables.text("Action", 420),
        "owner": tables.text("Goes to", 150),
    }
    frame.heading("Preview", "if it were started today")
    spoken = "; ".join(f"{step.number} {step.title}, due {step.due_date}" for step in planned)
    tables.show(rows, columns, key="playbook_editor_preview", alt=f"Actions: {spoken}", most=8)


def _changes(playbook: Playbook, checked: Checked) -> None:
    """What publishing would change, in words."""
    told = [
        f"{label} changed"
        for label, before, after in (
            ("Name", playbook.name, checked.name),
            ("Description", playbook.description, checked.description),
            ("Kind of actions", playbook.action_type, checked.action_type),
        )
        if before != after
    ]
    told += plan.differences(playbook.steps, checked.steps)
    if told:
        frame.heading("What changes", f"against version {playbook.version}; runs that have begun keep theirs")
        st.markdown("  \n".join(f":small[{escaped(line)}]" for line in told[:12]))
        if len(told) > 12:
            st.markdown(f":small[:gray[and {len(told) - 12} more]]")


def _publish_bar(playbook: Playbook | None, draft: PlaybookDraft, base: int | None, *, can_publish: bool) -> None:
    """Publish or discard. Not callbacks: they would run before the table has answered its last edit."""
    name = name_of(playbook)
    published = playbook_drafts.draft_of(playbook) if playbook else playbook_drafts.blank()
    has_changed = draft != published
    frame.problem(place_of(name))
    form = writes.form_key(place_of(name))
    label = "Publish" if playbook is None else f"Publish as version {playbook.version + 1}"
    is_retired = playbook is not None and not playbook.is_active
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        wants_publishing = st.button(
            f"{label} and bring it back" if is_retired else label,
            type="primary",
            key=f"playbook_publish_{name}",
            disabled=not can_publish or not (has_changed or is_retired),
        )
        if has_changed:
            wants_discarding = st.button("Discard changes", type="tertiary", key=f"playbook_discard_{name}")
            st.markdown(":small[:gray[not published; kept for you on this server]]", width="content")
        else:
            wants_discarding = False
    if wants_discarding:
        _forget(name)
        st.rerun()
    if wants_publishing:
        _publish(name, draft, base, form)
        st.rerun()


def _forget(name: str) -> None:
    playbook_drafts.forget(visit.current().identity.user_id, name)
    frame.forget(place_of(name))
    writes.renew_form(place_of(name))
    start_afresh(name)


def _publish(name: str, draft: PlaybookDraft, base: int | None, form: str) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> Playbook:
        return service.publish(db, actor=actor, now=now, draft=draft, expected_version=base, idempotency_key=form)

    def told(made: Playbook) -> str:
        return f"{escaped(made.name)} published as version {made.version}."

    made = writes.perform(write, place=place_of(name), done=told)
    if made is not None:
        _forget(name)
        st.query_params["playbook"] = made.playbook_id
        return
    error = frame.met(place_of(name))
    if isinstance(error, StaleVersion):
        # it is said who published what; the next click is based on that
        newest = Kept(draft=draft, base_version=error.current.version)
        playbook_drafts.keep(visit.current().identity.user_id, name, newest)
