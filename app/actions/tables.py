"""Tables of actions, their story, and the decision records that actions and suggestions share.

One row per action in `actions`, guarded by a trigger: legal moves only, versions without gaps, no deletion.
`action_events`, `action_notes`, `action_contacts`, `action_outcomes`, `decisions` and `context_snapshots` are
append-only: a trigger refuses update, delete and truncate for everybody.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Identity,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.tables import TIMESTAMP, metadata

actions = Table(
    "actions",
    metadata,
    Column("action_id", Uuid, primary_key=True),
    Column("account_key", Text, nullable=False),
    Column("account_name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("action_type", Text, nullable=False),
    Column("reason", Text),
    Column("intervention", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_before_snooze", Text),
    Column("owner_user_id", Uuid),
    Column("due_date", Date),
    Column("source", Text, nullable=False),
    Column("stakeholder", Text),
    Column("suggestion_id", Uuid),
    Column("decision_id", Uuid, nullable=False),
    Column("snoozed_until", Date),
    Column("snooze_reason", Text),
    Column("result", Text),
    Column("cancel_reason", Text),
    Column("created_by", Uuid, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("updated_at", TIMESTAMP, nullable=False),
    Column("closed_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Column("playbook_run_id", Uuid),
    Column("playbook_step", Integer),
    Column("escalation_level", SmallInteger, nullable=False),
    Column("archived_at", TIMESTAMP),
)

# `version` is the action's version after the event; `reason` is what the person said of the move.
action_events = Table(
    "action_events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("action_id", Uuid, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor_user_id", Uuid),
    Column("actor_name", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("field", Text),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
    Column("idempotency_key", Text),
)

action_notes = Table(
    "action_notes",
    metadata,
    Column("note_id", Uuid, primary_key=True),
    Column("action_id", Uuid, nullable=False),
    Column("account_key", Text, nullable=False),
    Column("author_user_id", Uuid, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("corrects_note_id", Uuid),
    Column("created_at", TIMESTAMP, nullable=False),
)

action_contacts = Table(
    "action_contacts",
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("action_id", Uuid, nullable=False),
    Column("account_key", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("contacted_on", Date, nullable=False),
    Column("minutes", Integer),
    Column("was_reached", Boolean, nullable=False),
    Column("person_reached", Text),
    Column("stakeholder_role_reached", Text),
    Column("logged_by", Uuid, nullable=False),
    Column("logged_by_name", Text, nullable=False),
    Column("logged_at", TIMESTAMP, nullable=False),
)

action_outcomes = Table(
    "action_outcomes",
    metadata,
    Column("outcome_id", Uuid, primary_key=True),
    Column("action_id", Uuid, nullable=False),
    Column("execution", Text, nullable=False),
    Column("customer_response", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("done_intervention", Text, nullable=False),
    Column("channel", Text),
    Column("done_date", Date, nullable=False),
    Column("minutes", Integer),
    Column("stakeholder_role_reached", Text),
    Column("closing_note", Text, nullable=False),
    Column("recorded_by", Uuid, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", Uuid, primary_key=True),
    Column("account_key", Text, nullable=False),
    Column("decided_at", TIMESTAMP, nullable=False),
    Column("policy_id", Text, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("rule_id", Text),
    Column("eligible", JSONB(none_as_null=True)),
    Column("chosen_intervention", Text, nullable=False),
    Column("propensity_chosen", Double),
    Column("arm", Text, nullable=False),
    Column("exclusion", Text),
    Column("stratum", Text),
    Column("seed", BigInteger),
    Column("rank", Integer),
    Column("csm_email", Text),
    Column("csm_open_load", Integer),
    Column("snapshot_id", Uuid, nullable=False),
    Column("snapshot_hash", LargeBinary, nullable=False),
    Column("newest_input_at", TIMESTAMP),
    Column("stale_inputs", JSONB, nullable=False),
)

context_snapshots = Table(
    "context_snapshots",
    metadata,
    Column("snapshot_id", Uuid, primary_key=True),
    Column("account_key", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("features", JSONB, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
)

# `items`: one object per changed action with its id, the columns before and the version after.
bulk_changes = Table(
    "bulk_changes",
    metadata,
    Column("bulk_id", Uuid, primary_key=True),
    Column("actor_user_id", Uuid, nullable=False),
    Column("made_at", TIMESTAMP, nullable=False),
    Column("kind", Text, nullable=False),
    Column("items", JSONB, nullable=False),
    Column("undone_at", TIMESTAMP),
)

# One row per action that a hand-over moved; `returned_at` when the end of a cover gave it back.
handover_items = Table(
    "handover_items",
    metadata,
    Column("handover_id", Uuid, primary_key=True),
    Column("action_id", Uuid, primary_key=True),
    Column("moved_at", TIMESTAMP, nullable=False),
    Column("returned_at", TIMESTAMP),
)

# The moves the trigger of `actions` lets through; a test holds them equal to `lifecycle.TRANSITIONS`.
action_transitions = Table(
    "action_transitions",
    metadata,
    Column("from_status", Text, primary_key=True),
    Column("to_status", Text, primary_key=True),
)
