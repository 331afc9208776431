"""A session opens the orchestrator's host name too: by a key of its own, which comes by a ticket that is spent once."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = """
alter table app.sessions
    add column orchestrator_hash bytea,
    add column ticket_hash bytea,
    add column ticket_door text check (ticket_door in ('product', 'orchestrator')),
    add column ticket_expires_at timestamptz,
    add constraint sessions_orchestrator_hash unique (orchestrator_hash),
    add constraint sessions_ticket_hash unique (ticket_hash),
    add constraint sessions_ticket_is_whole
        check (num_nulls(ticket_hash, ticket_door, ticket_expires_at) in (0, 3));
"""


def upgrade() -> None:
    op.execute(COLUMNS)


def downgrade() -> None:
    op.execute(
        "alter table app.sessions drop column orchestrator_hash, drop column ticket_hash, drop column ticket_door, "
        "drop column ticket_expires_at"
    )
