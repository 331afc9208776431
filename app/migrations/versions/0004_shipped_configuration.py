"""The configuration that ships, as version 1 of each name."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _type(label: str, priority: str, due_offset_bd: int) -> dict[str, object]:
    return {"label": label, "priority": priority, "due_offset_bd": due_offset_bd, "is_offered": True}


def _reason(code: str, label: str, action_type: str) -> dict[str, object]:
    return {"code": code, "label": label, "action_type": action_type, "is_offered": True}


def _intervention(label: str, effort_minutes: int, action_type: str) -> dict[str, object]:
    return {"label": label, "effort_minutes": effort_minutes, "action_type": action_type, "is_offered": True}


ACTION_TYPES = {
    "risk": _type("Risk", "high", 2),
    "lifecycle": _type("Lifecycle", "medium", 3),
    "renewal": _type("Renewal", "high", 5),
    "expansion": _type("Expansion", "medium", 5),
    "activity": _type("Activity", "medium", 3),
}

# the reasons of the rules first, in their order, then those that only people give
ACTION_REASONS = [
    _reason("health_drop", "Health drop", "risk"),
    _reason("usage_decline", "Usage decline", "risk"),
    _reason("no_activity", "No activity", "risk"),
    _reason("champion_left", "Champion left", "risk"),
    _reason("support_pressure", "Support pressure", "risk"),
    _reason("detractor", "Detractor", "risk"),
    _reason("payment", "Payment", "risk"),
    _reason("low_seat_use", "Low seat use", "lifecycle"),
    _reason("onboarding_stalled", "Onboarding stalled", "lifecycle"),
    _reason("renewal_checkpoint", "Renewal checkpoint", "renewal"),
    _reason("silent_account", "Silent account", "activity"),
    _reason("growth", "Growth", "expansion"),
    _reason("risk_high", "High churn risk", "risk"),
    _reason("opinions_differ", "Opinions differ", "risk"),
    _reason("customer_asked", "The customer asked", "activity"),
    _reason("regular_check_in", "Regular check-in", "activity"),
    _reason("promise_made", "A promise to keep", "activity"),
    _reason("kick_off", "Kick-off", "lifecycle"),
    _reason("account_handover", "Account handover", "lifecycle"),
    _reason("reorganisation", "Reorganisation or takeover", "risk"),
    _reason("competitor", "Competitor named", "risk"),
    _reason("budget_cut", "Budget cut", "risk"),
    _reason("price_talk", "Talk about the price", "renewal"),
    _reason("new_need", "New need or team", "expansion"),
]

INTERVENTIONS = {
    "diagnostic_call": _intervention("Diagnostic call", 45, "risk"),
    "executive_reach_out": _intervention("Executive reach-out", 60, "risk"),
    "business_review": _intervention("Business review", 120, "renewal"),
    "training": _intervention("Training", 90, "lifecycle"),
    "configuration_audit": _intervention("Configuration audit", 90, "lifecycle"),
    "integration_help": _intervention("Integration help", 90, "lifecycle"),
    "support_escalation": _intervention("Support escalation", 30, "risk"),
    "champion_onboarding": _intervention("Champion onboarding", 60, "lifecycle"),
    "onboarding_rescue": _intervention("Onboarding rescue", 120, "lifecycle"),
    "value_report": _intervention("Value report", 60, "renewal"),
    "commercial_offer": _intervention("Commercial offer", 60, "expansion"),
    "billing_fix": _intervention("Billing fix", 20, "risk"),
    "reengagement_email": _intervention("Re-engagement e-mail", 15, "activity"),
    "roadmap_talk": _intervention("Roadmap talk", 60, "expansion"),
    "no_contact": _intervention("No contact", 10, "activity"),
}

SHIPPED = {
    "action_types": ACTION_TYPES,
    "action_reasons": ACTION_REASONS,
    "interventions": INTERVENTIONS,
    "escalation": {"digest_day": 1, "owner_and_admin_day": 3, "decision_day": 7},
    "retention": {"archive_after_days": 90, "expire_after_days": 60},
    "company_holidays": {"days": []},
}


def upgrade() -> None:
    shipping = sa.text(
        "insert into app.configurations (name, version, value, is_active, created_at) "
        "values (:name, 1, cast(:value as jsonb), true, now())"
    )
    for name, value in SHIPPED.items():
        op.execute(shipping.bindparams(name=name, value=json.dumps(value)))


def downgrade() -> None:
    op.execute("delete from app.configurations")
