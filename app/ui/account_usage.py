"""Usage of an account: seats, key activity and breadth over time."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.marts.people import Contact
from app.ui import account_data, charts, columns, figure_line, figures, frame, page_style, tables, visit, words
from app.ui.account_head import Subject
from app.ui.figure_line import Figure

DAYS = 180


def show(subject: Subject) -> None:
    """Four figures and three pictures of half a year up to the as-of day."""
    here = visit.current()
    rows: pd.DataFrame = account_data.of_account(
        "usage", subject.account.account_key, here, since=subject.as_of - timedelta(days=DAYS)
    )
    rows = columns.until(rows, "usage_date", subject.as_of)
    if not len(rows):
        frame.empty(
            "No usage has been seen for this account.",
            "Proof tells which product tenant it is linked to.",
            icon=":material/monitoring:",
        )
        return
    last = rows.iloc[-1].to_dict()
    days = columns.days(rows, "usage_date")
    seats = subject.account.seats_paid
    families = columns.highest(columns.numbers(rows, "feature_family_count"), 28)
    used, before = _plain(last["active_users_28d"]), _plain(last["key_activity_prev_30d"])
    day = (subject.account.account_key, days[-1].isoformat())
    figure_line.show(
        [
            Figure(
                value=f"**{used}{f' of {seats}' if seats else ''}**",
                name="seats used in 28 days",
                metric="seats_used",
                proof=("fct_usage_daily", day, "active_users_28d"),
            ),
            Figure(
                value=f"**{_plain(last['key_activity_30d'])}**",
                name=f"key activities in 30 days, before that {before}",
                metric="key_activity_30d",
                proof=("fct_usage_daily", day, "key_activity_30d"),
            ),
            Figure(value=f"**{_plain(families[-1])}**", name="feature families in 28 days", metric="feature_families"),
            Figure(
                value=f"**{_plain(last['automation_live_count'])}**",
                name="live automations",
                metric="automations_live",
                proof=("fct_usage_daily", day, "automation_live_count"),
            ),
            Figure(
                value=f"**{figures.ago(_last_key_activity(last), here.today)}**",
                name="last key activity",
                metric="days_since_key_activity",
                proof=("fct_usage_daily", day, "days_since_key_activity"),
            ),
        ],
        "usage_figures",
    )
    dark = charts.is_dark()
    left, right = page_style.split([1, 1], "usage")
    with left, st.container(border=True, gap="xsmall"):
        frame.heading("Active users", "distinct users of the last 28 days against paid seats", metric="seats_used")
        series = [("users", columns.numbers(rows, "active_users_28d"))]
        if seats:
            series.append(("seats", [float(seats)] * len(days)))
        charts.draw(charts.lines(days, series, dark=dark), key="usage_seats", alt=f"Active users, now {used}")
    with right, st.container(border=True, gap="xsmall"):
        frame.heading("Key activity", "sum of 7 days", metric="key_activity_7d")
        charts.draw(
            charts.lines(days, [("7 days", columns.numbers(rows, "key_activity_7d"))], dark=dark),
            key="usage_activity",
            alt="Key activity, sum of seven days",
        )
    with left, st.container(border=True, gap="xsmall"):
        frame.heading("Campaigns sent", "a week", metric="campaigns_sent")
        weekly: dict[date, float] = {}
        for day, sent in zip(days, columns.numbers(rows, "campaign_sent_count"), strict=True):
            monday = day - timedelta(days=day.weekday())
            weekly[monday] = weekly.get(monday, 0.0) + (sent or 0.0)
        charts.draw(
            charts.bars(list(weekly), list(weekly.values()), dark=dark),
            key="usage_campaigns",
            alt="Campaigns sent a week",
        )
    with right, st.container(border=True, gap="xsmall"):
        frame.heading(
            "Breadth",
            "most feature families used on a day of the last 28, and automations live",
            metric="feature_families",
        )
        breadth = [
            ("features", families),
            ("automations", columns.numbers(rows, "automation_live_count")),
        ]
        charts.draw(
            charts.lines(days, breadth, dark=dark), key="usage_breadth", alt="Feature families and live automations"
        )
    _users(subject, here)


def _users(subject: Subject, here: visit.Visit) -> None:
    """The contacts who use the product, last seen first: users nobody knows in the CRM are in no mart."""
    known: list[Contact] = account_data.of_account("contacts", subject.account.account_key, here)
    users = [contact for contact in known if contact.is_product_user]
    users.sort(key=lambda user: user.last_product_activity_date or date.min, reverse=True)
    frame.heading("Users", f"{len(users)} of the contacts in the CRM use the product")
    if not users:
        return
    rows = pd.DataFrame(
        {
            "name": [user.contact_name or "–" for user in users],
            "title": [user.job_title or "–" for user in users],
            "role": [words.word(words.STAKEHOLDER_ROLES, user.stakeholder_role) for user in users],
            "seen": [figures.ago(user.last_product_activity_date, here.today) for user in users],
            "state": ["left" if user.has_left else "" for user in users],
        }
    )
    shown = {
        "name": tables.text("Name", 200),
        "title": tables.text("Title", 260),
        "role": tables.text("Role", 150),
        "seen": tables.text("Last in the product", 150),
        "state": tables.text("", 70),
    }
    tables.show(rows, shown, key="user_table", alt="Contacts who use the product, last seen first", most=8)


def _last_key_activity(last: Mapping[str, Any]) -> date | None:
    """The day of the last key activity: the mart counts back from its own day."""
    idle, counted_on = last["days_since_key_activity"], pd.Timestamp(last["usage_date"])
    if idle is None or idle != idle or not isinstance(counted_on, pd.Timestamp):
        return None
    return counted_on.date() - timedelta(days=int(idle))


def _plain(value: Any) -> str:
    return "–" if value is None or value != value else figures.grouped(int(value))
