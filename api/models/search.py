"""Answer of /search."""

from pydantic import BaseModel

from app.actions.model import ActionRow
from app.marts.accounts import AccountHit
from app.marts.people import ContactHit


class Found(BaseModel):
    """What holds the text, best first in each list. Before the first build only actions are found."""

    accounts: list[AccountHit]
    contacts: list[ContactHit]
    actions: list[ActionRow]
