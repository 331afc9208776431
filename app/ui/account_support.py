"""Support of an account: tickets, open and urgent first, and what customers answered."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from app.marts.support import NpsResponse, Ticket
from app.ui import account_data, figure_line, figures, frame, page_style, tables, visit, words
from app.ui.account_head import Subject
from app.ui.figure_line import Figure


def show(subject: Subject) -> None:
    """Tickets, open and urgent first, and what customers answered."""
    here = visit.current()
    tickets: list[Ticket] = account_data.of_account("tickets", subject.account.account_key, here)
    answers: list[NpsResponse] = account_data.of_account("nps", subject.account.account_key, here)
    month_ago = here.now - timedelta(days=30)
    replies = sorted(ticket.first_reply_minutes for ticket in tickets if ticket.first_reply_minutes is not None)
    figure_line.show(
        [
            Figure(value=f"**{sum(ticket.is_open for ticket in tickets)}**", name="open", metric="open_tickets"),
            Figure(
                value=f":red[**{sum(ticket.is_urgent_open for ticket in tickets)}**]"
                if any(ticket.is_urgent_open for ticket in tickets)
                else "**0**",
                name="urgent and open",
                metric="urgent_tickets",
            ),
            Figure(
                value=f"**{sum(ticket.created_at >= month_ago for ticket in tickets)}**",
                name="in 30 days",
                metric="tickets_30d",
            ),
            Figure(
                value=f"**{figures.duration(replies[len(replies) // 2] if replies else None)}**",
                name="first reply, median",
                metric="first_reply",
            ),
            Figure(
                value=f"**{answers[0].score if answers else '–'}**",
                name="last NPS",
                metric="nps_answer",
                proof=("dim_accounts", (subject.account.account_key,), "nps_score"),
            ),
        ],
        "support_figures",
    )
    left, right = page_style.split([1.9, 1], "support")
    with left:
        if tickets:
            table = pd.DataFrame(
                {
                    "created": [figures.clock(ticket.created_at, now=here.now) for ticket in tickets],
                    "subject": [ticket.subject or "–" for ticket in tickets],
                    "priority": [[(ticket.priority or "normal").capitalize()] for ticket in tickets],
                    "status": [ticket.status.replace("_", " ").capitalize() for ticket in tickets],
                    "reply": [figures.duration(ticket.first_reply_minutes) for ticket in tickets],
                    "solved": [figures.duration(ticket.resolution_minutes) for ticket in tickets],
                    "requester": [ticket.requester_email or "–" for ticket in tickets],
                }
            )
            columns = {
                "created": tables.text("Opened", 96),
                "subject": tables.text("Subject", 270),
                "priority": tables.chip(
                    "Priority", ["Urgent", "High", "Normal", "Low"], ["red", "orange", "gray", "gray"], 86
                ),
                "status": tables.text("Status", 82),
                "reply": tables.spelled("First reply", 86, metric="first_reply"),
                "solved": tables.spelled("Solved in", 86, metric="resolution"),
                "requester": tables.text("Requester", 170),
            }
            tables.show(table, columns, key="ticket_table", alt="Tickets, open and urgent first", most=16)
        else:
            frame.empty("No tickets.", "Nobody at this account has asked for help.", icon=":material/support_agent:")
    with right:
        frame.heading("NPS answers", figures.count(len(answers), "answer") if answers else "", metric="nps_answer")
        if not answers:
            frame.empty("Nobody has answered a survey yet.", "", icon=":material/sentiment_neutral:")
        for answer in answers[:6]:
            colour = {"promoter": "green", "passive": "yellow", "detractor": "red"}.get(answer.category, "gray")
            with st.container(border=True, gap="xxsmall", key=f"nps_{answer.response_key}"):
                when = figures.clock(answer.responded_at, now=here.now)
                st.markdown(
                    f":{colour}-badge[**{answer.score}**] :small[:gray[{words.word({}, answer.category)}, {when}]]"
                )
                if answer.comment:
                    st.text(answer.comment)
