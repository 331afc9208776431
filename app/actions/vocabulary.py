"""The closed lists of an action, beside its statuses (`lifecycle.py`). Check constraints in the database hold the
same.
"""

from enum import StrEnum


class ActionType(StrEnum):
    """What an action is about."""

    RISK = "risk"
    LIFECYCLE = "lifecycle"
    RENEWAL = "renewal"
    EXPANSION = "expansion"
    ACTIVITY = "activity"


class Priority(StrEnum):
    """Most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Source(StrEnum):
    """Where an action came from."""

    MANUAL = "manual"
    SUGGESTION = "suggestion"
    RULE = "rule"
    PLAYBOOK = "playbook"
    ASSIGNED = "assigned"


class Intervention(StrEnum):
    """The treatment."""

    DIAGNOSTIC_CALL = "diagnostic_call"
    EXECUTIVE_REACH_OUT = "executive_reach_out"
    BUSINESS_REVIEW = "business_review"
    TRAINING = "training"
    CONFIGURATION_AUDIT = "configuration_audit"
    INTEGRATION_HELP = "integration_help"
    SUPPORT_ESCALATION = "support_escalation"
    CHAMPION_ONBOARDING = "champion_onboarding"
    ONBOARDING_RESCUE = "onboarding_rescue"
    VALUE_REPORT = "value_report"
    COMMERCIAL_OFFER = "commercial_offer"
    BILLING_FIX = "billing_fix"
    REENGAGEMENT_EMAIL = "reengagement_email"
    ROADMAP_TALK = "roadmap_talk"
    NO_CONTACT = "no_contact"


class Execution(StrEnum):
    """First layer of an outcome: was it done?"""

    DONE_AS_PLANNED = "done_as_planned"
    DONE_DIFFERENTLY = "done_differently"
    ATTEMPTED_WITHOUT_REACH = "attempted_without_reach"
    NOT_DONE = "not_done"


class CustomerResponse(StrEnum):
    """Second layer: how did the customer answer?"""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
    NONE = "none"


class Channel(StrEnum):
    """How the customer was reached."""

    CALL = "call"
    MEETING = "meeting"
    EMAIL = "email"
    IN_PRODUCT = "in_product"
    ON_SITE = "on_site"
    OTHER = "other"


class StakeholderRole(StrEnum):
    """Whom the intervention reached."""

    CHAMPION = "champion"
    DECISION_MAKER = "decision_maker"
    BUDGET_HOLDER = "budget_holder"
    END_USER = "end_user"
    UNKNOWN = "unknown"


# the reason that the events of an undo carry
UNDONE = "Undone"


class ActorKind(StrEnum):
    """Who made a change."""

    USER = "user"
    RULE = "rule"
    JOB = "job"
    INTEGRATION = "integration"


class EventKind(StrEnum):
    """What an event of an action tells."""

    CREATED = "created"
    FIELD_CHANGED = "field_changed"
    STATUS_CHANGED = "status_changed"
    NOTE_ADDED = "note_added"
    CONTACT_LOGGED = "contact_logged"
    CLOSED = "closed"
