"""How the CRM records things: HubSpot property sets of companies, contacts, deals and engagements.

Every value is a string or null, as HubSpot delivers it. Ids have 11 to 17 digits; the long ones exceed what a float
can hold.
"""

from simulator import catalogue
from simulator.catalogue import CSMS, FORMER, STAFF
from simulator.clock import date_of, iso_ms
from simulator.ledger import HubspotRow, Ledger
from simulator.world import Account, Contact, World

ID_BASE = {
    "companies": (18_204_000_113, 137),
    "contacts": (71_400_000_057, 61),
    "deals": (33_870_000_019, 211),
    "notes": (90_110_000_031, 17),
    "meetings": (81_530_000_003, 23),
    "calls": (79_620_000_041, 29),
}
LONG_ID = 36_028_797_018_963_969
PIPELINE = "default"


def new_id(world: World, object_type: str) -> int:
    """Next CRM id of a type; every fortieth has 17 digits."""
    number = world.next_id(object_type)
    base, step = ID_BASE[object_type]
    return LONG_ID + number * 8 if number % 40 == 0 else base + number * step


def owner_id(account: Account) -> str:
    """The CSM's owner id."""
    return str(CSMS[account.csm].owner_id)


def write_company(ledger: Ledger, account: Account, at: float) -> None:
    """The account's company record as it looks now."""
    employees, revenue = str(account.employees), f"{account.revenue}.00"
    if "employees_comma" in account.dirt:
        employees = f"{account.employees * 10:,}"
    if "revenue_list" in account.dirt:
        revenue = f"{account.revenue};{account.revenue // 2}"
    if "revenue_empty" in account.dirt:
        revenue = ""
    created = account.start * 86_400.0 - 31 * 86_400 + 36_000.5
    ledger.hubspot["companies", account.company_id] = HubspotRow(
        "companies",
        account.company_id,
        created,
        max(at, created),
        {
            "name": account.name,
            "domain": account.domain,
            "industry": account.industry.upper().replace(" ", "_"),
            "city": account.city,
            "country": account.country,
            "numberofemployees": employees,
            "annualrevenue": revenue,
            "lifecyclestage": "customer" if account.status == "active" else "churned",
            "hubspot_owner_id": owner_id(account),
            "tenant_id": None if "company_without_tenant" in account.dirt else str(account.tenant_id),
            "customer_segment": account.segment,
            "onboarding_completed_date": date_of(account.onboarded).isoformat() if account.onboarded else None,
        },
        merged_ids=str(account.merged_company) if account.merged_company else None,
    )


def write_contact(ledger: Ledger, account: Account, contact: Contact, at: float) -> None:
    """A contact as the CRM knows it now."""
    ledger.hubspot["contacts", contact.id] = HubspotRow(
        "contacts",
        contact.id,
        contact.created,
        max(at, contact.created),
        {
            "email": contact.email,
            "firstname": contact.first,
            "lastname": contact.last,
            "jobtitle": contact.title,
            "phone": f"+{44 + contact.id % 7} {contact.id % 9000 + 1000} {contact.id % 899_999 + 100_000}"
            if contact.id % 3
            else None,
            "lifecyclestage": "customer",
            "associatedcompanyid": str(account.company_id),
            "hubspot_owner_id": owner_id(account),
            "buying_role": contact.role,
            "hs_email_bounce": "1" if contact.bounced else "0",
            "left_company_date": date_of(contact.left).isoformat() if contact.left and contact.bounced else None,
        },
        archived=contact.archived,
    )


def write_deal(
    ledger: Ledger,
    account: Account,
    deal_id: int,
    *,
    kind: str,
    name: str,
    stage: str,
    amount: float,
    created: float,
    closes: float,
    at: float,
) -> None:
    """A deal; `amount` in the account's currency per year."""
    early = kind == "newbusiness" and date_of(int(created // 86_400)).year < 2025
    ledger.hubspot["deals", deal_id] = HubspotRow(
        "deals",
        deal_id,
        created,
        at,
        {
            "dealname": name,
            "amount": f"{amount:.2f}",
            "deal_currency_code": account.currency.upper(),
            "closedate": iso_ms(closes),
            "dealstage": stage,
            "dealtype": kind,
            "pipeline": PIPELINE,
            "hs_is_closed_won": "true" if stage == "closedwon" else "false",
            "hubspot_owner_id": str(FORMER.owner_id) if early else owner_id(account),
        },
    )
    ledger.link("deals", deal_id, "companies", account.company_id, is_primary=True)


def write_engagement(
    ledger: Ledger,
    account: Account,
    object_type: str,
    engagement_id: int,
    properties: dict[str, str | None],
    *,
    created: float,
    at: float,
    contacts: list[Contact],
) -> None:
    """A note, meeting or call, linked to the company and the people in it."""
    ledger.hubspot[object_type, engagement_id] = HubspotRow(
        object_type, engagement_id, created, at, {**properties, "hubspot_owner_id": owner_id(account)}
    )
    ledger.link(object_type, engagement_id, "companies", account.company_id)
    for contact in contacts:
        ledger.link(object_type, engagement_id, "contacts", contact.id)


def write_staff(ledger: Ledger, first_day: int) -> None:
    """Owners; stored like objects, served by their own endpoint."""
    for member in STAFF:
        created = (first_day - 700) * 86_400.0 + member.owner_id % 500_000
        properties = {"email": member.email, "firstName": member.first, "lastName": member.last}
        archived = (first_day + 60) * 86_400.0 if member.is_archived else None
        ledger.hubspot["owners", member.owner_id] = HubspotRow(
            "owners", member.owner_id, created, created + 4_000, dict(properties), archived=archived
        )


def annual_value(account: Account) -> float:
    """Yearly value of the running subscriptions, in the account's currency."""
    return (
        sum(
            sub.amount() * (1 if sub.interval == "year" else 12)
            for sub in account.subscriptions
            if sub.ended_at is None
        )
        / 100
    )


def plan_price(account: Account) -> tuple[str, int]:
    """Price id and unit amount of the account's seats."""
    arguments = (account.plan, account.currency, account.interval, account.price_list)
    return catalogue.price_id(*arguments), catalogue.unit_amount(*arguments)
