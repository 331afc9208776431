"""Bulk changes: what the preview says is what happens, each action by itself, and a minute to take it back."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.actions import bulk, repository, service
from app.actions.bulk import Assign, BulkChange, BulkResult, Cancel, Redate, Snooze
from app.actions.history import fold
from app.actions.model import Action
from app.auth import Identity, Role
from app.errors import InvalidInput, NotFound, NotPermitted
from tests.app.factories import NOW, Estate, a_key

DECEMBER = date(2026, 12, 1)
SNOOZE = Snooze(until=DECEMBER, reason="They are on holiday")


def apply(
    estate: Estate, actor: Identity, change: BulkChange, *of: Action, key: str | None = None, now: Any = NOW
) -> BulkResult:
    items = [(action.action_id, action.version) for action in of]
    with estate.work() as db:
        return bulk.apply(db, actor=actor, now=now, change=change, items=items, idempotency_key=key or a_key())


def undo(estate: Estate, actor: Identity, bulk_id: UUID | None, *, seconds: float = 30, key: str | None = None):
    assert bulk_id
    with estate.work() as db:
        return bulk.undo(
            db,
            actor=actor,
            now=NOW + timedelta(seconds=seconds),
            bulk_id=bulk_id,
            idempotency_key=key or a_key(),
        )


def preview(estate: Estate, actor: Identity, change: BulkChange, *of: Action):
    with estate.work() as db:
        ids = [action.action_id for action in of]
        return bulk.preview(db, actor=actor, now=NOW, change=change, action_ids=ids).lines


def row(estate: Estate, action: Action) -> dict[str, Any]:
    """The row as it is; the events must tell the same."""
    with estate.work() as db:
        now = repository.as_json(repository.lock(db, action.action_id))
        assert fold(repository.events(db, action.action_id)) == now
    return now


def without_time(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ("version", "updated_at")}


CHANGES: list[tuple[BulkChange, str, str, dict[str, Any]]] = [
    (SNOOZE, "In progress", "Snoozed until 1 Dec 2026", {"status": "snoozed", "snoozed_until": DECEMBER}),
    (Redate(due_date=DECEMBER), "24 Nov 2026", "1 Dec 2026", {"due_date": DECEMBER}),
    (Redate(shift_business_days=5), "24 Nov 2026", "1 Dec 2026", {"due_date": DECEMBER}),
    (Cancel(reason="no_longer_relevant"), "In progress", "Cancelled: no longer relevant", {"status": "cancelled"}),
]


@pytest.mark.parametrize(("change", "before", "after", "columns"), CHANGES, ids=lambda value: type(value).__name__)
def test_a_preview_says_in_words_what_then_happens_and_an_undo_puts_it_back(
    estate: Estate, maya: Identity, change: BulkChange, before: str, after: str, columns: dict[str, Any]
) -> None:
    made = estate.action(actor=maya, due_date=date(2026, 11, 24), title="Call Jo")
    action = estate.move(maya, made, "in_progress")
    was = row(estate, action)

    (line,) = preview(estate, maya, change, action)
    assert row(estate, action) == was
    result = apply(estate, maya, change, action)

    assert (line.title, line.account_name, line.version) == ("Call Jo", "Ashford Media", 2)
    assert (line.before, line.after, line.refusal) == (before, after, None)
    (changed,) = result.changed
    assert {name: getattr(changed, name) for name in columns} == columns
    assert (changed.version, result.undo_until) == (3, NOW + timedelta(seconds=60))

    undone = undo(estate, maya, result.bulk_id)

    assert (undone.changed[0].version, undone.undo_until) == (4, None)
    assert without_time(row(estate, action)) == without_time(was)
    with estate.work() as db:
        last = [event for event in repository.events(db, action.action_id) if event.version == 4]
    assert last
    assert {event.reason for event in last} == {"Undone"}


def test_giving_away_is_previewed_by_name_and_undone(estate: Estate, maya: Identity, tom: Identity, admin: Identity):
    mine, queued = estate.action(actor=maya), estate.action(actor=admin)

    lines = preview(estate, admin, Assign(owner_user_id=tom.user_id), mine, queued)
    result = apply(estate, admin, Assign(owner_user_id=tom.user_id), mine, queued)

    assert [(line.before, line.after) for line in lines] == [("Maya Lind", "Tom Okafor"), ("Nobody", "Tom Okafor")]
    assert {action.owner_user_id for action in result.changed} == {tom.user_id}
    undone = undo(estate, admin, result.bulk_id)
    assert [action.owner_user_id for action in undone.changed] == [maya.user_id, None]


def test_each_action_is_refused_by_itself_with_its_reason(
    estate: Estate, maya: Identity, tom: Identity, admin: Identity
) -> None:
    good = estate.action(actor=maya)
    theirs = estate.action(actor=tom)
    ended = estate.close(maya, estate.action(actor=maya))
    stale = estate.action(actor=maya)
    estate.edit(admin, stale, title="Another")
    unknown = Action(**{**vars(good), "action_id": uuid4()})

    result = apply(estate, maya, SNOOZE, theirs, ended, stale, unknown, good)

    assert [action.action_id for action in result.changed] == [good.action_id]
    assert [(refused.action_id, refused.message) for refused in result.refused] == [
        (theirs.action_id, "Only the owner of this action, who covers for them, or an admin may change it."),
        (ended.action_id, "An action that is closed cannot become snoozed."),
        (stale.action_id, "Harriet Cole changed this while you were working on it."),
        (unknown.action_id, "This action does not exist."),
    ]
    lines = preview(estate, maya, SNOOZE, theirs, ended, unknown)
    assert [line.refusal for line in lines] == [
        "Only the owner of this action, who covers for them, or an admin may change it.",
        "An action that is closed cannot become snoozed.",
        "This action does not exist.",
    ]
    assert {line.after for line in lines} == {""}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Redate(shift_business_days=1), "no due date to push"),
        (Assign(owner_user_id=None), "nobody's already"),
    ],
)
def test_what_would_change_nothing_is_refused(estate: Estate, admin: Identity, maya: Identity, change, message) -> None:
    action = estate.action(actor=admin)

    (line,) = preview(estate, admin, change, action)
    result = apply(estate, admin, change, action)

    assert line.refusal is not None
    assert message in line.refusal
    assert (result.bulk_id, result.changed, result.undo_until) == (None, (), None)
    assert message in result.refused[0].message
    assert estate.one("select count(*) from app.bulk_changes") == 0


def test_a_late_action_is_pushed_from_today(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=date(2026, 11, 12), now=NOW - timedelta(days=10))

    (changed,) = apply(estate, maya, Redate(shift_business_days=1), action).changed

    assert changed.due_date == date(2026, 11, 23)


def test_a_push_counts_the_business_days_of_who_pushes(estate: Estate, maya: Identity, admin: Identity) -> None:
    estate.admin.execute("update app.users set holiday_region = 'US' where user_id = %s", [maya.user_id])
    mine, hers = (estate.action(actor=maya, due_date=date(2026, 11, 25)) for _ in range(2))

    (pushed,) = apply(estate, maya, Redate(shift_business_days=1), mine).changed
    (other,) = apply(estate, admin, Redate(shift_business_days=1), hers).changed

    assert (pushed.due_date, other.due_date) == (date(2026, 11, 27), date(2026, 11, 26))  # Thanksgiving


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("snoozed_until", Snooze(until=date(2026, 11, 20), reason="x")),
        ("snoozed_until", Snooze(until=date(2027, 11, 22), reason="x")),
        ("reason", Snooze(until=DECEMBER, reason=" ")),
        ("reason", Snooze(until=DECEMBER, reason="a\x00b")),
        ("reason", Cancel(reason="bored")),
        ("due_date", Redate()),
        ("due_date", Redate(due_date=DECEMBER, shift_business_days=2)),
        ("due_date", Redate(due_date=date(2026, 11, 19))),
        ("due_date", Redate(due_date=date(2031, 1, 1))),
        ("shift_business_days", Redate(shift_business_days=0)),
        ("shift_business_days", Redate(shift_business_days=251)),
        ("owner_user_id", Assign(owner_user_id=uuid4())),
    ],
)
def test_a_change_that_no_action_could_take_is_refused_as_a_whole(
    estate: Estate, maya: Identity, admin: Identity, field: str, change: BulkChange
) -> None:
    action = estate.action(actor=maya)

    for ask in (preview, apply):
        with pytest.raises(InvalidInput) as refused:
            ask(estate, admin, change, action)
        assert refused.value.field == field
    assert row(estate, action)["version"] == 1


def test_who_may_not_change_actions_may_not_change_many(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    analyst = estate.user("Alex Stone", Role.ANALYST)

    for ask in (preview, apply):
        with pytest.raises(NotPermitted):
            ask(estate, analyst, SNOOZE, action)
        with pytest.raises(NotPermitted):
            ask(estate, maya, Assign(owner_user_id=maya.user_id), action)


def test_five_hundred_at_most_and_none_is_no_change(estate: Estate, maya: Identity) -> None:
    with estate.work() as db:
        with pytest.raises(InvalidInput, match="At most 500"):
            bulk.apply(
                db,
                actor=maya,
                now=NOW,
                change=SNOOZE,
                items=[(uuid4(), 1) for _ in range(501)],
                idempotency_key=a_key(),
            )
        assert bulk.preview(db, actor=maya, now=NOW, change=SNOOZE, action_ids=[]).lines == ()
        nothing = bulk.apply(db, actor=maya, now=NOW, change=SNOOZE, items=[], idempotency_key=a_key())
    assert (nothing.bulk_id, nothing.changed) == (None, ())


def test_an_action_named_twice_is_changed_once(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)

    result = apply(estate, maya, SNOOZE, action, action)

    assert (len(result.changed), result.refused) == (1, ())


def test_a_double_click_changes_once_and_undoes_once(estate: Estate, maya: Identity) -> None:
    action, key, again = estate.action(actor=maya), a_key(), a_key()

    first = apply(estate, maya, SNOOZE, action, key=key)
    assert apply(estate, maya, SNOOZE, action, key=key) == first
    assert estate.one("select count(*) from app.bulk_changes") == 1

    undone = undo(estate, maya, first.bulk_id, key=again)
    assert undo(estate, maya, first.bulk_id, key=again) == undone
    with pytest.raises(InvalidInput, match="undone already"):
        undo(estate, maya, first.bulk_id)
    assert row(estate, action)["version"] == 3


def test_the_minute_has_five_seconds_of_grace_and_no_more(estate: Estate, maya: Identity) -> None:
    first, second = (apply(estate, maya, SNOOZE, estate.action(actor=maya)) for _ in range(2))

    assert len(undo(estate, maya, first.bulk_id, seconds=65).changed) == 1
    with pytest.raises(InvalidInput, match="minute for undoing"):
        undo(estate, maya, second.bulk_id, seconds=65.1)


def test_only_its_author_undoes_a_change(estate: Estate, maya: Identity, admin: Identity) -> None:
    result = apply(estate, maya, SNOOZE, estate.action(actor=maya))

    with pytest.raises(NotPermitted):
        undo(estate, admin, result.bulk_id)
    with pytest.raises(NotFound):
        undo(estate, maya, uuid4())
    with pytest.raises(NotPermitted):
        undo(estate, Identity(**{**_fields(maya), "role": Role.ANALYST}), result.bulk_id)


def _fields(identity: Identity) -> dict[str, Any]:
    return {name: getattr(identity, name) for name in Identity.__slots__}


def test_an_undo_leaves_alone_what_somebody_changed_since(estate: Estate, maya: Identity, admin: Identity) -> None:
    untouched, noted, taken = (estate.action(actor=maya) for _ in range(3))
    result = apply(estate, maya, Redate(due_date=DECEMBER), untouched, noted, taken)
    with estate.work() as db:
        service.add_note(db, actor=admin, now=NOW, action_id=noted.action_id, body="seen", idempotency_key=a_key())
    estate.edit(admin, result.changed[2], title="Mine now")

    undone = undo(estate, maya, result.bulk_id)

    assert [action.action_id for action in undone.changed] == [untouched.action_id, noted.action_id]
    assert [refused.message for refused in undone.refused] == [
        "Harriet Cole changed this while you were working on it."
    ]
    assert (row(estate, taken)["title"], row(estate, taken)["due_date"]) == ("Mine now", "2026-12-01")


def test_an_undo_gives_nothing_back_to_who_cannot_work_any_more(
    estate: Estate, maya: Identity, tom: Identity, admin: Identity
) -> None:
    action = estate.action(actor=maya)
    result = apply(estate, admin, Assign(owner_user_id=tom.user_id), action)
    estate.admin.execute("update app.users set is_active = false where user_id = %s", [maya.user_id])

    undone = undo(estate, admin, result.bulk_id)

    assert undone.refused[0].message == "This person does not exist or is deactivated."
    assert row(estate, action)["owner_user_id"] == str(tom.user_id)


def test_an_undo_opens_the_guard_for_its_own_rows_only(estate: Estate, maya: Identity) -> None:
    result = apply(estate, maya, Cancel(reason="duplicate"), estate.action(actor=maya))
    assert result.bulk_id

    with estate.work() as db:
        bulk.undo(db, actor=maya, now=NOW, bulk_id=result.bulk_id, idempotency_key=a_key())
        assert db.exec_driver_sql("select current_setting('app.undo')").scalar_one() == "off"
    with estate.work() as db:
        assert db.exec_driver_sql("select coalesce(current_setting('app.undo', true), '')").scalar_one() != "on"


def test_a_redated_action_gets_its_escalation_back_with_an_undo(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=date(2026, 11, 12), now=NOW - timedelta(days=10))
    with estate.work() as db:
        change = {"escalation_level": 2}
        locked = repository.lock(db, action.action_id)
        late = repository.change(db, locked, change, now=NOW)
        told = [repository.Change(kind=repository.EventKind.FIELD_CHANGED, field="escalation_level", before=0, after=2)]
        job = repository.EventActor(user_id=None, name="Escalation", kind=repository.ActorKind.JOB)
        repository.append(db, action=late, actor=job, now=NOW, changes=told)

    result = apply(estate, maya, Redate(due_date=DECEMBER), late)
    assert result.changed[0].escalation_level == 0
    undo(estate, maya, result.bulk_id)

    assert row(estate, action)["escalation_level"] == 2


def test_many_snoozed_until_a_day_off_come_back_on_the_next_business_day_of_who_snoozes(
    estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    change = Snooze(until=date(2026, 11, 28), reason="x")  # a Saturday; the Monday is St Andrew's Day in Scotland
    estate.admin.execute("update app.users set holiday_region = 'GB-SCT' where user_id = %s", [maya.user_id])

    (line,) = preview(estate, maya, change, action)
    (changed,) = apply(estate, maya, change, action).changed

    assert changed.snoozed_until == date(2026, 12, 1)
    assert line.after == "Snoozed until 1 Dec 2026"
