"""People of an account: stakeholders with role and last contact; what is missing is named first."""

from datetime import timedelta

import pandas as pd

from app.marts.accounts import Account
from app.marts.people import Contact
from app.ui import account_data, figure_line, figures, frame, tables, visit, words
from app.ui.account_head import Subject
from app.ui.figure_line import Figure
from app.ui.text import escaped

RECENT = timedelta(days=90)


def show(subject: Subject) -> None:
    """Stakeholders with role and last contact; what is missing is named first."""
    here, account = visit.current(), subject.account
    rows: list[Contact] = account_data.of_account("contacts", account.account_key, here)
    present = [contact for contact in rows if not contact.has_left]
    gaps = [f"no {words.word(words.STAKEHOLDER_ROLES, role).lower()}" for role in account.missing_roles or []]
    silent = [
        c for c in present if c.last_two_way_contact_date is None or here.today - c.last_two_way_contact_date > RECENT
    ]
    gone = [contact for contact in rows if contact.has_left or contact.has_bounced]
    parts = [
        Figure(value=f"**{len(present)}**", name="people known", metric="contact_count"),
        Figure(value=f":red[**{', '.join(gaps)}**]" if gaps else "**none**", name="gaps in the roles"),
        Figure(value=f"**{len(silent)}**", name="without contact for 90 days", metric="silent_contacts"),
        Figure(value=f"**{len(gone)}**", name="left or bounced", metric="gone_contacts"),
    ]
    if account.champion_departure_kind:
        parts.insert(2, _departure(account))
    figure_line.show(parts, "people_figures")
    if not rows:
        frame.empty(
            "Nobody is known at this account.",
            "Add contacts in the CRM; they appear after the next build.",
            icon=":material/group_off:",
        )
        return
    table = pd.DataFrame(
        {
            "name": [contact.contact_name or "–" for contact in rows],
            "role": [[words.word(words.STAKEHOLDER_ROLES, contact.stakeholder_role)] for contact in rows],
            "title": [contact.job_title or "–" for contact in rows],
            "email": [contact.email or "–" for contact in rows],
            "contact": [figures.ago(contact.last_two_way_contact_date, here.today) for contact in rows],
            "product": [
                figures.ago(contact.last_product_activity_date, here.today) if contact.is_product_user else "no user"
                for contact in rows
            ],
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


def _departure(account: Account) -> Figure:
    """The champion who went last: red while nobody has taken the place."""
    name = escaped(account.departed_champion_name or "without a name", limit=40)
    how = words.word(words.DEPARTURES, account.champion_departure_kind)
    shown = f":red[**{name}**]" if "champion" in (account.missing_roles or []) else f"**{name}**"
    return Figure(value=shown, name=f"champion left {figures.full_day(account.champion_departure_date)}, {how}")


def _state(contact: Contact) -> str:
    return "Left" if contact.has_left else "Bounced" if contact.has_bounced else "Here"
