"""Unpublished edits of playbooks, kept in this process by person and playbook until they are published or discarded.

A table of thirty steps is an hour of work. What Streamlit holds for a tab ends with a reload or a session that expired;
this outlives both, though not a restart of the server. Bounded: the oldest edits fall out.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from app.playbooks.model import Playbook, PlaybookDraft, StepDraft

MOST = 500
_lock = Lock()
_kept: "OrderedDict[tuple[UUID, str], Kept]" = OrderedDict()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An edit and the version it was based on, None for a new playbook."""

    draft: PlaybookDraft
    base_version: int | None


def find(user_id: UUID, name: str) -> Kept | None:
    """What this person has not published yet of a playbook, or None."""
    with _lock:
        return _kept.get((user_id, name))


def keep(user_id: UUID, name: str, edit: Kept) -> None:
    """Remember an edit in place of the one before."""
    with _lock:
        _kept[user_id, name] = edit
        _kept.move_to_end((user_id, name))
        while len(_kept) > MOST:
            _kept.popitem(last=False)


def forget(user_id: UUID, name: str) -> None:
    """It was published or thrown away."""
    with _lock:
        _kept.pop((user_id, name), None)


def draft_of(playbook: Playbook) -> PlaybookDraft:
    """A published version as something to edit."""
    return PlaybookDraft(
        playbook_id=playbook.playbook_id,
        name=playbook.name,
        description=playbook.description,
        action_type=playbook.action_type.value,
        steps=tuple(
            StepDraft(
                title=step.title,
                intervention=step.intervention.value,
                priority=step.priority.value,
                offset_bd=step.offset_bd,
                owner=step.owner.value,
                guidance=step.guidance,
            )
            for step in playbook.steps
        ),
    )


def blank() -> PlaybookDraft:
    """A new playbook to begin with: one empty step."""
    return PlaybookDraft(
        playbook_id=None,
        name="",
        description="",
        action_type="lifecycle",
        steps=(StepDraft(title="", intervention="diagnostic_call"),),
    )
