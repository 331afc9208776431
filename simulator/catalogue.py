"""The vendor's side of the story: plans, price lists, staff, features. Facts, no state."""

from typing import NamedTuple


class Staff(NamedTuple):
    """A HubSpot owner."""

    owner_id: int
    first: str
    last: str
    is_archived: bool

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}@force24.example".lower()


CSMS = [
    Staff(51200000 + 117 * number, first, last, False)
    for number, (first, last) in enumerate(
        [
            ("Maya", "Lind"),
            ("Tom", "Okafor"),
            ("Priya", "Nair"),
            ("Jonas", "Weber"),
            ("Elena", "Rossi"),
            ("Sam", "Whitfield"),
            ("Aisha", "Rahman"),
            ("Luca", "Marin"),
        ]
    )
]
LEAD = Staff(51201999, "Harriet", "Cole", False)
FORMER = Staff(51198432, "Nadia", "Fox", True)
"""Left the company: archived in HubSpot, still named on old deals."""
STAFF = [*CSMS, LEAD, FORMER]

PLANS = {"Essentials": 3900, "Professional": 5900, "Enterprise": 7500}
"""Minor units of EUR per seat and month, price list 1."""
SMS_PACK = 4900
WORKSPACE = 1500
CURRENCY_FACTOR = {"eur": 1.0, "gbp": 0.86, "usd": 1.08}
PRICE_LISTS = 3
LIST_FACTOR = {1: 1.0, 2: 1.06, 3: 1.12}
ANNUAL_FACTOR = 12 * 0.9
WORKSPACES = 24
"""Brand workspaces are priced one by one: the agency accounts that take all of them have subscriptions of 25 items."""

PRODUCTS = {
    "Essentials": "prod_F24Essentials",
    "Professional": "prod_F24Professional",
    "Enterprise": "prod_F24Enterprise",
    "SMS pack": "prod_F24SmsPack",
    "Brand workspace": "prod_F24Workspace",
}


def price_id(product: str, currency: str, interval: str, price_list: int, variant: int = 0) -> str:
    """Stable price id for a product in a currency, interval and price list; `variant` numbers workspaces."""
    name = product.replace(" ", "")
    tail = f"{variant:02d}" if variant else ""
    return f"price_1F24{name}{currency.upper()}{interval[0].upper()}{price_list}{tail}"


def unit_amount(product: str, currency: str, interval: str, price_list: int) -> int:
    """Minor units per unit and billing interval."""
    base = {"SMS pack": SMS_PACK, "Brand workspace": WORKSPACE}.get(product) or PLANS[product]
    monthly = round(base * LIST_FACTOR[price_list] * CURRENCY_FACTOR[currency] / 100) * 100
    return round(monthly * ANNUAL_FACTOR) if interval == "year" else monthly


def current_price_list(day: int) -> int:
    """Price list a customer signs on that day: a new one every January of 2025 and 2026."""
    return 1 + (day >= 20_089) + (day >= 20_454)


def segment_of(seats: int) -> str:
    """Customer segment by seats at sign-up."""
    return "SMB" if seats < 20 else "Mid-market" if seats < 75 else "Enterprise"


EVENTS: list[tuple[str, str]] = [
    ("login", "core"),
    ("campaign_sent", "campaigns"),
    ("automation_started", "automation"),
    ("contacts_imported", "contacts"),
    ("report_viewed", "reporting"),
    ("form_published", "forms"),
    ("landing_page_published", "landing_pages"),
    ("sms_sent", "sms"),
    ("lead_scored", "lead_scoring"),
    ("crm_synced", "integrations"),
]
HEARTBEAT = ("automation_live", "automation")
