"""Support: who writes when, how fast the answer comes, how it ends. F makes tickets, urgency and slowness."""

import math
import random

import numpy as np

from simulator import texts
from simulator.clock import DAY_SECONDS, end_of, start_of, weekday
from simulator.latents import F
from simulator.ledger import Ledger, ZendeskRow
from simulator.support_docs import (
    AGENTS,
    FIELDS,
    GROUP,
    Ticket,
    contact_user,
    organization_doc,
    rating_doc,
    ticket_doc,
    user_doc,
)
from simulator.usage import WEEKDAY, season
from simulator.world import Account, Contact, World

HOUR = 3_600
ID_BASE = {
    "organization": (360_011_700_001, 41),
    "user": (384_500_130_007, 53),
    "ticket": (35_000, 1),
    "rating": (62_000_000, 3),
}


def new_id(world: World, kind: str) -> int:
    """Next support id of a kind."""
    base, step = ID_BASE[kind]
    return base + step * world.next_id("zendesk " + kind)


def write_staff(ledger: Ledger, first_day: int) -> None:
    """Agents, the group and the ticket fields."""
    created = start_of(first_day - 600)
    for number, first, last in AGENTS:
        doc = user_doc(
            number, f"{first} {last}", f"{first}.{last}@force24.example".lower(), "agent", None, created, created
        )
        ledger.zendesk["users", number] = ZendeskRow("users", number, created, created, created, doc)
    group = {"id": GROUP, "name": "Support", "description": "", "default": True, "deleted": False, "is_public": True}
    ledger.zendesk["groups", GROUP] = ZendeskRow("groups", GROUP, created, created, created, group)
    for number, title, kind in FIELDS:
        doc = {
            "id": number,
            "title": title,
            "raw_title": title,
            "type": kind,
            "active": True,
            "required": False,
            "removable": True,
        }
        ledger.zendesk["ticket_fields", number] = ZendeskRow("ticket_fields", number, created, created, created, doc)


def write_organization(ledger: Ledger, account: Account, at: int) -> None:
    """The account's organization as it looks now."""
    created = account.start * DAY_SECONDS + 39_600
    doc = organization_doc(account, max(at, created), created)
    ledger.zendesk["organizations", account.organization_id] = ZendeskRow(
        "organizations", account.organization_id, created, max(at, created), max(at, created), doc
    )


def _write_ticket(world: World, ledger: Ledger, ticket: Ticket) -> None:
    doc = ticket_doc(ticket, world.accounts[ticket.account].organization_id)
    ledger.zendesk["tickets", ticket.id] = ZendeskRow(
        "tickets",
        ticket.id,
        ticket.created,
        ticket.updated,
        ticket.generated,
        doc,
        status=ticket.status,
        plan=vars(ticket) if ticket.steps else None,
    )


def _requester(world: World, ledger: Ledger, account: Account, dice: random.Random, at: int) -> Contact:
    """A contact who still works there; becomes a support user with the first ticket."""
    contact = dice.choice(account.present_contacts() or account.contacts)
    if contact.zendesk is None:
        contact.zendesk = new_id(world, "user")
        ledger.zendesk["users", contact.zendesk] = ZendeskRow(
            "users", contact.zendesk, at, at, at, contact_user(contact, account, at)
        )
        world.touched.add(account.no)
    return contact


def open_tickets(world: World, ledger: Ledger, day: int) -> None:
    """New tickets of the day: Poisson with a rate that grows with friction and, a little, with size."""
    rng = world.rng("support", day)
    columns = world.columns
    live = columns.active & (columns.start <= day)
    friction = world.latents()[:, F]
    newcomer = 1 + 0.8 * (day - columns.start < 45)
    monthly = np.exp(0.15 + 0.95 * np.clip(friction, -3, 2.0)) * (columns.seats / 20) ** 0.35 * newcomer
    counts = rng.poisson(np.where(live, monthly / 30 * min(1.15, float(WEEKDAY[weekday(day)]) + 0.05) * season(day), 0))
    for index in np.nonzero(counts)[0]:
        for number in range(counts[index]):
            _open_ticket(world, ledger, int(index), day, world.dice("support", day, f"{index}:{number}"))


def _open_ticket(world: World, ledger: Ledger, index: int, day: int, dice: random.Random) -> None:
    account = world.accounts[index]
    created = start_of(day) + int(min(86_000, max(600, dice.gauss(12.2, 2.8) * HOUR)))
    contact = _requester(world, ledger, account, dice, created - 30)
    latents = world.latents_of(index)
    friction = latents[F]
    topic = texts.topic_of(latents, dice)
    if topic in ("people", "well") or dice.random() < 0.3:
        topic = dice.choices(
            ["depth", "breadth", "friction", "price", "well"], [3, 2, 2 + 2 * max(0.0, friction), 1, 2]
        )[0]
    subject = dice.choice(texts.TICKETS[topic])
    body = dice.choice(texts.TICKET_BODIES).format(
        subject=subject, first=contact.first, last=contact.last, company=account.name
    )
    is_urgent = topic == "friction" and dice.random() < 1 / (1 + math.exp(1.4 - 0.8 * friction))
    priority = (
        "urgent" if is_urgent else dice.choices(["low", "normal", "high"], [2, 6, 2 if topic == "friction" else 1])[0]
    )
    ticket = Ticket(
        id=new_id(world, "ticket"),
        account=index,
        requester=contact.zendesk or 0,
        assignee=dice.choice(AGENTS)[0],
        subject=subject,
        body=body,
        priority=priority,
        type="incident" if topic == "friction" else "question",
        tags=[*texts.TAGS[topic], account.plan.lower()],
        created=created,
        updated=created,
        generated=created,
        address=contact.email,
        sender=f"{contact.first} {contact.last}",
    )
    ticket.steps = _plan(ticket, friction, dice)
    world.tickets[ticket.id] = ticket
    _write_ticket(world, ledger, ticket)


def _plan(ticket: Ticket, friction: float, dice: random.Random) -> list[list]:
    """Answer, back and forth, solution, sometimes reopening and rating, closing, rarely a silent system update."""
    haste = {"urgent": 0.35, "high": 0.7, "normal": 1.0, "low": 1.6}[ticket.priority]
    at = ticket.created + int(60 * min(6_000, haste * dice.lognormvariate(4.2 + 0.45 * friction, 0.75)))
    steps: list[list] = [[at, "reply", None]]
    patience = 1.6 if ticket.priority == "urgent" else haste  # urgent means hard, not quick
    work = patience * dice.lognormvariate(0.35 + 0.45 * friction, 0.85) * DAY_SECONDS
    rounds = dice.choice([0, 0, 1, 1, 2])
    for number in range(rounds):
        steps.append([at + int(work * (number + 0.4) / (rounds + 1)), "customer", None])
        steps.append([at + int(work * (number + 0.9) / (rounds + 1)), "reply", None])
    at += int(work) + 300
    steps.append([at, "solved", None])
    if dice.random() < 0.06 + 0.02 * max(0.0, friction):
        at += int(dice.uniform(0.2, 2) * DAY_SECONDS)
        steps.append([at, "reopened", None])
        at += int(haste * dice.lognormvariate(0.2, 0.6) * DAY_SECONDS)
        steps.append([at, "solved", None])
    if dice.random() < 0.4:
        steps.append([at + 2 * HOUR, "offered", None])
        if dice.random() < 0.45:
            good = dice.random() < 1 / (1 + math.exp(-(1.9 - 1.0 * friction)))
            steps.append([at + int(dice.uniform(3, 60) * HOUR), "rated", "good" if good else "bad"])
    steps.append([at + 4 * DAY_SECONDS, "closed", None])
    if dice.random() < 0.03:
        steps.append([at + 9 * DAY_SECONDS, "system", None])
    return steps


def work_tickets(world: World, ledger: Ledger, day: int) -> None:
    """Take every ticket step due by the end of the day."""
    deadline = end_of(day)
    for ticket in list(world.tickets.values()):
        if ticket.steps and ticket.steps[0][0] > deadline:
            continue
        while ticket.steps and ticket.steps[0][0] <= deadline:
            at, kind, value = ticket.steps.pop(0)
            _take(world, ledger, ticket, at, kind, value)
        _write_ticket(world, ledger, ticket)
        if not ticket.steps:
            del world.tickets[ticket.id]


def _take(world: World, ledger: Ledger, ticket: Ticket, at: int, kind: str, value: str | None) -> None:
    ticket.generated = at
    if kind == "system":
        return
    ticket.updated = at
    if kind == "reply":
        ticket.replies += 1
        ticket.first_reply = ticket.first_reply or at
        ticket.status = "pending"
    elif kind == "customer":
        ticket.status = "open"
    elif kind == "solved":
        ticket.status, ticket.solved = "solved", at
    elif kind == "reopened":
        ticket.status, ticket.solved, ticket.reopens = "open", None, ticket.reopens + 1
    elif kind == "closed":
        ticket.status = "closed"
    elif kind == "offered":
        ticket.score = "offered"
    elif kind == "rated":
        ticket.score = str(value)
        rating_id = new_id(world, "rating")
        comment = world.dice("support", at // DAY_SECONDS, ticket.id).choice(texts.CSAT_COMMENTS[ticket.score])
        ledger.zendesk["satisfaction_ratings", rating_id] = ZendeskRow(
            "satisfaction_ratings", rating_id, at, at, at, rating_doc(rating_id, ticket, comment, at)
        )
    if kind in ("reply", "customer", "solved", "reopened", "closed"):
        ticket.status_at = at
