"""The tracker as a calendar by due date: a month or a week, what is late in one strip before it.

Days on which the person here does not work are marked in words and by their ground; a click opens the action.
"""

from datetime import date, timedelta

import streamlit as st

from app.actions.lifecycle import Status, is_open
from app.actions.model import ActionRow
from app.ui import action_data, action_filters, action_panel, choices, figures, page_style, visit, words
from app.ui.action_calendar_days import SPANS, Day, end_day, first_day, moved, weeks
from app.ui.action_filters import Wanted
from app.ui.text import escaped

PARAMETER = "on"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKEND = WEEKDAYS[5:]
WIDTHS = (1, 1, 1, 1, 1, 0.5, 0.5)
IN_A_CELL = {"month": 4, "week": 9}
_LINE = 24
LATE_SHOWN = 6
_TO = "calendar:to"


def _around() -> date:
    """The day of the address that the period lies around; today without one."""
    chosen = st.session_state.pop(_TO, None)
    if chosen == "":
        st.query_params.pop(PARAMETER, None)
    elif chosen:
        st.query_params[PARAMETER] = chosen
    try:
        return date.fromisoformat(st.query_params.get(PARAMETER, ""))
    except ValueError:
        return visit.current().today


def _go(to: str) -> None:
    st.session_state[_TO] = to


def _in_list(day: date | None) -> None:
    """Callback: the same set as a list, of one day where one is named."""
    st.session_state["as"] = "list"
    action_filters.choose_day(day)


def show(wanted: Wanted) -> None:
    """Navigation, the strip of what is late, then the grid."""
    here, around = visit.current(), _around()
    span = _navigation(around)
    start, end = first_day(span, around), end_day(span, around)
    found = action_data.tracked(wanted.due_within(start, end).parts)
    late = action_data.tracked(wanted.due_within(None, min(start, here.today)).parts)
    overdue = [row for row in late.rows if is_open(row.status) and row.status is not Status.SNOOZED]
    _late(overdue)
    grid = weeks(span, around, found.rows, action_data.own_calendar(here))
    with st.container(gap="xxsmall", key="calendar"):
        if span == "month":
            for column, name in zip(st.columns(WIDTHS, gap="xxsmall"), WEEKDAYS, strict=True):
                column.markdown(f":small[:gray[{name}{', off' if name in WEEKEND else ''}]]")
        for week in grid:
            for column, day in zip(st.columns(WIDTHS, gap="xxsmall"), week, strict=True):
                with column:
                    _day(day, span, here.today, _height(week, span))
    elsewhere = action_data.count(wanted.parts) - found.total - len(overdue)
    parts = [f"{figures.count(found.total, 'action')} here"]
    if elsewhere > 0:
        parts.append(f"{figures.grouped(elsewhere)} of the same set on other days or without a due date")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":small[:gray[{', '.join(parts)}]]", width="content")
        if elsewhere > 0:
            whole = ":small[All of them as a list]"
            st.button(whole, type="tertiary", key="calendar_whole", on_click=_in_list, args=(None,))


def _navigation(around: date) -> str:
    here = visit.current()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="calendar_bar"):
        span = choices.one("Period", SPANS, "span", start="month")
        for by, icon, name in ((-1, ":material/chevron_left:", "Earlier"), (1, ":material/chevron_right:", "Later")):
            st.button(
                name,
                icon=icon,
                key=f"calendar_{name.lower()}",
                on_click=_go,
                args=(moved(span, around, by).isoformat(),),
            )
        st.button("Today", key="calendar_today", on_click=_go, args=("",))
        if span == "month":
            title = figures.month(around)
        else:
            monday = first_day("week", around)
            title = f"{figures.day(monday)} to {figures.day(monday + timedelta(days=6), today=here.today)}"
        st.markdown(f"**{title}**", width="content")
    return span


def _late(overdue: list[ActionRow]) -> None:
    if not overdue:
        return
    today = visit.current().today
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="calendar_late"):
        st.markdown(f":red[**{figures.count(len(overdue), 'action')} overdue before this**]", width="content")
        for action in overdue[:LATE_SHOWN]:
            days = (today - action.due_date).days if action.due_date else 0
            _link(action, f"{_short(action)} :red[−{days} d]", "late")
        if len(overdue) > LATE_SHOWN:
            with st.popover(f"{len(overdue) - LATE_SHOWN} more", type="tertiary", key="calendar_late_more"):
                for action in overdue[LATE_SHOWN:60]:
                    days = (today - action.due_date).days if action.due_date else 0
                    _link(action, f"{_short(action)} :red[−{days} d]", "late")


def _short(action: ActionRow) -> str:
    return f"{escaped(action.title, limit=30)} :gray[{escaped(action.account_name, limit=28)}]"


def _link(action: ActionRow, label: str, where: str) -> None:
    st.button(
        label,
        type="tertiary",
        key=f"{where}_{action.action_id.hex}",
        on_click=action_panel.open_in_drawer,
        args=(action.action_id,),
        wrap=False,
        help=f"{escaped(action.title, limit=120)}: {escaped(action.account_name)} "
        f"({words.word(words.STATUSES, action.status).lower()})",
    )


def _height(week: list[Day], span: str) -> int:
    """Pixels of a row of days: as high as its fullest day, so that weeks gone by take little room."""
    if span == "week":
        return 460
    return 36 + _LINE * min(max(len(day.actions) for day in week), IN_A_CELL["month"])


def _day(day: Day, span: str, today: date, height: int) -> None:
    number = f"{day.day:%a} {day.day.day}" if span == "week" else str(day.day.day)
    if day.day.day == 1 or span == "week":
        number = f"{number} {day.day:%b}"
    name = (
        f":blue-badge[**{number}**]"
        if day.day == today
        else f":gray[{number}]"
        if day.is_outside or day.is_off
        else number
    )
    if day.is_holiday:
        name += " :orange[holiday]"
    elif day.is_off and span == "week":
        name += " :gray[off]"
    prefix = "off" if day.is_off else "day"
    with st.container(border=True, gap=None, height=height, key=f"{prefix}_{day.day.isoformat()}"):
        st.markdown(f":small[{name}]")
        most = IN_A_CELL[span]
        shown = day.actions if len(day.actions) <= most else day.actions[: most - 1]
        for action in shown:
            _item(action, span, today)
        if len(day.actions) > len(shown):
            more = len(day.actions) - len(shown)
            if span == "month":
                key = f"more_{day.day.isoformat()}"
                st.button(f":gray[{more} more]", type="tertiary", key=key, on_click=_in_list, args=(day.day,))
            else:
                with st.popover(f"{more} more", type="tertiary", key=f"more_{day.day.isoformat()}"):
                    for action in day.actions[len(shown) :]:
                        _item(action, span, today)


def _item(action: ActionRow, span: str, today: date) -> None:
    account = escaped(action.account_name, limit=40)
    if span == "week":
        _link(action, _label(action, today, escaped(action.title, limit=60)), "due")
        st.markdown(f":small[:gray[{account}]]")
    else:
        # as much of the title as leaves the account a beginning
        title = escaped(action.title, limit=14 if page_style.is_narrow() else 24)
        _link(action, f"{_label(action, today, title)} :gray[{account}]", "due")


def _label(action: ActionRow, today: date, name: str) -> str:
    if not is_open(action.status):
        return f":gray[:material/{'check' if action.status is Status.CLOSED else 'block'}: {name}]"
    mark = ""
    if action.status is Status.SNOOZED:
        mark = ":violet[:material/snooze:] "
    elif action.due_date is not None and action.due_date < today:
        mark = ":red[:material/priority_high:] "
    elif action.priority in ("critical", "high"):
        mark = ":orange[:material/flag:] "
    return f"{mark}{name}"
