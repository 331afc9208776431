"""Rules R3 to R6 and R8 to R14, the sources that every rule must not outlive, exploration and a hold-out."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DECISIONS = """
alter table app.decisions add column exclusion text;
alter table app.decisions add column stratum text;
alter table app.decisions drop constraint decisions_arm;
alter table app.decisions add constraint decisions_arm check (arm in ('shown', 'held_out', 'human'));
alter table app.suggestions add column is_held_out boolean not null default false;
"""

_SOURCES = {"R2": ["product"], "R7": ["stripe"]}


def _rule(title: str, kind: str, reason: str, mart: str, sources: list[str], **rest: object) -> dict[str, object]:
    return {
        "title": title,
        "action_type": kind,
        "reason": reason,
        "input": mart,
        "sources": sources,
        "max_input_age_days": 2,
        **rest,
    }


NEW_RULES: dict[str, dict[str, object]] = {
    "R3": _rule(
        "Find out why nobody works with it",
        "risk",
        "no_activity",
        "fct_usage_daily",
        ["product"],
        hold_days=0,
        cool_down_days=21,
        due_offset_bd=3,
        interventions=["reengagement_email", "diagnostic_call"],
        thresholds={
            "quiet_days": 7,
            "low_frequency_days": 14,
            "low_frequency_plans": ["Essentials"],
            "high_quiet_days": 21,
        },
    ),
    "R4": _rule(
        "Find a new champion",
        "risk",
        "champion_left",
        "dim_contacts",
        ["hubspot"],
        hold_days=0,
        cool_down_days=14,
        due_offset_bd=2,
        interventions=["champion_onboarding", "executive_reach_out"],
        thresholds={"window_days": 14, "critical_renewal_days": 90},
    ),
    "R5": _rule(
        "Get the tickets moving",
        "risk",
        "support_pressure",
        "fct_tickets",
        ["zendesk"],
        hold_days=1,
        cool_down_days=7,
        due_offset_bd=1,
        interventions=["support_escalation", "executive_reach_out"],
        thresholds={"most_urgent": 2, "most_new_30d": 10, "critical_urgent": 4},
    ),
    "R6": _rule(
        "Talk with the detractor",
        "risk",
        "detractor",
        "fct_nps_responses",
        ["surveys"],
        hold_days=0,
        cool_down_days=30,
        due_offset_bd=2,
        interventions=["diagnostic_call", "executive_reach_out"],
        thresholds={"detractor_up_to": 6, "critical_up_to": 3, "window_days": 30},
    ),
    "R8": _rule(
        "Get the paid seats used",
        "lifecycle",
        "low_seat_use",
        "fct_account_health_daily",
        ["product", "stripe"],
        hold_days=14,
        cool_down_days=45,
        due_offset_bd=5,
        interventions=["training", "commercial_offer"],
        thresholds={"least_ratio": 0.5, "recovered_ratio": 0.6, "from_day": 183},
    ),
    "R9": _rule(
        "Get the onboarding going again",
        "lifecycle",
        "onboarding_stalled",
        "fct_usage_daily",
        ["product"],
        hold_days=0,
        cool_down_days=14,
        due_offset_bd=2,
        interventions=["onboarding_rescue", "training"],
        thresholds={
            "until_day": 120,
            "first_activity_by_day": 7,
            "first_campaign_by_day": 21,
            "first_automation_by_day": 45,
        },
    ),
    "R10": _rule(
        "Assess the renewal",
        "renewal",
        "renewal_checkpoint",
        "dim_accounts",
        ["stripe"],
        hold_days=0,
        cool_down_days=14,
        due_offset_bd=10,
        interventions=["business_review", "value_report"],
        thresholds={"first_checkpoint_days": 180, "second_checkpoint_days": 90},
    ),
    "R11": _rule(
        "Speak with them again",
        "activity",
        "silent_account",
        "dim_contacts",
        ["hubspot"],
        hold_days=0,
        cool_down_days=30,
        due_offset_bd=5,
        interventions=["diagnostic_call", "business_review"],
        thresholds={"silent_days": 90, "high_silent_days": 180},
    ),
    "R12": _rule(
        "Talk about growing with them",
        "expansion",
        "growth",
        "fct_account_health_daily",
        ["product", "stripe"],
        hold_days=7,
        cool_down_days=60,
        due_offset_bd=5,
        interventions=["roadmap_talk", "commercial_offer"],
        thresholds={"full_ratio": 0.9, "room_ratio": 0.85, "growth_ratio": 0.1, "least_previous_30d": 20},
    ),
    "R13": _rule(
        "Find out how likely they are to stay",
        "risk",
        "risk_high",
        "fct_churn_risk_daily",
        [],
        hold_days=2,
        cool_down_days=21,
        due_offset_bd=3,
        interventions=["diagnostic_call", "executive_reach_out", "business_review"],
        thresholds={},
    ),
    "R14": _rule(
        "Find out who is right about them",
        "risk",
        "opinions_differ",
        "fct_churn_risk_daily",
        [],
        hold_days=3,
        cool_down_days=30,
        due_offset_bd=5,
        interventions=["diagnostic_call"],
        thresholds={"rating_valid_days": 90},
    ),
}

# Exploration and the hold-out follow the field's usual shares; prices are never a matter of chance, and neither is
# whether somebody with a payment in dispute or an urgent ticket is helped.
POLICY = {
    "exploration_share": 0.10,
    "never_explored": ["commercial_offer"],
    "hold_out": {
        "share": 0.05,
        "salt": "first",
        "never_rules": ["R5", "R7"],
        "renewal_days": 30,
        "first_days": 14,
    },
}


def upgrade() -> None:
    op.execute(DECISIONS)
    db = op.get_bind()
    add_rule = sa.text(
        "insert into app.rules (rule_id, version, is_active, created_at, params)"
        " values (:rule_id, 1, true, now(), cast(:params as jsonb))"
    )
    for rule_id, params in NEW_RULES.items():
        db.execute(add_rule, {"rule_id": rule_id, "params": json.dumps(params)})
    for rule_id, sources in _SOURCES.items():
        values = {"rule_id": rule_id, "added": json.dumps({"sources": sources})}
        db.execute(
            sa.text(
                "insert into app.rules (rule_id, version, is_active, created_at, params)"
                " select rule_id, version + 1, false, now(), params || cast(:added as jsonb)"
                " from app.rules where rule_id = :rule_id and is_active"
            ),
            values,
        )
        _activate_newest("rules", "rule_id", rule_id)
    db.execute(
        sa.text(
            "insert into app.policies (policy_id, version, is_active, created_at, params)"
            " select policy_id, version + 1, false, now(), params || cast(:added as jsonb)"
            " from app.policies where policy_id = 'rules' and is_active"
        ),
        {"added": json.dumps(POLICY)},
    )
    _activate_newest("policies", "policy_id", "rules")


def _activate_newest(table: str, key: str, value: str) -> None:
    mine = f"where {key} = :value"
    for statement in (
        f"update app.{table} set is_active = false {mine} and is_active",  # noqa: S608 -- our own names
        f"update app.{table} set is_active = true {mine} and version = (select max(version) from app.{table} {mine})",  # noqa: S608
    ):
        op.get_bind().execute(sa.text(statement), {"value": value})


def downgrade() -> None:
    db = op.get_bind()
    db.execute(sa.text("delete from app.rules where rule_id = any(:ids)"), {"ids": list(NEW_RULES)})
    for table, key, values in (("rules", "rule_id", list(_SOURCES)), ("policies", "policy_id", ["rules"])):
        for value in values:
            db.execute(
                sa.text(
                    f"delete from app.{table} where {key} = :value"  # noqa: S608 -- our own names
                    f" and version = (select max(version) from app.{table} where {key} = :value)"
                ),
                {"value": value},
            )
            _activate_newest(table, key, value)
    op.execute("alter table app.suggestions drop column is_held_out")
    op.execute("alter table app.decisions drop constraint decisions_arm")
    op.execute("alter table app.decisions add constraint decisions_arm check (arm in ('shown', 'human'))")
    op.execute("alter table app.decisions drop column stratum")
    op.execute("alter table app.decisions drop column exclusion")
