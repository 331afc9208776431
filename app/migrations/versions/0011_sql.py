"""SQL of analysts: every statement with what became of it, and saved queries with their versions."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = """
create table app.sql_statements (
    statement_id uuid primary key,
    user_id uuid not null references app.users,
    purpose text not null constraint sql_statements_purpose check (purpose in ('run', 'plan', 'file')),
    text text not null,
    text_sha256 text not null check (text_sha256 ~ '^[0-9a-f]{64}$'),
    parameters jsonb not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    verdict text constraint sql_statements_verdict check (verdict in ('answered', 'refused', 'failed', 'ended')),
    row_count integer check (row_count >= 0),
    is_cut boolean,
    duration_ms integer check (duration_ms >= 0),
    message text,
    check ((ended_at is null) = (verdict is null))
);
create index sql_statements_of_user on app.sql_statements (user_id, started_at desc);
create index sql_statements_running on app.sql_statements (user_id) where ended_at is null;

create function app.keep_statement() returns trigger language plpgsql as $$
begin
    if old.ended_at is not null
       or (new.statement_id, new.user_id, new.purpose, new.text, new.text_sha256, new.parameters, new.started_at)
          is distinct from
          (old.statement_id, old.user_id, old.purpose, old.text, old.text_sha256, old.parameters, old.started_at)
    then
        raise exception 'what was asked, and what became of it, is kept' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger ends_once before update on app.sql_statements for each row execute function app.keep_statement();
create trigger append_only before delete on app.sql_statements for each row execute function app.refuse_change();
create trigger append_only_truncate before truncate on app.sql_statements
    for each statement execute function app.refuse_change();
"""

QUERIES = """
create table app.saved_queries (
    query_id uuid primary key,
    owner_user_id uuid not null references app.users,
    name text not null check (char_length(name) between 1 and 80),
    is_shared boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    archived_at timestamptz,
    version integer not null check (version > 0)
);
create unique index saved_queries_name on app.saved_queries (owner_user_id, lower(name)) where archived_at is null;
create table app.saved_query_versions (
    query_id uuid not null references app.saved_queries,
    version integer not null,
    text text not null,
    saved_by uuid not null references app.users,
    saved_at timestamptz not null,
    primary key (query_id, version)
);
create trigger append_only before update or delete on app.saved_query_versions
    for each row execute function app.refuse_change();
create trigger append_only_truncate before truncate on app.saved_query_versions
    for each statement execute function app.refuse_change();
"""

SUBJECTS = ("user", "configuration", "playbook", "playbook_run", "handover", "saved_view", "message")

# The bootstrap grants select on every table of this schema to the transformer by default; it stages none of these.
GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'transformer') then
        revoke select on app.sql_statements, app.saved_queries, app.saved_query_versions from transformer;
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
    op.execute(STATEMENTS)
    op.execute(QUERIES)
    op.execute(GRANTS)
    _set_subjects((*SUBJECTS, "saved_query"))


def downgrade() -> None:
    op.execute("alter table app.audit_events disable trigger append_only")
    op.execute("delete from app.audit_events where subject_kind = 'saved_query'")
    op.execute("alter table app.audit_events enable trigger append_only")
    _set_subjects(SUBJECTS)
    for table in ("saved_query_versions", "saved_queries", "sql_statements"):
        op.execute(f"drop table app.{table}")
    op.execute("drop function app.keep_statement()")
