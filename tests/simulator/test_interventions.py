"""The world that answers: what deeds do, that each works once, and the truth that only evaluation reads."""

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from simulator import colleagues, estate, latents, store, truth
from simulator.__main__ import main
from simulator.advance import advance, real_today
from simulator.config import Settings, get_settings
from simulator.day import live_through
from simulator.interventions import CARRIES, FAMILIES, REGIMES, Setting, setting, shift
from simulator.latents import P, R, V
from simulator.ledger import Ledger
from simulator.past import Past
from simulator.world import NEVER, World
from tests.simulator.test_time import quiet
from tests.simulator.test_world import FIRST_DAY, lived

ONE = Setting(np.ones(1), np.ones(1), np.ones(1, np.bool_))


@pytest.fixture(scope="module")
def world() -> World:
    """150 accounts after a year."""
    return lived(365, accounts=150)[0]


def states(world: World) -> list[dict[str, Any]]:
    """Every account that is there and has not decided to leave."""
    free = world.columns.active & (world.columns.notice == NEVER)
    return [truth.state_of(world, int(index), world.day, setting(world, world.day)) for index in np.nonzero(free)[0]]


def effects(world: World, regime: str) -> dict[str, np.ndarray]:
    """Gain in the probability of staying, per arm and account."""
    stays = truth.stays(states(world), regime, truth.luck(world.seed))
    return {arm: stays[:, number] - stays[:, 0] for number, arm in enumerate(truth.ARMS)}


def test_each_deed_helps_on_the_whole_and_differs_by_account(world: World) -> None:
    found = effects(world, "hidden")

    for family in FAMILIES:
        assert found[family].mean() > 0.002, family
        assert found[family].std() > 0.005, family


def test_talk_of_price_harms_who_was_at_ease_with_it_and_a_check_in_wakes_sleeping_dogs(world: World) -> None:
    at_ease, asleep = np.zeros((1, 5)), np.zeros((1, 5))
    asleep[0, [R, V]] = 0.8, -0.8

    assert shift("pricing", at_ease, ONE, "hidden")[0, P] > 0
    assert shift("executive_check_in", asleep, ONE, "hidden")[0, R] < 0
    assert 0.2 < (effects(world, "hidden")["pricing"] < 0).mean() < 0.7


def test_nothing_works_in_the_null_world_and_price_talk_harms_in_the_harmful_one(world: World) -> None:
    assert all((gain == 0).all() for gain in effects(world, "null").values())

    harmed = effects(world, "harm")
    assert harmed["pricing"].mean() < 0 < harmed["training"].mean()


def test_luck_beside_the_accounts_is_the_weeks_that_accounts_live_through() -> None:
    start = np.full((truth.PATHS, 5), 0.7)
    rng = np.random.default_rng([3, 180])
    for _ in range(truth.WEEKS):
        latents.step(rng, start, np.ones(truth.PATHS, np.bool_), np.zeros(truth.PATHS, np.bool_))

    faded = latents.health(np.full((1, 5), 0.7)) * latents.RHO**truth.WEEKS

    assert np.allclose(truth.luck(3)[-1] + faded, latents.health(start))


def test_who_worries_acts_and_the_naive_reading_has_the_wrong_sign(world: World) -> None:
    known = states(world)
    stays = truth.stays(known, "hidden", truth.luck(world.seed))
    risk = 1 - stays[:, 0]
    latent = [tuple(np.add(state["mean"], state["deviation"]).tolist()) for state in known]

    def correlation(regime: str) -> float:
        chance = [colleagues.chance_to_begin(colleagues.worry(one, regime)) for one in latent]
        return 0.0 if len(set(chance)) == 1 else float(np.corrcoef(chance, risk)[0, 1])

    assert min(correlation("hidden"), correlation("visible")) > 0.4
    assert correlation("randomised") == 0
    begun = np.array([colleagues.chance_to_begin(colleagues.worry(one, "hidden")) for one in latent])
    helped = stays[:, 1:].mean(axis=1)
    naive = (begun * helped).sum() / begun.sum() - ((1 - begun) * stays[:, 0]).sum() / (1 - begun).sum()
    assert naive < 0 < (helped - stays[:, 0]).mean()


def test_a_pulse_knows_what_no_source_shows() -> None:
    dice = random.Random(1)
    cold, warm = (0.0, 0.0, -2.0, 0.0, 2.0), (0.0, 0.0, 2.0, 0.0, -2.0)

    assert colleagues.worry(cold, "visible") == colleagues.worry(warm, "visible")
    assert colleagues.pulse(cold, dice) == 1
    assert colleagues.pulse(warm, dice) == 5


def test_every_treatment_has_a_family_and_every_choice_is_a_treatment() -> None:
    assert {family for family, _ in CARRIES.values()} == set(FAMILIES)
    assert set(colleagues.CHOICES) <= set(CARRIES)
    assert set(REGIMES) == {"visible", "hidden", "randomised", "null", "harm", "broken_logging"}


def test_a_deed_works_once_and_moves_only_its_account(make_settings: Callable[[], Settings]) -> None:
    def lived_on(*, is_helped: bool) -> tuple[World, World]:
        settings = make_settings()
        estate.seed(settings, accounts=12, days=40, number=7, today=real_today(), report=quiet)
        with estate.store_connection(settings) as db:
            before = store.load_world(db)
            if is_helped:
                assert store.keep_deed(db, "a", 3, "training", 1.0)
                assert not store.keep_deed(db, "a", 3, "training", 1.0)
        advance(settings, days=1, real_today=real_today(), report=quiet)
        with estate.store_connection(settings) as db:
            assert store.take_deeds(db, 0) == []
            return before, store.load_world(db)

    before, helped = lived_on(is_helped=True)
    moved = helped.columns.deviation - lived_on(is_helped=False)[1].columns.deviation

    wanted = shift("training", before.latents(), setting(before, before.day + 1), "hidden")[2, V]
    assert wanted > 0.05
    assert latents.RHO * wanted - 1e-9 < moved[2, V] < wanted + 1e-9
    assert np.abs(np.delete(moved, 2, axis=0)).max() == 0


def test_the_truth_is_written_once_for_its_owner_and_lies_where_no_other_role_reads(
    small_estate: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with estate.store_connection(small_estate) as db:
        world = store.load_world(db)
        state = truth.state_of(world, 0, world.day, setting(world, world.day))
        store.keep_moment(db, store.Moment("m", world.day, 1, "training", 0.4, state))
        store.keep_moment(db, store.Moment("m", world.day, 1, "none", 0.9, state))
    for name, value in small_estate.model_dump().items():
        monkeypatch.setenv(name.upper(), str(value))
    get_settings.cache_clear()
    file = tmp_path / "truth.jsonl"

    assert main(["truth", str(file)]) == 0
    assert main(["truth", str(file)]) == 1
    get_settings.cache_clear()

    (line,) = [json.loads(text) for text in file.read_text().splitlines()]
    assert (line["arm"], line["probability"], set(line["stays"])) == ("training", 0.4, set(truth.ARMS))
    assert file.stat().st_mode & 0o077 == 0
    with psycopg.connect(small_estate.simulator_dsn) as db:
        readers = db.execute(
            "select rolname from pg_roles where not rolsuper and rolname <> current_user and rolname !~ '^pg_' "
            "and has_table_privilege(oid, 'moments', 'select')"
        ).fetchall()
    assert readers == []


# --- the past


def worked(regime: str | None, *, accounts: int = 60, days: int = 500) -> tuple[World, Past | None]:
    """A world that has lived, with CSMs who worked in it or without."""
    world, ledger = World(seed=5, first_day=FIRST_DAY, day=FIRST_DAY - 1), Ledger(events_since=0)
    estate.begin(world, ledger, accounts, days)
    past = Past(regime) if regime else None
    for day in range(FIRST_DAY, FIRST_DAY + days):
        if past:
            past.morning(world, day)
        live_through(world, ledger, day)
        if past:
            past.evening(world, day)
        ledger.usage = []
    return world, past


def test_csms_of_the_past_work_on_whom_they_worry_about_and_it_changes_the_world() -> None:
    alone, _ = worked(None)
    world, past = worked("hidden")
    _, again = worked("hidden")
    idle, busy_for_nothing = worked("null")
    assert past
    assert busy_for_nothing

    assert past == again, "the same dice, the same past"
    assert not np.array_equal(world.columns.deviation, alone.columns.deviation)
    assert np.array_equal(idle.columns.deviation, alone.columns.deviation), "what does nothing changes nothing"
    assert len(busy_for_nothing.works) > 30
    worried = [
        colleagues.worry(tuple(np.add(one.state["mean"], one.state["deviation"])), "hidden") for one in past.moments
    ]
    acted = np.array([one.arm != "none" for one in past.moments])
    assert np.array(worried)[acted].mean() > np.array(worried)[~acted].mean() + 0.5
    for one in {work.number for work in past.works}:
        mine = sorted((work.day, work.ends) for work in past.works if work.number == one)
        assert all(ended < begun for (_, ended), (begun, _) in itertools.pairwise(mine)), "one thing at a time"


def test_the_past_is_written_as_another_tracker_would_and_open_work_as_open(
    make_settings: Callable[[], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, file = make_settings(), tmp_path / "past.jsonl"
    estate.seed(settings, accounts=30, days=240, number=5, today=real_today(), report=quiet, regime="hidden")
    monkeypatch.setattr("simulator.__main__.get_settings", lambda: settings)

    assert main(["past", str(file)]) == 0

    rows = [json.loads(line) for line in file.read_text().splitlines()]
    with estate.store_connection(settings) as db:
        world, kept = store.load_world(db), store.moments(db)
    tenants = {str(account.tenant_id) for account in world.accounts}
    assert rows
    assert {row["account"] for row in rows} <= tenants
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["closed"] is None or row["began_at"] < row["closed"]["at"]
    assert sum(one.arm != "none" for one in kept) == len(rows)
