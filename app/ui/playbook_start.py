"""Start a playbook on an account: choose, see every step with its day and its person, then start it."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity, Permission, can
from app.marts.accounts import Account
from app.playbooks import service
from app.playbooks.model import PlannedStep, Playbook, Run, RunState
from app.playbooks.plan import LATEST_START
from app.ui import data, figures, frame, playbook_data, tables, visit, words, writes
from app.ui.text import escaped, shortened

PLACE = "start_playbook"
_DONE = "start_playbook:done"


def start_button(account_key: str) -> None:
    """Opens the dialog. Left out for those who only read."""
    if not can(visit.current().identity, Permission.START_PLAYBOOK):
        return
    if st.button("Start playbook", icon=":material/playlist_play:", key="start_playbook"):
        frame.forget(PLACE)
        _dialog(account_key)


def was_started() -> bool:
    """Whether a playbook has been started since the last time this was asked."""
    return bool(st.session_state.pop(_DONE, False))


@st.dialog("Start a playbook", width="large")
def _dialog(account_key: str) -> None:
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None or was_started():
        st.rerun()
    try:
        account = data.account_or_none(account_key, here)
        if account is not None:
            st.markdown(f"**{escaped(account.account_name)}**")
        choose(account_key, here)
    except Exception as error:
        frame.explain(error)


def choose(account_key: str, here: visit.Visit) -> None:
    """What a dialog that has named the account holds: playbook, start date, every step, and its button."""
    offered = {playbook.playbook_id: playbook for playbook in playbook_data.playbooks()}
    if not offered:
        frame.empty("There is no playbook to start.", "An admin can publish one in Settings.", icon=":material/list:")
        return
    which, when = st.columns([2.2, 1], gap="small")
    with which:
        chosen = st.selectbox(
            "Playbook",
            list(offered),
            index=None,
            format_func=lambda key: _label(offered, key),
            placeholder="Choose one to see its steps",
            key=f"playbook_choice_{account_key}",
        )
    with when:
        # a dialog that stood open over midnight must not hold a day that has passed
        key = f"playbook_from_{account_key}"
        st.session_state[key] = max(st.session_state.get(key) or here.today, here.today)
        day = st.date_input(
            "Starts on",
            min_value=here.today,
            max_value=here.today + LATEST_START,
            format="DD/MM/YYYY",
            key=key,
            help="Due dates count from here in business days",
        )
    if chosen is None:
        st.markdown(":gray[Each step becomes an action with a date and an owner. Nothing is made before you start it.]")
        return
    playbook, starts_on = offered[chosen], day if isinstance(day, date) else here.today
    if playbook.description:
        st.markdown(f":gray[{escaped(playbook.description, limit=500)}]")
    running = _running(account_key, chosen)
    if running is not None:
        st.warning(
            f"{escaped(playbook.name)} is running here since {figures.day(running.starts_on, today=here.today)}: "
            f"{running.done} of {running.total} steps are done. Finish or stop that one first.",
            icon=":material/info:",
        )
    account = data.account_or_none(account_key, here)
    taker = _taker(account_key, account) if playbook.has_taker else None
    if playbook.has_taker and taker is None:
        st.markdown(":gray[Choose who takes over to see the steps with their days and people.]")
        return
    steps = playbook_data.preview(chosen, account_key, starts_on, taker, here)
    _preview(steps, here)
    if account is not None and account.renewal_date is not None:
        _after_renewal(steps, account.renewal_date, here.today)
    frame.problem(PLACE)
    writes.form_key(f"{PLACE}:{account_key}")
    st.button(
        f"Start: {figures.count(len(steps), 'action')}",
        type="primary",
        key="start_playbook_now",
        disabled=running is not None,
        on_click=_start,
        args=(account_key, chosen, starts_on, taker),
    )


def _after_renewal(steps: tuple[PlannedStep, ...], renewal: date, today: date) -> None:
    """Says how many steps come too late for a renewal that lies ahead."""
    late = sum(step.due_date > renewal for step in steps)
    if late and renewal >= today:
        st.markdown(
            f":small[:orange[{late} of {figures.count(len(steps), 'step')} "
            f"{'is' if late == 1 else 'are'} due after the renewal on {figures.day(renewal, today=today)}.]]"
        )


def _taker(account_key: str, account: Account | None) -> UUID | None:
    """Who gets the steps of the one who takes the account over."""
    owner = (account.csm_email or "").lower() if account else ""
    names = {
        str(one.user_id): f"{one.display_name} · has the account" if one.email.lower() == owner else one.display_name
        for one in data.people()
    }
    chosen = st.selectbox(
        "Who takes over",
        list(names),
        index=None,
        format_func=lambda one: names[one],
        placeholder="Choose a person",
        key=f"playbook_taker_{account_key}",
        width=280,
    )
    return UUID(chosen) if chosen else None


def _label(offered: dict[str, Playbook], key: str) -> str:
    playbook = offered[key]
    last = figures.count(playbook.steps[-1].offset_bd, "business day")
    return f"{shortened(playbook.name, limit=60)} · {figures.count(len(playbook.steps), 'step')}, {last}"


def _running(account_key: str, playbook_id: str) -> Run | None:
    same = (run for run in playbook_data.runs(account_key) if run.playbook_id == playbook_id)
    return next((run for run in same if run.state is RunState.RUNNING), None)


def _preview(steps: tuple[PlannedStep, ...], here: visit.Visit) -> None:
    rows = pd.DataFrame(
        {
            "title": [shortened(f"{step.number} {step.title}", limit=120) for step in steps],
            "what": [words.word(words.INTERVENTIONS, step.intervention) for step in steps],
            "priority": [words.word(words.PRIORITIES, step.priority) for step in steps],
            "due": [figures.day(step.due_date, today=here.today) for step in steps],
            "owner": [step.owner_name for step in steps],
        }
    )
    columns = {
        "title": tables.text("Step", 340),
        "what": tables.text("What to do", 128),
        "priority": tables.text("Priority", 66),
        "due": tables.text("Due", 92),
        "owner": tables.text("Owner", 104),
    }
    spoken = "; ".join(f"{step.number} {step.title}, due {step.due_date}, {step.owner_name}" for step in steps)
    tables.show(rows, columns, key="playbook_preview", alt=f"Steps: {spoken}", most=10)
    people = ", ".join(f"{escaped(name)} {count}" for name, count in _shares(steps).items())
    span = (steps[-1].due_date - here.today) // timedelta(days=7)
    weeks = figures.count(span, "week") if span else "this week"
    st.markdown(
        f":small[:gray[Actions per person: {people} · the last is due in {weeks}]]"
        if span
        else f":small[:gray[Actions per person: {people} · all due {weeks}]]"
    )
    with st.expander("What each step asks for", icon=":material/notes:"):
        for step in steps:
            st.markdown(f"**{step.number} {escaped(step.title)}**")
            st.text(step.guidance or "–")


def _shares(steps: tuple[PlannedStep, ...]) -> dict[str, int]:
    shares: dict[str, int] = {}
    for step in steps:
        shares[step.owner_name] = shares.get(step.owner_name, 0) + 1
    return shares


def _start(account_key: str, playbook_id: str, starts_on: date, taker: UUID | None) -> None:
    form = writes.form_key(f"{PLACE}:{account_key}")

    def write(db: Connection, actor: Identity, now: datetime) -> Run:
        return service.start(
            db,
            actor=actor,
            now=now,
            playbook_id=playbook_id,
            account_key=account_key,
            starts_on=starts_on,
            taker_user_id=taker,
            idempotency_key=form,
        )

    def told(run: Run) -> str:
        first = f", the first due {figures.day(run.steps[0].due_date)}" if run.steps else ""
        return f"{escaped(run.playbook_name)} started: {figures.count(run.total, 'action')}{first}."

    if writes.perform(write, place=PLACE, done=told) is not None:
        writes.renew_form(f"{PLACE}:{account_key}")
        for name in ("choice", "from", "taker"):
            st.session_state.pop(f"playbook_{name}_{account_key}", None)
        st.session_state[_DONE] = True
