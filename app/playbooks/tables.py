"""Tables of playbooks: one row per version of a playbook, one per time it was started on an account.

Whether a run is complete is not stored: it follows from its actions, which name their run and step.
"""

from sqlalchemy import Boolean, Column, Date, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.tables import TIMESTAMP, metadata

playbooks = Table(
    "playbooks",
    metadata,
    Column("playbook_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("action_type", Text, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_by", Uuid),
    Column("created_at", TIMESTAMP, nullable=False),
)

playbook_runs = Table(
    "playbook_runs",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("playbook_id", Text, nullable=False),
    Column("playbook_version", Integer, nullable=False),
    Column("account_key", Text, nullable=False),
    Column("account_name", Text, nullable=False),
    Column("started_by", Uuid, nullable=False),
    Column("started_at", TIMESTAMP, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("stopped_by", Uuid),
    Column("stopped_at", TIMESTAMP),
    Column("stop_reason", Text),
    Column("open_steps", Text),
    Column("version", Integer, nullable=False),
)
