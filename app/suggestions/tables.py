"""Tables of suggestions, their events, what people say beside them (the pulse of an account, figures that are wrong),
and the versioned rules and policies they come from.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Identity, Integer, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.tables import TIMESTAMP, metadata

suggestions = Table(
    "suggestions",
    metadata,
    Column("suggestion_id", Uuid, primary_key=True),
    Column("account_key", Text, nullable=False),
    Column("account_name", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("action_type", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("intervention", Text, nullable=False),
    Column("due_offset_bd", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("is_held_out", Boolean, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("score", Double, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("csm_email", Text),
    Column("decision_id", Uuid),
    Column("build_id", BigInteger, nullable=False),
    Column("generated_at", TIMESTAMP, nullable=False),
    Column("answered_at", TIMESTAMP),
    Column("answered_by", Uuid),
    Column("dismissal_reason", Text),
    Column("snoozed_until", Date),
    Column("action_id", Uuid),
    Column("version", Integer, nullable=False),
)

suggestion_events = Table(
    "suggestion_events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("suggestion_id", Uuid, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor_user_id", Uuid),
    Column("actor_name", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
    Column("idempotency_key", Text),
)

# Append-only: one row per pulse that somebody gave an account.
account_pulses = Table(
    "account_pulses",
    metadata,
    Column("pulse_id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_key", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("given_by", Uuid, nullable=False),
    Column("given_by_name", Text, nullable=False),
    Column("given_at", TIMESTAMP, nullable=False),
    Column("is_of_owner", Boolean, nullable=False),
)

# One row per person, account and day that a pulse was asked on, before that suggestion was revealed.
pulse_asks = Table(
    "pulse_asks",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("account_key", Text, primary_key=True),
    Column("asked_on", Date, primary_key=True),
    Column("suggestion_id", Uuid, nullable=False),
    Column("asked_at", TIMESTAMP, nullable=False),
    Column("answer", Text),
    Column("answered_at", TIMESTAMP),
)

# One row per account, rule and figure said to be wrong; at most one of them is open.
data_issues = Table(
    "data_issues",
    metadata,
    Column("issue_id", Uuid, primary_key=True),
    Column("account_key", Text, nullable=False),
    Column("account_name", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("figure", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("figures", JSONB, nullable=False),
    Column("build_id", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", TIMESTAMP, nullable=False),
    Column("resolved_by", Uuid),
    Column("resolved_by_name", Text),
    Column("resolved_at", TIMESTAMP),
    Column("resolution", Text),
    Column("version", Integer, nullable=False),
)

# One row per suggestion that was dismissed for it; who undoes that withdraws the row.
data_issue_reports = Table(
    "data_issue_reports",
    metadata,
    Column("report_id", BigInteger, Identity(always=True), primary_key=True),
    Column("issue_id", Uuid, nullable=False),
    Column("suggestion_id", Uuid, nullable=False),
    Column("reported_by", Uuid, nullable=False),
    Column("reported_by_name", Text, nullable=False),
    Column("reported_at", TIMESTAMP, nullable=False),
    Column("note", Text),
    Column("withdrawn_at", TIMESTAMP),
)

rules = Table(
    "rules",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("params", JSONB, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("created_by", Uuid),
    Column("reason", Text),
)

# One row per time that a rule was throttled; it stands while it has not ended and its version is in force.
rule_throttles = Table(
    "rule_throttles",
    metadata,
    Column("throttle_id", BigInteger, Identity(always=True), primary_key=True),
    Column("rule_id", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("began_at", TIMESTAMP, nullable=False),
    Column("false_alarm_count", Integer, nullable=False),
    Column("answer_count", Integer, nullable=False),
    Column("score_share", Double, nullable=False),
    Column("ended_at", TIMESTAMP),
    Column("ended_by", Uuid),
    Column("ended_by_name", Text),
    Column("ended_reason", Text),
)

policies = Table(
    "policies",
    metadata,
    Column("policy_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("params", JSONB, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
)
