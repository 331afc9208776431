"""One person's book in another's hands: what moves, who may work it, and that it comes back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import audit, auth, users
from app.actions import bulk, history, repository, service
from app.actions.bulk_plan import Cancel
from app.actions.model import Action
from app.audit import Kind, Subject
from app.auth import Identity, Role
from app.errors import AppError, IdempotencyConflict, InvalidInput, NotFound, NotPermitted, StaleVersion
from app.handovers import service as handovers
from app.handovers.model import Handover, HandoverDraft, HandoverPreview, HandoverReport
from app.marts import accounts
from app.notices import service as notices
from app.suggestions import service as suggestions
from tests.app.factories import NOW, PASSWORD, Estate, a_key, an_outcome

TODAY = date(2026, 11, 20)
FRIDAY_AFTER = date(2026, 11, 27)


def a_cover(giver: Identity, receiver: Identity, **values: Any) -> HandoverDraft:
    """A week off, from today, with all open actions."""
    defaults: dict[str, Any] = {
        "starts_on": TODAY,
        "ends_on": FRIDAY_AFTER,
        "moves": "all_open",
        "reason": "Annual leave",
    }
    return HandoverDraft(from_user_id=giver.user_id, to_user_id=receiver.user_id, **(defaults | values))


def begin(
    estate: Estate, actor: Identity, draft: HandoverDraft, *, now: datetime = NOW, key: str | None = None
) -> Handover:
    with estate.work() as db:
        return handovers.begin(db, actor=actor, now=now, draft=draft, idempotency_key=key or a_key())


def end(estate: Estate, actor: Identity, handover: Handover, *, now: datetime = NOW, **values: Any) -> Handover:
    with estate.work() as db:
        return handovers.end(
            db,
            actor=actor,
            now=now,
            handover_id=handover.handover_id,
            expected_version=values.get("version", handover.version),
            idempotency_key=values.get("key", a_key()),
        )


def run(estate: Estate, now: datetime) -> HandoverReport:
    with estate.work() as db:
        return handovers.run_due(db, now=now)


def preview(estate: Estate, actor: Identity, draft: HandoverDraft) -> HandoverPreview:
    with estate.work() as db:
        return handovers.preview(db, actor=actor, now=NOW, draft=draft)


def at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)


def owner(estate: Estate, action: Action) -> UUID | None:
    return estate.detail(action.action_id).action.owner_user_id


def signed_in(estate: Estate, person: Identity) -> Identity:
    """Who the person is at their next look."""
    with estate.work() as db:
        return auth.sign_in(db, email=person.email, password=PASSWORD, address="127.0.0.1", user_agent=None, now=NOW)[1]


def inbox(estate: Estate, person: Identity) -> list[str]:
    with estate.work() as db:
        return [one.title for one in notices.inbox(db, identity=person)]


def suggestion_of(estate: Estate, account_key: str) -> None:
    """A drop of health that R1 makes a suggestion of."""
    estate.health(account_key, [80.0] * 8 + [60.0] * 3)
    estate.usage(account_key, [(50, 50)] * 4)
    with estate.work() as db:
        suggestions.evaluate(db, now=NOW, build_id=1)


# --- what moves ------------------------------------------------------------------------------------------------------


def open_ones(estate: Estate, maya: Identity) -> dict[str, Action]:
    """One action of Maya's of each kind that matters: suggested and new, manual, snoozed, ended."""
    suggestion_of(estate, estate.account("Suggested Ltd"))
    made = {
        "manual": estate.action(actor=maya, title="Manual"),
        "snoozed": estate.action(actor=maya, title="Snoozed"),
        "ended": estate.action(actor=maya, title="Ended"),
    }
    with estate.work() as db:
        (offered,) = suggestions.list_open(db, identity=maya)
        made["suggested"] = suggestions.accept(
            db,
            actor=maya,
            now=NOW,
            suggestion_id=offered.suggestion_id,
            expected_version=offered.version,
            idempotency_key=a_key(),
        )
        service.transition(
            db,
            actor=maya,
            now=NOW,
            action_id=made["snoozed"].action_id,
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
            action_id=made["ended"].action_id,
            expected_version=1,
            outcome=an_outcome(),
            idempotency_key=a_key(),
        )
    return made


@pytest.mark.parametrize(
    ("moves", "moved"),
    [("none", set()), ("suggested", {"suggested"}), ("all_open", {"suggested", "manual", "snoozed"})],
)
def test_the_admin_chooses_what_moves_and_the_preview_says_it_first(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity, moves: str, moved: set[str]
) -> None:
    made = open_ones(estate, maya)
    draft = a_cover(maya, tom, moves=moves)

    seen = preview(estate, admin, draft)
    begun = begin(estate, admin, draft)

    wanted = {made[name].action_id for name in moved}
    assert {one.action_id for one in seen.actions} == {one.action_id for one in begun.items} == wanted
    assert (len(seen.accounts), seen.mrr_eur) == (2, 2300.0)
    for name, action in made.items():
        assert owner(estate, action) == (tom.user_id if name in moved else maya.user_id)
    assert begun.is_running


def test_a_move_is_told_in_the_story_and_the_story_is_the_row(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    action = estate.action(actor=maya)

    begin(estate, admin, a_cover(maya, tom))

    after = estate.detail(action.action_id)
    event = after.events[-1]
    assert (event.field, event.before, event.after) == ("owner_user_id", str(maya.user_id), str(tom.user_id))
    assert (event.actor_name, event.reason, event.version) == ("Harriet Cole", "Hand-over: Annual leave", 2)
    assert history.fold(after.events)["owner_user_id"] == str(tom.user_id)


def test_the_preview_lists_the_accounts_and_what_they_add_to_who_receives(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    estate.action(actor=maya, due_date=date(2026, 11, 20), intervention="business_review")
    before = estate.action(actor=tom)

    with estate.counted() as statements:
        seen = preview(estate, admin, a_cover(maya, tom))

    assert sum("booked_minutes" in one for one in statements) == 1, "everybody's load is counted once"
    told = [(one.account_name, one.mrr_eur, one.open_count) for one in seen.accounts]
    assert told == [(before.account_name, 1150.0, 2)], "what is open there counts, whoever has it"
    assert (seen.after.account_count, seen.after.mrr_eur) == (seen.before.account_count + 1, seen.before.mrr_eur + 1150)
    assert (seen.before.open_count, seen.after.open_count) == (1, 2)
    assert seen.after.booked_minutes - seen.before.booked_minutes == 120


def test_the_preview_says_what_to_think_of_and_writes_nothing(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    estate.action(actor=maya, due_date=date(2026, 11, 20), intervention="business_review")
    with estate.work() as db:
        users.set_capacity(db, actor=admin, now=NOW, user_id=tom.user_id, weekly_capacity_minutes=60)

    full = preview(estate, admin, a_cover(maya, tom, ends_on=None))
    later = preview(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23), moves="none"))

    assert full.warnings == (
        "It has no last day: it runs until somebody ends it.",
        "Tom Okafor would have 2 of 1 h booked this week.",
    )
    assert later.warnings == (
        "It starts on 23 November 2026; what moves is what is open then.",
        "1 open action stays with Maya Lind: Tom Okafor may work it meanwhile.",
    )
    assert estate.one("select count(*) from app.handovers") == 0
    assert preview(estate, admin, a_cover(admin, tom)).warnings == (
        "Harriet Cole owns no accounts in the CRM: only actions can move.",
    )


# --- while it runs ---------------------------------------------------------------------------------------------------


def test_whoever_covers_has_the_accounts_the_suggestions_and_the_new_actions(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    suggestion_of(estate, estate.account("Suggested Ltd"))

    begin(estate, admin, a_cover(maya, tom))

    coverer = signed_in(estate, tom)
    assert coverer.owner_emails == (tom.owner_email, maya.owner_email)
    with estate.work() as db:
        assert repository.user_of_owner(db, maya.owner_email) == tom.user_id
        assert repository.users_of_owners(db)[str(maya.owner_email)] == tom.user_id
        assert len(accounts.portfolio(db, today=NOW.date(), owner_emails=coverer.owner_emails)) == 2
        (offered,) = suggestions.list_open(db, identity=coverer)
        assert suggestions.mark_shown(db, [offered.suggestion_id], actor=coverer, now=NOW) == 1
        opened = suggestions.accept(
            db,
            actor=coverer,
            now=NOW,
            suggestion_id=offered.suggestion_id,
            expected_version=offered.version,
            idempotency_key=a_key(),
        )
        load = {one.display_name: one for one in service.workload(db, now=NOW)}
    assert opened.owner_user_id == tom.user_id
    assert (load["Maya Lind"].covered_by, load["Maya Lind"].away_until) == ("Tom Okafor", FRIDAY_AFTER)


def started(estate: Estate, actor: Identity, action: Action) -> Action:
    """The action taken up by this person, as they are at their next look."""
    return estate.move(signed_in(estate, actor), action, "in_progress")


def test_whoever_covers_works_what_stayed_with_its_owner_too_and_nobody_else_does(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    zoe = estate.user("Zoe Third")
    stayed, theirs = estate.action(actor=maya), estate.action(actor=zoe)

    begin(estate, admin, a_cover(maya, tom, moves="none"))

    for person, action in ((zoe, stayed), (tom, theirs)):
        with pytest.raises(NotPermitted):
            started(estate, person, action)
    assert started(estate, tom, stayed).owner_user_id == maya.user_id
    assert estate.detail(stayed.action_id).events[-1].actor_user_id == tom.user_id


def test_whoever_covers_changes_many_at_once_and_closes_what_stayed(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    first, second = estate.action(actor=maya), estate.action(actor=maya)
    begin(estate, admin, a_cover(maya, tom, moves="none"))
    coverer = signed_in(estate, tom)

    with estate.work() as db:
        planned = bulk.preview(
            db,
            actor=coverer,
            now=NOW,
            action_ids=[first.action_id, second.action_id],
            change=Cancel(reason="duplicate"),
        )
    closed = estate.close(coverer, first)

    assert [line.refusal for line in planned.lines] == [None, None]
    assert (closed.status, closed.owner_user_id) == ("closed", maya.user_id)


def test_a_cover_gives_no_right_before_its_first_day_after_its_last_or_once_ended(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    stayed = estate.action(actor=maya)
    monday = date(2026, 11, 23)
    waiting = begin(estate, admin, a_cover(maya, tom, moves="none", starts_on=monday))

    with pytest.raises(NotPermitted):
        started(estate, tom, stayed)
    run(estate, at(monday))
    assert signed_in(estate, tom).covered_user_ids == (maya.user_id,)
    run(estate, at(date(2026, 11, 28)))
    with pytest.raises(NotPermitted):
        started(estate, tom, stayed)

    again = begin(estate, admin, a_cover(maya, tom, moves="none"))
    assert again.handover_id != waiting.handover_id
    assert signed_in(estate, tom).covered_user_ids == (maya.user_id,)
    end(estate, admin, again)
    with pytest.raises(NotPermitted):
        started(estate, tom, stayed)


def test_after_the_last_day_the_book_is_its_owners_again(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    suggestion_of(estate, estate.account("Suggested Ltd"))
    begin(estate, admin, a_cover(maya, tom))

    run(estate, at(date(2026, 11, 28)))

    coverer = signed_in(estate, tom)
    assert coverer.owner_emails == (tom.owner_email,)
    with estate.work() as db:
        assert repository.user_of_owner(db, maya.owner_email) == maya.user_id
        assert suggestions.list_open(db, identity=coverer) == []
        assert len(suggestions.list_open(db, identity=maya)) == 1


def test_a_book_nobody_stands_for_is_nobodys(estate: Estate, admin: Identity, maya: Identity, tom: Identity) -> None:
    begin(estate, admin, a_cover(maya, tom, ends_on=None))
    with estate.work() as db:
        users.deactivate(db, actor=admin, now=NOW, user_id=maya.user_id)
        assert repository.user_of_owner(db, maya.owner_email) == tom.user_id
        users.deactivate(db, actor=admin, now=NOW, user_id=tom.user_id)
        assert repository.user_of_owner(db, maya.owner_email) is None
        users.reactivate(db, actor=admin, now=NOW, user_id=maya.user_id)
        assert repository.user_of_owner(db, maya.owner_email) == maya.user_id
        assert repository.user_of_owner(db, "unknown@force24.example") is None


# --- days ------------------------------------------------------------------------------------------------------------


def test_a_later_first_day_waits_and_then_moves_what_is_open_then(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    begun = begin(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23)))
    late = estate.action(actor=maya)

    assert (begun.started_at, begun.items) == (None, ())
    assert run(estate, at(date(2026, 11, 22))) == HandoverReport(started=0, ended=0, moved=0, returned=0, problems=())
    assert owner(estate, late) == maya.user_id
    first = run(estate, at(date(2026, 11, 23)))
    assert (first.started, first.moved) == (1, 1)
    assert owner(estate, late) == tom.user_id
    event = estate.detail(late.action_id).events[-1]
    assert (event.actor_name, event.actor_kind) == ("Hand-over", "job")
    again = run(estate, at(date(2026, 11, 23)))
    assert (again.started, again.moved) == (0, 0)


def test_what_is_still_open_with_whoever_covered_goes_back_and_nothing_else(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    back, done, passed_on = (estate.action(actor=maya, title=title) for title in ("Back", "Done", "Passed on"))
    own = estate.action(actor=tom, title="Own")
    third = estate.user("Zoe Third")
    begun = begin(estate, admin, a_cover(maya, tom))
    with estate.work() as db:
        service.close_action(
            db,
            actor=tom,
            now=NOW,
            action_id=done.action_id,
            expected_version=2,
            outcome=an_outcome(),
            idempotency_key=a_key(),
        )
        service.reassign(
            db,
            actor=admin,
            now=NOW,
            action_ids=[passed_on.action_id],
            owner_user_id=third.user_id,
            idempotency_key=a_key(),
        )

    assert run(estate, at(FRIDAY_AFTER, 23)).ended == 0
    report = run(estate, at(date(2026, 11, 28)))

    assert (report.ended, report.returned) == (1, 1)
    assert [owner(estate, one) for one in (back, done, passed_on, own)] == [
        maya.user_id,
        tom.user_id,
        third.user_id,
        tom.user_id,
    ]
    with estate.work() as db:
        (told,) = handovers.history(db, actor=admin)
    assert told.handover_id == begun.handover_id
    assert {item.title: item.returned_at is not None for item in told.items} == {
        "Back": True,
        "Done": False,
        "Passed on": False,
    }
    assert run(estate, at(date(2026, 11, 28))).ended == 0


def test_the_days_are_those_of_the_person_whose_book_it_is(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    with estate.work() as db:
        users.set_preferences(db, actor=maya, now=NOW, time_zone="Pacific/Auckland")
    begin(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23)))

    assert run(estate, datetime(2026, 11, 22, 10, 59, tzinfo=UTC)).started == 0
    assert run(estate, datetime(2026, 11, 22, 11, 0, tzinfo=UTC)).started == 1


def test_one_cover_may_follow_another_on_the_next_day(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    action = estate.action(actor=maya)
    zoe = estate.user("Zoe Third")
    begin(estate, admin, a_cover(maya, tom))
    begin(estate, admin, a_cover(maya, zoe, starts_on=date(2026, 11, 28), ends_on=date(2026, 12, 4)))

    report = run(estate, at(date(2026, 11, 28)))

    assert (report.ended, report.returned, report.started, report.moved) == (1, 1, 1, 1)
    assert owner(estate, action) == zoe.user_id


def test_a_cover_that_nobody_started_in_time_begins_and_ends_without_a_trace_on_actions(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    action = estate.action(actor=maya)
    begin(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23)))

    report = run(estate, at(date(2026, 12, 5)))

    assert (report.started, report.ended, report.moved) == (0, 1, 0)
    assert estate.detail(action.action_id).action.version == 1


# --- ending by hand --------------------------------------------------------------------------------------------------


def test_ending_by_hand_gives_back_at_once(estate: Estate, admin: Identity, maya: Identity, tom: Identity) -> None:
    action = estate.action(actor=maya)
    begun = begin(estate, admin, a_cover(maya, tom, ends_on=None))

    ended = end(estate, admin, begun)

    assert owner(estate, action) == maya.user_id
    assert ended.ended_at == NOW
    with pytest.raises(InvalidInput, match="ended already"):
        end(estate, admin, ended)


def test_nothing_goes_back_to_somebody_who_left(estate: Estate, admin: Identity, maya: Identity, tom: Identity) -> None:
    action = estate.action(actor=maya)
    begun = begin(estate, admin, a_cover(maya, tom, ends_on=None, reason="Left the company"))
    with estate.work() as db:
        users.deactivate(db, actor=admin, now=NOW, user_id=maya.user_id)

    ended = end(estate, admin, begun)

    assert owner(estate, action) == tom.user_id
    assert [item.returned_at for item in ended.items] == [None]


def test_somebody_deactivated_already_can_hand_over(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    action = estate.action(actor=maya)
    with estate.work() as db:
        users.deactivate(db, actor=admin, now=NOW, user_id=maya.user_id)

    begin(estate, admin, a_cover(maya, tom, ends_on=None))

    assert owner(estate, action) == tom.user_id


def test_one_that_waits_is_called_off_and_never_starts(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    begun = begin(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23)))

    end(estate, admin, begun, now=NOW + timedelta(minutes=2))

    assert run(estate, at(date(2026, 11, 23))).started == 0
    assert "You will not have the book of Maya Lind after all" in inbox(estate, tom)


def test_one_that_is_ended_within_its_minute_is_told_to_neither(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    begun = begin(estate, admin, a_cover(maya, tom))
    assert len(inbox(estate, tom)) == 1

    end(estate, admin, begun, now=NOW + timedelta(seconds=40))

    assert (inbox(estate, tom), inbox(estate, maya)) == ([], [])


def test_whoever_ends_what_started_meanwhile_is_told(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    begun = begin(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23)))
    run(estate, at(date(2026, 11, 23)))

    with pytest.raises(StaleVersion) as stale:
        end(estate, admin, begun)

    assert stale.value.current.version == 2
    assert "Hand-over" in stale.value.message


# --- what is refused -------------------------------------------------------------------------------------------------


def test_a_book_is_with_one_person_at_a_time(estate: Estate, admin: Identity, maya: Identity, tom: Identity) -> None:
    zoe = estate.user("Zoe Third")
    begin(estate, admin, a_cover(maya, tom))

    for values in (
        {},
        {"starts_on": FRIDAY_AFTER, "ends_on": None},
        {"starts_on": date(2026, 11, 1), "ends_on": TODAY},
    ):
        with pytest.raises(InvalidInput) as refused:
            begin(estate, admin, a_cover(maya, zoe, **values))
        assert refused.value.message == (
            "The book of Maya Lind is with Tom Okafor from 20 November 2026 to 27 November 2026 already."
        )


def test_nobody_who_is_away_covers_and_no_book_is_passed_on_twice(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    zoe = estate.user("Zoe Third")
    begin(estate, admin, a_cover(maya, tom))

    with pytest.raises(InvalidInput, match="Maya Lind is away then: Tom Okafor has their book") as away:
        begin(estate, admin, a_cover(zoe, maya))
    with pytest.raises(InvalidInput, match="Tom Okafor has the book of Maya Lind") as chain:
        begin(estate, admin, a_cover(tom, zoe, starts_on=date(2026, 11, 24)))

    assert (away.value.field, chain.value.field) == ("to_user_id", "from_user_id")
    assert begin(estate, admin, a_cover(tom, zoe, starts_on=date(2026, 11, 30), ends_on=date(2026, 12, 4)))


def test_one_person_may_cover_for_two(estate: Estate, admin: Identity, maya: Identity, tom: Identity) -> None:
    zoe = estate.user("Zoe Third")
    begin(estate, admin, a_cover(maya, tom))

    assert preview(estate, admin, a_cover(zoe, tom)).warnings == ("Tom Okafor already has the book of Maya Lind then.",)
    begin(estate, admin, a_cover(zoe, tom))

    assert signed_in(estate, tom).covered_owner_emails == (maya.owner_email, zoe.owner_email)


def test_what_makes_no_sense_is_refused_in_preview_and_in_earnest(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    ana, gone = estate.user("Ana List", Role.ANALYST), estate.user("Left Already")
    with estate.work() as db:
        users.deactivate(db, actor=None, now=NOW, user_id=gone.user_id)
    nobody = HandoverDraft(from_user_id=maya.user_id, to_user_id=uuid4(), starts_on=TODAY, moves="none", reason="x")

    for field, draft in (
        ("to_user_id", a_cover(maya, maya)),
        ("to_user_id", a_cover(maya, gone)),
        ("to_user_id", a_cover(maya, ana)),
        ("to_user_id", nobody),
        ("ends_on", a_cover(maya, tom, ends_on=date(2026, 11, 19))),
        ("ends_on", a_cover(maya, tom, starts_on=date(2026, 11, 1), ends_on=date(2026, 11, 19))),
        ("starts_on", a_cover(maya, tom, starts_on=date(2028, 1, 1), ends_on=None)),
        ("moves", a_cover(maya, tom, moves="everything")),
        ("reason", a_cover(maya, tom, reason=" ")),
        ("reason", a_cover(maya, tom, reason="a\x00b")),
    ):
        for attempt in (preview, begin):
            with pytest.raises(InvalidInput) as refused:
                attempt(estate, admin, draft)
            assert refused.value.field == field
    assert estate.one("select count(*) from app.handovers") == 0


@pytest.mark.parametrize("role", [Role.CSM, Role.ANALYST])
def test_only_an_admin_hands_books_over(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity, role: Role
) -> None:
    somebody = estate.user("Somebody Else", role)
    begun = begin(estate, admin, a_cover(maya, tom))

    for attempt in (
        lambda: begin(estate, somebody, a_cover(maya, tom)),
        lambda: preview(estate, somebody, a_cover(maya, tom)),
        lambda: end(estate, somebody, begun),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    with estate.work() as db, pytest.raises(NotPermitted):
        handovers.history(db, actor=somebody)


# --- once, together, told --------------------------------------------------------------------------------------------


def test_the_same_request_twice_is_one_handover(estate: Estate, admin: Identity, maya: Identity, tom: Identity) -> None:
    estate.action(actor=maya)
    key = a_key()

    first = begin(estate, admin, a_cover(maya, tom), key=key)

    assert begin(estate, admin, a_cover(maya, tom), key=key) == first
    with pytest.raises(IdempotencyConflict):
        begin(estate, admin, a_cover(maya, tom, reason="Other"), key=key)
    assert estate.one("select count(*) from app.handovers") == 1


def test_of_two_who_hand_the_same_book_over_at_once_one_does(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    zoe = estate.user("Zoe Third")
    estate.action(actor=maya)

    def attempt(receiver: Identity) -> object:
        try:
            return begin(estate, admin, a_cover(maya, receiver))
        except AppError as error:
            return error

    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(attempt, [tom, zoe, tom, zoe]))

    assert sum(isinstance(answer, Handover) for answer in answers) == 1
    assert sum(isinstance(answer, InvalidInput) for answer in answers) == 3


def test_two_runs_at_once_start_it_once(estate: Estate, admin: Identity, maya: Identity, tom: Identity) -> None:
    action = estate.action(actor=maya)
    begin(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23)))

    with ThreadPoolExecutor(max_workers=4) as pool:
        reports = list(pool.map(lambda _: run(estate, at(date(2026, 11, 23))), range(4)))

    assert sum(report.started for report in reports) == 1
    assert estate.detail(action.action_id).action.version == 2


def test_both_are_told_and_every_turn_is_in_the_trail(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    estate.action(actor=maya)
    begun = begin(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23)))

    run(estate, at(date(2026, 11, 23)))
    run(estate, at(date(2026, 11, 28)))

    assert set(inbox(estate, tom)) == {
        "You will have the book of Maya Lind from 23 November 2026 to 27 November 2026",
        "You have the book of Maya Lind until 27 November 2026",
        "The book of Maya Lind is no longer yours",
    }
    assert set(inbox(estate, maya)) == {
        "Tom Okafor will have your book from 23 November 2026 to 27 November 2026",
        "Tom Okafor has your book until 27 November 2026",
        "Your book is yours again: Tom Okafor has covered",
    }
    with estate.work() as db:
        trail = audit.trail(db, actor=admin, subject=Subject.HANDOVER, subject_id=begun.handover_id)[::-1]
    assert (trail[0].kind, trail[0].actor_name, trail[0].after["moves"]) == (
        Kind.CREATED,
        "Harriet Cole",
        "all_open",
    )
    assert {one.actor_name for one in trail[1:]} == {"Hand-over"}
    assert trail[-1].kind is Kind.ENDED


def test_a_receiver_who_was_deactivated_is_named_and_the_author_is_told_once(
    estate: Estate, admin: Identity, maya: Identity, tom: Identity
) -> None:
    begin(estate, admin, a_cover(maya, tom, starts_on=date(2026, 11, 23)))
    with estate.work() as db:
        users.deactivate(db, actor=admin, now=NOW, user_id=tom.user_id)

    reports = [run(estate, at(date(2026, 11, 23), hour)) for hour in (8, 9)]

    sentence = "Tom Okafor is deactivated and cannot take the book of Maya Lind."
    assert [report.problems for report in reports] == [(sentence,), (sentence,)]
    assert [report.started for report in reports] == [0, 0]
    assert inbox(estate, admin).count(sentence) == 1


def test_a_handover_that_does_not_exist_is_not_found(estate: Estate, admin: Identity, maya: Identity) -> None:
    with estate.work() as db, pytest.raises(NotFound):
        handovers.end(db, actor=admin, now=NOW, handover_id=uuid4(), expected_version=1, idempotency_key=a_key())
