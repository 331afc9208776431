"""Users, actions, suggestions, decisions: the first tables of schema app.

Closed lists are check constraints; what must never change has a trigger that refuses. The transformer may read what dbt
stages, never credentials, sessions or stored answers.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

IDENTITY = """
create table app.users (
    user_id uuid primary key,
    email text not null check (email = lower(email)),
    display_name text not null check (display_name <> ''),
    role text not null constraint users_role check (role in ('csm', 'admin', 'analyst')),
    password_hash text not null,
    owner_email text check (owner_email = lower(owner_email)),
    is_active boolean not null,
    weekly_capacity_minutes integer not null check (weekly_capacity_minutes between 0 and 10080),
    created_at timestamptz not null,
    version integer not null check (version > 0)
);
create unique index users_email on app.users (lower(email));
-- one person per owner of the CRM, or nobody could say whose account it is
create unique index users_owner_email on app.users (lower(owner_email)) where owner_email is not null and is_active;

create table app.sessions (
    session_hash bytea primary key,
    user_id uuid not null references app.users,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    user_agent text
);
create index sessions_user on app.sessions (user_id);

create table app.login_attempts (
    id bigint generated always as identity primary key,
    email text not null,
    address text not null,
    attempted_at timestamptz not null,
    succeeded boolean not null
);
create index login_attempts_email on app.login_attempts (email, attempted_at);
create index login_attempts_address on app.login_attempts (address, attempted_at);
create index login_attempts_at on app.login_attempts (attempted_at);

create table app.idempotency_keys (
    key text not null,
    actor uuid not null,
    operation text not null,
    request_hash bytea not null,
    response jsonb,
    created_at timestamptz not null,
    primary key (key, actor)
);
"""

DECISIONS = """
create table app.context_snapshots (
    snapshot_id uuid primary key,
    account_key text not null,
    as_of date not null,
    features jsonb not null,
    sha256 bytea not null check (length(sha256) = 32)
);

create table app.decisions (
    decision_id uuid primary key,
    account_key text not null,
    decided_at timestamptz not null,
    policy_id text not null constraint decisions_policy check (policy_id in ('rules', 'human')),
    policy_version integer not null,
    rule_id text,
    eligible jsonb,
    chosen_intervention text not null,
    propensity_chosen double precision,
    arm text not null constraint decisions_arm check (arm in ('shown', 'human')),
    seed bigint,
    rank integer,
    csm_email text,
    csm_open_load integer,
    snapshot_id uuid not null references app.context_snapshots,
    snapshot_hash bytea not null,
    newest_input_at timestamptz,
    stale_inputs jsonb not null,
    constraint decisions_propensity check (
        case policy_id
            when 'human' then propensity_chosen is null
            else propensity_chosen > 0 and propensity_chosen <= 1
        end
    )
);
create index decisions_account on app.decisions (account_key, decided_at);
"""

ACTIONS = """
create table app.actions (
    action_id uuid primary key,
    account_key text not null,
    account_name text not null,
    title text not null check (title <> ''),
    action_type text not null constraint actions_action_type check (
        action_type in ('risk', 'lifecycle', 'renewal', 'expansion', 'activity')
    ),
    reason text,
    intervention text not null constraint actions_intervention check (intervention in (
        'diagnostic_call', 'executive_reach_out', 'business_review', 'training', 'configuration_audit',
        'integration_help', 'support_escalation', 'champion_onboarding', 'onboarding_rescue', 'value_report',
        'commercial_offer', 'billing_fix', 'reengagement_email', 'roadmap_talk', 'no_contact'
    )),
    priority text not null constraint actions_priority check (priority in ('critical', 'high', 'medium', 'low')),
    status text not null constraint actions_status check (
        status in ('new', 'in_progress', 'blocked', 'waiting_on_customer', 'snoozed', 'closed', 'cancelled')
    ),
    status_before_snooze text constraint actions_status_before_snooze check (
        status_before_snooze in ('new', 'in_progress', 'blocked', 'waiting_on_customer')
    ),
    owner_user_id uuid references app.users,
    due_date date,
    source text not null constraint actions_source check (
        source in ('manual', 'suggestion', 'rule', 'playbook', 'assigned')
    ),
    stakeholder text,
    suggestion_id uuid,
    decision_id uuid not null references app.decisions,
    snoozed_until date,
    snooze_reason text,
    result text constraint actions_result check (
        result in ('successful', 'unsuccessful', 'false_alarm', 'too_early')
    ),
    cancel_reason text constraint actions_cancel_reason check (
        cancel_reason in ('duplicate', 'no_longer_relevant', 'auto_resolved', 'account_churned', 'rule_withdrawn')
    ),
    created_by uuid not null references app.users,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    closed_at timestamptz,
    version integer not null check (version > 0),
    constraint actions_closed_has_result check ((status = 'closed') = (result is not null)),
    constraint actions_cancelled_has_reason check ((status = 'cancelled') = (cancel_reason is not null)),
    constraint actions_ended_has_date check ((status in ('closed', 'cancelled')) = (closed_at is not null)),
    constraint actions_snoozed_is_complete check (
        (status = 'snoozed') = (snoozed_until is not null)
        and (status = 'snoozed') = (status_before_snooze is not null)
        and (status = 'snoozed') = (snooze_reason is not null)
    ),
    constraint actions_suggested_has_suggestion check ((source = 'suggestion') = (suggestion_id is not null))
);
create index actions_owner on app.actions (owner_user_id, status);
create index actions_account on app.actions (account_key, status);
create index actions_due on app.actions (due_date) where status not in ('closed', 'cancelled');
create index actions_snoozed on app.actions (snoozed_until) where status = 'snoozed';
create unique index actions_suggestion on app.actions (suggestion_id) where suggestion_id is not null;

create table app.action_events (
    event_id bigint generated always as identity primary key,
    action_id uuid not null references app.actions,
    at timestamptz not null,
    actor_user_id uuid references app.users,
    actor_name text not null,
    actor_kind text not null constraint action_events_actor_kind check (
        actor_kind in ('user', 'rule', 'job', 'integration')
    ),
    kind text not null constraint action_events_kind check (
        kind in ('created', 'field_changed', 'status_changed', 'note_added', 'contact_logged', 'closed')
    ),
    field text,
    before jsonb,
    after jsonb,
    reason text,
    version integer not null,
    idempotency_key text,
    check ((actor_kind = 'user') = (actor_user_id is not null))
);
create index action_events_action on app.action_events (action_id, event_id);

create table app.action_notes (
    note_id uuid primary key,
    action_id uuid not null references app.actions,
    account_key text not null,
    author_user_id uuid not null references app.users,
    author_name text not null,
    body text not null check (char_length(body) between 1 and 20000),
    corrects_note_id uuid references app.action_notes,
    created_at timestamptz not null
);
create index action_notes_action on app.action_notes (action_id, created_at);
create index action_notes_account on app.action_notes (account_key, created_at);

create table app.action_outcomes (
    outcome_id uuid primary key,
    action_id uuid not null references app.actions,
    execution text not null constraint action_outcomes_execution check (
        execution in ('done_as_planned', 'done_differently', 'attempted_without_reach', 'not_done')
    ),
    customer_response text not null constraint action_outcomes_customer_response check (
        customer_response in ('positive', 'neutral', 'negative', 'none')
    ),
    result text not null constraint action_outcomes_result check (
        result in ('successful', 'unsuccessful', 'false_alarm', 'too_early')
    ),
    done_intervention text not null constraint action_outcomes_done_intervention check (done_intervention in (
        'diagnostic_call', 'executive_reach_out', 'business_review', 'training', 'configuration_audit',
        'integration_help', 'support_escalation', 'champion_onboarding', 'onboarding_rescue', 'value_report',
        'commercial_offer', 'billing_fix', 'reengagement_email', 'roadmap_talk', 'no_contact'
    )),
    channel text constraint action_outcomes_channel check (
        channel in ('call', 'meeting', 'email', 'in_product', 'on_site', 'other')
    ),
    done_date date not null,
    minutes integer check (minutes between 0 and 6000),
    stakeholder_role_reached text constraint action_outcomes_stakeholder_role_reached check (
        stakeholder_role_reached in ('champion', 'decision_maker', 'budget_holder', 'end_user', 'unknown')
    ),
    closing_note text not null check (char_length(closing_note) between 1 and 20000),
    recorded_by uuid not null references app.users,
    recorded_at timestamptz not null
);
create index action_outcomes_action on app.action_outcomes (action_id, recorded_at);
create index action_outcomes_person on app.action_outcomes (recorded_by, recorded_at);
"""

SUGGESTIONS = """
create table app.rules (
    rule_id text not null,
    version integer not null check (version > 0),
    params jsonb not null,
    is_active boolean not null,
    created_at timestamptz not null,
    primary key (rule_id, version)
);
create unique index rules_one_active on app.rules (rule_id) where is_active;

create table app.policies (
    policy_id text not null,
    version integer not null check (version > 0),
    params jsonb not null,
    is_active boolean not null,
    created_at timestamptz not null,
    primary key (policy_id, version)
);
create unique index policies_one_active on app.policies (policy_id) where is_active;

create table app.suggestions (
    suggestion_id uuid primary key,
    account_key text not null,
    account_name text not null,
    rule_id text not null,
    rule_version integer not null,
    action_type text not null constraint suggestions_action_type check (
        action_type in ('risk', 'lifecycle', 'renewal', 'expansion', 'activity')
    ),
    reason text not null,
    title text not null,
    priority text not null constraint suggestions_priority check (priority in ('critical', 'high', 'medium', 'low')),
    intervention text not null constraint suggestions_intervention check (intervention in (
        'diagnostic_call', 'executive_reach_out', 'business_review', 'training', 'configuration_audit',
        'integration_help', 'support_escalation', 'champion_onboarding', 'onboarding_rescue', 'value_report',
        'commercial_offer', 'billing_fix', 'reengagement_email', 'roadmap_talk', 'no_contact'
    )),
    due_offset_bd integer not null check (due_offset_bd >= 0),
    status text not null constraint suggestions_status check (status in (
        'generated', 'held_out', 'shown', 'viewed', 'accepted', 'accepted_with_edits', 'dismissed', 'snoozed',
        'expired', 'superseded', 'auto_resolved', 'blocked_stale_data'
    )),
    sentence text not null,
    evidence jsonb not null,
    score double precision not null,
    dedupe_key text not null,
    csm_email text,
    decision_id uuid unique references app.decisions,
    build_id bigint not null,
    generated_at timestamptz not null,
    answered_at timestamptz,
    answered_by uuid references app.users,
    dismissal_reason text constraint suggestions_dismissal_reason check (dismissal_reason in (
        'already_handled', 'wrong_data', 'not_a_real_risk', 'known_and_accepted', 'bad_timing', 'no_contact_asked',
        'wrong_owner', 'better_action_chosen', 'duplicate'
    )),
    snoozed_until date,
    action_id uuid references app.actions,
    version integer not null check (version > 0),
    foreign key (rule_id, rule_version) references app.rules (rule_id, version),
    constraint suggestions_dismissed_has_reason check ((status = 'dismissed') = (dismissal_reason is not null)),
    constraint suggestions_snoozed_has_date check ((status = 'snoozed') = (snoozed_until is not null)),
    -- what was blocked by stale data offered nothing to anybody, so nothing was decided
    constraint suggestions_offered_has_decision check (
        decision_id is not null or status in ('blocked_stale_data', 'superseded')
    ),
    constraint suggestions_accepted_has_action check (
        (status in ('accepted', 'accepted_with_edits')) = (action_id is not null)
    )
);
create unique index suggestions_open_dedupe on app.suggestions (dedupe_key)
    where status in ('generated', 'held_out', 'shown', 'viewed', 'snoozed', 'blocked_stale_data');
create index suggestions_csm on app.suggestions (csm_email, status);
create index suggestions_account on app.suggestions (account_key, generated_at);
create index suggestions_status on app.suggestions (status, rule_id);
create index suggestions_generated on app.suggestions (generated_at);
create index suggestions_dedupe on app.suggestions (dedupe_key, answered_at);
alter table app.actions add foreign key (suggestion_id) references app.suggestions;

create table app.suggestion_events (
    event_id bigint generated always as identity primary key,
    suggestion_id uuid not null references app.suggestions,
    at timestamptz not null,
    actor_user_id uuid references app.users,
    actor_name text not null,
    actor_kind text not null constraint suggestion_events_actor_kind check (
        actor_kind in ('user', 'rule', 'job', 'integration')
    ),
    kind text not null,
    before jsonb,
    after jsonb,
    reason text,
    version integer not null,
    idempotency_key text
);
create index suggestion_events_suggestion on app.suggestion_events (suggestion_id, event_id);
"""

APPEND_ONLY = """
create function app.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'app.% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;
"""

APPEND_ONLY_TABLES = (
    "action_events",
    "action_notes",
    "action_outcomes",
    "suggestion_events",
    "decisions",
    "context_snapshots",
)

# The bootstrap grants select on every table of this schema to the transformer by default; these must not be among them.
GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'transformer') then
        revoke all on app.users, app.sessions, app.login_attempts, app.idempotency_keys from transformer;
        grant select (
            user_id, email, display_name, role, owner_email, is_active, weekly_capacity_minutes, created_at, version
        ) on app.users to transformer;
        grant select on
            app.actions, app.action_events, app.action_notes, app.action_outcomes, app.decisions,
            app.context_snapshots, app.suggestions, app.suggestion_events, app.rules, app.policies
        to transformer;
    end if;
end
$$;
"""

FIRST_RULES = """
insert into app.rules (rule_id, version, is_active, created_at, params) values
('R1', 1, true, now(), '{
    "action_type": "risk", "reason": "health_drop", "title": "Find out why health dropped",
    "input": "fct_account_health_daily", "max_input_age_days": 2,
    "hold_days": 2, "cool_down_days": 14, "due_offset_bd": 2,
    "interventions": ["diagnostic_call", "configuration_audit", "business_review"],
    "thresholds": {"window_days": 7, "drop_high": 15, "drop_critical": 25, "recovered_within": 5}
}'),
('R2', 1, true, now(), '{
    "action_type": "risk", "reason": "usage_decline", "title": "Bring usage back",
    "input": "fct_usage_daily", "max_input_age_days": 2,
    "hold_days": 3, "cool_down_days": 14, "due_offset_bd": 3,
    "interventions": ["training", "configuration_audit", "diagnostic_call"],
    "thresholds": {
        "drop_ratio": 0.20, "least_previous_7d": 5, "least_previous_30d": 20,
        "recovered_ratio": 0.90, "recovered_days": 7, "high_drop_ratio": 0.50
    }
}'),
('R7', 1, true, now(), '{
    "action_type": "risk", "reason": "payment", "title": "Get the payment settled",
    "input": "fct_invoices", "max_input_age_days": 2,
    "hold_days": 1, "cool_down_days": 7, "due_offset_bd": 2,
    "interventions": ["billing_fix", "commercial_offer"],
    "thresholds": {"overdue_days": 30, "critical_overdue_days": 60}
}');

insert into app.policies (policy_id, version, is_active, created_at, params) values
('rules', 1, true, now(), '{
    "budget_per_csm_and_day": 5, "expire_after_days": 14, "exploration_share": 0.0,
    "priority_weight": {"critical": 4.0, "high": 3.0, "medium": 2.0, "low": 1.0},
    "renewal_horizon_days": 180, "renewal_boost": 1.0,
    "contact_window_days": 14, "contact_penalty_share": 0.3,
    "assumed_risk_when_unknown": 0.05
}');
"""


def upgrade() -> None:
    for block in (IDENTITY, DECISIONS, ACTIONS, SUGGESTIONS, APPEND_ONLY):
        op.execute(block)
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
    op.execute(FIRST_RULES)


def downgrade() -> None:
    op.execute("alter table app.actions drop constraint actions_suggestion_id_fkey")
    for table in (
        "suggestion_events", "suggestions", "policies", "rules", "action_outcomes", "action_notes", "action_events",
        "actions", "decisions", "context_snapshots", "idempotency_keys", "login_attempts", "sessions", "users",
    ):  # fmt: skip
        op.execute(f"drop table app.{table}")
    op.execute("drop function app.refuse_change()")
