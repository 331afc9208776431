"""How Stripe renders customers, subscriptions, invoices, prices and products, at the version 2026-10-28.endive.

`at_old_version` renders an object as accounts pinned before 2025-03-31 ("basil") see it: that is what event payloads
contain.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from simulator import catalogue
from simulator.clock import DAY_SECONDS
from simulator.ledger import Doc
from simulator.world import Account, Subscription

BASE = "https://simulator.invalid"
"""Placeholder for the server's own address, replaced by the Host of each request."""
PRICES_CREATED = {1: 1_672_531_200, 2: 1_733_011_200, 3: 1_764_547_200}


@dataclass
class Invoice:
    """An invoice with its future: `steps` are [moment, kind], taken one after the other by `billing`."""

    id: str
    account: int
    customer: str
    subscription: str
    number: str
    created: int
    currency: str
    lines: list[list[Any]]
    collection: str
    reason: str
    seq: int
    due: int | None
    status: str = "draft"
    finalized: int | None = None
    paid: int | None = None
    uncollectible: int | None = None
    attempts: int = 0
    next_attempt: int | None = None
    steps: list[list[Any]] = field(default_factory=list)

    def total(self) -> int:
        """Minor units."""
        return sum(line[1] for line in self.lines)


def price_doc(product: str, currency: str, interval: str, price_list: int, variant: int = 0) -> Doc:
    """A price; only those of the newest list are active."""
    amount = catalogue.unit_amount(product, currency, interval, price_list)
    return {
        "id": catalogue.price_id(product, currency, interval, price_list, variant),
        "object": "price",
        "active": price_list == catalogue.PRICE_LISTS,
        "billing_scheme": "per_unit",
        "created": PRICES_CREATED[price_list],
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": True,
        "lookup_key": None,
        "metadata": {},
        "nickname": f"{product} {interval}ly list {price_list}",
        "product": catalogue.PRODUCTS[product],
        "recurring": {
            "interval": interval,
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "exclusive",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def product_doc(name: str) -> Doc:
    """A product."""
    return {
        "id": catalogue.PRODUCTS[name],
        "object": "product",
        "active": True,
        "created": PRICES_CREATED[1],
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": True,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": "seat",
        "updated": PRICES_CREATED[3],
        "url": None,
    }


def customer_doc(account: Account, customer_id: str) -> Doc:
    """The paying customer; a second one is the same company's subsidiary."""
    is_second = customer_id != account.customer_id
    metadata: dict[str, str] = {}
    if "customer_without_tenant" not in account.dirt:
        metadata["tenant_id"] = str(account.tenant_id)
    if "customer_without_company" not in account.dirt and not is_second:
        metadata["hubspot_company_id"] = str(account.company_id)
    return {
        "id": customer_id,
        "object": "customer",
        "address": {
            "city": account.city,
            "country": account.country,
            "line1": f"{account.no % 190 + 1} High Street",
            "line2": None,
            "postal_code": f"{account.no * 37 % 90_000 + 10_000}",
            "state": None,
        },
        "balance": 0,
        "created": account.start * DAY_SECONDS + 36_000 + 60 * is_second,
        "currency": account.currency,
        "default_source": None,
        "delinquent": account.delinquent,
        "description": None,
        "discount": None,
        "email": f"accounts@{account.domain}",
        "invoice_prefix": prefix(customer_id),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": True,
        "metadata": metadata,
        "name": f"{account.name} (Events)" if is_second else account.name,
        "next_invoice_sequence": account.invoices_made + 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def prefix(customer_id: str) -> str:
    """Invoice prefix of a customer: eight capitals and digits."""
    return hashlib.blake2b(customer_id.encode(), digest_size=4).hexdigest().upper()


def parse_price(price_id: str) -> tuple[str, str, int, int]:
    """(currency, interval, price list, variant) from a price id of ours."""
    core = price_id.removeprefix("price_1F24")
    for product in ("SMSpack", "Brandworkspace", "Essentials", "Professional", "Enterprise"):
        core = core.removeprefix(product)
    return core[:3].lower(), "year" if core[3] == "Y" else "month", int(core[4]), int(core[5:] or 0)


def item_doc(sub: Subscription, item: list[Any]) -> Doc:
    """One subscription item."""
    item_id, price_id, product, _, quantity = item
    currency, interval, price_list, variant = parse_price(price_id)
    return {
        "id": item_id,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": sub.created + 1,
        "current_period_end": sub.period_end,
        "current_period_start": sub.period_start,
        "discounts": [],
        "metadata": {},
        "price": price_doc(product, currency, interval, price_list, variant),
        "quantity": quantity,
        "subscription": sub.id,
        "tax_rates": [],
    }


def subscription_doc(account: Account, sub: Subscription) -> Doc:
    """A subscription with all its items; the server cuts the inline list."""
    reason = {"voluntary": "cancellation_requested", "involuntary": "payment_failed"}.get(sub.reason or "")
    metadata = {"tenant_id": str(account.tenant_id)} if sub.has_metadata else {}
    return {
        "id": sub.id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None, "disabled_reason": None},
        "billing_cycle_anchor": sub.created,
        "billing_mode": {"type": "flexible", "flexible": None},
        "billing_thresholds": None,
        "cancel_at": sub.period_end if sub.cancel_at_period_end else None,
        "cancel_at_period_end": sub.cancel_at_period_end,
        "canceled_at": sub.canceled_at,
        "cancellation_details": {"comment": None, "feedback": None, "reason": reason},
        "collection_method": sub.collection,
        "created": sub.created,
        "currency": account.currency,
        "customer": sub.customer,
        "days_until_due": 30 if sub.collection == "send_invoice" else None,
        "default_payment_method": None,
        "description": None,
        "discounts": [],
        "ended_at": sub.ended_at,
        "invoice_settings": {
            "account_tax_ids": None,
            "issuer": {"type": "self"},
            "custom_fields": None,
            "description": None,
            "footer": None,
        },
        "items": {
            "object": "list",
            "data": [item_doc(sub, item) for item in sub.items],
            "has_more": False,
            "total_count": len(sub.items),
            "url": f"/v1/subscription_items?subscription={sub.id}",
        },
        "latest_invoice": sub.latest_invoice,
        "livemode": True,
        "metadata": metadata,
        "next_pending_invoice_item_invoice": None,
        "pause_collection": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": sub.created,
        "status": sub.status,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_start": None,
    }


def line_doc(invoice: Invoice, line: list[Any]) -> Doc:
    """One invoice line.

    `line` is [id, amount, quantity, price id, product id, unit amount, description, start, end, is proration].
    """
    line_id, amount, quantity, price_id, product_id, unit, description, start, end, is_proration = line
    return {
        "id": line_id,
        "object": "line_item",
        "amount": amount,
        "currency": invoice.currency,
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice.id,
        "livemode": True,
        "metadata": {},
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": is_proration,
                "subscription": invoice.subscription,
                "subscription_item": None,
            },
        },
        "period": {"start": start, "end": end},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price_id, "product": product_id},
            "unit_amount_decimal": str(unit),
        },
        "quantity": quantity,
        "taxes": [],
    }


def invoice_doc(invoice: Invoice, account: Account) -> Doc:
    """An invoice with all its lines; the server cuts the inline list."""
    total = invoice.total()
    paid = total if invoice.status == "paid" else 0
    return {
        "id": invoice.id,
        "object": "invoice",
        "account_country": "GB",
        "account_name": "Force24",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_remaining": total - paid,
        "amount_shipping": 0,
        "attempt_count": invoice.attempts,
        "attempted": invoice.attempts > 0,
        "auto_advance": invoice.status in ("draft", "open"),
        "billing_reason": invoice.reason,
        "collection_method": invoice.collection,
        "created": invoice.created,
        "currency": invoice.currency,
        "customer": invoice.customer,
        "customer_email": f"accounts@{account.domain}",
        "customer_name": account.name,
        "description": None,
        "discounts": [],
        "due_date": invoice.due,
        "effective_at": invoice.finalized,
        "ending_balance": 0 if invoice.finalized else None,
        "footer": None,
        "hosted_invoice_url": f"{BASE}/i/{invoice.id}" if invoice.finalized else None,
        "invoice_pdf": f"{BASE}/i/{invoice.id}/pdf" if invoice.finalized else None,
        "lines": {
            "object": "list",
            "data": [line_doc(invoice, line) for line in invoice.lines],
            "has_more": False,
            "total_count": len(invoice.lines),
            "url": f"/v1/invoices/{invoice.id}/lines",
        },
        "livemode": True,
        "metadata": {},
        "next_payment_attempt": invoice.next_attempt,
        "number": invoice.number if invoice.finalized else None,
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": invoice.subscription},
        },
        "period_end": invoice.created,
        "period_start": invoice.lines[0][7] if invoice.lines else invoice.created,
        "starting_balance": 0,
        "status": invoice.status,
        "status_transitions": {
            "finalized_at": invoice.finalized,
            "marked_uncollectible_at": invoice.uncollectible,
            "paid_at": invoice.paid,
            "voided_at": None,
        },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": None,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_taxes": [],
        "webhooks_delivered_at": invoice.created,
    }


def at_old_version(doc: Doc) -> Doc:
    """The same object before "basil".

    Periods on the subscription, the subscription on the invoice; what moved is absent where it is now.
    """
    old = dict(doc)
    if doc["object"] == "subscription":
        first = doc["items"]["data"][0]
        old["current_period_start"], old["current_period_end"] = (
            first["current_period_start"],
            first["current_period_end"],
        )
        moved = ("current_period_start", "current_period_end")
        old["items"] = {
            **doc["items"],
            "data": [{key: value for key, value in item.items() if key not in moved} for item in doc["items"]["data"]],
        }
        old.pop("billing_mode", None)
    elif doc["object"] == "invoice":
        old["subscription"] = doc["parent"]["subscription_details"]["subscription"]
        old["paid"] = doc["status"] == "paid"
        old.pop("parent")
        lines = []
        for line in doc["lines"]["data"]:
            details = line["pricing"]["price_details"]
            kept = {key: value for key, value in line.items() if key not in ("pricing", "parent")}
            lines.append(
                {
                    **kept,
                    "price": {"id": details["price"], "object": "price", "product": details["product"]},
                    "type": "subscription",
                    "proration": line["parent"]["subscription_item_details"]["proration"],
                    "subscription": old["subscription"],
                }
            )
        old["lines"] = {**doc["lines"], "data": lines}
    return old
