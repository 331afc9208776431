"""Who is told of a change of an action: its owner, never the one who made it.

One call per change, however many actions it touched: so that many actions given to somebody at once are one e-mail.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from app.actions.lifecycle import is_open
from app.actions.model import Action, Note
from app.actions.repository import EventActor
from app.actions.writing import UNDOABLE_FOR
from app.calendar import shown_date
from app.notices.service import NewNotice, NoticeKind, notify_all, withdraw

EXCERPT = 300


def about(action: Action) -> str:
    """One line on an action: account and due date."""
    due = f", due {shown_date(action.due_date)}" if action.due_date else ""
    return f"{action.account_name}{due}"


def owners_changed(
    db: Connection, *, now: datetime, actor: EventActor, changes: Sequence[tuple[Action | None, Action]]
) -> None:
    """Tell new owners what they have and old ones what they no longer have. Pairs of before (None: it is new) and
    after; those whose owner stayed, and ended actions, tell nobody.

    Their mail waits while the change may be undone. Who lost something within that minute, and gets it back before
    they have read or been sent of it, is told neither; nor who got something that goes again.
    """
    sides: list[tuple[NewNotice, str]] = []
    for before, after in changes:
        was = before.owner_user_id if before else None
        if was == after.owner_user_id or not is_open(after.status):
            continue
        for user_id, kind, words, opposite in (
            (after.owner_user_id, NoticeKind.ASSIGNED, "gave you", NoticeKind.TAKEN_AWAY),
            (was, NoticeKind.TAKEN_AWAY, "took from you", NoticeKind.ASSIGNED),
        ):
            if user_id is not None:
                notice = NewNotice(
                    user_id=user_id,
                    kind=kind,
                    title=f"{actor.name} {words}: {after.title}",
                    body=about(after),
                    action_id=after.action_id,
                    account_key=after.account_key,
                    dedupe_key=f"{kind}:{after.action_id}:{after.version}",
                )
                sides.append((notice, f"{opposite}:{after.action_id}:"))
    undone = withdraw(db, since=now - UNDOABLE_FOR, told=[(notice.user_id, opposite) for notice, opposite in sides])
    told = [
        notice
        for notice, opposite in sides
        if notice.user_id != actor.user_id and (notice.user_id, opposite) not in undone
    ]
    notify_all(db, now=now, told=told, mail_not_before=now + UNDOABLE_FOR)


def playbook_stopped(
    db: Connection,
    *,
    now: datetime,
    actor: EventActor,
    run_id: UUID,
    playbook_name: str,
    reason: str,
    cancelled: Sequence[Action],
) -> None:
    """Tell each owner once of all their actions that were cancelled with a playbook on an account, step by step."""
    theirs: dict[UUID, list[Action]] = {}
    for action in sorted(cancelled, key=lambda one: one.playbook_step or 0):
        if action.owner_user_id is not None and action.owner_user_id != actor.user_id:
            theirs.setdefault(action.owner_user_id, []).append(action)
    told: list[NewNotice] = []
    for user_id, lost in theirs.items():
        what = "your action is" if len(lost) == 1 else f"{len(lost)} of your actions are"
        titles = "\n".join(action.title for action in lost)
        told.append(
            NewNotice(
                user_id=user_id,
                kind=NoticeKind.TAKEN_AWAY,
                title=f"{actor.name} stopped {playbook_name}: {what} cancelled",
                body=f"{lost[0].account_name}\nReason: {reason}\n{titles}",
                account_key=lost[0].account_key,
                dedupe_key=f"playbook_stopped:{run_id}",
            )
        )
    notify_all(db, now=now, told=told)


def noted(db: Connection, *, now: datetime, actor: EventActor, action: Action, note: Note) -> None:
    """Tell the owner of a colleague's note, with its beginning."""
    if action.owner_user_id is None or action.owner_user_id == actor.user_id:
        return
    excerpt = note.body if len(note.body) <= EXCERPT else f"{note.body[:EXCERPT].rstrip()} …"
    notice = NewNotice(
        user_id=action.owner_user_id,
        kind=NoticeKind.NOTE_ADDED,
        title=f"{actor.name} noted on: {action.title}",
        body=f"{about(action)}\n{excerpt}",
        action_id=action.action_id,
        account_key=action.account_key,
        dedupe_key=f"{NoticeKind.NOTE_ADDED}:{note.note_id}",
    )
    notify_all(db, now=now, told=[notice])


def came_back(db: Connection, *, now: datetime, woken: Sequence[Action]) -> None:
    """Tell owners that the day they put an action off to has come. The actions are as they are now."""
    told = [
        NewNotice(
            user_id=action.owner_user_id,
            kind=NoticeKind.CAME_BACK,
            title=f"Back from snooze: {action.title}",
            body=about(action),
            action_id=action.action_id,
            account_key=action.account_key,
            dedupe_key=f"{NoticeKind.CAME_BACK}:{action.action_id}:{action.version}",
        )
        for action in woken
        if action.owner_user_id is not None
    ]
    notify_all(db, now=now, told=told)
