"""Rules throttled because too much of what they raised was a false alarm: since when, why, and the way back."""

from datetime import datetime

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.suggestions import throttling
from app.suggestions.throttling import Throttle
from app.ui import figures, frame, kept_fields, settings_numbers, visit, writes
from app.ui.kept_fields import Field
from app.ui.settings_drafts import Draft

# title, unit, lowest, highest, what it means
_LIMITS = {
    "line_pct": ("False alarms surely more than, %", 10, 100, "The lower end of the 95% interval counts."),
    "least_answers": ("Answers at least", 10, 1_000, "Dismissals, and actions that were closed."),
    "window_days": ("Answers of the last, days", 30, 730, "Of the version in force, since it was last lifted."),
    "score_left_pct": ("What is left of the score, %", 1, 100, "It ranks lower; what is drawn does not change."),
}


def standing(throttle: Throttle) -> None:
    """Since when a rule is throttled and why, and the button that lifts it."""
    here = visit.current()
    place = f"throttle:{throttle.rule_id}"
    key = f"throttle_{throttle.throttle_id}"
    rate = throttle.false_alarms
    with st.container(border=True, gap="xsmall", key="rule_throttled"):
        st.markdown(
            f":orange[:material/speed: **Throttled** since {figures.clock(throttle.began_at, now=here.now)}], because"
            f" {rate.count} of {figures.count(rate.of, 'answer')} were false alarms (at least {rate.interval[0]:.0%},"
            f" 95% interval). What it finds ranks with {throttle.score_share:.0%} of its score."
        )
        writes.form_key(place)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            st.text_input(
                "Why it is lifted",
                max_chars=throttling.REASON_LIMIT,
                live="300ms",
                key=key,
                placeholder="One line, kept in the trail",
                width=420,
            )
            has_reason = bool(str(st.session_state.get(key) or "").strip())
            st.button(
                "Lift",
                key=f"{key}_lift",
                disabled=not has_reason,
                help=None if has_reason else "Say why first",
                on_click=_lift,
                args=(throttle.rule_id, key),
            )
        frame.problem(place)
        kept_fields.fields(place, {"reason": Field(key, "", kept_fields.text(throttling.REASON_LIMIT))})


def _lift(rule_id: str, key: str) -> None:
    place = f"throttle:{rule_id}"
    form, reason = writes.form_key(place), str(st.session_state.get(key) or "")

    def write(db: Connection, actor: Identity, now: datetime) -> Throttle:
        return throttling.lift(db, actor=actor, now=now, rule_id=rule_id, reason=reason, idempotency_key=form)

    made = writes.perform(write, place=place, done=f"Lifted: {rule_id} ranks fully from the next evaluation on.")
    writes.renew_form(place)
    if made is not None:
        kept_fields.forget(place)


def limits() -> None:
    """When a rule is throttled, as a setting of its own."""
    names = {field: limit[0].lower() for field, limit in _LIMITS.items()}
    draft = Draft(
        "rule_throttling", "throttling", names=names, read=settings_numbers.read, write=settings_numbers.write
    )
    with st.container(border=True, gap="small", key="throttling_box"):
        draft.head("When a rule is throttled", "looked at with each build")
        edited: dict[str, int] = {}
        with st.container(horizontal=True, gap="small"):
            for field, (title, lowest, highest, meaning) in _LIMITS.items():
                edited[field] = settings_numbers.number(
                    draft, field, title, lowest=lowest, highest=highest, meaning=meaning, width=270
                )
        draft.finish({"": edited})
