"""A ticket for another host name counts only in the browser that asked for it."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table app.sessions add column ticket_question text")


def downgrade() -> None:
    op.execute("alter table app.sessions drop column ticket_question")
