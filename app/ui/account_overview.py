"""Overview of an account: health over time, what moved it, what drives the risk, and what is being done."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from app.ui import (
    account_data,
    account_health,
    action_panel,
    charts,
    choices,
    columns,
    figures,
    frame,
    health_charts,
    page_style,
    playbook_progress,
    suggestion_card,
    suggestion_undo,
    visit,
    words,
)
from app.ui.account_head import Subject
from app.ui.text import escaped, shortened

RANGES = {"90 d": 90, "180 d": 180, "1 y": 365}
SPANS = {"7 d": 7, "30 d": 30, "90 d": 90}
STEPS_SHOWN = 6


def show(subject: Subject) -> None:
    """Two columns: the score and its reasons, and the work."""
    left, right = page_style.split([1.9, 1], "overview")
    with left:
        history(subject)
        account_health.show(subject)
        moved(subject)
    with right:
        _drivers(subject)
        _open_actions(subject)
        playbook_progress.progress(subject.account.account_key)
        _suggested(subject)


def _markers(subject: Subject, rows: pd.DataFrame) -> list[health_charts.Marker]:
    """Actions that ended within the range, and the days on which another configuration took over."""
    days = columns.days(rows, "health_date")
    marks = []
    ended = account_data.closed_actions(subject.account.account_key)
    for action in ended:
        at = action.closed_at.date() if action.closed_at else None
        if at is not None and days[0] <= at <= days[-1]:
            marks.append(
                health_charts.Marker(at, shortened(words.word(words.INTERVENTIONS, action.intervention), limit=22))
            )
    versions = rows["config_version"].tolist()
    for place in range(1, len(versions)):
        if versions[place] != versions[place - 1]:
            marks.append(health_charts.Marker(days[place], f"Config {versions[place]}", is_configuration=True))
    return sorted(marks, key=lambda mark: mark.at)[-6:]


@frame.panel
def history(subject: Subject) -> None:
    """The score day by day above its bands, with what was done and what was reconfigured."""
    with st.container(border=True, gap="xsmall", key="health_history"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(
                "**Health over time** :small[:gray[solid line: action ended · dashed: configuration]]", width="content"
            )
            chosen = choices.one("Range", list(RANGES), "range", start="180 d")
        rows = account_data.facts(
            subject.account.account_key, visit.current(), as_of=subject.as_of, days=RANGES[chosen]
        ).health
        if not len(rows):
            st.markdown(":gray[No health has been computed for this account yet.]")
            return
        days, scores = columns.days(rows, "health_date"), columns.numbers(rows, "score")
        figure = health_charts.health_history(days, scores, _markers(subject, rows), dark=charts.is_dark())
        charts.draw(figure, key="health_chart", alt=f"Health score, {len(days)} days, now {scores[-1] or 0:.0f}")


def _label(day: date, today: date) -> str:
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %y}"


@frame.panel
def moved(subject: Subject) -> None:
    """The change between two days, split into measures; what is too small to see is one step, so that it adds up."""
    here = visit.current()
    with st.container(border=True, gap="xsmall", key="what_moved"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            title = st.empty()
            span = choices.one("Over", list(SPANS), "span", start="30 d")
        start = subject.as_of - timedelta(days=SPANS[span])
        before, after, movements = account_data.movement(
            subject.account.account_key, here, start=start, end=subject.as_of
        )
        title.markdown("**What moved it**")
        if before is None or after is None or before.score is None or after.score is None:
            st.markdown(f":gray[There is no score for {_label(start, here.today)} to compare with.]")
            return
        seen = [move for move in movements if abs(move.delta) >= 0.05]
        steps = [(words.word(words.MEASURES, move.measure), move.delta) for move in seen[:STEPS_SHOWN]]
        rest = (after.score - before.score) - sum(delta for _, delta in steps)
        if abs(rest) >= 0.05:
            steps.append((f"Other ({len(movements) - len(steps)})", rest))
        if not steps:
            st.markdown(f":gray[Nothing moved: {after.score:.0f} on both days.]")
            return
        floor = health_charts.waterfall_floor(before.score, [delta for _, delta in steps])
        cut = f" · the axis begins at {floor:.0f}" if floor else ""
        between = f"{_label(start, here.today)} to {_label(subject.as_of, here.today)}"
        note = f"{between}, points of health, adds up exactly{cut}"
        title.markdown(f"**What moved it** :small[:gray[{note}]]")
        figure = health_charts.waterfall(
            (_label(start, here.today), before.score),
            steps,
            (_label(subject.as_of, here.today), after.score),
            dark=charts.is_dark(),
        )
        alt = ", ".join(f"{name} {figures.signed(delta, 1)}" for name, delta in steps)
        charts.draw(figure, key="moved_chart", alt=f"From {before.score:.0f} to {after.score:.0f}: {alt}")


def _drivers(subject: Subject) -> None:
    risk = subject.facts.risk
    with st.container(border=True, gap="xxsmall", key="drivers"):
        frame.heading(
            "Drivers of risk", escaped(risk.risk_basis or "", limit=120) if risk else "", metric="churn_probability"
        )
        as_of, drivers = (risk.risk_date, risk.drivers or []) if risk else (subject.as_of, [])
        if not drivers:
            st.markdown(":gray[Nothing stands out.]")
        for driver in drivers[:6]:
            is_raising = driver.get("direction") == "raises"
            arrow = ":red[:material/arrow_upward:]" if is_raising else ":green[:material/arrow_downward:]"
            with st.container(
                horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"
            ):
                text = figures.counted_on(str(driver.get("text") or driver.get("driver")), as_of)
                st.markdown(f"{arrow} {escaped(text, limit=80)}", width="content")
                # a bare number says nothing that the sentence does not say with its unit
                if isinstance(driver.get("value"), str) and driver["value"].strip():
                    st.markdown(f":small[:gray[{escaped(driver['value'], limit=48)}]]", width="content")
        st.markdown(":small[:gray[:material/arrow_upward: raises the risk · :material/arrow_downward: lowers it]]")


def _open_actions(subject: Subject) -> None:
    today = visit.current().today
    with st.container(border=True, gap="xsmall", key="open_actions"):
        frame.heading("Open actions", str(len(subject.actions)) if subject.actions else "")
        if not subject.actions:
            st.markdown(":gray[None. Add one from what you see here.]")
        for action in subject.actions[:6]:
            late = (today - action.due_date).days if action.due_date else 0
            due = (
                f":red[overdue {late} d]"
                if late > 0
                else f"due {figures.day(action.due_date, today=today)}"
                if action.due_date
                else "no due date"
            )
            with st.container(
                horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small", wrap=False
            ):
                owner = escaped(action.owner_name) if action.owner_name else "nobody"
                state = f"{words.status_badge(action.status)} :small[{due} :gray[· {owner}]]"
                st.markdown(f"**{escaped(action.title, limit=70)}**  \n{state}")
                st.button(
                    "Open",
                    type="tertiary",
                    key=f"open_{action.action_id.hex}",
                    on_click=action_panel.open_in_drawer,
                    args=(action.action_id,),
                )
        if len(subject.actions) > 6:
            st.markdown(f":small[:gray[and {len(subject.actions) - 6} more in Timeline]]")


@frame.panel
def _suggested(subject: Subject) -> None:
    if suggestion_card.was_answered() and visit.is_fragment_run():
        st.rerun()
    offered = [
        item
        for item in account_data.account_suggestions(subject.account.account_key)
        if item.status in suggestion_card.OPEN
    ]
    suggestion_undo.line(subject.account.account_key)
    if not offered:
        return
    frame.heading("Suggested", str(len(offered)))
    suggestion_card.of_account(offered[:3])
