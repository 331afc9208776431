"""What preferences and settings read. Nothing of it is cached: people write it."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from app import audit, configuration, second_factor, users
from app.actions import service
from app.actions.model import ActionFilter
from app.calendar import time_zones
from app.db import read
from app.handovers import service as handovers
from app.handovers.model import HandoverDraft, HandoverPreview
from app.notices import outbox
from app.segments import service as segments
from app.suggestions import rule_versions, throttling
from app.suggestions.lookback import Comparison, Progress
from app.suggestions.policy import Policy
from app.suggestions.rule_versions import RuleVersion
from app.suggestions.throttling import Throttle
from app.ui import data, playbook_data
from app.ui.visit import Visit

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def user(user_id: UUID) -> users.User:
    """One person, deactivated or not. Raises NotFound."""
    with read() as db:
        return users.get_user(db, user_id)


def has_second_factor(user_id: UUID) -> bool:
    """Whether somebody has an authenticator app. Raises NotFound."""
    with read() as db:
        return second_factor.has_one(db, user_id)


def people() -> list[users.User]:
    """Everybody, deactivated people too, by name."""
    with read() as db:
        return users.list_users(db)


def open_counts(here: Visit) -> dict[UUID, int]:
    """How many open actions each person has."""
    with read() as db:
        return {load.user_id: load.open_count for load in service.workload(db, now=here.now)}


def owner_emails(here: Visit) -> dict[str, str]:
    """Names of account owners in the CRM by their address; empty before the first build."""
    if here.publication is None:
        return {}
    return {owner.csm_email: owner.csm_name or owner.csm_email for owner in data.csms(here) if owner.csm_email}


def active(name: str) -> configuration.Version:
    """What is set now under a name, and by whom. Raises NotFound."""
    with read() as db:
        return configuration.active_version(db, name)


def versions(name: str, here: Visit) -> list[configuration.Version]:
    """Every version of a name, newest first. Raises NotPermitted."""
    with read() as db:
        return configuration.versions(db, actor=here.identity, name=name)


def messages(here: Visit, *, status: str | None, limit: int) -> list[outbox.Message]:
    """The outbox, newest first. Raises NotPermitted."""
    with read() as db:
        return outbox.list_messages(db, actor=here.identity, status=status, limit=limit)


def message_counts(here: Visit) -> dict[outbox.MessageStatus, int]:
    """How many messages stand where. Raises NotPermitted."""
    with read() as db:
        return outbox.count_by_status(db, actor=here.identity)


def trail(here: Visit, *, subject: audit.Subject | None, limit: int) -> list[audit.AuditEvent]:
    """What was changed, newest first. Raises NotPermitted."""
    with read() as db:
        return audit.trail(db, actor=here.identity, subject=subject, limit=limit)


def subjects(found: Collection[str], here: Visit) -> dict[str, str]:
    """What is meant by ids of people, playbooks, actions and accounts, by the id as the trail holds it."""
    names = {str(one.user_id): one.display_name for one in people()}
    names |= {str(one.playbook_id): one.name for one in playbook_data.playbooks(with_retired=True)}
    with read() as db:
        names |= {str(one.segment_id): one.name for one in segments.list_segments(db, identity=here.identity)}
    ids = tuple(UUID(one) for one in found if one not in names and _UUID.fullmatch(one))
    if ids:
        names |= {str(one.action_id): one.title for one in data.actions(ActionFilter(action_ids=ids), limit=len(ids))}
    if here.publication is not None:
        known = data.account_names(here)
        names |= {one: known[one] for one in found if one in known}
    return names


def handover_preview(draft: HandoverDraft, here: Visit) -> HandoverPreview:
    """What handing a book over would mean. Raises as the service does."""
    with read() as db:
        return handovers.preview(db, actor=here.identity, now=here.now, draft=draft)


def zones() -> tuple[str, ...]:
    """Every time zone."""
    return time_zones()


def rules(here: Visit) -> tuple[list[RuleVersion], Policy]:
    """The active version of every rule, and the policy that ranks what they find. Raises NotPermitted."""
    with read() as db:
        return rule_versions.active(db, actor=here.identity), rule_versions.policy(db)


def rule_versions_of(rule_id: str, here: Visit) -> list[RuleVersion]:
    """Every version of a rule, newest first. Raises NotPermitted, NotFound."""
    with read() as db:
        return rule_versions.versions(db, actor=here.identity, rule_id=rule_id)


def throttles(here: Visit) -> dict[str, Throttle]:
    """The rules that are throttled now, by id. Raises NotPermitted."""
    with read() as db:
        return throttling.throttles(db, actor=here.identity)


def look_back(rule_id: str, wanted: Mapping[str, Any], here: Visit, progress: Progress) -> Comparison | None:
    """What a rule would have done over a year, as it is and as wanted; takes seconds. Raises as the service does."""
    with read() as db:
        return rule_versions.look_back(db, actor=here.identity, rule_id=rule_id, wanted=wanted, progress=progress)
