"""How much of a report a person may have: on the screen what the portfolio lets them read, in a file what they may take
away. A colleague's actions, and a report narrowed to a colleague's answers, are only for those whose work that is; the
Outcomes page counts suggestions by CSM for everybody. Pure.
"""

from dataclasses import dataclass
from uuid import UUID

from app.auth import Identity, Permission, Scope, require, scope_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """CRM owners whose accounts count, and people whose follow-through is told; None means everybody's."""

    owner_emails: tuple[str, ...] | None = None
    user_ids: tuple[UUID, ...] | None = None


def may_compare_people(identity: Identity) -> bool:
    """Whether a report that tells of people may be narrowed to one of them."""
    return scope_of(identity, Permission.COMPARE_PEOPLE) is Scope.ALL


def _people(identity: Identity) -> tuple[UUID, ...] | None:
    if may_compare_people(identity):
        return None
    return (identity.user_id, *identity.covered_user_ids)


def on_screen(identity: Identity) -> Reach:
    """All accounts, since everybody may read the portfolio. Raises NotPermitted."""
    require(identity, Permission.READ)
    return Reach(user_ids=_people(identity))


def in_file(identity: Identity) -> Reach:
    """A CSM takes away what is their own. Raises NotPermitted."""
    is_all = scope_of(identity, Permission.EXPORT) is Scope.ALL
    return Reach(owner_emails=None if is_all else identity.owner_emails, user_ids=_people(identity))
