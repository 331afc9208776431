"""The metadata of schema `app`, and the tables that every room of the application may need: identity, request keys,
handovers, configuration, saved views, ratings, the audit trail.

Alembic creates them (`app/migrations`); these objects exist so that queries name columns once. A test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="app")
TIMESTAMP = DateTime(timezone=True)

users = Table(
    "users",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("owner_email", Text),
    Column("is_active", Boolean, nullable=False),
    Column("weekly_capacity_minutes", Integer, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="Europe/London"),
    Column("holiday_region", Text, nullable=False, server_default="GB-ENG"),
    Column("digest", Text, nullable=False, server_default="daily"),
    Column("has_notice_mail", Boolean, nullable=False, server_default="true"),
    Column("is_asked_pulse", Boolean, nullable=False, server_default="true"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("last_seen_at", TIMESTAMP, nullable=False),
    Column("expires_at", TIMESTAMP, nullable=False),
    Column("revoked_at", TIMESTAMP),
    Column("user_agent", Text),
    Column("session_id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("confirmed_at", TIMESTAMP),
    Column("address", Text),
    Column("orchestrator_hash", LargeBinary),
    Column("ticket_hash", LargeBinary),
    Column("ticket_door", Text),
    Column("ticket_expires_at", TIMESTAMP),
    Column("ticket_question", Text),
)

# A person's authenticator app; it counts from `confirmed_at` on.
second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("confirmed_at", TIMESTAMP),
    Column("last_step", BigInteger, nullable=False, server_default="0"),
)

# The roles whose people must have one.
second_factor_roles = Table(
    "second_factor_roles",
    metadata,
    Column("role", Text, primary_key=True),
    Column("required_by", Uuid, nullable=False),
    Column("required_at", TIMESTAMP, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("token_id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", JSONB, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("expires_at", TIMESTAMP, nullable=False),
    Column("last_used_at", TIMESTAMP),
    Column("revoked_at", TIMESTAMP),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("email", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("attempted_at", TIMESTAMP, nullable=False),
    Column("succeeded", Boolean, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("actor", Uuid, primary_key=True),
    Column("operation", Text, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response", JSONB),
    Column("created_at", TIMESTAMP, nullable=False),
)

# One row per hand-over of a person's whole book; it runs while it has started and not ended.
handovers = Table(
    "handovers",
    metadata,
    Column("handover_id", Uuid, primary_key=True),
    Column("from_user_id", Uuid, nullable=False),
    Column("to_user_id", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("moves", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Uuid, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("started_at", TIMESTAMP),
    Column("ended_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
)

# One row per name and version; exactly one version of a name is active.
configurations = Table(
    "configurations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("value", JSONB, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_by", Uuid),
    Column("created_at", TIMESTAMP, nullable=False),
)

# Append-only: one row per change of anything that is neither an action nor a suggestion.
audit_events = Table(
    "audit_events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor_user_id", Uuid),
    Column("actor_name", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("field", Text),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("reason", Text),
    Column("idempotency_key", Text),
)

# Append-only: one row per rating that somebody gave an account; the newest stands.
account_ratings = Table(
    "account_ratings",
    metadata,
    Column("rating_id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_key", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("meaning", Text, nullable=False),
    Column("note", Text),
    Column("rated_by", Uuid, nullable=False),
    Column("rated_by_name", Text, nullable=False),
    Column("rated_at", TIMESTAMP, nullable=False),
)

# Append-only: a person's decision on the account of a source record, null for none; the newest of a record counts.
identity_links = Table(
    "identity_links",
    metadata,
    Column("link_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("account_key", Text),
    Column("reason", Text, nullable=False),
    Column("linked_by_user_id", Uuid, nullable=False),
    Column("linked_by_name", Text, nullable=False),
    Column("linked_at", TIMESTAMP, nullable=False),
)

# A person's filters under a name; `query` holds the page's address parameters as they stand in a link.
saved_views = Table(
    "saved_views",
    metadata,
    Column("view_id", Uuid, primary_key=True),
    Column("owner_user_id", Uuid, nullable=False),
    Column("page", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", JSONB, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("updated_at", TIMESTAMP, nullable=False),
    Column("archived_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
)
