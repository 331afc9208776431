"""One day of the world, in the order in which causes precede what they cause."""

from simulator import latents, lifecycle, relationship, support, surveys
from simulator.clock import weekday
from simulator.ledger import Ledger
from simulator.usage import pause, retarget_automations, usage_of_day
from simulator.world import NEVER, World


def live_through(world: World, ledger: Ledger, day: int) -> None:
    """Everything that happens between 00:00 and 24:00 UTC; `world.day` is `day` afterwards."""
    if weekday(day) == 0:
        columns = world.columns
        leaving = columns.notice < NEVER
        shocks = latents.step(world.rng("latents", day), columns.deviation, columns.active, leaving)
        pause(world, shocks, day)
        retarget_automations(world, day)
        relationship.live_through(world, ledger, shocks, day)
        lifecycle.decide(world, ledger, day)
    lifecycle.sign_up(world, ledger, day)
    lifecycle.carry_out(world, ledger, day)
    lifecycle.bill_accounts(world, ledger, day)
    relationship.know_people(world, ledger, day)
    relationship.touch_accounts(world, ledger, day)
    support.open_tickets(world, ledger, day)
    support.work_tickets(world, ledger, day)
    surveys.ask(world, day)
    surveys.drop_file(world, ledger, day)
    ledger.usage.append(usage_of_day(world, day))
    world.day = day
