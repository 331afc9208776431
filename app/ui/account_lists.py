"""People, money, support and proof of an account: each a line of figures and its lists."""

from collections.abc import Sequence
from datetime import timedelta

import pandas as pd
import streamlit as st

from app.marts.money import Invoice
from app.marts.people import Contact
from app.marts.sources import SourceLink
from app.marts.support import NpsResponse, Ticket
from app.ui import charts, data, figures, frame, tables, visit, words
from app.ui.account_head import Subject

NEEDED_ROLES = ("champion", "decision_maker", "budget_holder")
RECENT = timedelta(days=90)


def _figures(parts: Sequence[tuple[str, str]], key: str) -> None:
    with st.container(border=True, horizontal=True, gap="large", key=key):
        for value, name in parts:
            st.markdown(f"{value} :gray[{name}]", width="content")


def people(subject: Subject) -> None:
    """Stakeholders with role and last contact; what is missing is named first."""
    here = visit.current()
    rows: list[Contact] = data.of_account("contacts", subject.account.account_key, here)
    present = [contact for contact in rows if not contact.has_left]
    gaps = [f"no {words.STAKEHOLDER_ROLES[role].lower()}" for role in NEEDED_ROLES if not any(c.stakeholder_role == role for c in present)]
    silent = [c for c in present if c.last_two_way_contact_date is None or here.today - c.last_two_way_contact_date > RECENT]
    gone = [contact for contact in rows if contact.has_left or contact.has_bounced]
    _figures(
        [
            (f"**{len(present)}**", "people known"),
            (f":red[**{', '.join(gaps)}**]" if gaps else "**none**", "gaps in the roles"),
            (f"**{len(silent)}**", "without contact for 90 days"),
            (f"**{len(gone)}**", "left or bounced"),
        ],
        "people_figures",
    )
    if not rows:
        frame.empty("Nobody is known at this account.", "Add contacts in the CRM; they appear after the next build.", icon=":material/group_off:")
        return
    table = pd.DataFrame(
        {
            "name": [contact.contact_name or "–" for contact in rows],
            "role": [[words.word(words.STAKEHOLDER_ROLES, contact.stakeholder_role)] for contact in rows],
            "title": [contact.job_title or "–" for contact in rows],
            "email": [contact.email or "–" for contact in rows],
            "contact": [figures.ago(contact.last_two_way_contact_date, here.today) for contact in rows],
            "product": [figures.ago(contact.last_product_activity_date, here.today) if contact.is_product_user else "no user" for contact in rows],
            "state": [[_state(contact)] for contact in rows],
        }
    )
    roles = list(words.STAKEHOLDER_ROLES.values())
    columns = {
        "name": tables.text("Name", 170),
        "role": tables.chip("Role", roles, ["blue", "violet", "violet", "gray", "orange"], 130),
        "title": tables.text("Title", 200),
        "email": tables.text("E-mail", 290),
        "contact": tables.text("Last contact", 130),
        "product": tables.text("In the product", 130),
        "state": tables.chip("State", ["Here", "Left", "Bounced"], ["green", "red", "orange"], 110),
    }
    tables.show(table, columns, key="people_table", alt="Stakeholders of this account", most=18)


def _state(contact: Contact) -> str:
    return "Left" if contact.has_left else "Bounced" if contact.has_bounced else "Here"


def money(subject: Subject) -> None:
    """Recurring revenue over time, and invoices."""
    here, account = visit.current(), subject.account
    movements: pd.DataFrame = data.of_account("movements", account.account_key, here)
    invoices: list[Invoice] = data.of_account("invoices", account.account_key, here)
    overdue = [invoice for invoice in invoices if invoice.is_overdue]
    owed = sum(invoice.amount_due_eur or 0 for invoice in overdue)
    own = figures.money(account.mrr, account.currency_code or "EUR")
    _figures(
        [
            (f"**{own}**", f"a month, {figures.money(account.mrr_eur)}"),
            (f"**{words.word({'month': 'Monthly', 'year': 'Annual'}, account.billing_interval)}**", f"renewal {figures.full_day(account.renewal_date)}"),
            (f":red[**{len(overdue)}**]" if overdue else "**0**", f"overdue, {figures.money(owed)}" if overdue else "overdue"),
            (f"**{sum(1 for invoice in invoices if invoice.has_failed_payment)}**", "failed payments"),
        ],
        "money_figures",
    )
    left, right = st.columns([1, 1.9], gap="small")
    with left, st.container(border=True, gap="xsmall"):
        frame.heading("MRR movements", "€ a month, all time")
        if len(movements):
            signs = {"contraction": -1, "churned": -1}
            values = [abs(float(amount or 0)) * signs.get(kind, 1) for amount, kind in zip(movements["amount_eur"], movements["movement_type"], strict=True)]
            labels = [f"{pd.Timestamp(month):%b %y}" for month in movements["movement_month"]]
            charts.draw(charts.bars(labels, values, dark=charts.is_dark(), height=240), key="mrr_moves", alt="New, expansion, contraction and churned revenue by month")
        else:
            st.markdown(":gray[No movements yet.]")
    with right:
        if not invoices:
            frame.empty("No invoices.", "Proof tells which billing customer this account is linked to.", icon=":material/receipt_long:")
            return
        table = pd.DataFrame(
            {
                "number": [invoice.invoice_number or invoice.invoice_id for invoice in invoices],
                "date": [figures.full_day(invoice.invoiced_at.date()) if invoice.invoiced_at else "–" for invoice in invoices],
                "status": [[_invoice_state(invoice)] for invoice in invoices],
                "amount": [figures.money(invoice.amount_due, invoice.currency_code).replace("\\", "") for invoice in invoices],
                "euro": [figures.money(invoice.amount_due_eur) for invoice in invoices],
                "due": [figures.full_day(invoice.due_date) for invoice in invoices],
                "late": [f"{invoice.days_overdue} d" if invoice.is_overdue else "" for invoice in invoices],
                "tries": [invoice.attempt_count or 0 for invoice in invoices],
            }
        )
        states = ["Paid", "Open", "Overdue", "Payment failed", "Void", "Uncollectible", "Draft"]
        columns = {
            "number": tables.text("Invoice", 120),
            "date": tables.text("Date", 108),
            "status": tables.chip("Status", states, ["green", "gray", "red", "red", "gray", "orange", "gray"], 128),
            "amount": tables.text("Amount", 96, right=True),
            "euro": tables.text("In €", 84, right=True),
            "due": tables.text("Due", 108),
            "late": tables.text("Overdue", 76, right=True),
            "tries": tables.number("Attempts", 76, "%d"),
        }
        tables.show(table, columns, key="invoice_table", alt="Invoices, newest first", most=14)


def _invoice_state(invoice: Invoice) -> str:
    if invoice.status == "paid":
        return "Paid"
    if invoice.is_overdue:
        return "Overdue"
    if invoice.has_failed_payment:
        return "Payment failed"
    return invoice.status.capitalize()


def support(subject: Subject) -> None:
    """Tickets, open and urgent first, and what customers answered."""
    here = visit.current()
    tickets: list[Ticket] = data.of_account("tickets", subject.account.account_key, here)
    answers: list[NpsResponse] = data.of_account("nps", subject.account.account_key, here)
    month_ago = here.now - timedelta(days=30)
    replies = sorted(ticket.first_reply_minutes for ticket in tickets if ticket.first_reply_minutes is not None)
    _figures(
        [
            (f"**{sum(ticket.is_open for ticket in tickets)}**", "open"),
            (f":red[**{sum(ticket.is_urgent_open for ticket in tickets)}**]" if any(ticket.is_urgent_open for ticket in tickets) else "**0**", "urgent and open"),
            (f"**{sum(ticket.created_at >= month_ago for ticket in tickets)}**", "in 30 days"),
            (f"**{_minutes(replies[len(replies) // 2]) if replies else '–'}**", "first reply, median"),
            (f"**{answers[0].score if answers else '–'}**", "last NPS"),
        ],
        "support_figures",
    )
    left, right = st.columns([1.9, 1], gap="small")
    with left:
        if tickets:
            table = pd.DataFrame(
                {
                    "created": [figures.clock(ticket.created_at, now=here.now) for ticket in tickets],
                    "subject": [ticket.subject or "–" for ticket in tickets],
                    "priority": [[(ticket.priority or "normal").capitalize()] for ticket in tickets],
                    "status": [ticket.status.replace("_", " ").capitalize() for ticket in tickets],
                    "reply": [_minutes(ticket.first_reply_minutes) for ticket in tickets],
                    "solved": [_minutes(ticket.resolution_minutes) for ticket in tickets],
                    "requester": [ticket.requester_email or "–" for ticket in tickets],
                }
            )
            columns = {
                "created": tables.text("Opened", 96),
                "subject": tables.text("Subject", 270),
                "priority": tables.chip("Priority", ["Urgent", "High", "Normal", "Low"], ["red", "orange", "gray", "gray"], 86),
                "status": tables.text("Status", 82),
                "reply": tables.text("First reply", 86, right=True),
                "solved": tables.text("Solved in", 86, right=True),
                "requester": tables.text("Requester", 170),
            }
            tables.show(table, columns, key="ticket_table", alt="Tickets, open and urgent first", most=16)
        else:
            frame.empty("No tickets.", "Nobody at this account has asked for help.", icon=":material/support_agent:")
    with right:
        frame.heading("NPS answers", figures.count(len(answers), "answer") if answers else "")
        if not answers:
            frame.empty("Nobody has answered a survey yet.", "", icon=":material/sentiment_neutral:")
        for answer in answers[:6]:
            colour = {"promoter": "green", "passive": "yellow", "detractor": "red"}.get(answer.category, "gray")
            with st.container(border=True, gap="xxsmall", key=f"nps_{answer.response_key}"):
                st.markdown(f":{colour}-badge[**{answer.score}**] :small[:gray[{words.word({}, answer.category)}, {figures.clock(answer.responded_at, now=here.now)}]]")
                if answer.comment:
                    st.text(answer.comment)


def _minutes(value: int | None) -> str:
    if value is None:
        return "–"
    return f"{value} min" if value < 90 else f"{value / 60:.0f} h" if value < 60 * 48 else f"{value / 1440:.0f} d"


def proof(subject: Subject) -> None:
    """Which source records this account is made of, by which rule, and how fresh every source is."""
    here, account = visit.current(), subject.account
    links: list[SourceLink] = data.of_account("links", account.account_key, here)
    published = here.publication
    parts = [(f"**{figures.full_day(account.as_of_date)}**", "last complete day in these figures")]
    if published is not None:
        parts.append((f"**{figures.clock(published.published_at, now=here.now)}**", f"published, build {published.build_id}"))
    parts.append((f"**{figures.percent(account.health_coverage_ratio)}**", "of the health score's weight had data"))
    _figures(parts, "proof_figures")
    left, right = st.columns([1.4, 1], gap="small")
    with left:
        frame.heading("Identity", "source records that make up this account")
        if not links:
            frame.empty("No source record is linked.", "Check the CRM company and its tenant id.", icon=":material/link_off:")
        else:
            table = pd.DataFrame(
                {
                    "source": [words.word(words.SOURCE_SYSTEMS, link.source) for link in links],
                    "name": [link.source_name or "–" for link in links],
                    "id": [link.source_id for link in links],
                    "rule": [(link.rule or "–").replace("_", " ") for link in links],
                    "sure": [_sure(link.confidence) for link in links],
                }
            )
            columns = {
                "source": tables.text("Source", 150),
                "name": tables.text("Name there", 200),
                "id": tables.text("Id there", 150),
                "rule": tables.text("Linked by", 160),
                "sure": tables.text("How sure", 84, right=True),
            }
            tables.show(table, columns, key="links_table", alt="Source records of this account", most=14)
    with right:
        frame.heading("Freshness", "last good load of every stream")
        streams = data.freshness(here)
        if not streams:
            frame.empty("No load has been recorded yet.", "", icon=":material/sync_disabled:")
            return
        table = pd.DataFrame(
            {
                "stream": [f"{stream.source} · {stream.stream}" for stream in streams],
                "loaded": [figures.clock(stream.good_ended_at, now=here.now) if stream.good_ended_at else "never" for stream in streams],
                "status": [[stream.status.capitalize()] for stream in streams],
            }
        )
        columns = {
            "stream": tables.text("Stream", 230),
            "loaded": tables.text("Loaded", 100),
            "status": tables.chip("Last run", ["Succeeded", "Warned", "Failed", "Running"], ["green", "orange", "red", "blue"], 100),
        }
        tables.show(table, columns, key="freshness_table", alt="Freshness of the sources", most=14)


def _sure(confidence: object) -> str:
    try:
        return figures.percent(float(confidence))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(confidence or "–")
