"""Suggestions as cards: why, with figures; a small picture of the evidence; what to do; and one click for each answer.

The sentence and the evidence come from the rule that fired. Every answer is data: dismissing asks for a reason in the
same click, and each card reruns alone.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.actions.model import ActionDraft
from app.auth import Identity, Permission, can
from app.calendar import add_business_days
from app.errors import StaleVersion
from app.marts.accounts import Account
from app.suggestions import service
from app.suggestions.model import OPEN_STATUSES, AcceptedAction, Suggestion
from app.ui import (
    action_form,
    data,
    figures,
    frame,
    kept_fields,
    navigation,
    pulse_ask,
    suggestion_behind,
    suggestion_evidence,
    suggestion_undo,
    visit,
    words,
    writes,
)
from app.ui.action_form import Prefill
from app.ui.text import escaped, shortened, with_bold_figures

SHOWN = 5
OPEN = OPEN_STATUSES
SNOOZES = ("Tomorrow", "In 3 days", "Next week", "In 2 weeks")
_DAYS = {"Tomorrow": 1, "In 3 days": 3, "Next week": 7, "In 2 weeks": 14}
_ANSWERED = "suggestions:answered"
_MOST = "suggestions:most"
_DRAWN = "suggestions:drawn"
_WAS_AT = "suggestions:was_at"


def _place(suggestion_id: UUID) -> str:
    return f"suggestion:{suggestion_id}"


def _answered(suggestion_id: UUID, answer: Any) -> None:
    """After any answer, also one that came too late, the list must be read again. The way back stands where the card
    was: who answered the fourth is not looking at the head of the list."""
    drawn: list[UUID] = st.session_state.get(_DRAWN, [])
    if answer is not None and suggestion_id in drawn:
        st.session_state[_WAS_AT] = drawn.index(suggestion_id)
    if answer is not None or isinstance(frame.met(_place(suggestion_id)), StaleVersion):
        st.session_state[_ANSWERED] = True


def _put_away(suggestion_id: UUID, answer: Any, text: str) -> None:
    """The next answer, after an undo, is a new act."""
    _answered(suggestion_id, answer)
    if answer is not None:
        writes.renew_form(_place(suggestion_id))
        suggestion_undo.keep(answer, text)


def _accept(suggestion_id: UUID, version: int, edits: ActionDraft | None = None, form: str | None = None) -> bool:
    key = form or writes.form_key(_place(suggestion_id))

    def write(db: Connection, actor: Identity, now: datetime) -> tuple[AcceptedAction, Suggestion]:
        action = service.accept(
            db,
            actor=actor,
            now=now,
            suggestion_id=suggestion_id,
            expected_version=writes.seen_version(suggestion_id, version),
            edits=edits,
            idempotency_key=key,
        )
        return action, service.get_suggestion(db, suggestion_id)

    def confirmation(made: tuple[AcceptedAction, Suggestion]) -> str:
        # of one's own acceptance the line with the way back says it, where the card was
        before = made[0].already_accepted_by
        return f"{escaped(before)} had accepted it before: there is one action, not two." if before else ""

    accepted = writes.perform(write, place=_place(suggestion_id), done=confirmation)
    _answered(suggestion_id, accepted)
    if accepted is None:
        return False
    action, suggestion = accepted
    writes.renew_form(_place(suggestion_id))
    if not action.already_accepted_by:
        due = f"due {figures.day(action.due_date)}, " if action.due_date else ""
        suggestion_undo.keep(suggestion, f"accepted, {due}became the action", became=action)
    return True


def _accepted(suggestion_id: UUID, version: int) -> None:
    """Callback: accept as it is."""
    _accept(suggestion_id, version)


def _dismiss(suggestion_id: UUID, version: int, key: str) -> None:
    reason = st.session_state.get(key)
    if not reason:
        return

    def write(db: Connection, actor: Identity, now: datetime) -> Any:
        return service.dismiss(
            db,
            actor=actor,
            now=now,
            suggestion_id=suggestion_id,
            expected_version=writes.seen_version(suggestion_id, version),
            reason=reason,
            idempotency_key=writes.form_key(_place(suggestion_id)),
        )

    done = f"Dismissed: {words.word(words.DISMISSALS, reason).lower()}."
    _put_away(suggestion_id, writes.perform(write, place=_place(suggestion_id)), done)


def _snooze(suggestion_id: UUID, version: int, key: str, today: date) -> None:
    chosen = st.session_state.get(key)
    if chosen not in _DAYS:
        return
    until = today + timedelta(days=_DAYS[chosen])

    def write(db: Connection, actor: Identity, now: datetime) -> Suggestion:
        return service.snooze(
            db,
            actor=actor,
            now=now,
            suggestion_id=suggestion_id,
            expected_version=writes.seen_version(suggestion_id, version),
            until=until,
            idempotency_key=writes.form_key(_place(suggestion_id)),
        )

    answer = writes.perform(write, place=_place(suggestion_id))
    _put_away(suggestion_id, answer, f"Back on {figures.day(answer.snoozed_until)}." if answer else "")


def was_answered() -> bool:
    """Whether a card has been answered since the last time this was asked."""
    return bool(st.session_state.pop(_ANSWERED, False))


@st.dialog("Accept with changes", width="medium")
def edit(suggestion: Suggestion) -> None:
    """The action as the rule would make it, to be changed before it is made."""
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None:
        st.rerun()
    place = _place(suggestion.suggestion_id)
    frame.problem(place)
    st.markdown(f"**{escaped(suggestion.account_name)}**")
    st.text(suggestion.sentence)
    draft = service.draft_of(suggestion, now=here.now)
    name = f"suggested_{suggestion.suggestion_id.hex}"
    prefill = Prefill(
        intervention=str(draft.intervention),
        action_type=str(draft.action_type),
        priority=str(draft.priority),
        title=draft.title,
        due_date=draft.due_date,
        reason=shortened(suggestion.sentence, limit=action_form.REASON_CHARACTERS),
        stakeholder=draft.stakeholder or "",
    )

    subject = f"suggestion:{suggestion.suggestion_id}"

    def send(values: dict[str, Any], form: str) -> bool:
        edits = ActionDraft(account_key=suggestion.account_key, **values)
        is_done = _accept(suggestion.suggestion_id, suggestion.version, edits, form)
        if is_done:
            action_form.forget(name)
            kept_fields.forget(subject)
            st.session_state[f"{name}:done"] = True
        return is_done

    action_form.draw(name, prefill, button="Accept", subject=subject, send=send)
    if st.session_state.pop(f"{name}:done", False):
        st.rerun()


def _at_stake(row: Account | None, today: date) -> str:
    """What hangs on it: revenue at risk and the renewal."""
    if row is None:
        return ""
    parts = [f"**{figures.money(row.mrr_at_risk_eur)} MRR at risk**"] if row.mrr_at_risk_eur else []
    days = row.days_to_renewal
    if days is not None and days >= 0:
        parts.append(f"renewal in {figures.count(days, 'day')}" if days else "renewal today")
    return " " + ", ".join(parts) + "." if parts else ""


def card(suggestion: Suggestion, *, with_account: bool = True) -> None:
    """One suggestion with its answers; those who may not answer see why it is suggested, without buttons."""
    here = visit.current()
    key = suggestion.suggestion_id.hex
    row = data.account_or_none(suggestion.account_key, here)
    with st.container(border=True, gap="xsmall", key=f"suggestion_{key}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
            if with_account:
                with st.container(horizontal=True, gap=None, width="content", vertical_alignment="center"):
                    if row is not None:
                        st.markdown(words.band_badge(row.health_band, row.health_score), width="content")
                    navigation.account_link(suggestion.account_key, suggestion.account_name)
            else:
                st.markdown(f"**{words.word(words.INTERVENTIONS, suggestion.intervention)}**", width="content")
            st.markdown(f":small[:gray[{words.word(words.REASONS, suggestion.reason)}]]", width="content")
        st.markdown(with_bold_figures(suggestion.sentence) + _at_stake(row, here.today))
        suggestion_evidence.picture(suggestion, key)
        if with_account:
            due = add_business_days(here.today, suggestion.due_offset_bd)
            what = words.word(words.INTERVENTIONS, suggestion.intervention)
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f":small[:gray[Suggested:] **{what}** :gray[by {figures.day(due)}]]", width="content")
                suggestion_behind.behind(suggestion, key)
        else:
            suggestion_behind.behind(suggestion, key)
        frame.problem(_place(suggestion.suggestion_id))
        if can(here.identity, Permission.ANSWER_SUGGESTION, account_owner_email=suggestion.csm_email):
            _answers(suggestion, key)


def _answers(suggestion: Suggestion, key: str) -> None:
    here = visit.current()
    given = (suggestion.suggestion_id, suggestion.version)
    writes.form_key(_place(suggestion.suggestion_id))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button(
            "Accept", icon=":material/check:", type="primary", key=f"accept_{key}", on_click=_accepted, args=given
        )
        if st.button("Edit", key=f"edit_{key}"):
            frame.forget(_place(suggestion.suggestion_id))
            edit(suggestion)
        st.menu_button(
            "Snooze", SNOOZES, key=f"snooze_{key}", on_click=_snooze, args=(*given, f"snooze_{key}", here.today)
        )
        st.menu_button(
            "Dismiss",
            list(words.DISMISSALS),
            format_func=lambda code: words.DISMISSALS[code],
            type="tertiary",
            key=f"dismiss_{key}",
            on_click=_dismiss,
            args=(*given, f"dismiss_{key}"),
        )


def of_account(offered: Sequence[Suggestion]) -> None:
    """The suggestions of one account on its page."""
    waiting = pulse_ask.covered(offered)
    pulse_ask.above(list(waiting))
    _cards(offered, waiting, with_account=False)


def _cards(
    shown: Sequence[Suggestion], waiting: Mapping[str, Sequence[Suggestion]], *, with_account: bool = True
) -> None:
    """Each as its card; where the pulse is asked first, the question stands once in the place of what waits for it."""
    for suggestion in shown:
        covered = waiting.get(suggestion.account_key, ())
        if suggestion not in covered:
            card(suggestion, with_account=with_account)
        elif suggestion == covered[0]:
            pulse_ask.row(suggestion.account_key, covered, with_account=with_account)


@frame.panel
def column() -> None:
    """The suggestions of My day, best first. An answer reruns the page, since it changes the lists beside it."""
    if was_answered() and visit.is_fragment_run():
        st.rerun()
    here = visit.current()
    offered = data.open_suggestions(here)
    frame.heading(
        "Suggested",
        f"{min(st.session_state.get(_MOST, SHOWN), len(offered))} of {len(offered)} shown" if offered else "",
    )
    most = st.session_state.setdefault(_MOST, SHOWN)
    shown = offered[:most]
    st.session_state[_DRAWN] = [suggestion.suggestion_id for suggestion in shown]
    was_at = min(st.session_state.get(_WAS_AT, 0), len(shown))
    waiting = pulse_ask.covered(shown)
    pulse_ask.above(list(waiting))
    _cards(shown[:was_at], waiting)
    suggestion_undo.line()
    if not offered:
        frame.empty(
            "Nothing is suggested right now.", "Rules look again after every build.", icon=":material/lightbulb:"
        )
        return
    _cards(shown[was_at:], waiting)
    if len(offered) > most:
        st.button(f"Show {min(SHOWN, len(offered) - most)} more", key="more_suggestions", on_click=_show_more)


def _show_more() -> None:
    st.session_state[_MOST] = st.session_state.get(_MOST, SHOWN) + SHOWN
