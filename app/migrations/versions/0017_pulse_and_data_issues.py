"""The pulse that a CSM gives an account before they see what is suggested, and figures that somebody says are wrong."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# One row per pulse given; never changed, because snapshots of decisions are rebuilt from it.
PULSES = """
create table app.account_pulses (
    pulse_id bigint generated always as identity primary key,
    account_key text not null,
    score smallint not null check (score between 1 and 5),
    given_by uuid not null references app.users,
    given_by_name text not null,
    given_at timestamptz not null,
    is_of_owner boolean not null
);
create index account_pulses_account on app.account_pulses (account_key, given_at desc, pulse_id desc);
create trigger append_only before update or delete on app.account_pulses
    for each row execute function app.refuse_change();
create trigger append_only_truncate before truncate on app.account_pulses
    for each statement execute function app.refuse_change();
"""

# One row per person, account and day that a pulse was asked on, beside the suggestion that was revealed after it: whose
# pulse is missing was not asked, said no, or walked past.
ASKS = """
create table app.pulse_asks (
    user_id uuid not null references app.users,
    account_key text not null,
    asked_on date not null,
    suggestion_id uuid not null references app.suggestions,
    asked_at timestamptz not null,
    answer text constraint pulse_asks_answer check (answer in ('given', 'skipped')),
    answered_at timestamptz,
    primary key (user_id, account_key, asked_on),
    check ((answer is null) = (answered_at is null))
);
"""

PREFERENCE = "alter table app.users add column is_asked_pulse boolean not null default true"

# One row per account, rule and figure that is said to be wrong, from the first who said so until it is closed.
ISSUES = """
create table app.data_issues (
    issue_id uuid primary key,
    account_key text not null,
    account_name text not null,
    rule_id text not null,
    rule_version integer not null,
    figure text not null check (figure <> ''),
    sentence text not null,
    figures jsonb not null,
    build_id bigint not null,
    status text not null constraint data_issues_status check (status in ('open', 'resolved', 'withdrawn')),
    opened_at timestamptz not null,
    resolved_by uuid references app.users,
    resolved_by_name text,
    resolved_at timestamptz,
    resolution text,
    version integer not null,
    check ((status = 'resolved') = (resolved_by is not null and resolved_at is not null and resolution is not null))
);
create unique index data_issues_one_open on app.data_issues (account_key, rule_id, figure) where status = 'open';
create index data_issues_status_opened on app.data_issues (status, opened_at desc);
create table app.data_issue_reports (
    report_id bigint generated always as identity primary key,
    issue_id uuid not null references app.data_issues,
    suggestion_id uuid not null references app.suggestions,
    reported_by uuid not null references app.users,
    reported_by_name text not null,
    reported_at timestamptz not null,
    note text,
    withdrawn_at timestamptz
);
create unique index data_issue_reports_standing on app.data_issue_reports (suggestion_id) where withdrawn_at is null;
create index data_issue_reports_issue on app.data_issue_reports (issue_id);
"""

# The bootstrap grants select on every table of this schema to the transformer by default; no model stages these.
GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'transformer') then
        revoke all on app.account_pulses, app.pulse_asks, app.data_issues, app.data_issue_reports from transformer;
    end if;
end
$$;
"""


def _change_list(
    constraint: str, table: str, column: str, *, added: tuple[str, ...] = (), gone: tuple[str, ...] = ()
) -> None:
    """A closed list as it is, with some more or fewer."""
    told = op.get_bind().scalar(
        sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = :name"), {"name": constraint}
    )
    kept = [name for name in re.findall(r"'([a-z_]+)'", told) if name not in (*added, *gone)]
    listed = ", ".join(f"'{name}'" for name in (*kept, *added))
    op.execute(f"alter table app.{table} drop constraint {constraint}")
    op.execute(f"alter table app.{table} add constraint {constraint} check ({column} in ({listed}))")


_SUBJECTS = ("audit_events_subject_kind", "audit_events", "subject_kind")
_NOTICES = ("notices_kind", "notices", "kind")


def upgrade() -> None:
    op.execute(PULSES)
    op.execute(ASKS)
    op.execute(PREFERENCE)
    op.execute(ISSUES)
    op.execute(GRANTS)
    _change_list(*_SUBJECTS, added=("data_issue",))
    _change_list(*_NOTICES, added=("data_issue_resolved",))


def downgrade() -> None:
    op.execute("delete from app.notices where kind = 'data_issue_resolved'")
    _change_list(*_NOTICES, gone=("data_issue_resolved",))
    op.execute("alter table app.audit_events disable trigger append_only")
    op.execute("delete from app.audit_events where subject_kind = 'data_issue'")
    op.execute("alter table app.audit_events enable trigger append_only")
    _change_list(*_SUBJECTS, gone=("data_issue",))
    op.execute("drop table app.data_issue_reports, app.data_issues, app.pulse_asks, app.account_pulses")
    op.execute("alter table app.users drop column is_asked_pulse")
