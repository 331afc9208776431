"""What people do with actions, against a real PostgreSQL."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.actions import bulk, service
from app.actions.context import canonical_hash
from app.actions.drafts import NOTE_LIMIT
from app.actions.lifecycle import Category, Status, legal_moves
from app.actions.model import Action, ActionFilter
from app.actions.tables import action_transitions
from app.auth import Identity, Role
from app.errors import IllegalTransition, InvalidInput, MartUnavailable, NotFound, NotPermitted, StaleVersion
from tests.app.factories import NOW, Estate, a_draft, a_key, key_of


def note(estate: Estate, actor: Identity, action: Action, body: str, **more: Any):
    with estate.work() as db:
        return service.add_note(
            db, actor=actor, now=NOW, action_id=action.action_id, body=body, idempotency_key=a_key(), **more
        )


def run(estate: Estate, statement: str) -> None:
    """A statement as administrator, whom no grant stops."""
    estate.admin.execute(statement.encode())


def test_a_manual_action_belongs_to_its_csm_and_has_a_human_decision(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=date(2026, 11, 24))

    assert (action.owner_user_id, action.source, action.status, action.version) == (maya.user_id, "manual", "new", 1)
    decision = estate.admin.execute(
        "select policy_id, arm, propensity_chosen, eligible, chosen_intervention, csm_email from app.decisions"
    ).fetchone()
    assert decision == ("human", "human", None, None, "diagnostic_call", "maya.lind@force24.example")


def test_the_frozen_context_can_be_hashed_again_and_names_nobody(estate: Estate, maya: Identity) -> None:
    key = estate.account("Zebra", champion_name="Jo Secret", csm_name="Maya Lind", mrr_at_risk_eur=0.1)
    estate.health(key, [71.0, 70.33333333333333, 1e-07])
    estate.put(
        "fct_churn_risk_daily",
        account_key=key,
        risk_date="2026-11-19",
        churn_probability_90d=0.3,
        model_version="rules-1",
    )

    estate.action(actor=maya, account_key=key)

    features = estate.one("select features from app.context_snapshots")
    assert canonical_hash(features) == estate.one("select sha256 from app.context_snapshots")
    assert canonical_hash(features) == estate.one("select snapshot_hash from app.decisions")
    assert features["health"]["score"] == 1e-07
    assert features["risk"]["churn_probability_90d"] == 0.3
    assert "Secret" not in str(features)
    assert "Maya" not in str(features)


def test_creating_needs_a_published_build_and_a_known_account(estate: Estate) -> None:
    maya = estate.user()
    with pytest.raises(NotFound):
        estate.action(actor=maya)
    estate.account()
    with pytest.raises(NotFound):
        estate.action(actor=maya)


def test_a_draft_is_checked_field_by_field(estate: Estate, maya: Identity) -> None:
    wrong = {
        "title": ["", "  ", "x" * 201, "a\x00b", "\ud800"],
        "action_type": ["riskk", ""],
        "intervention": ["hug"],
        "priority": ["urgent"],
        "due_date": [date(2026, 11, 19), date(2031, 1, 1)],
        "reason": ["x" * 201],
    }
    for field, values in wrong.items():
        for value in values:
            with pytest.raises(InvalidInput) as refused:
                estate.action(actor=maya, **{field: value})
            assert refused.value.field == field
    assert estate.one("select count(*) from app.actions") == 0
    assert estate.one("select count(*) from app.decisions") == 0
    assert estate.one("select count(*) from app.idempotency_keys") == 0


def test_an_edit_tells_one_event_per_field_and_nothing_when_nothing_changes(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)

    edited = estate.edit(maya, action, title="Call the buyer", priority="high", due_date="2026-11-25")
    same = estate.edit(maya, edited, title="Call the buyer", due_date=date(2026, 11, 25))

    assert (edited.version, same.version) == (2, 2)
    events = [(event.field, event.before, event.after) for event in estate.detail(action.action_id).events[1:]]
    assert events == [
        ("title", "Call the champion", "Call the buyer"),
        ("priority", "medium", "high"),
        ("due_date", None, "2026-11-25"),
    ]


def test_fields_that_tell_the_story_cannot_be_edited(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    for field in ("status", "version", "created_by", "decision_id", "source", "account_key", "nonsense"):
        with pytest.raises(InvalidInput) as refused:
            estate.edit(maya, action, **{field: "x"})
        assert refused.value.field == field


def test_the_second_of_two_editors_is_told_what_changed(estate: Estate, maya: Identity, admin: Identity) -> None:
    action = estate.action(actor=maya)
    estate.edit(admin, action, title="Call the sponsor")
    note(estate, maya, action, "not a change of the action")

    with pytest.raises(StaleVersion) as refused:
        estate.edit(maya, action, title="Write to the sponsor")

    assert refused.value.current.title == "Call the sponsor"
    assert refused.value.expected_version == 1
    assert [(one.actor_name, one.field, one.after) for one in refused.value.changes] == [
        ("Harriet Cole", "title", "Call the sponsor")
    ]
    assert "Harriet Cole" in refused.value.message


def test_an_illegal_move_is_refused_with_the_legal_ones(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)

    with pytest.raises(IllegalTransition) as refused:
        estate.move(maya, action, "blocked")

    assert set(refused.value.legal) == set(estate.detail(action.action_id).legal_moves)
    assert estate.detail(action.action_id).action.version == 1


def test_closing_records_the_outcome_and_reopening_keeps_it(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)

    closed = estate.close(maya, action, result="unsuccessful")
    reopened = estate.move(maya, closed, "in_progress", reason="They called back")
    again = estate.close(maya, reopened, result="successful", stakeholder_role_reached="champion", channel="call")

    assert (closed.status, closed.result, closed.closed_at) == ("closed", "unsuccessful", NOW)
    assert (reopened.status, reopened.result, reopened.closed_at) == ("in_progress", None, None)
    story = estate.detail(again.action_id)
    assert {outcome.result for outcome in story.outcomes} == {"unsuccessful", "successful"}
    assert [event.kind for event in story.events if event.field == "status"] == ["closed", "status_changed", "closed"]
    assert [event.reason for event in story.events if event.field == "status"] == [None, "They called back", None]


def test_closing_refuses_what_is_missing_and_writes_nothing(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    for field, value in {
        "result": "",
        "done_intervention": "",
        "closing_note": " ",
        "execution": "perhaps",
        "customer_response": "?",
        "minutes": -1,
        "done_date": date(2026, 11, 21),
        "channel": "pigeon",
        "stakeholder_role_reached": "cousin",
    }.items():
        with pytest.raises(InvalidInput) as refused:
            estate.close(maya, action, **{field: value})
        assert refused.value.field == field
    assert estate.detail(action.action_id).action.status == "new"
    assert estate.one("select count(*) from app.action_outcomes") == 0


def test_closing_through_the_side_door_is_refused(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)

    with pytest.raises(InvalidInput) as refused:
        estate.move(maya, action, "closed")

    assert refused.value.field == "outcome"


def test_a_snoozed_action_wakes_on_its_day_where_it_was(estate: Estate, maya: Identity) -> None:
    action = estate.move(maya, estate.action(actor=maya), "in_progress")
    snoozed = estate.move(maya, action, "snoozed", reason="on holiday", snoozed_until=date(2026, 11, 25))

    with estate.work() as db:
        assert service.wake_snoozed(db, now=NOW + timedelta(days=4)) == 0
        assert service.wake_snoozed(db, now=NOW + timedelta(days=5)) == 1
        assert service.wake_snoozed(db, now=NOW + timedelta(days=5)) == 0

    woken = estate.detail(snoozed.action_id)
    assert (woken.action.status, woken.action.snoozed_until, woken.action.snooze_reason) == ("in_progress", None, None)
    assert woken.action.returned_from_snooze_at == NOW + timedelta(days=5)
    assert [event.actor_kind for event in woken.events if event.field == "status"] == ["user", "user", "job"]


def test_what_somebody_woke_by_hand_did_not_come_back_by_itself(estate: Estate, maya: Identity) -> None:
    snoozed = estate.move(
        maya, estate.action(actor=maya), "snoozed", reason="on holiday", snoozed_until=date(2026, 11, 25)
    )

    estate.move(maya, snoozed, "new")

    assert estate.detail(snoozed.action_id).action.returned_from_snooze_at is None


def test_an_ended_action_is_not_edited_but_may_be_noted(estate: Estate, maya: Identity) -> None:
    action = estate.move(maya, estate.action(actor=maya), "cancelled", reason="duplicate")

    with pytest.raises(InvalidInput, match="has ended"):
        estate.edit(maya, action, title="No")
    note(estate, maya, action, "They wrote again.")

    assert len(estate.detail(action.action_id).notes) == 1


KEPT = [
    "x",
    "y" * NOTE_LIMIT,
    "👩‍👩‍👧‍👦" * 100,
    "\u202eright to left\u202c",
    "e" + "\u0301" * 1000,
    "<script>alert(1)</script> ![x](/dagster/graphql?query=mutation)",
    "  spaces kept \n\n\ttabs kept  ",
    "'; drop table app.action_notes; --",
    "%s %(name)s :name {0}",
]


def test_a_note_is_kept_exactly_as_typed(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)

    for body in KEPT:
        note(estate, maya, action, body)

    assert {kept.body for kept in estate.detail(action.action_id).notes} == set(KEPT)


def test_a_note_that_cannot_be_kept_is_refused_with_its_text(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)

    for body in ("", " \n\t", "a\x00b", "x" * (NOTE_LIMIT + 1), "half \ud83d"):
        with pytest.raises(InvalidInput) as refused:
            note(estate, maya, action, body)
        assert (refused.value.field, refused.value.value) == ("note", body)
        assert refused.value.message.endswith(".")
    assert estate.detail(action.action_id).notes == ()


def test_a_correction_points_at_a_note_of_the_same_action(estate: Estate, maya: Identity) -> None:
    action, other = estate.action(actor=maya), estate.action(actor=maya)
    first = note(estate, maya, action, "Called on Munday.")

    second = note(estate, maya, action, "Called on Monday.", corrects_note_id=first.note_id)

    assert second.corrects_note_id == first.note_id
    with pytest.raises(NotFound):
        note(estate, maya, other, "elsewhere", corrects_note_id=first.note_id)
    assert estate.detail(action.action_id).action.version == 1


def test_what_has_happened_cannot_be_changed_by_anybody(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    note(estate, maya, action, "kept")
    estate.close(maya, action)

    for table in ("action_events", "action_notes", "action_outcomes", "decisions", "context_snapshots"):
        column = estate.one(
            "select column_name from information_schema.columns where table_schema = 'app' and table_name = %s"
            " and ordinal_position = 2",
            table,
        )
        for statement in (
            f"update app.{table} set {column} = {column}",
            f"delete from app.{table}",
            f"truncate app.{table} cascade",
        ):
            with pytest.raises(Exception, match="append-only"):
                run(estate, statement)


def test_the_database_itself_refuses_a_closed_action_without_a_result(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya)
    for change in (
        "status = 'closed'",
        "status = 'cancelled', closed_at = now()",
        "status = 'snoozed'",
        "result = 'successful'",
        "archived_at = now()",
    ):
        with pytest.raises(Exception, match="violates check constraint"):
            run(estate, f"update app.actions set version = version + 1, {change}")


def test_the_database_itself_refuses_what_the_lifecycle_does_not_know(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya)
    for change, words in (
        ("status = 'blocked'", "is new cannot become blocked"),
        ("status = 'done'", "is new cannot become done"),
        ("source = 'suggestion'", "came from"),
        ("account_key = 'another'", "came from"),
    ):
        with pytest.raises(Exception, match=words):
            run(estate, f"update app.actions set version = version + 1, {change}")
    for version in ("version", "version + 2"):
        with pytest.raises(Exception, match="grows by one"):
            run(estate, f"update app.actions set title = 'Other', version = {version}")
    with pytest.raises(Exception, match="delete refused"):
        run(estate, "delete from app.actions")
    with pytest.raises(Exception, match="append-only"):
        run(estate, "truncate app.actions cascade")


def test_the_moves_the_database_knows_are_those_of_the_lifecycle(estate: Estate) -> None:
    with estate.work() as db:
        stored = {(row.from_status, row.to_status) for row in db.execute(select(action_transitions))}

    declared = {(before.value, after.value) for before in Status for after in legal_moves(before)}
    assert stored == declared


# --- who may do what -------------------------------------------------------------------------------------------------


def test_the_permission_matrix_of_actions(estate: Estate, maya: Identity, tom: Identity, admin: Identity) -> None:
    analyst = estate.user("Alex Stone", Role.ANALYST)
    attempts = {
        "create on any account": lambda who, _: estate.action(actor=who),
        "note on any action": lambda who, action: note(estate, who, action, "hello"),
        "edit": lambda who, action: estate.edit(who, action, title=f"Edited {uuid4()}"),
        "move": lambda who, action: estate.move(who, action, "in_progress"),
        "close": estate.close,
        "reassign": lambda who, action: reassign(estate, who, [action.action_id], tom.user_id),
        "edit the owner": lambda who, action: estate.edit(who, action, owner_user_id=tom.user_id),
        "create for somebody else": lambda who, _: estate.action(
            actor=who, owner_user_id=estate.user("Priya Nair").user_id
        ),
    }
    everybody = {"owner": maya, "other csm": tom, "admin": admin, "analyst": analyst}
    allowed = {
        "create on any account": {"owner", "other csm", "admin"},
        "note on any action": {"owner", "other csm", "admin"},
        "edit": {"owner", "admin"},
        "move": {"owner", "admin"},
        "close": {"owner", "admin"},
        "reassign": {"admin"},
        "edit the owner": {"admin"},
        "create for somebody else": {"admin"},
    }
    for what, attempt in attempts.items():
        for who, identity in everybody.items():
            action = estate.action(actor=maya)
            before = estate.one("select count(*) from app.action_events")
            if who in allowed[what]:
                attempt(identity, action)
                continue
            with pytest.raises(NotPermitted):
                attempt(identity, action)
            assert estate.one("select count(*) from app.action_events") == before, (what, who)


def reassign(estate: Estate, actor: Identity, action_ids: list[UUID], owner: UUID | None, key: str | None = None):
    with estate.work() as db:
        return service.reassign(
            db,
            actor=actor,
            now=NOW,
            action_ids=action_ids,
            owner_user_id=owner,
            idempotency_key=key or a_key(),
        )


def test_reassigning_moves_what_it_can_and_says_why_not(
    estate: Estate, maya: Identity, tom: Identity, admin: Identity
) -> None:
    open_one, theirs = estate.action(actor=maya), estate.action(actor=tom)
    ended = estate.close(maya, estate.action(actor=maya))
    unknown = uuid4()

    result = reassign(estate, admin, [open_one.action_id, theirs.action_id, ended.action_id, unknown], tom.user_id)

    assert [(action.action_id, action.owner_user_id, action.version) for action in result.changed] == [
        (open_one.action_id, tom.user_id, 2)
    ]
    assert {refused.action_id: refused.message for refused in result.refused} == {
        theirs.action_id: "This action is theirs already.",
        ended.action_id: "This action has ended.",
        unknown: "This action does not exist.",
    }
    assert estate.detail(open_one.action_id).events[-1].before == str(maya.user_id)


def test_work_is_not_given_to_who_cannot_do_it(estate: Estate, maya: Identity, admin: Identity) -> None:
    action = estate.action(actor=maya)
    estate.admin.execute("update app.users set is_active = false where user_id = %s", [maya.user_id])

    for nobody in (maya.user_id, uuid4()):
        with pytest.raises(InvalidInput):
            reassign(estate, admin, [action.action_id], nobody)

    assert reassign(estate, admin, [action.action_id], None).changed[0].owner_user_id is None


# --- lists -----------------------------------------------------------------------------------------------------------


def test_a_list_narrows_by_every_filter_and_is_in_order_of_due_date(
    estate: Estate, maya: Identity, tom: Identity, admin: Identity
) -> None:
    zebra = estate.account("Zebra")
    late = estate.action(actor=maya, title="Late", due_date=date(2026, 11, 20))
    soon = estate.action(actor=maya, title="Soon", due_date=date(2026, 11, 24), priority="low")
    urgent = estate.action(actor=maya, title="Urgent", due_date=date(2026, 11, 24), priority="critical")
    never = estate.action(actor=tom, title="No date_at 100%", account_key=zebra)
    closed = estate.close(maya, estate.action(actor=maya, title="Closed"))
    free = estate.action(actor=admin, title="Free", now=NOW + timedelta(minutes=1))

    def titles(**wanted: Any) -> list[str]:
        with estate.work() as db:
            return [row.title for row in service.list_actions(db, filter=ActionFilter(**wanted))]

    assert titles() == ["Late", "Urgent", "Soon", "No date_at 100%", "Free", "Closed"]
    assert titles(owner_user_id=tom.user_id) == ["No date_at 100%"]
    assert titles(is_unassigned=True) == ["Free"]
    assert titles(account_key=zebra) == ["No date_at 100%"]
    assert titles(statuses=(Status.CLOSED,)) == ["Closed"]
    assert titles(categories=(Category.CLOSED,)) == ["Closed"]
    assert titles(priorities=(urgent.priority,)) == ["Urgent"]
    assert titles(due_before=date(2026, 11, 24)) == ["Late"]
    assert titles(due_from=date(2026, 11, 24)) == ["Urgent", "Soon"]
    assert titles(closed_from=NOW) == ["Closed"]
    assert titles(text="date_at 100%") == ["No date_at 100%"]
    assert titles(text="_____") == []
    assert titles(text="ZEBRA") == ["No date_at 100%"]
    assert titles(action_ids=(late.action_id, soon.action_id)) == ["Late", "Soon"]
    assert titles(action_ids=(never.action_id,), statuses=(Status.CLOSED,)) == []
    assert {free.action_id, closed.action_id} & {late.action_id} == set()


def test_a_row_knows_its_owner_and_its_notes(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    note(estate, maya, action, "one")
    note(estate, maya, action, "two")

    row = estate.detail(action.action_id).action

    assert (row.owner_name, row.owner_email, row.note_count) == ("Maya Lind", maya.email, 2)
    assert row.newest_note_at == NOW
    assert {one.body for one in estate.detail(action.action_id).notes} == {"one", "two"}
    with estate.work() as db:
        assert len(service.account_notes(db, account_key=key_of("Ashford Media"))) == 2


def test_workload_counts_the_week(estate: Estate, maya: Identity, tom: Identity) -> None:
    overdue = estate.action(actor=maya, now=NOW - timedelta(days=5), due_date=date(2026, 11, 17))
    estate.move(maya, estate.action(actor=maya, due_date=date(2026, 11, 20)), "in_progress")
    estate.action(actor=maya, due_date=date(2026, 11, 22))
    estate.action(actor=maya, due_date=date(2026, 11, 23))
    snoozed = estate.action(actor=maya, due_date=date(2026, 11, 20))
    estate.move(maya, snoozed, "snoozed", reason="later", snoozed_until=date(2026, 12, 1))
    estate.close(maya, estate.action(actor=maya), minutes=45)

    with estate.work() as db:
        loads = {load.display_name: load for load in service.workload(db, now=NOW)}

    mine = loads["Maya Lind"]
    assert (mine.open_count, mine.overdue_count, mine.due_this_week_count) == (5, 1, 2)
    assert (mine.started_count, mine.snoozed_count, mine.closed_this_week_count) == (1, 1, 1)
    assert mine.minutes_this_week == 45
    assert loads["Tom Okafor"].open_count == 0
    assert overdue.due_date == date(2026, 11, 17)


def test_what_does_not_exist_is_not_found(estate: Estate, maya: Identity) -> None:
    with estate.work() as db, pytest.raises(NotFound):
        service.get_action(db, uuid4())
    with pytest.raises(NotFound):
        estate.action(actor=maya, account_key="nothing")


def test_creating_before_the_first_build_says_so(estate: Estate) -> None:
    maya = estate.user()
    estate.transformer.execute("drop table marts.dim_accounts")

    with pytest.raises(MartUnavailable):
        estate.action(actor=maya)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(max_size=220), body=st.text(max_size=50))
def test_any_text_is_kept_exactly_or_refused_never_an_error(estate: Estate, title: str, body: str) -> None:
    if not estate.people:
        estate.account()
        estate.publish()
    maya = estate.user()
    with suppress(InvalidInput):
        assert estate.action(actor=maya, title=title).title == title.strip()
    action = estate.action(actor=maya)
    with suppress(InvalidInput):
        assert note(estate, maya, action, body).body == body


def test_an_empty_draft_defaults_to_medium_and_no_date() -> None:
    assert (a_draft().priority, a_draft().due_date) == ("medium", None)


@pytest.mark.parametrize("reason", ["auto_resolved", "rule_withdrawn"])
def test_nobody_can_say_that_an_action_cleared_by_itself(estate: Estate, maya: Identity, reason: str) -> None:
    action = estate.action(actor=maya)

    with pytest.raises(InvalidInput, match="Only the product itself"):
        estate.move(maya, action, "cancelled", reason=reason)
    with estate.work() as db, pytest.raises(InvalidInput, match="Only the product itself"):
        bulk.preview(db, actor=maya, now=NOW, change=bulk.Cancel(reason=reason), action_ids=[action.action_id])
