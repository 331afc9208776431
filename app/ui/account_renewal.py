"""What an account renews next: when, how it is forecast, whether notice was given, and whether somebody looked in time.

The mart knows the days of the two checkpoints and nothing of actions; whether one was assessed is asked of them here.
"""

from collections.abc import Iterable
from datetime import date

import streamlit as st

from app.actions.model import ActionRow
from app.actions.vocabulary import ActionType
from app.marts.money import Renewal
from app.ui import figures, frame, words
from app.ui.text import escaped


def assessment(actions: Iterable[ActionRow], *, start: date, end: date) -> ActionRow | None:
    """The first renewal action begun from `start` on and before `end`, by hand or by a playbook; cancelled ones do not
    count.
    """
    begun = [
        action
        for action in actions
        if action.action_type is ActionType.RENEWAL
        and action.cancel_reason is None
        and start <= action.created_at.date() < end
    ]
    return min(begun, key=lambda action: action.created_at, default=None)


def show(renewal: Renewal | None, actions: Iterable[ActionRow], *, today: date) -> None:
    """A box with the renewal, or a sentence that there is none."""
    with st.container(border=True, gap="xsmall"):
        frame.heading("Next renewal", "contract, notice and checkpoints")
        if renewal is None or renewal.renewal_date is None:
            st.markdown(":gray[Nothing to renew: no subscription is running.]")
            return
        state = words.word(words.FORECAST_STATES, renewal.forecast_state)
        colour = words.FORECAST_COLOURS.get(renewal.forecast_state, "gray")
        due = figures.money(renewal.mrr_due, renewal.currency_code or "EUR")
        lines = [
            f"**{figures.full_day(renewal.renewal_date)}** :{colour}-badge[{state}]",
            f"**{due}** :gray[a month is due{figures.in_euro(renewal.mrr_due_eur, renewal.currency_code)}]",
            _notice(renewal),
        ]
        if renewal.deal_stage:
            name = escaped(renewal.deal_name or "Renewal deal", limit=60)
            stage = escaped(words.word({}, renewal.deal_stage))
            lines.append(f"{name} :gray[{stage}, closes {figures.full_day(renewal.deal_close_date)}]")
        lines += _checkpoints(renewal, list(actions), today)
        st.markdown("  \n".join(lines))


def _notice(renewal: Renewal) -> str:
    if not renewal.ending_subscription_count:
        return "No notice given"
    given = f"Notice given **{figures.full_day(renewal.notice_date)}**"
    if renewal.ending_subscription_count < renewal.subscription_count:
        part = figures.money(renewal.ending_mrr, renewal.currency_code or "EUR")
        given += f" for {part} of it"
    return f"{given} :gray[service ends {figures.full_day(renewal.planned_end_date)}]"


def _checkpoints(renewal: Renewal, actions: list[ActionRow], today: date) -> list[str]:
    first, second, last = renewal.first_checkpoint_date, renewal.second_checkpoint_date, renewal.renewal_date
    if first is None or second is None or last is None:
        return []
    return [_checkpoint(actions, start, end, last, today) for start, end in ((first, second), (second, last))]


def _checkpoint(actions: list[ActionRow], start: date, end: date, last: date, today: date) -> str:
    name = f"{(last - start).days} days before, {figures.full_day(start)}:"
    if today < start:
        return f":gray[{name} not yet]"
    made = assessment(actions, start=start, end=end)
    if made is not None:
        return f":gray[{name}] {escaped(made.title, limit=60)} :gray[{figures.full_day(made.created_at.date())}]"
    return f":gray[{name}] " + (":orange[not assessed yet]" if today < end else ":red[never assessed]")
