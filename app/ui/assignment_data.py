"""What Assignments reads: queues, candidates, plans, and hand-overs. Nothing of it is cached: people write it."""

from collections.abc import Sequence
from uuid import UUID

from app.actions import assigning, bulk
from app.actions.assignment import Candidate, Plan
from app.actions.bulk import BulkPreview
from app.actions.bulk_plan import Assign
from app.actions.model import ActionFilter, ActionRow
from app.actions.queue import list_queue
from app.db import read
from app.handovers import service as handovers
from app.handovers.model import Handover
from app.ui import data, figures
from app.ui.text import escaped
from app.ui.visit import Visit

DECISION_LEVEL = 3


def queue(which: str, here: Visit) -> list[ActionRow]:
    """The actions of a queue: Unassigned, gravest and oldest first as the next is taken from it; Overdue, Needs a
    decision, or all that are open, soonest due first."""
    awake = data.OPEN[:2]
    if which == "Unassigned":
        with read() as db:
            return list_queue(db, filter=ActionFilter(is_unassigned=True, categories=data.OPEN))
    if which == "Overdue":
        return data.actions(ActionFilter(categories=awake, due_before=here.today))
    if which == "Needs a decision":
        return data.actions(ActionFilter(categories=awake, least_escalation_level=DECISION_LEVEL))
    return data.actions(ActionFilter(categories=data.OPEN))


def news(drawn: Sequence[ActionRow], now: Sequence[ActionRow]) -> str | None:
    """What became of a queue since it was drawn, a sentence of our own Markdown; None while it stands as it was."""
    before = {one.action_id: one.version for one in drawn}
    after = {one.action_id: one.version for one in now}
    if before == after:
        return None
    gone = [one for one in drawn if one.action_id not in after]
    if gone:
        (first,) = data.actions(ActionFilter(action_ids=(gone[0].action_id,)), limit=1)
        title = f"**{escaped(first.title, limit=60)}**"
        is_taken = first.owner_name and first.owner_user_id != gone[0].owner_user_id
        said = f"{escaped(first.owner_name)} has {title} now" if is_taken else f"{title} is no longer in this list"
        return said + (f", and {len(gone) - 1} more went." if len(gone) > 1 else ".")
    changed = sum(1 for one, version in before.items() if after[one] != version)
    if changed:
        return f"{figures.count(changed, 'action')} changed since this list was drawn."
    return f"{figures.count(len(after) - len(before), 'action')} came in since this list was drawn."


def candidates(here: Visit) -> dict[UUID, Candidate]:
    """Everybody who may be given actions, with the books they have now; empty before the first build."""
    if here.publication is None:
        return {}
    with read() as db:
        return {one.user_id: one for one in assigning.candidates(db, now=here.now)}


def preview(owner: UUID | None, action_ids: Sequence[UUID], here: Visit) -> BulkPreview:
    """What giving these actions to one person would do. Raises as the service does."""
    with read() as db:
        return bulk.preview(
            db, actor=here.identity, now=here.now, change=Assign(owner_user_id=owner), action_ids=action_ids
        )


def plan(strategy: str, action_ids: Sequence[UUID], here: Visit) -> Plan:
    """What sharing these actions out would do. Raises as the service does."""
    with read() as db:
        return assigning.propose(db, actor=here.identity, now=here.now, strategy=strategy, action_ids=action_ids)


def handover_history(here: Visit) -> list[Handover]:
    """Running and waiting hand-overs first, then newest first. Raises NotPermitted."""
    with read() as db:
        return handovers.history(db, actor=here.identity, limit=60)
