"""What a move asks for before it is made: why, and of a snooze until when.

That a reason is needed is said before the click, and what is typed outlives a reload.
"""

from collections.abc import Callable
from datetime import date, timedelta

import streamlit as st

from app.calendar import Calendar
from app.ui import action_data, figures, visit
from app.ui.composer import composer

REASON_CHARACTERS = 200


def snooze_days(today: date, calendar: Calendar) -> dict[str, date]:
    """The quick choices of a snooze, soonest first: business days of whom `calendar` belongs to."""
    tomorrow = today + timedelta(days=1)
    first = calendar.next_business_day(tomorrow)
    days = {"Tomorrow" if first == tomorrow else f"{first:%A}": first}
    for name, count in (("In a week", 7), ("In two weeks", 14), ("In a month", 30)):
        days[name] = calendar.next_business_day(today + timedelta(days=count))
    return days


def until_field(today: date, key: str) -> date | None:
    """Quick choices of the day that a snooze ends on, and the day itself, kept under `key`. A day off may be chosen:
    it is said which business day it means, as the service takes it."""
    calendar = action_data.own_calendar(visit.current())
    # a week from today, or the first business day after it
    st.session_state.setdefault(key, calendar.next_business_day(today + timedelta(days=7)))
    with st.container(horizontal=True, gap="xsmall"):
        for name, day in snooze_days(today, calendar).items():
            st.button(
                name,
                key=f"{key}_{name.lower().replace(' ', '_')}",
                help=figures.day(day, today=today),
                on_click=_choose,
                args=(key, day),
            )
    until = st.date_input(
        "Until",
        min_value=today + timedelta(days=1),
        max_value=today + timedelta(days=365),
        format="DD/MM/YYYY",
        key=key,
    )
    if until is not None and until != (back := calendar.next_business_day(until)):
        st.markdown(f":small[:orange[{figures.day(until)} is a day off: it comes back on **{figures.day(back)}**.]]")
    return until


def _choose(key: str, day: date) -> None:
    st.session_state[key] = day


def why(
    key: str,
    *,
    subject: str,
    button: str,
    placeholder: str,
    save: Callable[[str, str], bool],
    missing: str = "",
    is_optional: bool = False,
) -> None:
    """The reason of a move with its button, which is off until there is one, unless the reason `is_optional`. See
    `composer` for the rest."""
    with st.container(gap="xxsmall"):
        st.markdown(f":small[Why] :small[:gray[{'if you like' if is_optional else 'needed'}]]")
        composer(
            key,
            user_id=str(visit.current().identity.user_id),
            subject=subject,
            label="Why",
            button=button,
            placeholder=placeholder,
            empty_hint="" if is_optional else "say why first",
            is_optional=is_optional,
            missing=missing,
            limit=REASON_CHARACTERS,
            height=38,
            save=save,
        )
