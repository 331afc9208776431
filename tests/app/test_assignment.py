"""Sharing work out: fair, explained, never to who is away, and carried out as it was shown."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import users
from app.actions import assigning, service
from app.actions.assignment import Assignable, Candidate, Plan, Strategy, by_gravity, plan
from app.actions.model import ReassignResult, Workload
from app.actions.vocabulary import Priority
from app.auth import Identity, Role
from app.errors import InvalidInput, NotPermitted
from tests.app.factories import NOW, Estate, a_key, an_outcome

ANN, BO, CY = UUID(int=1), UUID(int=2), UUID(int=3)


def person(user_id: UUID, name: str, **values: Any) -> Candidate:
    defaults: dict[str, Any] = {
        "capacity_minutes": 600,
        "booked_minutes": 0,
        "open_count": 0,
        "overdue_count": 0,
        "mrr_eur": 0.0,
        "account_count": 0,
        "is_away": False,
    }
    return Candidate(user_id=user_id, display_name=name, **(defaults | values))


def item(number: int, **values: Any) -> Assignable:
    defaults: dict[str, Any] = {
        "version": 1,
        "account_key": f"account {number}",
        "account_name": f"Account {number:03}",
        "title": "Call",
        "priority": Priority.MEDIUM,
        "due_date": date(2026, 11, 20),
        "effort_minutes": 60,
        "account_mrr_eur": 100.0,
        "current_owner": None,
    }
    return Assignable(action_id=UUID(int=1000 + number), **(defaults | values))


def names(made: Plan) -> list[str]:
    return [move.owner_name for move in made.moves]


def least_load(items: list[Assignable], people: list[Candidate]) -> Plan:
    return plan(Strategy.LEAST_LOAD, items, people, last_assigned=None)


def test_each_action_goes_to_whoever_has_least_then_and_not_all_to_one() -> None:
    made = least_load([item(n) for n in range(4)], [person(ANN, "Ann", booked_minutes=100), person(BO, "Bo")])

    assert names(made) == ["Bo", "Bo", "Ann", "Bo"]
    assert [(load.display_name, load.booked_minutes, load.open_count) for load in made.after] == [
        ("Ann", 160, 1),
        ("Bo", 180, 3),
    ]
    assert made.moves[0].reason == ("Bo has the least load: 0 of 10 h are booked this week, 1 h with this.")


def test_load_is_a_share_of_the_time_somebody_has() -> None:
    people = [
        person(ANN, "Ann", booked_minutes=300, capacity_minutes=1200),
        person(BO, "Bo", booked_minutes=200, capacity_minutes=400),
    ]

    assert names(least_load([item(1)], people)) == ["Ann"]


def test_least_mrr_counts_the_accounts_that_come_with_the_plan_once() -> None:
    people = [person(ANN, "Ann", mrr_eur=1000.0), person(BO, "Bo", mrr_eur=1150.0)]
    items = [item(1, account_mrr_eur=300.0), item(2, account_key="account 1", account_mrr_eur=300.0), item(3)]

    made = plan(Strategy.LEAST_MRR, items, people, last_assigned=None)

    assert names(made) == ["Ann", "Bo", "Ann"]
    assert [load.mrr_eur for load in made.after] == [1400.0, 1450.0]
    assert made.moves[0].reason.startswith("Ann looks after the least recurring revenue: €1,000 a month;")


def test_an_action_on_their_own_account_adds_no_revenue() -> None:
    made = plan(
        Strategy.LEAST_MRR,
        [item(1, account_owner=ANN)],
        [person(ANN, "Ann", mrr_eur=500.0), person(BO, "Bo", mrr_eur=900.0)],
        last_assigned=None,
    )

    assert [load.mrr_eur for load in made.after] == [500.0, 900.0]


def test_an_action_goes_to_whoever_looks_after_the_account_and_else_to_the_least_load() -> None:
    people = [person(ANN, "Ann", booked_minutes=300), person(BO, "Bo", booked_minutes=590), person(CY, "Cy")]
    items = [
        item(1, account_owner=ANN),
        item(2, account_owner=BO),
        item(3, account_owner=None),
    ]

    made = plan(Strategy.ACCOUNT_OWNER, items, people, last_assigned=None)

    assert names(made) == ["Ann", "Cy", "Cy"]
    ann, bo, nobody = (move.reason for move in made.moves)
    assert ann.startswith("Ann looks after this account: 5 of 10 h are booked this week")
    assert bo.startswith("Bo looks after this account and has no room this week. Cy has the least load: ")
    assert nobody.startswith("No CSM looks after this account. Cy has the least load: ")


def test_who_is_away_gets_nothing_of_their_own_accounts_either() -> None:
    people = [person(ANN, "Ann", is_away=True), person(BO, "Bo")]

    made = plan(Strategy.ACCOUNT_OWNER, [item(1, account_owner=ANN)], people, last_assigned=None)

    assert names(made) == ["Bo"]
    assert made.moves[0].reason.startswith("Ann looks after this account and is away. Bo has the least load: ")


def test_of_two_with_as_little_the_plan_says_what_decided() -> None:
    ann, bo, cy = person(ANN, "Ann"), person(BO, "Bo"), person(CY, "Cy", booked_minutes=300)

    def why(people: list[Candidate], account_owner: UUID | None = None) -> str:
        return least_load([item(1, account_owner=account_owner)], people).moves[0].reason

    assert why([ann, bo, cy], BO).startswith("Bo has the least load, as little as Ann, but looks after this account: ")
    busier = person(ANN, "Ann", open_count=9)
    fewest = "Bo has the least load, as little as Ann, but has the fewest open actions (3): "
    assert why([busier, person(BO, "Bo", open_count=3), cy]).startswith(fewest)
    assert why([ann, bo, cy]).startswith("Ann has the least load, as little as Bo, but comes first by name: ")
    assert why([ann, cy]).startswith("Ann has the least load: ")


def test_the_turn_goes_on_after_whoever_was_last() -> None:
    people = [person(CY, "Cy"), person(ANN, "Ann"), person(BO, "Bo")]
    items = [item(n) for n in range(4)]

    made = plan(Strategy.ROUND_ROBIN, items, people, last_assigned=ANN)

    assert names(made) == ["Bo", "Cy", "Ann", "Bo"]
    assert made.moves[0].reason.startswith("It is the turn of Bo, after Ann:")
    assert names(plan(Strategy.ROUND_ROBIN, items, people, last_assigned=None)) == ["Ann", "Bo", "Cy", "Ann"]


def test_in_turn_somebody_without_room_is_passed_and_named() -> None:
    people = [person(ANN, "Ann"), person(BO, "Bo", booked_minutes=590), person(CY, "Cy")]

    made = plan(Strategy.ROUND_ROBIN, [item(1)], people, last_assigned=ANN)

    assert names(made) == ["Cy"]
    assert made.moves[0].reason.endswith("; Bo has no room.")


def test_when_nobody_has_room_work_still_finds_an_owner_and_the_plan_says_so() -> None:
    made = least_load([item(1)], [person(ANN, "Ann", booked_minutes=700), person(BO, "Bo", booked_minutes=650)])

    assert names(made) == ["Bo"]
    assert made.moves[0].reason.startswith("Nobody has room this week. Bo has the least load")


def test_who_has_no_time_for_actions_is_asked_last() -> None:
    people = [person(ANN, "Ann", capacity_minutes=0), person(BO, "Bo", booked_minutes=599)]

    assert names(least_load([item(1)], people)) == ["Bo"]
    assert names(least_load([item(1)], people[:1])) == ["Ann"]


def test_the_gravest_action_chooses_first() -> None:
    items = [
        item(1, priority=Priority.LOW),
        item(2, due_date=None),
        item(3, due_date=date(2026, 11, 30)),
        item(4, priority=Priority.CRITICAL),
        item(5, due_date=date(2026, 11, 30), account_mrr_eur=999.0),
    ]

    assert [one.action_id.int - 1000 for one in by_gravity(items)] == [4, 5, 3, 2, 1]
    made = least_load(items, [person(ANN, "Ann")])
    assert [move.action_id for move in made.moves] == [one.action_id for one in by_gravity(items)]


def test_an_action_stays_when_its_owner_is_the_one_who_would_get_it() -> None:
    people = [person(ANN, "Ann", booked_minutes=60, open_count=1), person(BO, "Bo", booked_minutes=300)]

    made = least_load([item(1, current_owner=ANN)], people)

    assert made.moves == ()
    assert made.left[0].reason.startswith("It is theirs already. Ann has the least load: 0 of 10 h")
    assert made.after == made.before


def test_work_due_later_is_spread_and_takes_no_room_of_this_week() -> None:
    people = [person(ANN, "Ann", capacity_minutes=60), person(BO, "Bo", capacity_minutes=60)]

    made = least_load([item(n, is_booked=False, due_date=date(2027, 1, 4)) for n in range(4)], people)

    assert sorted(names(made)) == ["Ann", "Ann", "Bo", "Bo"]
    assert {load.booked_minutes for load in made.after} == {0}
    assert made.moves[0].reason.endswith("0 of 1 h are booked this week, and this is due later.")


def test_with_everybody_away_or_nobody_there_all_is_left() -> None:
    away = least_load([item(1)], [person(ANN, "Ann", is_away=True)])

    assert (away.moves, away.left[0].reason) == ((), "Everybody is away.")
    assert least_load([item(1)], []).left[0].reason == "There is nobody who could be given actions."


PEOPLE = st.lists(
    st.builds(
        person,
        st.integers(1, 8).map(lambda number: UUID(int=number)),
        st.sampled_from(["Ann", "Bo", "Cy"]),
        capacity_minutes=st.sampled_from([0, 60, 300, 1200]),
        booked_minutes=st.integers(0, 1300),
        open_count=st.integers(30, 60),
        mrr_eur=st.floats(0, 10_000),
        is_away=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda one: one.user_id,
)
ITEMS = st.lists(
    st.builds(
        item,
        st.integers(0, 500),
        priority=st.sampled_from(list(Priority)),
        due_date=st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 31)),
        effort_minutes=st.integers(0, 240),
        account_mrr_eur=st.none() | st.floats(0, 5_000),
        account_key=st.sampled_from(["a", "b", "c"]),
        current_owner=st.none() | st.integers(1, 9).map(lambda number: UUID(int=number)),
        is_booked=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda one: one.action_id,
)


@given(
    strategy=st.sampled_from(list(Strategy)),
    items=ITEMS,
    people=PEOPLE,
    last=st.none() | st.integers(1, 9).map(lambda number: UUID(int=number)),
    shuffled=st.randoms(use_true_random=False),
)
def test_any_plan_is_complete_repeatable_and_fair(
    strategy: Strategy, items: list[Assignable], people: list[Candidate], last: UUID | None, shuffled: Any
) -> None:
    made = plan(strategy, items, people, last_assigned=last)

    again_items, again_people = list(items), list(people)
    shuffled.shuffle(again_items)
    shuffled.shuffle(again_people)
    assert plan(strategy, again_items, again_people, last_assigned=last) == made
    assert sorted([move.action_id for move in made.moves] + [one.action_id for one in made.left], key=str) == sorted(
        [one.action_id for one in items], key=str
    )
    by_id = {one.user_id: one for one in people}
    owners = {one.action_id: one.current_owner for one in items}
    assert all(move.owner_user_id != owners[move.action_id] for move in made.moves)
    assert not any(by_id[move.owner_user_id].is_away for move in made.moves)
    assert all(move.reason.endswith(".") for move in made.moves)
    taken = sum(1 for move in made.moves if owners[move.action_id] in by_id)
    assert (
        sum(load.open_count for load in made.after) - sum(load.open_count for load in made.before)
        == len(made.moves) - taken
    )


@given(items=ITEMS, people=PEOPLE, strategy=st.sampled_from(list(Strategy)))
def test_nobody_goes_over_their_week_while_somebody_else_has_room(
    items: list[Assignable], people: list[Candidate], strategy: Strategy
) -> None:
    made = plan(strategy, [one for one in items if not one.current_owner], people, last_assigned=None)

    effort = {one.action_id: one.effort_minutes if one.is_booked else 0 for one in items}
    booked = {one.user_id: one.booked_minutes for one in people}
    capacity = {one.user_id: one.capacity_minutes for one in people if not one.is_away}
    for move in made.moves:
        minutes = effort[move.action_id]
        free = {one for one, most in capacity.items() if most and booked[one] + minutes <= most}
        assert move.owner_user_id in free or not free
        assert move.reason.startswith("Nobody has room") is (not free)
        booked[move.owner_user_id] += minutes


# --- with the database -----------------------------------------------------------------------------------------------


def loads(estate: Estate) -> dict[str, Workload]:
    with estate.work() as db:
        return {load.display_name: load for load in service.workload(db, now=NOW)}


def propose(estate: Estate, actor: Identity, ids: list[UUID], strategy: str = "least_load") -> Plan:
    with estate.work() as db:
        return assigning.propose(db, actor=actor, now=NOW, strategy=strategy, action_ids=ids)


def carry_out(
    estate: Estate, actor: Identity, moves: list[tuple[UUID, int, UUID]], key: str | None = None
) -> ReassignResult:
    with estate.work() as db:
        return assigning.carry_out(db, actor=actor, now=NOW, moves=moves, idempotency_key=key or a_key())


def test_booked_minutes_are_the_effort_of_what_is_due_by_the_end_of_the_week(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, now=NOW - timedelta(days=5), due_date=date(2026, 11, 17), intervention="billing_fix")
    estate.action(actor=maya, due_date=date(2026, 11, 22), intervention="business_review")
    estate.action(actor=maya, due_date=date(2026, 11, 23), intervention="training")
    estate.action(actor=maya, intervention="training")
    snoozed = estate.action(actor=maya, due_date=date(2026, 11, 20), intervention="training")
    done = estate.action(actor=maya, due_date=date(2026, 11, 20), intervention="training")
    with estate.work() as db:
        service.transition(
            db,
            actor=maya,
            now=NOW,
            action_id=snoozed.action_id,
            expected_version=1,
            to_status="snoozed",
            reason="later",
            snoozed_until=date(2026, 12, 1),
            idempotency_key=a_key(),
        )
        service.close_action(
            db,
            actor=maya,
            now=NOW,
            action_id=done.action_id,
            expected_version=1,
            outcome=an_outcome(),
            idempotency_key=a_key(),
        )

    mine = loads(estate)["Maya Lind"]

    assert mine.booked_minutes == 20 + 120
    assert (mine.away_until, mine.covered_by) == (None, None)


def test_candidates_are_active_csms_with_the_accounts_they_look_after(
    estate: Estate, maya: Identity, tom: Identity
) -> None:
    estate.account("Second", mrr_eur=50)
    estate.account("Gone", mrr_eur=7000, is_active=False)
    estate.account("Nobody's", csm_email="left@force24.example", mrr_eur=1)
    estate.user("Ana List", Role.ANALYST)
    gone = estate.user("Left Already")
    with estate.work() as db:
        users.deactivate(db, actor=None, now=NOW, user_id=gone.user_id)

        found = assigning.candidates(db, now=NOW)

    assert [(one.display_name, one.account_count, one.mrr_eur) for one in found] == [
        ("Maya Lind", 2, 1200.0),
        ("Tom Okafor", 0, 0.0),
    ]


def test_a_plan_writes_nothing_and_is_carried_out_as_shown(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    estate.action(actor=maya, due_date=date(2026, 11, 20), intervention="training")
    free = [estate.action(actor=admin, due_date=date(2026, 11, 20)) for _ in range(2)]

    made = propose(estate, admin, [action.action_id for action in free])

    assert names(made) == ["Tom Okafor", "Tom Okafor"]
    assert loads(estate)["Tom Okafor"].open_count == 0
    moves = [(move.action_id, move.version, move.owner_user_id) for move in made.moves]
    key = a_key()
    result = carry_out(estate, admin, moves, key)
    assert {action.owner_user_id for action in result.changed} == {tom.user_id}
    assert carry_out(estate, admin, moves, key) == result
    assert loads(estate)["Tom Okafor"].booked_minutes == made.after[1].booked_minutes == 90
    with estate.work() as db:
        event = service.get_action(db, free[0].action_id).events[-1]
    assert (event.field, event.after, event.actor_user_id) == ("owner_user_id", str(tom.user_id), admin.user_id)


def test_round_robin_remembers_whose_turn_it_was(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    first, second = (estate.action(actor=admin) for _ in range(2))
    carry_out(estate, admin, [(first.action_id, 1, maya.user_id)])

    assert names(propose(estate, admin, [second.action_id], "round_robin")) == ["Tom Okafor"]


def test_what_cannot_move_is_refused_by_itself(estate: Estate, admin: Identity, maya: Identity, tom: Identity) -> None:
    good, stale, ended, theirs, left = (estate.action(actor=admin, owner_user_id=maya.user_id) for _ in range(5))
    nobody = estate.user("Left Already")
    unknown = uuid4()
    with estate.work() as db:
        users.deactivate(db, actor=None, now=NOW, user_id=nobody.user_id)
        service.edit_action(
            db,
            actor=maya,
            now=NOW,
            action_id=stale.action_id,
            expected_version=1,
            changes={"title": "Another"},
            idempotency_key=a_key(),
        )
        service.close_action(
            db,
            actor=maya,
            now=NOW,
            action_id=ended.action_id,
            expected_version=1,
            outcome=an_outcome(),
            idempotency_key=a_key(),
        )

    result = carry_out(
        estate,
        admin,
        [
            (good.action_id, 1, tom.user_id),
            (stale.action_id, 1, tom.user_id),
            (ended.action_id, 2, tom.user_id),
            (theirs.action_id, 1, maya.user_id),
            (left.action_id, 1, nobody.user_id),
            (unknown, 1, tom.user_id),
        ],
    )

    assert [action.action_id for action in result.changed] == [good.action_id]
    assert {refused.action_id: refused.message for refused in result.refused} == {
        stale.action_id: "Maya Lind changed this while you were working on it.",
        ended.action_id: "This action has ended.",
        theirs.action_id: "This action is theirs already.",
        left.action_id: "This person does not exist or is deactivated.",
        unknown: "This action does not exist.",
    }


def test_a_plan_leaves_what_has_ended_and_what_is_not_there(estate: Estate, admin: Identity, maya: Identity) -> None:
    done, unknown = estate.action(actor=maya), uuid4()
    with estate.work() as db:
        service.close_action(
            db,
            actor=maya,
            now=NOW,
            action_id=done.action_id,
            expected_version=1,
            outcome=an_outcome(),
            idempotency_key=a_key(),
        )

    made = propose(estate, admin, [done.action_id, unknown])

    assert made.moves == ()
    assert {one.action_id: one.reason for one in made.left} == {
        done.action_id: "This action has ended.",
        unknown: "This action does not exist.",
    }


@pytest.mark.parametrize("role", [Role.CSM, Role.ANALYST])
def test_only_an_admin_shares_work_out(estate: Estate, admin: Identity, role: Role) -> None:
    somebody = estate.user("Somebody Else", role)

    with pytest.raises(NotPermitted):
        propose(estate, somebody, [])
    with pytest.raises(NotPermitted):
        carry_out(estate, somebody, [])


def test_an_unknown_strategy_and_too_many_at_once_are_refused(estate: Estate, admin: Identity) -> None:
    with pytest.raises(InvalidInput):
        propose(estate, admin, [], "by_looks")
    with pytest.raises(InvalidInput):
        propose(estate, admin, [uuid4() for _ in range(501)])
