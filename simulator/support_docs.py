"""How Zendesk renders tickets, users, organizations and ratings."""

from dataclasses import dataclass, field
from typing import Any

from simulator.billing_docs import BASE
from simulator.clock import iso
from simulator.ledger import Doc
from simulator.world import Account, Contact

GROUP = 98_738_001
AGENTS = [
    (235_323_001 + 37 * number, first, last)
    for number, (first, last) in enumerate(
        [("Ruth", "Egan"), ("Dev", "Chauhan"), ("Milo", "Hart"), ("Sofia", "Lopes"), ("Ian", "Marr"), ("Beth", "Coyle")]
    )
]
FIELDS = [(27_642, "Product area", "tagger"), (27_648, "Browser", "text")]


@dataclass
class Ticket:
    """A ticket with its future: `steps` are [moment, kind, value], taken one after the other by `support`."""

    id: int
    account: int
    requester: int
    assignee: int
    subject: str
    body: str
    priority: str
    type: str
    tags: list[str]
    created: int
    updated: int
    generated: int
    address: str
    sender: str
    status: str = "new"
    replies: int = 0
    reopens: int = 0
    first_reply: int | None = None
    solved: int | None = None
    status_at: int = 0
    score: str = "unoffered"
    steps: list[list[Any]] = field(default_factory=list)


def _minutes(ticket: Ticket, until: int | None) -> Doc:
    """Calendar and business minutes since the ticket was opened, null while it has not happened."""
    if until is None:
        return {"calendar": None, "business": None}
    calendar = max(0, (until - ticket.created) // 60)
    return {"calendar": calendar, "business": int(calendar * (1.0 if calendar < 180 else 0.36))}


def ticket_doc(ticket: Ticket, organization_id: int) -> Doc:
    """A ticket as the incremental export shows it, metrics inside."""
    values = [
        {"id": FIELDS[0][0], "value": ticket.tags[0] if ticket.tags else None},
        {"id": FIELDS[1][0], "value": None},
    ]
    touched = ticket.status_at or ticket.created
    return {
        "id": ticket.id,
        "url": f"{BASE}/api/v2/tickets/{ticket.id}.json",
        "external_id": None,
        "subject": ticket.subject,
        "raw_subject": ticket.subject,
        "description": ticket.body,
        "status": ticket.status,
        "type": ticket.type,
        "priority": ticket.priority,
        "requester_id": ticket.requester,
        "submitter_id": ticket.requester,
        "assignee_id": ticket.assignee,
        "organization_id": organization_id,
        "group_id": GROUP,
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "tags": ticket.tags,
        "custom_fields": values,
        "fields": values,
        "custom_status_id": 1,
        "brand_id": 1,
        "ticket_form_id": 2,
        "due_at": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "satisfaction_rating": {"score": ticket.score},
        "via": {
            "channel": "email",
            "source": {"from": {"address": ticket.address, "name": ticket.sender}, "to": {}, "rel": None},
        },
        "allow_attachments": True,
        "allow_channelback": False,
        "from_messaging_channel": False,
        "created_at": iso(ticket.created),
        "updated_at": iso(ticket.updated),
        "generated_timestamp": ticket.generated,
        "metric_set": {
            "id": ticket.id + 5_000_000,
            "ticket_id": ticket.id,
            "url": f"{BASE}/api/v2/ticket_metrics/{ticket.id + 5_000_000}.json",
            "reopens": ticket.reopens,
            "replies": ticket.replies,
            "group_stations": 1,
            "assignee_stations": 1,
            "initially_assigned_at": iso(ticket.created + 60),
            "assigned_at": iso(ticket.created + 60),
            "solved_at": iso(ticket.solved) if ticket.solved else None,
            "latest_comment_added_at": iso(ticket.updated),
            "status_updated_at": iso(touched),
            "assignee_updated_at": iso(ticket.updated),
            "requester_updated_at": iso(ticket.created),
            "reply_time_in_minutes": _minutes(ticket, ticket.first_reply),
            "first_resolution_time_in_minutes": _minutes(ticket, ticket.solved),
            "full_resolution_time_in_minutes": _minutes(ticket, ticket.solved),
            "agent_wait_time_in_minutes": _minutes(ticket, ticket.first_reply),
            "requester_wait_time_in_minutes": _minutes(ticket, ticket.solved),
            "on_hold_time_in_minutes": {"calendar": 0, "business": 0},
            "created_at": iso(ticket.created),
            "updated_at": iso(ticket.updated),
        },
    }


def user_doc(
    user_id: int, name: str, email: str | None, role: str, organization_id: int | None, created: int, updated: int
) -> Doc:
    """An end user or agent."""
    return {
        "id": user_id,
        "url": f"{BASE}/api/v2/users/{user_id}.json",
        "name": name,
        "email": email,
        "role": role,
        "active": True,
        "suspended": False,
        "verified": True,
        "organization_id": organization_id,
        "external_id": None,
        "tags": [],
        "user_fields": {},
        "locale": "en-GB",
        "locale_id": 1176,
        "time_zone": "London",
        "iana_time_zone": "Europe/London",
        "phone": None,
        "notes": "",
        "details": "",
        "default_group_id": GROUP if role != "end-user" else None,
        "created_at": iso(created),
        "updated_at": iso(updated),
        "last_login_at": iso(updated) if role != "end-user" else None,
    }


def contact_user(contact: Contact, account: Account, created: int) -> Doc:
    """The support user of a CRM contact."""
    return user_doc(
        contact.zendesk or 0,
        f"{contact.first} {contact.last}",
        contact.email,
        "end-user",
        account.organization_id,
        created,
        created,
    )


def organization_doc(account: Account, updated: int, created: int) -> Doc:
    """The account's organization; the external id is the product tenant, where somebody entered it.

    Of those who enter no id, one in five leaves the domain out too, and one in five also shortens the name.
    """
    is_without_id = "organization_without_external" in account.dirt
    is_short, is_bare = is_without_id and account.no % 5 == 1, is_without_id and account.no % 5 in (1, 2)
    return {
        "id": account.organization_id,
        "url": f"{BASE}/api/v2/organizations/{account.organization_id}.json",
        "name": account.name.partition(" ")[0] if is_short else account.name,
        "domain_names": [] if is_bare else [account.domain],
        "external_id": None if is_without_id else str(account.tenant_id),
        "group_id": GROUP,
        "details": "",
        "notes": "",
        "tags": [account.plan.lower()],
        "organization_fields": {},
        "shared_tickets": False,
        "shared_comments": False,
        "created_at": iso(created),
        "updated_at": iso(updated),
    }


def rating_doc(rating_id: int, ticket: Ticket, comment: str, at: int) -> Doc:
    """A satisfaction rating."""
    return {
        "id": rating_id,
        "url": f"{BASE}/api/v2/satisfaction_ratings/{rating_id}.json",
        "ticket_id": ticket.id,
        "requester_id": ticket.requester,
        "assignee_id": ticket.assignee,
        "group_id": GROUP,
        "score": ticket.score,
        "comment": comment,
        "reason": "No reason provided",
        "reason_id": None,
        "created_at": iso(at),
        "updated_at": iso(at),
    }
