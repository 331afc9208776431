"""Tables of what people are told: notices inside the product, and the outbox of messages that leave it."""

from sqlalchemy import Column, Integer, Table, Text, Uuid

from app.tables import TIMESTAMP, metadata

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("action_id", Uuid),
    Column("account_key", Text),
    Column("dedupe_key", Text, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("read_at", TIMESTAMP),
    Column("message_id", Uuid),
)

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("user_id", Uuid),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", TIMESTAMP, nullable=False),
    Column("last_error", Text),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("sent_at", TIMESTAMP),
)
