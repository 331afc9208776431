"""Playbooks: what they must be like, what starting one makes, and what stopping leaves, against a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import audit
from app.actions import service as actions
from app.actions.lifecycle import Status
from app.actions.model import ActionFilter
from app.actions.vocabulary import Intervention, Priority
from app.auth import Identity, Role
from app.calendar import add_business_days, is_business_day
from app.errors import AppError, InvalidInput, NotFound, NotPermitted, StaleVersion
from app.playbooks import plan, service
from app.playbooks.model import OpenSteps, Playbook, PlaybookDraft, Run, RunState, Step, StepDraft, StepOwner
from app.playbooks.plan import Owner
from tests.app.factories import NOW, Estate, a_key, key_of

SHIPPED = ["adoption", "detractor_closed_loop", "handover", "onboarding", "renewal", "risk"]
ASHFORD = key_of("Ashford Media")
TODAY = NOW.date()


def a_step(**values: Any) -> StepDraft:
    return StepDraft(**({"title": "Call them", "intervention": "diagnostic_call", "offset_bd": 2} | values))


def a_playbook(**values: Any) -> PlaybookDraft:
    defaults: dict[str, Any] = {
        "playbook_id": None,
        "name": "Win back",
        "description": "They left; we ask again.",
        "action_type": "risk",
        "steps": (a_step(), a_step(title="Write to them", offset_bd=5, owner="starter")),
    }
    return PlaybookDraft(**(defaults | values))


def publish(estate: Estate, actor: Identity, draft: PlaybookDraft, version: int | None = None) -> Playbook:
    with estate.work() as db:
        return service.publish(db, actor=actor, now=NOW, draft=draft, expected_version=version, idempotency_key=a_key())


def start(estate: Estate, actor: Identity, playbook_id: str = "risk", **more: Any) -> Run:
    given_values: dict[str, Any] = {"account_key": ASHFORD, "idempotency_key": a_key(), "now": NOW} | more
    with estate.work() as db:
        return service.start(db, actor=actor, playbook_id=playbook_id, **given_values)


def stop(estate: Estate, actor: Identity, run: Run, open_steps: str = "cancelled", **more: Any) -> Run:
    given_values: dict[str, Any] = {
        "reason": "They signed with somebody else.",
        "expected_version": run.version,
        "idempotency_key": a_key(),
    } | more
    with estate.work() as db:
        return service.stop(db, actor=actor, now=NOW, run_id=run.run_id, open_steps=open_steps, **given_values)


def look(estate: Estate, run: Run) -> Run:
    with estate.work() as db:
        return service.get_run(db, run.run_id)


def trail(estate: Estate, admin: Identity, subject: audit.Subject, subject_id: object) -> list[audit.AuditEvent]:
    with estate.work() as db:
        return audit.trail(db, actor=admin, subject=subject, subject_id=subject_id)


# what a playbook must be like


def test_the_six_shipped_playbooks_are_sound_and_active(estate: Estate) -> None:
    with estate.work() as db:
        shipped = service.list_playbooks(db)

    assert sorted(playbook.playbook_id for playbook in shipped) == SHIPPED
    for playbook in shipped:
        steps = tuple(
            StepDraft(
                title=step.title,
                intervention=step.intervention,
                priority=step.priority,
                offset_bd=step.offset_bd,
                owner=step.owner,
                guidance=step.guidance,
            )
            for step in playbook.steps
        )
        draft = PlaybookDraft(
            playbook_id=playbook.playbook_id,
            name=playbook.name,
            description=playbook.description,
            action_type=playbook.action_type,
            steps=steps,
        )
        assert plan.check(draft).steps == playbook.steps
        assert len(playbook.steps) >= 5
        assert all(len(step.guidance) > 40 for step in playbook.steps)
        assert playbook.created_by_name is None


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (a_playbook(name=" "), "name"),
        (a_playbook(name="!!!"), "name"),
        (a_playbook(name="x" * 61), "name"),
        (a_playbook(description="x\x00"), "description"),
        (a_playbook(action_type="party"), "action_type"),
        (a_playbook(steps=()), "steps"),
        (a_playbook(steps=(a_step(),) * 31), "steps"),
        (a_playbook(steps=(a_step(), a_step(title=""))), "steps[2].title"),
        (a_playbook(steps=(a_step(intervention="magic"),)), "steps[1].intervention"),
        (a_playbook(steps=(a_step(offset_bd=-1),)), "steps[1].offset_bd"),
        (a_playbook(steps=(a_step(offset_bd=None),)), "steps[1].offset_bd"),
        (a_playbook(steps=(a_step(owner="nobody"),)), "steps[1].owner"),
        (a_playbook(steps=(a_step(guidance="g" * 1001),)), "steps[1].guidance"),
    ],
)
def test_what_cannot_be_published_is_named_by_field_and_row(draft: PlaybookDraft, field: str) -> None:
    assert [error.field for error in plan.faults(draft)] == [field]
    with pytest.raises(InvalidInput):
        plan.check(draft)


def test_every_fault_is_told_at_once() -> None:
    wrong = a_playbook(name="", steps=(a_step(title="", intervention="magic"),))

    assert [error.message for error in plan.faults(wrong)] == [
        "The name is empty.",
        "Row 1: the title is empty.",
        "Row 1: the intervention is not one of the allowed values.",
    ]


def test_a_step_added_at_the_end_takes_the_place_of_its_day() -> None:
    steps = (
        a_step(title="First", offset_bd=1),
        a_step(title="Last", offset_bd=9),
        a_step(title="Between", offset_bd=4),
    )

    checked = plan.check(a_playbook(steps=steps))

    assert [(step.number, step.title) for step in checked.steps] == [(1, "First"), (2, "Between"), (3, "Last")]


@settings(deadline=None)  # the first holidays of a year take their time
@given(st.lists(st.integers(0, 260), min_size=1, max_size=30), st.dates(date(2026, 1, 1), date(2030, 12, 31)))
def test_steps_fall_due_in_their_order_and_on_business_days(offsets: list[int], starts_on: date) -> None:
    steps = plan.check(a_playbook(steps=tuple(a_step(offset_bd=offset) for offset in offsets))).steps
    person = Owner(user_id=uuid4(), name="Maya Lind")

    planned = plan.planned(
        steps,
        starts_on=starts_on,
        owner_of=lambda owner: person,
        add_business_days=lambda user_id, day, count: add_business_days(day, count),
    )

    dues = [step.due_date for step in planned]
    assert dues == sorted(dues)
    assert all(is_business_day(due) and due >= starts_on for due in dues)
    assert [step.number for step in planned] == list(range(1, len(offsets) + 1))


@given(st.text(max_size=200))
def test_the_id_of_any_name_is_one_the_database_takes_or_too_short(name: str) -> None:
    made = plan.id_of(name)

    assert len(made) < 2 or (made[0].isascii() and made[0].islower() and len(made) <= 61)
    assert all(letter.isascii() and (letter.isalnum() or letter == "_") for letter in made)


def test_differences_name_added_removed_and_changed_steps() -> None:
    def step(title: str, **values: Any) -> Step:
        defaults: dict[str, Any] = {
            "number": 1,
            "title": title,
            "intervention": Intervention.TRAINING,
            "priority": Priority.LOW,
            "offset_bd": 1,
            "owner": StepOwner.STARTER,
            "guidance": "",
        }
        return Step(**(defaults | values))

    told = plan.differences([step("A"), step("B")], [step("B", offset_bd=3, priority=Priority.HIGH), step("C")])

    assert told == ["Added: C", "Removed: A", "Changed: B (priority, due)"]


# publishing and retiring


def test_a_new_playbook_gets_an_id_from_its_name_and_can_be_started(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    made = publish(estate, admin, a_playbook())

    assert (made.playbook_id, made.version, made.is_active, made.created_by_name) == (
        "win_back",
        1,
        True,
        "Harriet Cole",
    )
    assert start(estate, maya, "win_back").total == 2


def test_a_new_playbook_cannot_take_the_name_of_another(estate: Estate, admin: Identity) -> None:
    with pytest.raises(InvalidInput, match="already"):
        publish(estate, admin, a_playbook(name="Risk"))


def test_a_running_run_keeps_its_version_when_another_is_published(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    before = start(estate, maya)

    made = publish(estate, admin, a_playbook(playbook_id="risk", name="Risk, shorter"), 1)

    after = look(estate, before)
    assert (made.version, after.playbook_version, after.total) == (2, 1, before.total)
    assert after.playbook_name == "Risk"
    with estate.work() as db:
        assert [version.is_active for version in service.versions(db, "risk")] == [True, False]


def test_publishing_tells_the_audit_trail_each_field_that_changed(estate: Estate, admin: Identity) -> None:
    publish(estate, admin, a_playbook(playbook_id="risk", name="Risk", action_type="risk"), 1)

    events = trail(estate, admin, audit.Subject.PLAYBOOK, "risk")

    assert {event.field for event in events} == {"description", "steps", "version"}
    version = next(event for event in events if event.field == "version")
    assert (version.before, version.after, version.actor_name) == (1, 2, "Harriet Cole")


def test_publishing_on_an_older_version_is_refused_and_says_who_was_first(estate: Estate, admin: Identity) -> None:
    colleague = estate.user("Ines Vogel", Role.ADMIN)
    publish(estate, colleague, a_playbook(playbook_id="risk"), 1)

    with pytest.raises(StaleVersion) as refused:
        publish(estate, admin, a_playbook(playbook_id="risk", name="Mine"), 1)

    assert refused.value.current.version == 2
    assert "Ines Vogel" in refused.value.message


def test_publishing_what_is_active_already_makes_no_version(estate: Estate, admin: Identity) -> None:
    first = publish(estate, admin, a_playbook())

    again = publish(estate, admin, a_playbook(playbook_id="win_back"), 1)

    assert again == first


def test_a_retired_playbook_cannot_be_started_and_its_runs_go_on(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    run = start(estate, maya)
    with estate.work() as db:
        gone = service.retire(db, actor=admin, now=NOW, playbook_id="risk", expected_version=1, idempotency_key=a_key())

    assert not gone.is_active
    assert look(estate, run).state is RunState.RUNNING
    with pytest.raises(NotFound):
        start(estate, maya)
    with estate.work() as db:
        assert "risk" not in [playbook.playbook_id for playbook in service.list_playbooks(db)]
        assert [p.playbook_id for p in service.list_playbooks(db, with_retired=True) if not p.is_active] == ["risk"]
    assert trail(estate, admin, audit.Subject.PLAYBOOK, "risk")[0].kind == "ended"


def test_publishing_brings_a_retired_playbook_back(estate: Estate, maya: Identity, admin: Identity) -> None:
    with estate.work() as db:
        service.retire(db, actor=admin, now=NOW, playbook_id="risk", expected_version=1, idempotency_key=a_key())

    made = publish(estate, admin, a_playbook(playbook_id="risk"), 1)

    assert (made.version, made.is_active) == (2, True)
    assert start(estate, maya).playbook_version == 2


@pytest.mark.parametrize("role", [Role.CSM, Role.ANALYST])
def test_only_an_admin_writes_playbooks(estate: Estate, role: Role) -> None:
    person = estate.user("Ada Boyle", role)

    with pytest.raises(NotPermitted):
        publish(estate, person, a_playbook())
    with pytest.raises(NotPermitted), estate.work() as db:
        service.retire(db, actor=person, now=NOW, playbook_id="risk", expected_version=1, idempotency_key=a_key())


# starting


def test_starting_makes_one_action_a_step_each_with_a_human_decision(estate: Estate, maya: Identity) -> None:
    run = start(estate, maya)

    with estate.work() as db:
        made = actions.list_actions(db, filter=ActionFilter(account_key=ASHFORD))
        playbook = service.get_playbook(db, "risk")
    assert len(made) == len(playbook.steps) == run.total
    assert {(action.source, action.playbook_run_id, action.action_type) for action in made} == {
        ("playbook", run.run_id, "risk")
    }
    assert sorted(action.playbook_step or 0 for action in made) == [step.number for step in playbook.steps]
    assert len({action.decision_id for action in made}) == len(made)
    assert estate.one("select count(*) from app.decisions where policy_id = 'human'") == len(made)
    assert (run.state, run.done, run.starts_on) == (RunState.RUNNING, 0, TODAY)


def test_the_preview_is_what_starting_makes(estate: Estate, maya: Identity, tom: Identity) -> None:
    starts_on = date(2026, 12, 23)
    with estate.work() as db:
        shown = service.preview(db, actor=tom, now=NOW, playbook_id="risk", account_key=ASHFORD, starts_on=starts_on)
        assert not actions.list_actions(db, filter=ActionFilter(account_key=ASHFORD))

    run = start(estate, tom, starts_on=starts_on)

    assert [(step.number, step.title, step.due_date, step.owner_name) for step in shown] == [
        (step.number, step.title, step.due_date, step.owner_name) for step in run.steps
    ]
    # two business days after the Wednesday: Thursday, then over Christmas and Boxing Day (observed) to the Tuesday
    assert shown[2].due_date == date(2026, 12, 29)


def test_steps_of_the_account_owner_go_to_them_and_the_others_to_who_starts_it(
    estate: Estate, maya: Identity, tom: Identity
) -> None:
    run = start(estate, tom)

    with estate.work() as db:
        playbook = service.get_playbook(db, "risk")
    assert {(step.owner, made.owner_user_id) for step, made in zip(playbook.steps, run.steps, strict=True)} == {
        (StepOwner.ACCOUNT_OWNER, maya.user_id),
        (StepOwner.STARTER, tom.user_id),
    }


def test_a_playbook_with_steps_for_who_takes_over_needs_somebody_who_can(
    estate: Estate, maya: Identity, tom: Identity
) -> None:
    for nobody in (None, uuid4(), estate.user("Alex Stone", Role.ANALYST).user_id):
        with pytest.raises(InvalidInput, match="take over"):
            start(estate, maya, "handover", taker_user_id=nobody)

    harriet = estate.user("Harriet Cole", Role.ADMIN)
    run = start(estate, harriet, "handover", taker_user_id=tom.user_id)  # who starts it need not be who leaves

    assert [step.owner_user_id for step in run.steps] == [maya.user_id] * 2 + [tom.user_id] * 4


def test_an_account_that_nobody_here_owns_gives_all_steps_to_who_starts_it(
    estate: Estate, maya: Identity, tom: Identity
) -> None:
    orphan = estate.account("Orphan Ltd", csm_email="gone@force24.example")

    run = start(estate, tom, account_key=orphan)

    assert {step.owner_user_id for step in run.steps} == {tom.user_id}


def test_a_step_is_due_in_the_business_days_of_its_owner(estate: Estate, maya: Identity, tom: Identity) -> None:
    estate.admin.execute("update app.users set holiday_region = 'DE-BY' where user_id = %s", [maya.user_id])

    run = start(estate, tom, starts_on=date(2026, 12, 23))

    # two business days after the Wednesday: Boxing Day is a Saturday, and only in England is it made up for on Monday
    assert (run.steps[2].owner_name, run.steps[2].due_date) == ("Maya Lind", date(2026, 12, 28))


def test_who_is_given_steps_is_told_of_each_and_who_started_it_is_not(
    estate: Estate, maya: Identity, tom: Identity
) -> None:
    run = start(estate, tom)

    given_to_maya = [step for step in run.steps if step.owner_user_id == maya.user_id]
    told = estate.admin.execute("select user_id, kind, title from app.notices").fetchall()
    assert {(row[0], row[1]) for row in told} == {(maya.user_id, "assigned")}
    assert len(told) == len(given_to_maya) == run.total - 1


def test_the_same_start_twice_is_one_run(estate: Estate, maya: Identity) -> None:
    key = a_key()

    first, second = start(estate, maya, idempotency_key=key), start(estate, maya, idempotency_key=key)

    assert first == second
    assert estate.one("select count(*) from app.playbook_runs") == 1


def test_a_playbook_runs_once_at_a_time_on_an_account(estate: Estate, maya: Identity, tom: Identity) -> None:
    start(estate, maya)

    with pytest.raises(InvalidInput, match="already running"):
        start(estate, tom)
    assert start(estate, tom, "renewal").state is RunState.RUNNING
    assert start(estate, tom, account_key=estate.account("Beech Ltd")).state is RunState.RUNNING


def test_of_many_who_start_it_at_once_one_does(estate: Estate, maya: Identity) -> None:
    def attempt(_: int) -> Run | None:
        try:
            return start(estate, maya)
        except InvalidInput:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [run for run in pool.map(attempt, range(8)) if run]

    assert len(made) == 1
    assert estate.one("select count(*) from app.actions") == made[0].total


def test_publishing_while_others_start_gives_every_run_one_whole_version(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    keys = [estate.account(f"Account {number}") for number in range(6)]

    def attempt(account_key: str) -> Run:
        return start(estate, maya, account_key=account_key)

    with ThreadPoolExecutor(7) as pool:
        published = pool.submit(publish, estate, admin, a_playbook(playbook_id="risk"), 1)
        made = list(pool.map(attempt, keys))
        published.result()

    assert {(run.playbook_version, run.total) for run in made} <= {(1, 7), (2, 2)}


def test_an_ended_run_can_be_started_again(estate: Estate, maya: Identity) -> None:
    stop(estate, maya, start(estate, maya))

    assert start(estate, maya).state is RunState.RUNNING


@pytest.mark.parametrize("days", [-1, 366])
def test_a_start_in_the_past_or_over_a_year_away_is_refused(estate: Estate, maya: Identity, days: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        start(estate, maya, starts_on=TODAY + timedelta(days=days))

    assert refused.value.field == "starts_on"


def test_the_longest_playbook_can_start_on_the_latest_day(estate: Estate, maya: Identity, admin: Identity) -> None:
    publish(estate, admin, a_playbook(steps=(a_step(offset_bd=plan.LONGEST_OFFSET_BD),)))

    assert start(estate, maya, "win_back", starts_on=TODAY + plan.LATEST_START).total == 1


def test_an_unknown_account_or_playbook_starts_nothing(estate: Estate, maya: Identity) -> None:
    for more in ({"account_key": key_of("Nobody")}, {"playbook_id": "nothing"}):
        with pytest.raises(NotFound):
            start(estate, maya, **more)

    assert estate.one("select count(*) from app.playbook_runs") == 0


def test_an_analyst_starts_and_previews_nothing(estate: Estate, maya: Identity) -> None:
    alex = estate.user("Alex Stone", Role.ANALYST)

    with pytest.raises(NotPermitted):
        start(estate, alex)
    with pytest.raises(NotPermitted), estate.work() as db:
        service.preview(db, actor=alex, now=NOW, playbook_id="risk", account_key=ASHFORD)


def test_starting_is_told_to_the_audit_trail_with_every_action(estate: Estate, maya: Identity, admin: Identity) -> None:
    run = start(estate, maya)

    (event,) = trail(estate, admin, audit.Subject.PLAYBOOK_RUN, run.run_id)

    assert (event.kind, event.actor_name, event.after["playbook_id"]) == ("created", "Maya Lind", "risk")
    assert event.after["action_ids"] == [str(step.action_id) for step in run.steps]


# running, completing, stopping


def test_a_run_is_complete_once_every_action_has_ended_and_runs_again_when_one_is_reopened(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    publish(estate, admin, a_playbook(steps=(a_step(), a_step(title="Two"))))
    run = start(estate, maya, "win_back")
    first, second = (step.action_id for step in run.steps)

    estate.close(maya, estate.detail(first).action)
    halfway = look(estate, run)
    estate.move(maya, estate.detail(second).action, "cancelled", reason="duplicate")
    complete = look(estate, run)
    estate.move(maya, estate.detail(second).action, "in_progress", reason="After all")

    assert (halfway.state, halfway.done, halfway.total) == (RunState.RUNNING, 1, 2)
    assert (complete.state, complete.done, complete.cancelled) == (RunState.COMPLETED, 2, 1)
    assert look(estate, run).state is RunState.RUNNING


def test_running_runs_come_first_and_can_be_asked_for_alone(estate: Estate, maya: Identity) -> None:
    ended = stop(estate, maya, start(estate, maya, now=NOW + timedelta(minutes=5)))
    running = start(estate, maya, "renewal")
    start(estate, maya, account_key=estate.account("Beech Ltd"))

    with estate.work() as db:
        of_account = service.runs(db, account_key=ASHFORD)
        only_running = service.runs(db, account_key=ASHFORD, only_running=True)
        everywhere = service.runs(db, only_running=True, limit=10)

    assert [run.run_id for run in of_account] == [running.run_id, ended.run_id]
    assert [run.run_id for run in only_running] == [running.run_id]
    assert len(everywhere) == 2


def test_stopping_cancels_what_is_open_and_leaves_what_has_ended(
    estate: Estate, maya: Identity, admin: Identity
) -> None:
    run = start(estate, maya)
    estate.close(maya, estate.detail(run.steps[0].action_id).action)
    estate.move(
        admin,
        estate.detail(run.steps[1].action_id).action,
        "snoozed",
        reason="They are away",
        snoozed_until=TODAY + timedelta(days=7),
    )
    estate.move(maya, estate.detail(run.steps[2].action_id).action, "in_progress")

    stopped = stop(estate, maya, run)

    assert (stopped.state, stopped.open_steps, stopped.version) == (RunState.STOPPED, OpenSteps.CANCELLED, 2)
    assert stopped.steps[0].status is Status.CLOSED
    assert {(step.status, step.cancel_reason) for step in stopped.steps[1:]} == {
        (Status.CANCELLED, "no_longer_relevant")
    }
    with estate.work() as db:
        snoozed = actions.get_action(db, run.steps[1].action_id)
    assert [event.after for event in snoozed.events if event.field == "status"] == ["snoozed", "new", "cancelled"]
    assert snoozed.action.snoozed_until is None


def test_who_loses_steps_by_a_stop_is_told_once_for_all_of_theirs_and_who_stops_it_is_not(
    estate: Estate, maya: Identity, tom: Identity, admin: Identity
) -> None:
    run = start(estate, tom)
    toms = next(step for step in run.steps if step.owner_user_id == tom.user_id)
    mayas = [step for step in run.steps if step.owner_user_id == maya.user_id]
    estate.close(maya, estate.detail(mayas[0].action_id).action)
    estate.admin.execute("delete from app.notices")
    key = a_key()

    stop(estate, admin, run, idempotency_key=key)
    stop(estate, admin, run, idempotency_key=key)

    told = dict(
        estate.admin.execute("select user_id, array[kind, title, account_key, body] from app.notices").fetchall()
    )
    assert told == {
        maya.user_id: [
            "taken_away",
            f"Harriet Cole stopped Risk: {len(mayas) - 1} of your actions are cancelled",
            ASHFORD,
            "\n".join(["Ashford Media", "Reason: They signed with somebody else.", *(one.title for one in mayas[1:])]),
        ],
        tom.user_id: [
            "taken_away",
            "Harriet Cole stopped Risk: your action is cancelled",
            ASHFORD,
            f"Ashford Media\nReason: They signed with somebody else.\n{toms.title}",
        ],
    }


def test_a_stop_that_keeps_the_steps_tells_nobody_and_neither_does_stopping_ones_own(
    estate: Estate, maya: Identity, tom: Identity, admin: Identity
) -> None:
    for who, account, fate in ((admin, "Ashford Media", "kept"), (maya, "Brook Retail", "cancelled")):
        run = start(estate, maya, account_key=estate.account(account) if who is maya else ASHFORD)
        stop(estate, who, run, fate)

    assert estate.one("select count(*) from app.notices") == 0


def test_a_refused_stop_tells_nobody(estate: Estate, maya: Identity, admin: Identity) -> None:
    run = start(estate, maya)

    with pytest.raises(StaleVersion):
        stop(estate, admin, run, expected_version=run.version + 1)

    assert estate.one("select count(*) from app.notices") == 0


def test_stopping_may_keep_open_steps_as_they_are(estate: Estate, maya: Identity) -> None:
    run = start(estate, maya)

    stopped = stop(estate, maya, run, "kept")

    assert stopped.state is RunState.STOPPED
    assert stopped.steps == run.steps


def test_stopping_is_told_to_the_audit_trail_with_the_reason(estate: Estate, maya: Identity, admin: Identity) -> None:
    run = start(estate, maya)
    stop(estate, maya, run)

    event = trail(estate, admin, audit.Subject.PLAYBOOK_RUN, run.run_id)[0]

    assert (event.kind, event.reason, event.after) == (
        "ended",
        "They signed with somebody else.",
        {"open_steps": "cancelled"},
    )
    assert len(event.before["open_action_ids"]) == run.total


def test_who_started_it_the_owner_of_the_account_and_an_admin_may_stop_it_and_nobody_else(
    estate: Estate, maya: Identity, tom: Identity, admin: Identity
) -> None:
    ines, alex = estate.user("Ines Vogel"), estate.user("Alex Stone", Role.ANALYST)
    run = start(estate, tom)

    for stranger in (ines, alex):
        with pytest.raises(NotPermitted):
            stop(estate, stranger, run)
    covering = replace(ines, covered_owner_emails=("maya.lind@force24.example",))
    for allowed in (tom, maya, admin, covering):
        with estate.work() as db:
            assert service.may_stop(db, actor=allowed, now=NOW, run=run)
    assert stop(estate, maya, run).state is RunState.STOPPED


def test_a_run_that_somebody_stopped_meanwhile_is_not_stopped_again(estate: Estate, maya: Identity) -> None:
    run = start(estate, maya)
    stopped = stop(estate, maya, run, "kept")

    with pytest.raises(StaleVersion):
        stop(estate, maya, run)
    with pytest.raises(InvalidInput, match="nothing to stop"):
        stop(estate, maya, stopped)


@pytest.mark.parametrize(("more", "field"), [({"reason": "  "}, "reason"), ({"open_steps": "burnt"}, "open_steps")])
def test_stopping_needs_a_reason_and_the_fate_of_open_steps(
    estate: Estate, maya: Identity, more: dict[str, Any], field: str
) -> None:
    run = start(estate, maya)

    with pytest.raises(InvalidInput) as refused:
        stop(estate, maya, run, **more)

    assert refused.value.field == field
    assert look(estate, run).state is RunState.RUNNING


def test_the_same_stop_twice_is_one_stop(estate: Estate, maya: Identity) -> None:
    run, key = start(estate, maya), a_key()

    assert stop(estate, maya, run, idempotency_key=key) == stop(estate, maya, run, idempotency_key=key)


def test_stopping_while_steps_are_being_closed_loses_neither(estate: Estate, maya: Identity) -> None:
    run = start(estate, maya)

    def close_one(action_id: UUID) -> bool:
        try:
            estate.close(maya, estate.detail(action_id).action)
        except AppError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        stopping = pool.submit(stop, estate, maya, run)
        closed = list(pool.map(close_one, [step.action_id for step in run.steps]))
        stopped = stopping.result()

    after = look(estate, run)
    assert after.state is RunState.STOPPED
    assert [step.status is Status.CLOSED for step in after.steps] == closed
    assert stopped.version == after.version


def test_a_run_is_read_without_any_published_figures(estate: Estate, maya: Identity, tom: Identity) -> None:
    run = start(estate, tom)
    estate.clear("publications")
    estate.clear("dim_accounts")

    assert stop(estate, tom, run, "kept").state is RunState.STOPPED
