"""The four layers of an outcome: three that a person records to close an action, and one that only time can measure.

The measured layer is read from the warehouse and is never an input; before its date it says so with the date.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from app.actions import service, undoing
from app.actions.lifecycle import Status
from app.actions.model import Action, ActionDetail, Outcome, OutcomeDraft
from app.auth import Identity
from app.marts.outcomes import ActionOutcome
from app.ui import action_list_state, action_moves, data, figures, frame, people_picker, visit, words, writes
from app.ui.composer import Choice, composer

_CLOSED = "outcome:closed"
_LISTS: Mapping[str, Mapping[str, str]] = {
    "execution": words.EXECUTIONS,
    "response": words.RESPONSES,
    "result": words.RESULTS,
    "done": words.INTERVENTIONS,
    "channel": words.CHANNELS,
    "role": words.STAKEHOLDER_ROLES,
}
FIELDS = (*_LISTS, "minutes")
MOST_MINUTES = 6000


def _close(action: Action, note: str, idempotency_key: str) -> bool:
    key, given = f"outcome_{action.action_id.hex}", st.session_state

    def write(db: Connection, actor: Identity, now: datetime) -> Action:
        return service.close_action(
            db,
            actor=actor,
            now=now,
            action_id=action.action_id,
            expected_version=writes.seen_version(action.action_id, action.version),
            outcome=OutcomeDraft(
                result=given.get(f"{key}_result") or "",
                done_intervention=given.get(f"{key}_done") or action.intervention,
                closing_note=note,
                execution=given.get(f"{key}_execution") or "",
                customer_response=given.get(f"{key}_response") or "",
                channel=given.get(f"{key}_channel"),
                minutes=given.get(f"{key}_minutes"),
                stakeholder_role_reached=given.get(f"{key}_role"),
            ),
            idempotency_key=idempotency_key,
        )

    if (
        writes.perform(
            write,
            place=f"outcome:{action.action_id}",
            done="Closed. What it changed is measured after 30, 60 and 90 days.",
        )
        is None
    ):
        return False
    action_list_state.stay_open(action.action_id)
    st.session_state[_CLOSED] = True
    return True


@frame.panel
def draw(detail: ActionDetail) -> None:
    """The form for an open action, what was recorded for a closed one, then the measured layer."""
    if st.session_state.pop(_CLOSED, False) and visit.is_fragment_run():
        st.rerun()
    action = detail.action
    if action.status is Status.CLOSED and detail.outcomes:
        frame.heading("Outcome", "as recorded")
        _recorded(detail.outcomes[0], visit.current().today)
    elif Status.CLOSED in detail.legal_moves and action_moves.may_work(action):
        frame.heading("Outcome", "to close it")
        _form(detail)
    elif detail.outcomes and not undoing.is_closing_undone(detail.events):
        frame.heading("Outcome", "of the earlier closing")
        _recorded(detail.outcomes[0], visit.current().today)
    _measured(detail)


def _segments(title: str, codes: dict[str, str], key: str) -> None:
    st.markdown(f":small[{title}]")
    # four choices: in one row, or two by two where it is too narrow (page.css)
    with st.container(key=f"four_{key}"):
        st.segmented_control(
            title,
            list(codes),
            format_func=lambda code: codes[code],
            key=key,
            label_visibility="collapsed",
            wrap=True,
            width="stretch",
        )


def _starts(detail: ActionDetail) -> dict[str, Choice]:
    """What the form holds before anybody touches it: the planned intervention, and of the contacts logged how and whom
    the last one reached (else how the last was tried), and the minutes of all. After a closing that was undone, what
    it said."""
    if undoing.is_closing_undone(detail.events):
        said = detail.outcomes[0]
        return {
            "execution": said.execution.value,
            "response": said.customer_response.value,
            "result": said.result.value,
            "done": said.done_intervention.value,
            "channel": said.channel.value if said.channel else None,
            "minutes": said.minutes,
            "role": said.stakeholder_role_reached.value if said.stakeholder_role_reached else None,
        }
    contacts = detail.contacts
    told = next((contact for contact in contacts if contact.was_reached), contacts[0] if contacts else None)
    return dict.fromkeys(FIELDS) | {
        "done": detail.action.intervention.value,
        "channel": told.channel.value if told else None,
        "minutes": sum(contact.minutes or 0 for contact in contacts) or None,
        "role": told.stakeholder_role_reached.value if told and told.stakeholder_role_reached else None,
    }


def _start(key: str, starts: Mapping[str, Choice]) -> None:
    """Put the starts into the controls; after a contact was logged into those that nobody has changed.

    Only a start that is another one now: whatever is put into a control goes to the browser, over a choice that was
    made there while this run was on its way.
    """
    given = st.session_state
    before: Mapping[str, Choice] = given.get(f"{key}_starts", {})
    for field in FIELDS:
        name = f"{key}_{field}"
        is_renewed = field in before and before[field] != starts[field] and given.get(name) == before[field]
        if name not in given or is_renewed:
            given[name] = starts[field]
    given[f"{key}_starts"] = dict(starts)


def _form(detail: ActionDetail) -> None:
    here, action = visit.current(), detail.action
    key, starts = f"outcome_{action.action_id.hex}", _starts(detail)
    _start(key, starts)
    with st.container(gap="xxsmall"):
        _segments("1 Execution", dict(words.EXECUTIONS), f"{key}_execution")
        _segments("2 Customer response", dict(words.RESPONSES), f"{key}_response")
        _segments("3 Result", dict(words.RESULTS), f"{key}_result")
    done, channel = st.columns([1.4, 1], gap="xsmall")
    reached, minutes = st.columns([1.4, 1], gap="xsmall")
    done.selectbox(
        "Done",
        list(words.INTERVENTIONS),
        format_func=lambda code: words.INTERVENTIONS[code],
        key=f"{key}_done",
    )
    channel.selectbox(
        "How",
        list(words.CHANNELS),
        index=None,
        format_func=lambda code: words.CHANNELS[code],
        placeholder="–",
        key=f"{key}_channel",
    )
    with reached:
        people_picker.role("Who was reached", f"{key}_role")
    minutes.number_input(
        "Minutes",
        min_value=0,
        max_value=MOST_MINUTES,
        value=None,
        step=15,
        placeholder="–",
        key=f"{key}_minutes",
    )
    missing = [
        name
        for name, field in (("execution", "execution"), ("response", "response"), ("result", "result"))
        if not st.session_state.get(f"{key}_{field}")
    ]
    composer(
        f"{key}_note",
        user_id=str(here.identity.user_id),
        subject=f"close:{action.action_id}",
        label="Closing note",
        save=lambda note, form: _close(action, note, form),
        button="Close action",
        placeholder="Closing note: one line at least",
        missing="missing: " + ", ".join(missing) if missing else "",
        empty_hint="note" if missing else "missing: note",
        height=38,
        start=detail.outcomes[0].closing_note if undoing.is_closing_undone(detail.events) else "",
        choices=_choices(key),
        is_untouched=_choices(key) == starts,
        restore=lambda kept: _restore(key, kept),
    )
    frame.problem(f"outcome:{action.action_id}")


def _choices(key: str) -> dict[str, Choice]:
    """What the controls hold, kept in the browser with the closing note."""
    return {field: st.session_state.get(f"{key}_{field}") for field in FIELDS}


def _restore(key: str, kept: Mapping[str, Any]) -> None:
    """Callback: put back what was chosen before a reload; only what is still in the lists."""
    for field, names in _LISTS.items():
        if isinstance(kept.get(field), str) and kept[field] in names:
            st.session_state[f"{key}_{field}"] = kept[field]
    minutes = kept.get("minutes")
    if isinstance(minutes, int) and not isinstance(minutes, bool) and 0 <= minutes <= MOST_MINUTES:
        st.session_state[f"{key}_minutes"] = minutes


def _recorded(outcome: Outcome, today: date) -> None:
    rows = (
        ("Execution", words.word(words.EXECUTIONS, outcome.execution)),
        ("Response", words.word(words.RESPONSES, outcome.customer_response)),
        ("Result", words.word(words.RESULTS, outcome.result)),
        (
            "Done",
            (
                f"{words.word(words.INTERVENTIONS, outcome.done_intervention)}, "
                f"{figures.day(outcome.done_date, today=today)}"
            ),
        ),
        ("How", _how(outcome)),
    )
    st.markdown("  \n".join(f":gray[{name}] {value}" for name, value in rows if value))
    with st.container(border=True):
        st.text(outcome.closing_note)


def _how(outcome: Outcome) -> str:
    """`Call, champion, 25 min`: as much of it as was said."""
    parts = [
        words.word(words.CHANNELS, outcome.channel) if outcome.channel else "",
        words.word(words.STAKEHOLDER_ROLES, outcome.stakeholder_role_reached).lower()
        if outcome.stakeholder_role_reached
        else "",
        figures.duration(outcome.minutes) if outcome.minutes else "",
    ]
    return ", ".join(filter(None, parts))


def _measured(detail: ActionDetail) -> None:
    """Layer four: per horizon either what was measured or the day before which it cannot be."""
    here = visit.current()
    frame.heading("4 Measured outcome", "by the warehouse, read-only")
    measured = data.measured_outcome(detail.action.action_id, here)
    suggestion = data.suggestion(detail.action.suggestion_id) if detail.action.suggestion_id else None
    decided_at = suggestion.generated_at if suggestion else detail.action.created_at
    start = measured.decided_date if measured else decided_at.date()
    lines = [f":gray[Days count from {figures.day(start, today=here.today)}, when it was decided]"]
    for days in (30, 60, 90):
        horizon = data.horizon(measured, days) if measured else None
        if horizon is None or horizon.status == "pending":
            lines.append(f":gray[{days} days] not before {figures.day(start + timedelta(days=days), today=here.today)}")
        elif horizon.status == "censored":
            lines.append(f":gray[{days} days] cannot be measured: the account left before")
        else:
            lines.append(f":gray[{days} days] {_effects(horizon)}")
    lines.append(f":gray[At renewal] {_at_renewal(measured)}")
    st.markdown("  \n".join(lines))


def _at_renewal(measured: ActionOutcome | None) -> str:
    if measured is None or measured.measured_renewal_status in (None, "pending"):
        return "not before the next renewal"
    if measured.measured_renewal_status == "censored":
        return "cannot be measured: the account left before"
    parts = [measured.retention_renewal] if measured.retention_renewal else []
    if measured.mrr_change_eur_renewal is not None:
        parts.append(f"MRR {figures.signed(measured.mrr_change_eur_renewal)} €")
    return ", ".join(parts) or "measured, no change"


def _effects(horizon: data.Horizon) -> str:
    parts = []
    if horizon.trigger_cleared is not None:
        parts.append("trigger cleared" if horizon.trigger_cleared else "trigger not cleared")
    if horizon.health_change is not None:
        parts.append(f"health {figures.signed(horizon.health_change)}")
    if horizon.usage_change_ratio is not None:
        parts.append(f"usage {figures.signed(horizon.usage_change_ratio * 100)}%")
    if horizon.ticket_change is not None:
        parts.append(f"tickets {figures.signed(horizon.ticket_change)}")
    if horizon.nps_change is not None:
        parts.append(f"NPS answer {figures.signed(horizon.nps_change)}")
    if horizon.mrr_change_eur is not None:
        parts.append(f"MRR {figures.signed(horizon.mrr_change_eur)} €")
    if horizon.retention:
        parts.append(horizon.retention)
    return ", ".join(parts) or "measured, no change"
