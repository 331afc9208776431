"""Coming, growing, shrinking, leaving. True health decides who leaves; the decision precedes the notice, and usage
falls from then on.

Monthly contracts can be left any week, yearly ones are decided about ten weeks before the renewal. The constants give
about 18% churn a year, of which a sixth is involuntary (`billing`).
"""

import numpy as np
from numpy.typing import NDArray

from simulator import billing, billing_records, catalogue, crm, payments, texts
from simulator.clock import DAY_SECONDS, date_of, start_of
from simulator.founding import fill_slots, found_account, write_tenant
from simulator.latents import P, V, health, sigmoid
from simulator.ledger import Ledger, StripeRow
from simulator.relationship import next_workday, office_time, write_note
from simulator.usage import seat_ratio
from simulator.world import NEVER, Account, World

MONTHLY_HAZARD = 7.15
MONTHLY_SLOPE = 0.6
YEARLY_HAZARD = 2.85
YEARLY_SLOPE = 0.75
DECISION_DAYS = range(70, 77)
"""Days before the end of a year in whose week a yearly customer decides."""
SIGNUPS_PER_ACCOUNT_YEAR = 0.43


def monthly_odds(true_health: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that a monthly customer decides to leave in a week."""
    return sigmoid(-(MONTHLY_HAZARD + MONTHLY_SLOPE * true_health))


def yearly_odds(true_health: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that a yearly customer decides to leave, in the one week in which they decide."""
    return sigmoid(-(YEARLY_HAZARD + YEARLY_SLOPE * true_health))


def sign_up(world: World, ledger: Ledger, day: int) -> None:
    """New customers of the day: planned while history is generated, by chance afterwards."""
    if day <= world.counters["planned_until"]:
        count = world.signups.count(day)
    else:
        count = int(
            world.rng("founding", day).poisson(SIGNUPS_PER_ACCOUNT_YEAR / 365 * int(world.columns.active.sum()))
        )
    for _ in range(count):
        account = found_account(world, ledger, day, day)
        world.touched.add(account.no)


def decide(world: World, ledger: Ledger, day: int) -> None:
    """Once a week: who decides to leave, who changes seats, who moves to the new price list."""
    rng = world.rng("lifecycle", day)
    columns = world.columns
    latents = world.latents()
    free = columns.active & (columns.notice == NEVER) & (day - columns.start > 75)
    true_health = health(latents)
    by_month, by_year = monthly_odds(true_health), yearly_odds(true_health)
    ratio = seat_ratio(latents[:, V])
    luck = rng.random((3, len(free)))
    for index in np.nonzero(free)[0]:
        account = world.accounts[int(index)]
        main = account.subscriptions[0]
        to_end = main.period_end // DAY_SECONDS - day
        yearly = by_year[index] if to_end in DECISION_DAYS else 0.0
        if luck[0, index] < (by_month[index] if account.interval == "month" else yearly):
            _decide_to_leave(world, account, day)
            continue
        if 87 <= to_end < 94 and account.interval == "year":
            _open_renewal(world, ledger, account, day)
        if luck[1, index] < (0.012 if ratio[index] > 0.88 else 0.0015):
            _expand(world, ledger, account, day)
        elif luck[1, index] > 1 - (0.008 if ratio[index] < 0.5 else 0.004 if latents[index, P] > 1.2 else 0.0006):
            at = day + 1 if account.interval == "month" else main.period_end // DAY_SECONDS
            world.later.append([at, "contract", account.no])
        newest = catalogue.current_price_list(day)
        if (
            account.interval == "month"
            and account.price_list < newest
            and date_of(day).month in (2, 3)
            and luck[2, index] < 0.12
        ):
            _raise_price(world, ledger, account, day, newest)


def _decide_to_leave(world: World, account: Account, day: int) -> None:
    """From now on use winds down; notice follows weeks later."""
    index = account.no - 1
    dice = world.dice("lifecycle", day, f"leave:{index}")
    account.reason = texts.CHURN_REASONS[texts.topic_of(world.latents_of(index), dice)]
    world.columns.notice[index] = day
    wait = (
        dice.randrange(28, 56)
        if account.interval == "month"
        else account.subscriptions[0].period_end // DAY_SECONDS - day - dice.randrange(15, 45)
    )
    world.later.append([next_workday(day + wait), "notice", account.no])
    world.touched.add(account.no)


def _open_renewal(world: World, ledger: Ledger, account: Account, day: int) -> None:
    dice = world.dice("lifecycle", day, f"renewal:{account.no}")
    closes = account.subscriptions[0].period_end
    account.renewal_deal = [crm.new_id(world, "deals"), office_time(dice, day), closes]
    _write_renewal(ledger, account, "renewal_open", account.renewal_deal[1])
    world.touched.add(account.no)


def _write_renewal(ledger: Ledger, account: Account, stage: str, at: float) -> None:
    if account.renewal_deal:
        deal_id, created, closes = account.renewal_deal
        name = f"{account.name} - Renewal {date_of(closes // DAY_SECONDS).year}"
        crm.write_deal(
            ledger,
            account,
            deal_id,
            kind="renewal",
            name=name,
            stage=stage,
            amount=crm.annual_value(account),
            created=created,
            closes=closes,
            at=at,
        )


def _expand(world: World, ledger: Ledger, account: Account, day: int) -> None:
    dice = world.dice("lifecycle", day, f"expand:{account.no}")
    at = office_time(dice, day)
    before = crm.annual_value(account)
    seats = min(250, account.seats + max(1, round(account.seats * dice.uniform(0.08, 0.3))))
    _change_seats(world, ledger, account, at, seats)
    added = crm.annual_value(account) - before
    name = f"{account.name} - {account.seats} seats"
    crm.write_deal(
        ledger,
        account,
        crm.new_id(world, "deals"),
        kind="expansion",
        name=name,
        stage="closedwon",
        amount=added,
        created=at - 12 * DAY_SECONDS,
        closes=at,
        at=at + 300,
    )


def _change_seats(world: World, ledger: Ledger, account: Account, at: int, seats: int) -> None:
    billing.change_main_item(world, ledger, account, at, seats=seats, price_list=account.price_list)
    fill_slots(world, ledger, account, at + 60)
    crm.write_company(ledger, account, at + 120)
    world.touched.add(account.no)


def _raise_price(world: World, ledger: Ledger, account: Account, day: int, newest: int) -> None:
    dice = world.dice("lifecycle", day, f"price:{account.no}")
    billing.change_main_item(world, ledger, account, office_time(dice, day), seats=account.seats, price_list=newest)
    world.columns.deviation[account.no - 1, P] += dice.choice([0.1, 0.3, 0.9])
    account.pending_people.append([day + 6, "price_event", 0])
    world.touched.add(account.no)


def bill_accounts(world: World, ledger: Ledger, day: int) -> None:
    """Everything whose period ends today: renewal with the newest price list, or the end; then payments."""
    for index in np.nonzero(world.columns.active & (world.columns.bill == day))[0]:
        account = world.accounts[int(index)]
        main = account.subscriptions[0]
        renews = main.period_end // DAY_SECONDS == day and main.ended_at is None and not main.cancel_at_period_end
        if renews and account.interval == "year":
            newest = catalogue.current_price_list(day)
            if account.price_list < newest:
                billing.change_main_item(
                    world, ledger, account, main.period_end - 60, seats=account.seats, price_list=newest
                )
            _write_renewal(ledger, account, "closedwon", main.period_end + 600)
            account.renewal_deal = None
        if billing.bill_day(world, ledger, account, day):
            close(world, ledger, account, day, "voluntary", max(sub.ended_at or 0 for sub in account.subscriptions))
    for index in np.nonzero(world.columns.active & (world.columns.bill == day + 7))[0]:
        billing.announce_upcoming(world, ledger, world.accounts[int(index)], day)
    for account in payments.settle_invoices(world, ledger, day):
        if account.status == "active":
            at = start_of(day) + 82_000
            for sub in account.subscriptions:
                if sub.ended_at is None:
                    sub.reason = "involuntary"
                    billing.end_subscription(world, ledger, account, sub, at)
            close(world, ledger, account, day, "involuntary", at)


def close(world: World, ledger: Ledger, account: Account, day: int, kind: str, at: int) -> None:
    """The customer is gone: product closed, CRM marked, renewal lost."""
    account.status, account.churn_kind, account.churned = "closed", kind, day
    world.columns.active[account.no - 1] = False
    world.columns.ends[account.no - 1] = day
    write_tenant(ledger, account, at + 120)
    crm.write_company(ledger, account, at + 240)
    _write_renewal(ledger, account, "closedlost", at + 300)
    account.renewal_deal, account.planned_meeting = None, None
    if world.dice("lifecycle", day, f"close:{account.no}").random() < 0.06:
        world.later.append([day + 12, "delete_customer", account.no])
    world.touched.add(account.no)


def carry_out(world: World, ledger: Ledger, day: int) -> None:
    """What was planned for today: notices, seat reductions, customers deleted from billing."""
    due = [item for item in world.later if item[0] <= day]
    world.later = [item for item in world.later if item[0] > day]
    for _, kind, number in due:
        account = world.accounts[number - 1]
        dice = world.dice("lifecycle", day, f"{kind}:{number}")
        at = office_time(dice, day)
        world.touched.add(number)
        if kind == "delete_customer":
            delete_customer(world, ledger, account, at)
        elif account.status != "active":
            continue
        elif kind == "notice":
            account.notice = day
            for sub in account.subscriptions:
                if sub.ended_at is None:
                    billing.set_cancel(world, ledger, account, sub, at)
            people = account.present_contacts()[:1]
            write_note(
                world,
                ledger,
                account,
                texts.SHOCK_NOTES["notice"],
                at + 1_800,
                people,
                dice,
                reason=account.reason or "",
            )
        elif kind == "contract" and account.notice is None:
            seats = max(5, account.seats - max(1, round(account.seats * dice.uniform(0.1, 0.4))))
            if seats < account.seats:
                _change_seats(world, ledger, account, min(at, account.subscriptions[0].period_end - 60), seats)


def delete_customer(world: World, ledger: Ledger, account: Account, at: int) -> None:
    """Removed from billing: GET answers with a stub, lists no longer show it; its subscriptions stay."""
    billing_records.write_customer(world, ledger, account)
    row: StripeRow = ledger.stripe[account.customer_id]
    row.deleted = at
    billing_records.emit(world, ledger, "customer.deleted", at, row.doc)
