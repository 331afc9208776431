"""Product usage of one day, for all accounts at once.

V drives how many seats are used and how much, B which features. Counts come from carried fractions instead of Poisson
draws: a marketing team's week is far more regular than chance, and rules about a 20% fall would drown in noise
otherwise.
"""

import numpy as np
from numpy.typing import NDArray

from simulator import clock
from simulator.latents import B, Shock, V, sigmoid
from simulator.ledger import Usage
from simulator.world import World

WEEKDAY = np.array([1.02, 1.08, 1.06, 1.00, 0.84, 0.10, 0.08])
WEEKDAY = WEEKDAY * 7 / WEEKDAY.sum()
ADOPTION_THRESHOLD = np.array([-9.0, -3.0, -0.5, -1.5, -0.8, 0.0, 0.3, 1.1, 0.8, 0.3])
KEY_SHARE = np.array([0.0, 0.45, 0.12, 0.20, 0.0, 0.09, 0.08, 0.06, 0.0, 0.0])
"""How key activity splits over the events of catalogue.EVENTS; events with share 0 are not key activity."""
HOUR_WEIGHT = np.array([0, 0, 0, 0, 0, 0.2, 0.6, 2, 6, 10, 11, 10, 7, 8, 10, 10, 9, 6, 3, 1.5, 1, 0.8, 0.4, 0.1])
HOUR_CDF = np.cumsum(HOUR_WEIGHT) / HOUR_WEIGHT.sum()
LATE_SHARE = 0.003
REPEATED_SHARE = 0.001
EVENTS_PER_DAY = 1_000_000


def season(day: int) -> float:
    """Yearly rhythm: a dip in August, much less between Christmas and New Year."""
    date = clock.date_of(day)
    if date.month == 8 and date.day <= 25:
        return 0.93
    if (date.month, date.day) >= (12, 24) or (date.month, date.day) <= (1, 1):
        return 0.60
    return 1.04 if date.month in (9, 10, 11) else 1.0


def seat_ratio(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of paid seats whose user comes at least now and then."""
    return np.clip(sigmoid(1.5 + 1.5 * depth), 0.04, 0.97)


def pause(world: World, shocks: list[Shock], day: int) -> None:
    """Accounts that stop sending for one to four weeks: a data review, a move to another system, a blocked sender."""
    for shock in shocks:
        if shock.kind == "pause":
            dice = world.dice("usage", day, shock.index)
            world.columns.paused[shock.index] = day + dice.randrange(8, 27)
            world.columns.deviation[shock.index, V] -= dice.choice([0.0, 0.3, 0.9])


def retarget_automations(world: World, day: int) -> None:
    """Once a week the number of live automations moves one step towards what B and V carry."""
    columns = world.columns
    latents = world.latents()
    appetite = 0.45 + 0.50 * latents[:, B] + 0.22 * latents[:, V] + 0.35 * columns.affinity[:, 2]
    adopted = latents[:, B] + columns.affinity[:, 2] > ADOPTION_THRESHOLD[2]
    target = np.where(adopted, np.clip(np.rint(np.exp(appetite)), 1, 8), 0).astype(np.int64)
    grown = day - columns.start > 21
    columns.live = np.where(grown & columns.active, columns.live + np.sign(target - columns.live), 0)


def daily_rates(world: World, day: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Events per week and kind, ordinary and key, both (accounts, 10), and users in rotation per account."""
    columns = world.columns
    latents = world.latents()
    depth, breadth = latents[:, V], latents[:, B]
    ramp = 0.3 + 0.7 * np.clip((day - columns.start) / 42, 0, 1)
    settled, recent = columns.mean[:, V], columns.deviation[:, V]
    collapse = 0.9 * np.minimum(settled + 0.7, 0) + 0.9 * np.minimum(recent + 1.4, 0)
    fitful = 0.15 * np.clip(-settled - 0.7, 0, 1) * np.sin((day + 97 * columns.size) * (2 * np.pi / 75))
    volume = np.exp(0.24 * np.clip(depth, -4, 2.5) + np.maximum(collapse, -3.5) + fitful) * ramp
    volume = np.where(day < columns.paused, 0.03 * volume, volume)
    in_rotation = np.maximum(1, np.rint(columns.seats * seat_ratio(depth) * ramp)).astype(np.int64)
    adopted = breadth[:, None] + columns.affinity > ADOPTION_THRESHOLD
    shares = KEY_SHARE * np.exp(0.4 * columns.affinity) * adopted
    shares[:, 1] += 1e-9
    shares /= shares.sum(axis=1, keepdims=True)
    key_volume = (7 + 0.18 * columns.seats) * volume * np.exp(0.2 * columns.size)
    rates = np.zeros((len(depth), 10))
    rates[:, 0] = 1.2 * volume + 0.36 * in_rotation * np.minimum(1, 2 * volume)
    rates[:, 4] = 0.12 * in_rotation * adopted[:, 4]
    rates[:, 8] = 2.0 * volume * adopted[:, 8]
    rates[:, 9] = 2.5 * volume * adopted[:, 9]
    return rates, shares * key_volume[:, None], in_rotation


def whole_events(world: World, rates: NDArray[np.float64], key_rates: NDArray[np.float64]) -> NDArray[np.int64]:
    """Events of one day, shape (accounts, 10), from fractional rates; what is left over is carried to the next day.

    Key activity is counted as a whole first and then dealt out to the kind that has waited longest: six fractions
    rounded one by one would shake the total of a small account by a fifth.
    """
    carry = world.columns.carry
    carry[:, :10] += rates + key_rates
    carry[:, 10] += key_rates.sum(axis=1)
    counts = np.floor(carry[:, :10]).astype(np.int64)
    is_key = KEY_SHARE > 0
    counts[:, is_key] = 0
    owed = np.floor(carry[:, 10]).astype(np.int64)
    carry[:, 10] -= owed
    carry[:, :10] -= counts
    kinds = np.nonzero(is_key)[0]
    for turn in range(int(owed.max(initial=0))):
        rows = np.nonzero(owed > turn)[0]
        chosen = kinds[np.argmax(carry[np.ix_(rows, kinds)], axis=1)]
        counts[rows, chosen] += 1
        carry[rows, chosen] -= 1
    return counts


def clock_times(rng: np.random.Generator, day: int, count: int) -> NDArray[np.int64]:
    """Epoch milliseconds within the day, most of them in office hours."""
    hour = np.searchsorted(HOUR_CDF, rng.random(count))
    return clock.start_of(day) * 1000 + hour * 3_600_000 + rng.integers(0, 3_600_000, count)


def usage_of_day(world: World, day: int) -> Usage:
    """All events ingested on `day`: sessions, heartbeats, a few late mobile batches and a few events sent twice."""
    rng = world.rng("usage", day)
    columns = world.columns
    live = columns.active & (columns.start <= day)
    rates, key_rates, in_rotation = daily_rates(world, day)
    weight = (
        WEEKDAY[clock.weekday(day)] * season(day) / 7 * np.exp(rng.normal(0, 0.05, len(live)))[:, None] * live[:, None]
    )
    counts = whole_events(world, rates * weight, key_rates * weight)
    per_account = counts.sum(axis=1)
    total = int(per_account.sum())
    account = np.repeat(np.arange(len(live)), per_account)
    event = np.repeat(np.tile(np.arange(counts.shape[1]), len(live)), counts.ravel())
    rotates = rng.random(total) < 0.72
    turn = np.cumsum(rotates)
    first = np.cumsum(per_account) - per_account
    base = np.where(per_account > 0, turn[np.minimum(first, max(total - 1, 0))] if total else 0, 0)
    pool = in_rotation[account]
    slot = np.where(
        rotates,
        (columns.cursor[account] + turn - base[account]) % pool,
        (pool * rng.random(total) ** 1.8).astype(np.int64),
    )
    columns.cursor = (columns.cursor + np.bincount(account, rotates, len(live)).astype(np.int64)) % np.maximum(
        in_rotation, 1
    )
    user = columns.tenant[account] * 1000 + columns.users[account, slot]
    occurred = clock_times(rng, day, total)
    duration = np.minimum(rng.lognormal(12.8, 0.8, total), 7.2e6).astype(np.int64)

    beats = np.where(live, columns.live, 0)
    beating = np.repeat(np.arange(len(live)), beats)
    ordinal = np.arange(len(beating)) - np.repeat(np.cumsum(beats) - beats, beats)
    automation = (100_000 + beating) * 10 + ordinal
    beat_time = clock.start_of(day) * 1000 + 10_800_000 + rng.integers(0, 90_000, len(beating))

    tenant = np.concatenate([columns.tenant[account], columns.tenant[beating]])
    started = np.concatenate([columns.start[account], columns.start[beating]])
    occurred = np.concatenate([occurred, beat_time])
    count = len(tenant)
    ingested = occurred + rng.integers(400, 90_000, count)
    is_session = np.arange(count) < total
    late = is_session & (rng.random(count) < LATE_SHARE)
    occurred = np.where(
        late,
        np.maximum(occurred - rng.integers(1, 6, count) * 86_400_000, started * 86_400_000 + occurred % 86_400_000),
        occurred,
    )
    order = np.argsort(ingested, kind="stable")
    ids = np.empty(count, np.int64)
    ids[order] = day * EVENTS_PER_DAY + np.arange(count)
    again = np.nonzero(is_session & (rng.random(count) < REPEATED_SHARE))[0]
    last = clock.end_of(day) * 1000
    ingested = np.minimum(ingested, last)
    pick = np.concatenate([order, again])
    return Usage(
        day=day,
        event_id=ids[pick],
        tenant=tenant[pick],
        user=np.concatenate([user, np.zeros(len(beating), np.int64)])[pick],
        event=np.concatenate([event, np.full(len(beating), -1)])[pick],
        occurred=occurred[pick],
        ingested=np.concatenate(
            [ingested[order], np.minimum(ingested[again] + rng.integers(600_000, 20_000_000, len(again)), last + 999)]
        ),
        duration_ms=np.concatenate([duration, np.zeros(len(beating), np.int64)])[pick],
        automation=np.concatenate([np.zeros(total, np.int64), automation])[pick],
    )
