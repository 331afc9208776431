"""Segments: filters of the Accounts page under a name, which rules and reports may use."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SEGMENTS = """
create table app.segments (
    segment_id uuid primary key,
    owner_user_id uuid not null references app.users,
    name text not null check (char_length(name) between 1 and 80),
    description text check (char_length(description) <= 500),
    criteria jsonb not null,
    is_shared boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    archived_at timestamptz,
    version integer not null check (version > 0)
);
create unique index segments_name on app.segments (owner_user_id, lower(name)) where archived_at is null;
"""

SUBJECTS = (
    "user", "configuration", "playbook", "playbook_run", "handover", "saved_view", "message", "saved_query",
)  # fmt: skip

# The bootstrap grants select on every table of this schema to the transformer by default; it stages none of these.
GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'transformer') then
        revoke select on app.segments from transformer;
    end if;
end
$$;
"""


def _set_subjects(subjects: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{subject}'" for subject in subjects)
    op.execute("alter table app.audit_events drop constraint audit_events_subject_kind")
    op.execute(
        f"alter table app.audit_events add constraint audit_events_subject_kind check (subject_kind in ({listed}))"
    )


def upgrade() -> None:
    op.execute(SEGMENTS)
    op.execute(GRANTS)
    _set_subjects((*SUBJECTS, "segment", "rule"))


def downgrade() -> None:
    op.execute("alter table app.audit_events disable trigger append_only")
    op.execute("delete from app.audit_events where subject_kind in ('segment', 'rule')")
    op.execute("alter table app.audit_events enable trigger append_only")
    _set_subjects(SUBJECTS)
    op.execute("update app.rules set params = params - 'only_segment' - 'except_segment'")
    op.execute("drop table app.segments")
