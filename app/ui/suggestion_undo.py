"""The way back from an answered suggestion, for a minute: the card is gone, so the offer stands in its place, beside
the action that an accepted one became, or the data issue that wrong data opened.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from app.actions.model import Action
from app.actions.writing import UNDO_WINDOW
from app.auth import Identity
from app.suggestions import service
from app.suggestions.model import DismissalReason, Suggestion
from app.ui import action_panel, data_issue_dialog, undo
from app.ui.text import escaped

_SLOT = "suggestions"


def keep(answered: Suggestion, text: str, *, became: Action | None = None) -> None:
    """Offer the way back from an answer just given, in place of the offer before it. `text` says what it was, our own
    Markdown; what it `became` opens from there."""
    if answered.answered_at is None:
        return

    def take_back(db: Connection, actor: Identity, now: datetime, form: str) -> str:
        service.undo_answer(
            db,
            actor=actor,
            now=now,
            suggestion_id=answered.suggestion_id,
            expected_version=answered.version,
            idempotency_key=form,
        )
        return "Undone: it is suggested again."

    offer = undo.Offer(
        key=f"{answered.suggestion_id.hex}_{answered.version}",
        until=answered.answered_at + UNDO_WINDOW,
        text=f"**{escaped(answered.account_name, limit=40)}** :gray[{text}]",
        about=frozenset([answered.account_key]),
        take_back=take_back,
        leads_to=_leads_to(answered, became),
    )
    undo.keep(_SLOT, offer)


def _leads_to(answered: Suggestion, became: Action | None) -> tuple[str, Callable[[], None]] | None:
    """The action that it became, or the data issue that it opened, where one can say what is wrong."""
    if became is not None:
        return escaped(became.title, limit=60), partial(action_panel.open_in_drawer, became.action_id)
    if answered.dismissal_reason is DismissalReason.WRONG_DATA:
        return "Say what is wrong", partial(data_issue_dialog.open_of, answered.suggestion_id)
    return None


def line(account_key: str | None = None) -> None:
    """What was just answered, with the way back; of one account on its page."""
    undo.bar(_SLOT, account_key)
    data_issue_dialog.opened()
