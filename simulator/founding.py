"""How an account comes into being: company, people, users, subscription, support organisation, and the dirt in its
links.
"""

import random

import numpy as np

from simulator import billing, billing_records, catalogue, crm, names, support, words
from simulator.clock import DAY_SECONDS
from simulator.latents import R, draw_deviations, draw_means
from simulator.ledger import HubspotRow, Ledger
from simulator.world import NEVER, SLOTS, Account, Contact, World

USER_ROLES = ["owner", "admin", "member", "member", "member", "viewer"]
PLAN_ODDS = {"SMB": [0.55, 0.42, 0.03], "Mid-market": [0.15, 0.68, 0.17], "Enterprise": [0.0, 0.40, 0.60]}
ANNUAL_ODDS = {"SMB": 0.28, "Mid-market": 0.48, "Enterprise": 0.78}
DIRT = [
    ("company_without_tenant", 0.06),
    ("customer_without_tenant", 0.07),
    ("customer_without_company", 0.12),
    ("subscription_without_metadata", 0.5),
    ("organization_without_external", 0.08),
    ("employees_comma", 0.008),
    ("revenue_list", 0.006),
    ("revenue_empty", 0.03),
]


def found_account(world: World, ledger: Ledger, start: int, day: int) -> Account:
    """Create one account that became a customer on day `start`.

    `day` is the day being simulated (start, or the first day of history).
    """
    number = world.next_id("account")
    dice = world.dice("founding", start, number)
    country = dice.choices(list(names.COUNTRIES), list(names.COUNTRIES.values()))[0]
    industry = dice.choice(list(words.INDUSTRIES))
    name, domain = names.company(dice, country, industry, world.domains)
    seats = int(min(200, max(5, round(dice.lognormvariate(2.72, 0.85)))))
    segment = catalogue.segment_of(seats)
    plan = dice.choices(list(catalogue.PLANS), PLAN_ODDS[segment])[0]
    interval = "year" if dice.random() < ANNUAL_ODDS[segment] else "month"
    by_transfer = dice.random() < (0.55 if interval == "year" else 0.22)
    currency = "gbp" if country == "GB" else "usd" if country == "US" or dice.random() < 0.2 else "eur"
    employees = int(seats * dice.uniform(3, 14))
    account = Account(
        no=number,
        name=name,
        domain=domain,
        industry=industry,
        country=country,
        city=dice.choice(words.CITIES[country]),
        plan=plan,
        seats=seats,
        currency=currency,
        interval=interval,
        price_list=catalogue.current_price_list(start),
        collection="send_invoice" if by_transfer else "charge_automatically",
        employees=employees,
        revenue=int(employees * dice.uniform(60_000, 160_000)) // 1000 * 1000,
        start=start,
        tenant_id=4000 + number,
        company_id=crm.new_id(world, "companies"),
        customer_id=billing_records.stripe_id(world, "cus"),
        organization_id=support.new_id(world, "organization"),
        csm=(number * 5 + dice.randrange(3)) % len(catalogue.CSMS),
        dirt=[label for label, odds in DIRT if dice.random() < odds],
    )
    if start < day:
        account.onboarded = min(start + dice.randrange(18, 60), day - 1) if day - start > 30 else None
    world.accounts.append(account)
    _add_columns(world, account, day, dice)
    _add_people(world, ledger, account, dice)
    _add_company(world, ledger, account, dice)
    support.write_organization(ledger, account, account.start * DAY_SECONDS + 39_600)
    billing.open_subscriptions(world, ledger, account, day, dice)
    _add_first_deal(world, ledger, account, dice)
    write_tenant(ledger, account, account.start * DAY_SECONDS + 40_000)
    return account


def _add_columns(world: World, account: Account, day: int, dice: random.Random) -> None:
    draws = np.random.default_rng([world.seed, 77, account.no])
    world.columns.append(
        {
            "active": True,
            "mean": draw_means(draws, 1)[0],
            "deviation": draw_deviations(draws, 1)[0],
            "affinity": draws.normal(0, 0.7, 10),
            "size": draws.normal(),
            "carry": np.append(draws.random(10), draws.random()),
            "cursor": 0,
            "seats": account.seats,
            "start": account.start,
            "notice": NEVER,
            "ends": NEVER,
            "touch": day + dice.randrange(1, 26) if account.start < day else day + dice.randrange(2, 8),
            "survey": max(account.start + 90, day) + dice.randrange(0, 180),
            "bill": NEVER,
            "tenant": account.tenant_id,
            "users": np.zeros(SLOTS, np.int64),
            "paused": 0,
            "live": dice.choice([0, 1, 1, 2, 2, 3]) if account.start < day - 60 else 0,
        }
    )


def _add_people(world: World, ledger: Ledger, account: Account, dice: random.Random) -> None:
    """Users for every seat, and the contacts the CRM knows of; most contacts are users too."""
    fill_slots(world, ledger, account, account.start * DAY_SECONDS + 41_000)
    closeness = 1.0 if world.columns.mean[account.no - 1, R] > -0.7 else 0.4
    odds = {"CHAMPION": 0.97, "DECISION_MAKER": 0.9, "BUDGET_HOLDER": 0.6}
    roles: list[str | None] = [role for role, share in odds.items() if dice.random() < share * closeness]
    extra = 1 + min(5, int(account.seats**0.5 / 2)) - (dice.random() < 0.4)
    roles += [("END_USER" if dice.random() < 0.8 * closeness else None) for _ in range(max(extra, 1))]
    slot = 0
    for role in roles:
        is_user = role in ("CHAMPION", "END_USER", None) or dice.random() < 0.3
        user = account.slots[slot] if is_user and slot < len(account.slots) else None
        slot += is_user
        created = account.start * DAY_SECONDS - dice.randrange(0, 30 * DAY_SECONDS) + 34_567.25
        add_contact(world, ledger, account, dice, role, created, user)


def add_contact(
    world: World,
    ledger: Ledger,
    account: Account,
    dice: random.Random,
    role: str | None,
    created: float,
    user: int | None,
) -> Contact:
    """A new person in the CRM, linked to the company; one in thirty writes from a free-mail address."""
    first, last = names.person(dice, account.country)
    domain = account.domain
    if user is not None:
        world_user = ledger.users.get(account.user_id(user))
        first, last = user_name(world, account, user)
        address = world_user[2] if world_user else user_email(world, account, user)
    else:
        address = names.email(first, last, domain)
    if dice.random() < 0.033:
        address = names.email(first, last, dice.choice(names.FREE_MAIL), dice.randrange(2, 99))
    title = dice.choice(words.TITLES[role or "END_USER"])
    contact = Contact(crm.new_id(world, "contacts"), first, last, address, title, role, int(created), user=user)
    account.contacts.append(contact)
    crm.write_contact(ledger, account, contact, created + 5)
    ledger.link("contacts", contact.id, "companies", account.company_id, is_primary=True)
    return contact


def user_name(world: World, account: Account, ordinal: int) -> tuple[str, str]:
    """The n-th user's name: a function of seed, account and number, so nothing needs to be kept."""
    return names.person(random.Random(f"{world.seed}:user:{account.no}:{ordinal}"), account.country)


def user_email(world: World, account: Account, ordinal: int) -> str:
    """The n-th user's address; numbered from the 40th on, where names begin to repeat."""
    first, last = user_name(world, account, ordinal)
    return names.email(first, last, account.domain, ordinal if ordinal >= 40 else 0)


def write_user(
    world: World,
    ledger: Ledger,
    account: Account,
    ordinal: int,
    created: float,
    updated: float,
    *,
    is_active: bool,
    deleted: float | None = None,
) -> None:
    """One product user."""
    role = "owner" if ordinal == 1 else USER_ROLES[(ordinal * 7 + account.no) % len(USER_ROLES)]
    number = account.user_id(ordinal)
    known = ledger.users.get(number)
    created = known[5] if known else created
    ledger.users[number] = (
        number,
        account.tenant_id,
        user_email(world, account, ordinal),
        role,
        is_active,
        created,
        updated,
        deleted,
    )


def fill_slots(world: World, ledger: Ledger, account: Account, at: float) -> None:
    """Give every paid seat a user, and free the seats above the paid number."""
    index = account.no - 1
    while len(account.slots) > account.seats:
        ordinal = account.slots.pop()
        write_user(world, ledger, account, ordinal, at, at, is_active=False)
    while len(account.slots) < account.seats:
        account.users_made += 1
        account.slots.append(account.users_made)
        created = at + account.users_made * 7
        write_user(world, ledger, account, account.users_made, created, created, is_active=True)
    world.columns.users[index, :] = 0
    world.columns.users[index, : len(account.slots)] = account.slots
    world.columns.seats[index] = account.seats


def _add_company(world: World, ledger: Ledger, account: Account, dice: random.Random) -> None:
    """The company record; three in a hundred absorbed a duplicate that somebody had created before."""
    if dice.random() < 0.03:
        twin = crm.new_id(world, "companies")
        account.merged_company = twin
        created = account.start * DAY_SECONDS - 25 * DAY_SECONDS
        ledger.hubspot["companies", twin] = HubspotRow(
            "companies",
            twin,
            created,
            created,
            {"name": account.name.upper(), "domain": account.domain},
            merged_into=account.company_id,
        )
    crm.write_company(ledger, account, account.start * DAY_SECONDS + 42_000.125)


def _add_first_deal(world: World, ledger: Ledger, account: Account, dice: random.Random) -> None:
    created = (account.start - dice.randrange(20, 75)) * DAY_SECONDS + 33_000.0
    closed = account.start * DAY_SECONDS + 36_500.0
    crm.write_deal(
        ledger,
        account,
        crm.new_id(world, "deals"),
        kind="newbusiness",
        name=f"{account.name} - {account.plan}",
        stage="closedwon",
        amount=crm.annual_value(account),
        created=created,
        closes=closed,
        at=closed + 60,
    )


def write_tenant(ledger: Ledger, account: Account, at: float) -> None:
    """The product's own record of the customer."""
    created = account.start * DAY_SECONDS + 40_000
    closed = at if account.status == "closed" else None
    ledger.tenants[account.tenant_id] = (
        account.tenant_id,
        account.name,
        account.plan.lower(),
        account.country,
        account.status,
        created,
        max(at, created),
        closed,
    )
