"""The CSM's side: touches on a cadence, notes that name the topic, champions who leave and their successors,
onboarding.
"""

import random

import numpy as np

from simulator import crm, texts
from simulator.clock import iso_ms, start_of, weekday
from simulator.founding import add_contact, write_user
from simulator.latents import R, Shock
from simulator.ledger import Ledger
from simulator.world import Account, Contact, World

CADENCE_DAYS = {"SMB": 33, "Mid-market": 26, "Enterprise": 17}
HOUR = 3_600


def office_time(dice: random.Random, day: int) -> int:
    """A quarter of an hour between 8:30 and 16:30."""
    return start_of(day) + 8 * HOUR + 1_800 + dice.randrange(0, 32) * 900


def next_workday(day: int) -> int:
    """The day itself or the Monday after it."""
    return day + {5: 2, 6: 1}.get(weekday(day), 0)


def touch_accounts(world: World, ledger: Ledger, day: int) -> None:
    """Meetings and calls that were due today; plans the next one."""
    columns = world.columns
    for index in np.nonzero(columns.active & (columns.touch == day) & (columns.start <= day))[0]:
        _touch(world, ledger, world.accounts[int(index)], day, world.dice("relationship", day, int(index)))
    for index in np.nonzero(columns.active & (columns.touch == day + 6))[0]:
        _announce_meeting(
            world, ledger, world.accounts[int(index)], day, world.dice("relationship", day, f"plan:{index}")
        )


def _announce_meeting(world: World, ledger: Ledger, account: Account, day: int, dice: random.Random) -> None:
    """Half of the next touches are meetings that stand in the calendar a week ahead."""
    if dice.random() > 0.5 or not account.present_contacts():
        return
    starts = office_time(dice, int(world.columns.touch[account.no - 1]))
    topic = texts.topic_of(world.latents_of(account.no - 1), dice)
    title = dice.choice(texts.MEETING_TITLES[topic])
    people = _people(account, dice)
    created = office_time(dice, day)
    meeting_id = crm.new_id(world, "meetings")
    account.planned_meeting = [meeting_id, starts, title, topic, created, [contact.id for contact in people]]
    _write_meeting(ledger, account, account.planned_meeting, "SCHEDULED", created, people, None)
    world.touched.add(account.no)


def _write_meeting(
    ledger: Ledger, account: Account, meeting: list, outcome: str, at: float, people: list[Contact], body: str | None
) -> None:
    meeting_id, starts, title, _, created, _ = meeting
    crm.write_engagement(
        ledger,
        account,
        "meetings",
        meeting_id,
        {
            "hs_timestamp": iso_ms(starts),
            "hs_meeting_title": f"{title} - {account.name}",
            "hs_meeting_body": body,
            "hs_meeting_start_time": iso_ms(starts),
            "hs_meeting_end_time": iso_ms(starts + 2_700),
            "hs_meeting_outcome": outcome,
        },
        created=created,
        at=at,
        contacts=people,
    )


def _people(account: Account, dice: random.Random) -> list[Contact]:
    """Who takes part: the champion mostly, sometimes a second person."""
    present = account.present_contacts()
    champion = account.champion()
    first = champion if champion and dice.random() < 0.75 else dice.choice(present)
    others = [contact for contact in present if contact is not first]
    return [first, dice.choice(others)] if others and dice.random() < 0.35 else [first]


def _touch(world: World, ledger: Ledger, account: Account, day: int, dice: random.Random) -> None:
    """A meeting that stood in the calendar, or a call; what was said stands in its body or in a note of its own."""
    index = account.no - 1
    latents = world.latents_of(index)
    closeness = latents[R]
    reached = dice.random() < 1 / (1 + np.exp(-(1.7 + 0.9 * closeness)))
    meeting, account.planned_meeting = account.planned_meeting, None
    if not account.present_contacts():
        world.columns.touch[index] = next_workday(day + 14)
        return
    if meeting:
        at, topic = meeting[1], meeting[3]
        people = [contact for contact in account.contacts if contact.id in meeting[5]]
    else:
        at, topic = office_time(dice, day), texts.topic_of(latents, dice)
        people = _people(account, dice)[:1]
    said = _worded(account, texts.note(dice, topic), people, dice) if reached else None
    has_note = reached and dice.random() < 0.62
    body = None if has_note else said
    if meeting:
        outcome = "COMPLETED" if reached else dice.choice(["NO_SHOW", "CANCELED", "CANCELED"])
        _write_meeting(ledger, account, meeting, outcome, at + 3_000, people, body)
    else:
        _write_call(world, ledger, account, at, people, body, reached, dice)
    if has_note and said:
        _write_note(world, ledger, account, said, at + 4_000, people)
    if reached:
        stretch = float(np.exp(-0.78 * np.clip(closeness, -2.2, 1.2)))
        wait = CADENCE_DAYS[account.segment] * stretch * dice.uniform(0.75, 1.3)
    else:
        wait = dice.uniform(4, 12) * (1 if closeness > -1 else 2.5)
    world.columns.touch[index] = next_workday(day + max(2, round(wait)))
    world.touched.add(account.no)


def _write_call(
    world: World,
    ledger: Ledger,
    account: Account,
    at: int,
    people: list[Contact],
    body: str | None,
    reached: bool,
    dice: random.Random,
) -> None:
    minutes = dice.randrange(4, 35) if reached else dice.randrange(5, 45) / 60
    properties = {
        "hs_timestamp": iso_ms(at),
        "hs_call_title": dice.choice(texts.CALL_TITLES).format(first=people[0].first, last=people[0].last),
        "hs_call_body": body,
        "hs_call_direction": "OUTBOUND",
        "hs_call_status": "COMPLETED",
        "hs_call_duration": str(round(minutes * 60_000)),
        "hs_call_disposition": "connected" if reached else dice.choice(["no_answer", "left_voicemail"]),
    }
    call_id = crm.new_id(world, "calls")
    times = {"created": at + 60, "at": at + 1_900}
    crm.write_engagement(ledger, account, "calls", call_id, properties, **times, contacts=people)


def _worded(account: Account, template: str, people: list[Contact], dice: random.Random, **words: str) -> str:
    """A template with the names of the people it is about, as HTML."""
    others = [contact.first for contact in account.contacts if contact not in people] or ["a colleague"]
    first = people[0].first if people else "The customer"
    industry = account.industry.lower()
    text = template.format(first=first, colleague=dice.choice(others), company=account.name, industry=industry, **words)
    return f"<p>{text}</p>"


def _write_note(world: World, ledger: Ledger, account: Account, body: str, at: float, people: list[Contact]) -> None:
    properties: dict[str, str | None] = {"hs_timestamp": iso_ms(at), "hs_note_body": body}
    note_id = crm.new_id(world, "notes")
    crm.write_engagement(ledger, account, "notes", note_id, properties, created=at, at=at, contacts=people[:1])


def write_note(
    world: World,
    ledger: Ledger,
    account: Account,
    template: str,
    at: float,
    people: list[Contact],
    dice: random.Random,
    **words: str,
) -> None:
    """A note in the CSM's words, linked to company and contact."""
    _write_note(world, ledger, account, _worded(account, template, people, dice, **words), at, people)


def live_through(world: World, ledger: Ledger, shocks: list[Shock], day: int) -> None:
    """What the CRM gets to know of this week's shocks, now or some days later."""
    for shock in shocks:
        account = world.accounts[shock.index]
        dice = world.dice("people", day, f"{shock.index}:{shock.kind}")
        seen = day + dice.randrange(1, 12)
        champion = account.champion()
        if shock.kind == "champion_left" and champion:
            account.pending_people.append(
                [seen if dice.random() < 0.7 else day + dice.randrange(40, 120), "left", champion.id]
            )
            if dice.random() < 0.6:
                account.pending_people.append([seen + dice.randrange(25, 90), "successor", 0])
        elif shock.kind != "champion_left":
            account.pending_people.append([seen, shock.kind, 0])
        world.touched.add(account.no)


def know_people(world: World, ledger: Ledger, day: int) -> None:
    """Carry out pending news about people: leavers, successors, notes about shocks; a little ordinary turnover."""
    dice = world.dice("people", day)
    for account in world.accounts:
        if account.pending_people:
            for item in [item for item in account.pending_people if item[0] <= day]:
                account.pending_people.remove(item)
                if account.status == "active":
                    _news(
                        world,
                        ledger,
                        account,
                        day,
                        item[1],
                        item[2],
                        world.dice("people", day, f"{account.no}:{item[1]}"),
                    )
                world.touched.add(account.no)
        if account.status == "active" and account.start < day and dice.random() < 0.00022 * len(account.contacts):
            contact = dice.choice(account.contacts)
            if contact.role != "CHAMPION" and contact.left is None and len(account.present_contacts()) > 2:
                _leave(world, ledger, account, contact, day, archive=dice.random() < 0.25)
                add_contact(world, ledger, account, dice, contact.role, office_time(dice, day), None)
        if (
            account.status == "active"
            and account.onboarded is None
            and day - account.start > 20
            and dice.random() < 0.04 + 0.05 * (day - account.start > 45)
        ):
            _onboard(world, ledger, account, day, dice)


def _onboard(world: World, ledger: Ledger, account: Account, day: int, dice: random.Random) -> None:
    account.onboarded = day
    at = office_time(dice, day)
    people = account.present_contacts()[:1]
    write_note(world, ledger, account, texts.SHOCK_NOTES["onboarded"], at, people, dice)
    crm.write_company(ledger, account, at + 90)
    world.touched.add(account.no)


def _leave(world: World, ledger: Ledger, account: Account, contact: Contact, day: int, *, archive: bool) -> None:
    """A contact has left.

    Mail bounces, the product user goes; sometimes the CRM record is archived (which does not bump its change time).
    """
    at = start_of(day) + 30_000 + contact.id % 20_000
    contact.left, contact.bounced, contact.archived = day, True, at + 3_600 if archive else None
    crm.write_contact(ledger, account, contact, at)
    if contact.user is not None and contact.user in account.slots:
        account.users_made += 1
        write_user(
            world, ledger, account, contact.user, at, at, is_active=False, deleted=at if contact.id % 2 else None
        )
        account.slots[account.slots.index(contact.user)] = account.users_made
        write_user(world, ledger, account, account.users_made, at + 60, at + 60, is_active=True)
        world.columns.users[account.no - 1, : len(account.slots)] = account.slots
    world.touched.add(account.no)


def _news(
    world: World, ledger: Ledger, account: Account, day: int, kind: str, contact_id: int, dice: random.Random
) -> None:
    at = office_time(dice, day)
    people = account.present_contacts()[:1]
    if kind == "left":
        contact = next(person for person in account.contacts if person.id == contact_id)
        if contact.left is None:
            _leave(world, ledger, account, contact, day, archive=False)
            write_note(world, ledger, account, texts.SHOCK_NOTES["champion_left"], at, [contact], dice)
    elif kind == "successor":
        if account.champion() is None:
            free = [slot for slot in account.slots if slot not in {person.user for person in account.contacts}]
            new = add_contact(world, ledger, account, dice, "CHAMPION", at, free[0] if free else None)
            write_note(world, ledger, account, texts.SHOCK_NOTES["new_champion"], at + 600, [new], dice)
            world.columns.deviation[account.no - 1, R] += 0.6
    elif people and dice.random() < 0.8:
        write_note(world, ledger, account, texts.SHOCK_NOTES[kind], at, people, dice)
