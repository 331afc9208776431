"""Where an action stands in its playbook: which step it is, what the step asks for, what came before and comes next."""

import streamlit as st

from app.actions.model import Action
from app.errors import NotFound
from app.playbooks import plan
from app.playbooks.model import Run, RunState, RunStep
from app.ui import figures, playbook_data, visit, words
from app.ui.text import escaped

STATES = {RunState.RUNNING: "", RunState.COMPLETED: " · all steps have ended", RunState.STOPPED: " · stopped"}


def position(action: Action) -> None:
    """Two lines and the guidance of the step; nothing for an action of no playbook.

    Shows the action's reason too when somebody gave it one: the first says only what stands here anyway.
    """
    if action.playbook_run_id is None or action.playbook_step is None:
        return
    try:
        run = playbook_data.run(action.playbook_run_id)
    except NotFound:
        return
    this = next((step for step in run.steps if step.number == action.playbook_step), None)
    if this is None:
        return
    with st.container(border=True, gap="xsmall", key=f"position_{action.action_id.hex}"):
        st.markdown(
            f":gray[Playbook] **{escaped(run.playbook_name)}** :gray[step] **{this.number}** :gray[of {run.total}"
            f" · {run.done} done{STATES[run.state]}]"
        )
        if action.reason and action.reason != plan.reason_of(run.playbook_name, this.number, run.total):
            st.text(words.reason_shown(action.reason))
        if this.guidance:
            st.text(this.guidance)
        around = _around(run, this)
        if around:
            st.markdown("  \n".join(f":small[{line}]" for line in around))


def _around(run: Run, this: RunStep) -> list[str]:
    """The step before and the next one that is still open."""
    today = visit.current().today
    before = next((step for step in reversed(run.steps) if step.number < this.number), None)
    following = next((step for step in run.steps if step.number > this.number and step.is_open), None)
    lines = []
    if before is not None:
        lines.append(f":gray[Before:] {escaped(before.title, limit=70)} {words.status_badge(before.status)}")
    if following is not None:
        owner = escaped(following.owner_name) if following.owner_name else "nobody yet"
        due = f"due {figures.day(following.due_date, today=today)}, " if following.due_date else ""
        lines.append(f":gray[Next:] {escaped(following.title, limit=70)} :gray[{due}{owner}]")
    return lines
