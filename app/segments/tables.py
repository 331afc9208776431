"""The table of segments."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.tables import TIMESTAMP, metadata

segments = Table(
    "segments",
    metadata,
    Column("segment_id", Uuid, primary_key=True),
    Column("owner_user_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("criteria", JSONB, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("updated_at", TIMESTAMP, nullable=False),
    Column("archived_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
)
