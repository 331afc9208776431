"""Playbooks of an account: how far each has come, its steps with a way to each action, and stopping it.

Not a panel that reruns alone: a click on a step opens the page's drawer, and that is drawn by the whole page.
"""

from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.playbooks import service
from app.playbooks.model import OpenSteps, Run, RunState, RunStep
from app.ui import action_panel, figures, frame, playbook_data, playbook_start, visit, words, writes
from app.ui.composer import composer
from app.ui.playbook_position import position as position
from app.ui.text import escaped

STEPS_SHOWN = 8
FATES = {OpenSteps.CANCELLED.value: "Cancel them", OpenSteps.KEPT.value: "Keep them"}
_DONE = "stop_playbook:done"


def progress(account_key: str) -> None:
    """Running playbooks with their steps, ended ones in a line each, and the button that starts one."""
    found = playbook_data.runs(account_key)
    running = [run for run in found if run.state is RunState.RUNNING]
    ended = [run for run in found if run.state is not RunState.RUNNING]
    with st.container(border=True, gap="xsmall", key="playbooks"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            note = f" :small[:gray[{len(running)} running]]" if running else ""
            st.markdown(f"**Playbooks**{note}", width="content")
            playbook_start.start_button(account_key)
        if not running:
            st.markdown(":gray[None is running here.]")
        for run in running:
            _run(run)
        if ended:
            with st.expander(f"{len(ended)} ended"):
                for run in ended:
                    _ended(run)


def _run(run: Run) -> None:
    here = visit.current()
    key = run.run_id.hex
    with st.container(gap="xsmall", key=f"playbook_run_{key}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            started = figures.day(run.starts_on, today=here.today)
            st.markdown(
                f"**{escaped(run.playbook_name)}** :small[:gray[from {started}, {escaped(run.started_by_name)}]]",
                width="content",
            )
            if playbook_data.may_stop(run, here) and st.button("Stop", type="tertiary", key=f"stop_{key}"):
                frame.forget(_place(run.run_id))
                _stop_dialog(run.run_id)
        st.progress(run.done / run.total if run.total else 0.0, text=_how_far(run))
        shows_all = run.total <= STEPS_SHOWN or st.toggle(f"Show all {run.total} steps", key=f"steps_all_{key}")
        for step in run.steps if shows_all else run.open[:STEPS_SHOWN]:
            _step(step)


def _how_far(run: Run) -> str:
    cancelled = f", {run.cancelled} of them cancelled" if run.cancelled else ""
    return f"{run.done} of {run.total} steps done{cancelled}"


def _step(step: RunStep) -> None:
    today = visit.current().today
    late = (today - step.due_date).days if step.due_date and step.is_open else 0
    if step.result:
        when = words.word(words.RESULTS, step.result).lower()
    elif step.cancel_reason:
        when = words.word(words.CANCELLATIONS, step.cancel_reason).lower()
    elif late > 0:
        when = f":red[overdue {late} d]"
    else:
        when = f"due {figures.day(step.due_date, today=today)}" if step.due_date else "no due date"
    owner = escaped(step.owner_name) if step.owner_name else "nobody"
    title = f"**{escaped(step.title, limit=80)}**" if step.is_open else f":gray[{escaped(step.title, limit=80)}]"
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small", wrap=False
    ):
        state = f"{words.status_badge(step.status)} :small[{when} :gray[· {owner}]]"
        st.markdown(f":gray[{step.number}] {title}  \n{state}")
        st.button(
            "Open",
            type="tertiary",
            key=f"open_step_{step.action_id.hex}",
            on_click=action_panel.open_in_drawer,
            args=(step.action_id,),
        )


def _ended(run: Run) -> None:
    today = visit.current().today
    started = figures.day(run.starts_on, today=today)
    if run.state is RunState.COMPLETED:
        told = f"completed, {_how_far(run)}"
    else:
        kept = "open steps kept" if run.open_steps is OpenSteps.KEPT else "open steps cancelled"
        at = figures.day(run.stopped_at.date(), today=today) if run.stopped_at else "–"
        told = f"stopped {at}, {kept}: {escaped(run.stop_reason, limit=120)}"
    st.markdown(f"**{escaped(run.playbook_name)}** :small[:gray[from {started}] · {told}]")
    for step in run.steps:
        _step(step)


def _place(run_id: UUID) -> str:
    return f"stop_playbook:{run_id}"


@st.dialog("Stop the playbook", width="medium")
def _stop_dialog(run_id: UUID) -> None:
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None or st.session_state.pop(_DONE, False):
        st.rerun()
    try:
        ask_to_stop(playbook_data.run(run_id), here)
    except Exception as error:
        frame.explain(error)


def ask_to_stop(run: Run, here: visit.Visit) -> None:
    """What the dialog holds: what becomes of the open steps, which these are, and why it stops."""
    frame.problem(_place(run.run_id))
    if run.state is not RunState.RUNNING:
        st.markdown(f"**{escaped(run.playbook_name)}** has ended in the meantime: there is nothing to stop.")
        return
    count = len(run.open)
    st.markdown(
        f"**{escaped(run.playbook_name)}** on {escaped(run.account_name)}: {run.done} of {run.total} steps have ended "
        f"and stay as they are. What becomes of the {figures.count(count, 'open step')}?"
    )
    actions = figures.count(count, "action")
    fate = st.radio(
        "Open steps",
        list(FATES),
        index=None,
        format_func=lambda code: FATES[code],
        captions=[
            f"{actions} cancelled as no longer relevant. Each can be reopened.",
            f"{actions} stay open, with their dates and owners.",
        ],
        key=f"stop_fate_{run.run_id.hex}",
    )
    st.markdown(
        "  \n".join(
            f":small[:gray[{step.number}] {escaped(step.title, limit=80)} :gray[· "
            f"{escaped(step.owner_name) if step.owner_name else 'nobody'}]]"
            for step in run.open
        )
    )
    st.markdown(":small[Why it stops]")
    composer(
        f"stop_why_{run.run_id.hex}",
        user_id=str(here.identity.user_id),
        subject=f"stop-playbook:{run.run_id}",
        label="Why it stops",
        save=lambda reason, form: _stop(run, fate, reason, form),
        button="Stop playbook",
        placeholder="One line: what has changed",
        missing="" if fate else "missing: what becomes of the open steps",
        empty_hint="missing: why",
        limit=service.REASON_LIMIT,
        height=56,
    )


def _stop(run: Run, fate: str | None, reason: str, form: str) -> bool:
    if fate is None:
        return False

    def write(db: Connection, actor: Identity, now: datetime) -> Run:
        return service.stop(
            db,
            actor=actor,
            now=now,
            run_id=run.run_id,
            expected_version=run.version,
            reason=reason,
            open_steps=fate,
            idempotency_key=form,
        )

    def told(stopped: Run) -> str:
        count = figures.count(len(run.open), "action")
        became = "cancelled" if stopped.open_steps is OpenSteps.CANCELLED else "kept"
        return f"{escaped(run.playbook_name)} stopped: {count} {became}."

    if writes.perform(write, place=_place(run.run_id), done=told) is None:
        return False
    st.session_state[_DONE] = True
    return True
