"""The tables of analysts' SQL: every statement with what became of it, and saved queries with their versions."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.tables import TIMESTAMP, metadata

# One row per statement that somebody sent, written before it runs and once more when it ends; never changed after, but
# for its text, which is forgotten after a time: then it is null, `parameters` are empty and `message` is null.
sql_statements = Table(
    "sql_statements",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("text", Text),
    Column("text_sha256", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("started_at", TIMESTAMP, nullable=False),
    Column("ended_at", TIMESTAMP),
    Column("verdict", Text),
    Column("row_count", Integer),
    Column("is_cut", Boolean),
    Column("duration_ms", Integer),
    Column("message", Text),
)

# `version` is the newest of saved_query_versions.
saved_queries = Table(
    "saved_queries",
    metadata,
    Column("query_id", Uuid, primary_key=True),
    Column("owner_user_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("updated_at", TIMESTAMP, nullable=False),
    Column("archived_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
)

# Append-only: the text of a query as it was saved each time.
saved_query_versions = Table(
    "saved_query_versions",
    metadata,
    Column("query_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("saved_by", Uuid, nullable=False),
    Column("saved_at", TIMESTAMP, nullable=False),
)
