"""A notice knows the message that carries it, so that both can be withdrawn while a change may still be undone."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table app.notices add column message_id uuid references app.outbox on delete set null")
    op.execute("create index notices_message on app.notices (message_id) where message_id is not null")


def downgrade() -> None:
    op.execute("alter table app.notices drop column message_id")
