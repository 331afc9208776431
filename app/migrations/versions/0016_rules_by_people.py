"""Who published a version of a rule and why; rules that are throttled; what people say is wrong in the data."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

RULES = """
alter table app.rules add column created_by uuid references app.users;
alter table app.rules add column reason text;
"""

SUBJECTS = ("rule",)


def _change_subjects(*, added: tuple[str, ...] = (), gone: tuple[str, ...] = ()) -> None:
    """The subjects of the trail as they are, with some more or fewer."""
    told = op.get_bind().scalar(
        sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = 'audit_events_subject_kind'")
    )
    kept = [name for name in re.findall(r"'([a-z_]+)'", told) if name not in (*added, *gone)]
    listed = ", ".join(f"'{name}'" for name in (*kept, *added))
    op.execute("alter table app.audit_events drop constraint audit_events_subject_kind")
    op.execute(
        f"alter table app.audit_events add constraint audit_events_subject_kind check (subject_kind in ({listed}))"
    )


def upgrade() -> None:
    op.execute(RULES)
    _change_subjects(added=SUBJECTS)


def downgrade() -> None:
    op.execute("alter table app.audit_events disable trigger append_only")
    for subject in SUBJECTS:
        op.execute(f"delete from app.audit_events where subject_kind = '{subject}'")  # noqa: S608 -- our own names
    op.execute("alter table app.audit_events enable trigger append_only")
    _change_subjects(gone=SUBJECTS)
    op.execute("alter table app.rules drop column reason")
    op.execute("alter table app.rules drop column created_by")
