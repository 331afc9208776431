"""The simulator's CSMs as clients of the public API: what they do is what a person's client could have done."""

from collections import Counter
from collections.abc import Callable

import pytest

from simulator import store
from simulator.advance import real_today
from simulator.config import Settings
from simulator.estate import store_connection
from simulator.live import Desk
from simulator.workplace import Unwelcome, Workplace
from simulator.world import NEVER
from tests.api.asking import a_suggestion
from tests.api.conftest import PASSWORD, World
from tests.simulator.conftest import make_settings  # noqa: F401
from tests.simulator.test_world import lived


def test_a_simulated_csm_answers_begins_and_finishes_each_once(
    world: World,
    make_settings: Callable[[], Settings],  # noqa: F811
) -> None:
    outside = lived(30, accounts=4)[0]
    outside.day = real_today()
    outside.columns.mean[:] = [-8, -8, 6, 8, 8]  # so unwell that nobody would wait, and always reached
    outside.columns.notice[:] = NEVER
    csm = world.estate.user("Simulated Csm")
    suggestion = a_suggestion(world, csm)
    other = world.account(csm_email=csm.owner_email)
    for key, account in zip((suggestion["account_key"], other), outside.accounts[:2], strict=True):
        world.estate.admin.execute(
            "update marts.dim_accounts set tenant_id = %s where account_key = %s", [str(account.tenant_id), key]
        )
    world.estate.publish()
    done: Counter[str] = Counter()

    with store_connection(make_settings()) as db, Workplace(world.url, csm.email, PASSWORD) as place:
        store.prepare(db)
        for days in (0, 0, 30, 0):
            outside.day += days
            Desk(db, outside, place, "hidden", done).work()
        actions = place.read("/actions", mine="true", limit=100)["items"]
        deeds = db.execute("select id, account from deeds").fetchall()
        moments = store.moments(db)
    told = world.estate.admin.execute(
        "select kind from app.suggestion_events where suggestion_id = %s order by event_id",
        [suggestion["suggestion_id"]],
    ).fetchall()

    assert done["accepted"] == 1
    assert [kind for (kind,) in told] == ["generated", "shown", "accepted"]
    assert done["begun"] >= 1
    assert done["closed"] == len([one for one in actions if one["status"] == "closed"]) >= 2
    by_id = {one["action_id"]: one for one in actions}
    reached = {one for one, action in by_id.items() if action["status"] == "closed"} & {key for key, _ in deeds}
    assert reached
    assert len(deeds) == len(reached)
    assert {one.account for one in moments} == {1, 2}
    assert any(one.arm != "none" for one in moments)
    assert all(0 < one.probability < 1 for one in moments)


def test_who_is_not_let_in_is_told_so(world: World) -> None:
    csm = world.estate.user("Locked Csm")

    with pytest.raises(Unwelcome, match="not let in"), Workplace(world.url, csm.email, "not the password"):
        pass
