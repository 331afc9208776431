"""Recurring value, seats, overdue invoices and the contract, from Stripe's own objects."""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from recount.records import Account, Catalogue, Payload, Settings

_WITHOUT_CENTS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())  # noqa: SIM905
_CENT = Decimal("0.01")
_SLACK = timedelta(days=4)  # from 31 January to 28 February is a whole month


@dataclass(frozen=True)
class Line:
    """A line of a recurring price: worth `monthly` in the account's currency from `start` to before `end`."""

    start: date
    end: date
    monthly: Decimal
    seats: int


@dataclass(frozen=True)
class Contract:
    """What the main subscription says: its currency, and the day its years are counted from."""

    currency: str
    anchor: date


def moment(epoch: float) -> datetime:
    """A time of Stripe's."""
    return datetime.fromtimestamp(float(epoch), UTC)


def day(epoch: float | None) -> date | None:
    """The day of it, UTC."""
    return None if epoch is None else moment(epoch).date()


def amount(cents: float | str, currency: str) -> Decimal:
    """An amount in whole units of its currency."""
    return Decimal(str(cents)) / (1 if currency.lower() in _WITHOUT_CENTS else 100)


def months_later(start: datetime, count: int) -> datetime:
    """The same day so many months later (or before), the last of the month where there is none."""
    month = start.month - 1 + count
    year, month = start.year + month // 12, month % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))


def years_later(start: date, count: int) -> date:
    """The anniversary; of 29 February the day before where there is none."""
    return months_later(datetime(start.year, start.month, start.day, tzinfo=UTC), 12 * count).date()


def _subscription_of(invoice: Payload) -> str | None:
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    return parent.get("subscription") or invoice.get("subscription")


def _service_end(account: Account, subscription: Payload) -> date | None:
    """Where paid service ended: with the subscription, or with the last period that was paid for."""
    ended = day(subscription.get("ended_at"))
    if ended is None:
        return None
    paid = [
        moment(line["period"]["end"]).date()
        for invoice in account.invoices
        if invoice["status"] == "paid" and _subscription_of(invoice) == subscription["id"]
        for line in invoice["lines"]["data"]
        if line["amount"] > 0
    ]
    return max(moment(subscription["start_date"]).date(), min([ended, *([max(paid)] if paid else [])]))


def _services(account: Account) -> dict[str, tuple[Payload, date | None]]:
    """Subscriptions that came about, with the end of their service."""
    return {
        one["id"]: (one, _service_end(account, one))
        for one in account.subscriptions
        if one["status"] not in ("incomplete", "incomplete_expired")
    }


def contract(account: Account, catalogue: Catalogue, settings: Settings, as_of: date) -> Contract | None:
    """The subscription that speaks for the account: running, with a seat plan, the oldest."""
    ranked = []
    for number, (one, service_end) in _services(account).items():
        start = moment(one["start_date"])
        items = []
        for item in one["items"]["data"]:
            price = item.get("price") or item.get("plan") or {}
            name = catalogue.products.get(price.get("product") or "")
            if name is not None:
                items.append((name not in settings.seat_plans, -(item.get("quantity") or 0), item["id"], name))
        is_addon = min(items)[0] if items else True
        anchor = moment(one.get("billing_cycle_anchor") or one["start_date"]).date()
        has_ended = service_end is not None and service_end <= as_of
        ranked.append((has_ended, is_addon, start.date(), number, one["currency"].upper(), anchor))
    return Contract(*min(ranked)[4:]) if ranked else None


def renewal_date(account: Account, catalogue: Catalogue, settings: Settings, as_of: date) -> date | None:
    """The next anniversary of the contract's anchor."""
    found = contract(account, catalogue, settings, as_of)
    if found is None:
        return None
    anchor = found.anchor
    full_years = as_of.year - anchor.year - ((as_of.month, as_of.day) < (anchor.month, anchor.day))
    return years_later(anchor, max(full_years, 0) + 1)


def _months(line: Payload, price: Payload) -> Decimal:
    """For how many months a line pays."""
    recurring = price["recurring"]
    unit, count = recurring["interval"], recurring.get("interval_count") or 1
    start, end = moment(line["period"]["start"]), moment(line["period"]["end"])
    if unit in ("month", "year"):
        months = count * (12 if unit == "year" else 1)
        whole, began = Decimal(months), months_later(end, -months)
        expected = months_later(start, months)
    else:
        days = count * (7 if unit == "week" else 1)
        whole, began = Decimal(days) * 12 / Decimal("365.25"), end - timedelta(days=days)
        expected = start + timedelta(days=days)
    details = (line.get("parent") or {}).get("subscription_item_details") or {}
    is_proration = bool(details.get("proration", line.get("proration", False)))
    if not is_proration and abs(end - expected) <= _SLACK:
        return whole
    return whole * Decimal((end - start).total_seconds()) / Decimal((end - began).total_seconds())


def _rate(settings: Settings, currency: str, day_: date) -> Decimal:
    """EUR for one unit in the month of a day; a month without a rate goes on with the last one known."""
    month = day_.replace(day=1)
    known = sorted(one for name, one in settings.rates if name == currency)
    return settings.rates[currency, max([one for one in known if one <= month], default=known[0])]


def lines(account: Account, catalogue: Catalogue, settings: Settings, as_of: date) -> Iterator[Line]:
    """Every line that makes recurring value."""
    found = contract(account, catalogue, settings, as_of)
    services = _services(account)
    for invoice in account.invoices:
        is_by_hand = invoice["status"] == "draft" and invoice.get("billing_reason") == "manual"
        if invoice["status"] == "void" or is_by_hand:
            continue
        _, service_end = services.get(_subscription_of(invoice) or "", (None, None))
        for line in invoice["lines"]["data"]:
            details = (line.get("pricing") or {}).get("price_details") or {}
            price = catalogue.prices.get(details.get("price") or (line.get("price") or {}).get("id") or "")
            start, end = moment(line["period"]["start"]).date(), moment(line["period"]["end"]).date()
            if price is None or not price.get("recurring") or line["period"]["end"] <= line["period"]["start"]:
                continue
            currency = invoice["currency"]
            discounts = sum(one["amount"] for one in line.get("discount_amounts") or ())
            value = amount(line["amount"] - discounts, currency) / _months(line, price)
            if found and currency.upper() != found.currency:
                value *= _rate(settings, currency.upper(), start) / _rate(settings, found.currency, start)
            product = details.get("product") or (line.get("price") or {}).get("product") or price.get("product")
            is_seats = catalogue.products.get(product or "") in settings.seat_plans
            sign = (value > 0) - (value < 0)
            yield Line(
                start=start,
                end=max(start, min(end, service_end or end)),
                monthly=value.quantize(_CENT, ROUND_HALF_UP),
                seats=sign * (line.get("quantity") or 0) if is_seats else 0,
            )


def mrr(account: Account, catalogue: Catalogue, settings: Settings, on: date, *, as_of: date) -> Decimal:
    """Monthly recurring value at the end of a day, in the account's currency."""
    covering = (one for one in lines(account, catalogue, settings, as_of) if one.start <= on < one.end)
    return sum((one.monthly for one in covering), Decimal(0))


def mrr_eur(account: Account, catalogue: Catalogue, settings: Settings, on: date, *, as_of: date) -> Decimal:
    """The same in EUR, at the rate of the build's newest month."""
    found = contract(account, catalogue, settings, as_of)
    value = mrr(account, catalogue, settings, on, as_of=as_of)
    rate = _rate(settings, found.currency, as_of) if found else Decimal(1)
    return (value * rate).quantize(_CENT, ROUND_HALF_UP)


def seats(account: Account, catalogue: Catalogue, settings: Settings, on: date, *, as_of: date) -> int | None:
    """Seats that invoices cover on a day; None without a customer in billing."""
    if "stripe" not in account.sources:
        return None
    return sum(one.seats for one in lines(account, catalogue, settings, as_of) if one.start <= on < one.end)


def due_date(invoice: Payload) -> date | None:
    """Due date; without terms the day it was finalised, else made."""
    times = invoice.get("status_transitions") or {}
    return day(invoice.get("due_date") or times.get("finalized_at") or invoice["created"])


def _settled(invoice: Payload) -> date | None:
    times = invoice.get("status_transitions") or {}
    name = {"paid": "paid_at", "void": "voided_at", "uncollectible": "marked_uncollectible_at"}.get(invoice["status"])
    return day(times.get(name)) if name else None


def _late(invoices: Sequence[Payload], on: date) -> Iterator[int]:
    """Days overdue of each claim that stood and was late at the end of a day."""
    for invoice in invoices:
        due, settled = due_date(invoice), _settled(invoice)
        stands = invoice["status"] != "draft" and invoice["amount_due"] > 0 and (settled is None or on < settled)
        if stands and due and due < on:
            yield (on - due).days


def overdue_days_then(account: Account, on: date) -> int | None:
    """Days the oldest claim was overdue at the end of a day, 0 without one; None without a customer in billing."""
    return max(_late(account.invoices, on), default=0) if "stripe" in account.sources else None


def overdue_now(account: Account, as_of: date) -> list[int]:
    """Days overdue of every invoice that is still open."""
    return list(_late([one for one in account.invoices if one["status"] == "open"], as_of))
