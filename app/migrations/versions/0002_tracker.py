"""The whole tracker: contacts, playbooks, bulk changes with undo, handovers, notices and their outbox, configuration.

The life of an action is guarded here too: a move that the application's table does not know, a version that jumps, a
deletion, or another account under an action are refused by a trigger, whoever asks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


PEOPLE = """
alter table app.users
    add column time_zone text not null default 'Europe/London',
    add column holiday_region text not null default 'GB-ENG',
    add column digest text not null default 'daily'
        constraint users_digest check (digest in ('never', 'daily', 'weekly')),
    add column has_notice_mail boolean not null default true;
"""

CONFIGURATION = """
create table app.configurations (
    name text not null constraint configurations_name check (
        name in ('action_types', 'action_reasons', 'interventions', 'escalation', 'retention', 'company_holidays')
    ),
    version integer not null check (version > 0),
    value jsonb not null,
    is_active boolean not null,
    created_by uuid references app.users,
    created_at timestamptz not null,
    primary key (name, version)
);
create unique index configurations_one_active on app.configurations (name) where is_active;

create table app.audit_events (
    event_id bigint generated always as identity primary key,
    at timestamptz not null,
    actor_user_id uuid references app.users,
    actor_name text not null,
    actor_kind text not null constraint audit_events_actor_kind check (actor_kind in ('user', 'job', 'operator')),
    subject_kind text not null constraint audit_events_subject_kind check (
        subject_kind in ('user', 'configuration', 'playbook', 'playbook_run', 'handover', 'saved_view', 'message')
    ),
    subject_id text not null,
    kind text not null constraint audit_events_kind check (kind in ('created', 'changed', 'ended')),
    field text,
    before jsonb,
    after jsonb,
    reason text,
    idempotency_key text,
    check ((actor_kind = 'user') = (actor_user_id is not null))
);
create index audit_events_subject on app.audit_events (subject_kind, subject_id, event_id);
create index audit_events_at on app.audit_events (at);
"""

PLAYBOOKS = """
create table app.playbooks (
    playbook_id text not null check (playbook_id ~ '^[a-z][a-z0-9_]{1,60}$'),
    version integer not null check (version > 0),
    name text not null check (name <> ''),
    description text not null,
    action_type text not null constraint playbooks_action_type check (
        action_type in ('risk', 'lifecycle', 'renewal', 'expansion', 'activity')
    ),
    steps jsonb not null check (jsonb_typeof(steps) = 'array' and jsonb_array_length(steps) between 1 and 30),
    is_active boolean not null,
    created_by uuid references app.users,
    created_at timestamptz not null,
    primary key (playbook_id, version)
);
create unique index playbooks_one_active on app.playbooks (playbook_id) where is_active;

create table app.playbook_runs (
    run_id uuid primary key,
    playbook_id text not null,
    playbook_version integer not null,
    account_key text not null,
    account_name text not null,
    started_by uuid not null references app.users,
    started_at timestamptz not null,
    starts_on date not null,
    stopped_by uuid references app.users,
    stopped_at timestamptz,
    stop_reason text,
    open_steps text constraint playbook_runs_open_steps check (open_steps in ('cancelled', 'kept')),
    version integer not null check (version > 0),
    foreign key (playbook_id, playbook_version) references app.playbooks (playbook_id, version),
    constraint playbook_runs_stopped_is_complete check (
        (stopped_at is null) = (stopped_by is null)
        and (stopped_at is null) = (stop_reason is null)
        and (stopped_at is null) = (open_steps is null)
    )
);
create index playbook_runs_account on app.playbook_runs (account_key, started_at);
"""

ACTIONS = """
alter table app.actions
    add column playbook_run_id uuid references app.playbook_runs,
    add column playbook_step integer check (playbook_step > 0),
    add column escalation_level smallint not null default 0 check (escalation_level between 0 and 3),
    add column archived_at timestamptz,
    add constraint actions_playbook_has_step check (
        (playbook_run_id is null) = (playbook_step is null) and (source = 'playbook') = (playbook_run_id is not null)
    ),
    add constraint actions_archived_has_ended check (archived_at is null or status in ('closed', 'cancelled'));
create unique index actions_playbook_step on app.actions (playbook_run_id, playbook_step)
    where playbook_run_id is not null;
-- lists ask for what is open, by due date; the queue for what is nobody's; the archive job for what ended long ago
create index actions_open_due on app.actions (due_date, priority) where status not in ('closed', 'cancelled');
create index actions_unassigned on app.actions (created_at)
    where owner_user_id is null and status not in ('closed', 'cancelled');
create index actions_ended on app.actions (closed_at) where closed_at is not null and archived_at is null;
drop index app.actions_due;
create index action_events_at on app.action_events (at);

create table app.action_contacts (
    contact_id uuid primary key,
    action_id uuid not null references app.actions,
    account_key text not null,
    channel text not null constraint action_contacts_channel check (
        channel in ('call', 'meeting', 'email', 'in_product', 'on_site', 'other')
    ),
    contacted_on date not null,
    minutes integer check (minutes between 0 and 6000),
    was_reached boolean not null,
    person_reached text check (char_length(person_reached) between 1 and 200),
    stakeholder_role_reached text constraint action_contacts_stakeholder_role_reached check (
        stakeholder_role_reached in ('champion', 'decision_maker', 'budget_holder', 'end_user', 'unknown')
    ),
    logged_by uuid not null references app.users,
    logged_by_name text not null,
    logged_at timestamptz not null
);
create index action_contacts_action on app.action_contacts (action_id, logged_at);
create index action_contacts_account on app.action_contacts (account_key, contacted_on);
create index action_contacts_person on app.action_contacts (logged_by, contacted_on);

create table app.bulk_changes (
    bulk_id uuid primary key,
    actor_user_id uuid not null references app.users,
    made_at timestamptz not null,
    kind text not null constraint bulk_changes_kind check (kind in ('snooze', 'redate', 'cancel', 'assign')),
    items jsonb not null,
    undone_at timestamptz
);
create index bulk_changes_actor on app.bulk_changes (actor_user_id, made_at);

create table app.saved_views (
    view_id uuid primary key,
    owner_user_id uuid not null references app.users,
    page text not null constraint saved_views_page check (page in ('actions', 'accounts')),
    name text not null check (char_length(name) between 1 and 80),
    query jsonb not null,
    is_shared boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    archived_at timestamptz,
    version integer not null check (version > 0)
);
create unique index saved_views_name on app.saved_views (owner_user_id, page, lower(name)) where archived_at is null;
"""

HANDOVERS = """
create table app.handovers (
    handover_id uuid primary key,
    from_user_id uuid not null references app.users,
    to_user_id uuid not null references app.users,
    starts_on date not null,
    ends_on date,
    moves text not null constraint handovers_moves check (moves in ('none', 'suggested', 'all_open')),
    reason text not null check (reason <> ''),
    created_by uuid not null references app.users,
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    version integer not null check (version > 0),
    constraint handovers_two_people check (from_user_id <> to_user_id),
    constraint handovers_in_order check (ends_on is null or ends_on >= starts_on)
);
-- whose accounts somebody has can have one answer only
create unique index handovers_one_running on app.handovers (from_user_id)
    where started_at is not null and ended_at is null;
create index handovers_to on app.handovers (to_user_id) where started_at is not null and ended_at is null;

create table app.handover_items (
    handover_id uuid not null references app.handovers,
    action_id uuid not null references app.actions,
    moved_at timestamptz not null,
    returned_at timestamptz,
    primary key (handover_id, action_id)
);
"""

NOTICES = """
create table app.notices (
    notice_id uuid primary key,
    user_id uuid not null references app.users,
    kind text not null constraint notices_kind check (kind in (
        'assigned', 'taken_away', 'note_added', 'came_back', 'escalated', 'decision_needed', 'handover',
        'delivery_failed'
    )),
    title text not null check (title <> ''),
    body text not null,
    action_id uuid references app.actions,
    account_key text,
    dedupe_key text not null,
    created_at timestamptz not null,
    read_at timestamptz,
    unique (user_id, dedupe_key)
);
create index notices_user on app.notices (user_id, created_at desc);
create index notices_unread on app.notices (user_id) where read_at is null;

create table app.outbox (
    message_id uuid primary key,
    channel text not null constraint outbox_channel check (channel in ('email', 'webhook')),
    recipient text not null,
    user_id uuid references app.users,
    subject text not null,
    body text not null,
    dedupe_key text not null unique,
    status text not null constraint outbox_status check (status in ('pending', 'sent', 'given_up')),
    attempts integer not null check (attempts >= 0),
    next_attempt_at timestamptz not null,
    last_error text,
    created_at timestamptz not null,
    sent_at timestamptz,
    constraint outbox_sent_has_time check ((status = 'sent') = (sent_at is not null))
);
create index outbox_due on app.outbox (next_attempt_at) where status = 'pending';
create index outbox_created on app.outbox (created_at);
"""

TRANSITIONS = (
    ("new", "in_progress"), ("new", "snoozed"), ("new", "closed"), ("new", "cancelled"),
    ("in_progress", "blocked"), ("in_progress", "waiting_on_customer"), ("in_progress", "snoozed"),
    ("in_progress", "closed"), ("in_progress", "cancelled"),
    ("blocked", "in_progress"), ("blocked", "waiting_on_customer"), ("blocked", "snoozed"), ("blocked", "closed"),
    ("blocked", "cancelled"),
    ("waiting_on_customer", "in_progress"), ("waiting_on_customer", "blocked"), ("waiting_on_customer", "snoozed"),
    ("waiting_on_customer", "closed"), ("waiting_on_customer", "cancelled"),
    ("snoozed", "new"), ("snoozed", "in_progress"), ("snoozed", "blocked"), ("snoozed", "waiting_on_customer"),
    ("closed", "in_progress"), ("cancelled", "in_progress"),
)  # fmt: skip

# An undo within its minute puts a row back as it was, which no ordinary move may do: it says so in its transaction.
GUARD = """
create table app.action_transitions (
    from_status text not null,
    to_status text not null,
    primary key (from_status, to_status)
);

create function app.guard_action() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'app.actions keeps everything: delete refused' using errcode = 'restrict_violation';
    end if;
    if new.version <> old.version + 1 then
        raise exception 'the version of an action grows by one: % after %', new.version, old.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if (new.action_id, new.account_key, new.decision_id, new.source, new.created_by, new.created_at)
        is distinct from (old.action_id, old.account_key, old.decision_id, old.source, old.created_by, old.created_at)
        or new.suggestion_id is distinct from old.suggestion_id
        or new.playbook_run_id is distinct from old.playbook_run_id
        or new.playbook_step is distinct from old.playbook_step
    then
        raise exception 'what an action came from cannot change' using errcode = 'integrity_constraint_violation';
    end if;
    if new.status <> old.status and coalesce(current_setting('app.undo', true), '') <> 'on' then
        if not exists (
            select from app.action_transitions where from_status = old.status and to_status = new.status
        ) or (old.status = 'snoozed' and new.status is distinct from old.status_before_snooze) then
            raise exception 'an action that is % cannot become %', old.status, new.status
                using errcode = 'integrity_constraint_violation';
        end if;
    end if;
    return new;
end
$$;
create trigger guard_action before update or delete on app.actions
    for each row execute function app.guard_action();
create trigger guard_action_truncate before truncate on app.actions
    for each statement execute function app.refuse_change();
"""

APPEND_ONLY_TABLES = ("audit_events", "action_contacts", "action_transitions")

# The bootstrap grants select on every table of this schema to the transformer by default; it stages none of these.
GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'transformer') then
        revoke all on
            app.configurations, app.audit_events, app.playbooks, app.playbook_runs, app.action_contacts,
            app.bulk_changes, app.saved_views, app.handovers, app.handover_items, app.notices, app.outbox,
            app.action_transitions
        from transformer;
    end if;
end
$$;
"""


def upgrade() -> None:
    for block in (PEOPLE, CONFIGURATION, PLAYBOOKS, ACTIONS, HANDOVERS, NOTICES, GUARD):
        op.execute(block)
    op.bulk_insert(
        sa.table("action_transitions", sa.column("from_status"), sa.column("to_status"), schema="app"),
        [{"from_status": before, "to_status": after} for before, after in TRANSITIONS],
    )
    for table in APPEND_ONLY_TABLES:
        op.execute(
            f"create trigger append_only before update or delete on app.{table} "
            "for each row execute function app.refuse_change()"
        )
        op.execute(
            f"create trigger append_only_truncate before truncate on app.{table} "
            "for each statement execute function app.refuse_change()"
        )
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("drop trigger guard_action on app.actions")
    op.execute("drop trigger guard_action_truncate on app.actions")
    op.execute("drop function app.guard_action()")
    for table in ("handover_items", "handovers", "outbox", "notices", "saved_views", "bulk_changes", "action_contacts"):
        op.execute(f"drop table app.{table}")
    op.execute(
        "alter table app.actions drop column playbook_run_id, drop column playbook_step, "
        "drop column escalation_level, drop column archived_at"
    )
    op.execute("create index actions_due on app.actions (due_date) where status not in ('closed', 'cancelled')")
    op.execute("drop index app.actions_open_due, app.actions_unassigned, app.action_events_at")
    for table in ("playbook_runs", "playbooks", "action_transitions", "audit_events", "configurations"):
        op.execute(f"drop table app.{table}")
    op.execute(
        "alter table app.users drop column time_zone, drop column holiday_region, drop column digest, "
        "drop column has_notice_mail"
    )
