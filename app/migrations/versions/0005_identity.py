"""Identity: sessions a person can tell apart and end, second factors, tokens for integrators."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SESSIONS = """
alter table app.sessions
    add column session_id uuid not null default gen_random_uuid(),
    add column confirmed_at timestamptz,
    add column address text,
    add constraint sessions_session_id unique (session_id);
create index sessions_expires_at on app.sessions (expires_at);
"""

# `last_step` is the time step of the newest code that was taken: each code counts once.
SECOND_FACTORS = """
create table app.second_factors (
    user_id uuid primary key references app.users,
    secret text not null,
    created_at timestamptz not null,
    confirmed_at timestamptz,
    last_step bigint not null default 0
);
create table app.second_factor_roles (
    role text primary key check (role in ('csm', 'admin', 'analyst')),
    required_by uuid not null references app.users,
    required_at timestamptz not null
);
"""

API_TOKENS = """
create table app.api_tokens (
    token_id uuid primary key,
    user_id uuid not null references app.users,
    name text not null,
    scopes jsonb not null,
    token_hash bytea not null unique,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz
);
create index api_tokens_user on app.api_tokens (user_id);
"""

# The bootstrap grants select on every table of this schema to the transformer by default; these hold secrets.
GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'transformer') then
        revoke all on app.second_factors, app.second_factor_roles, app.api_tokens from transformer;
    end if;
end
$$;
"""


def upgrade() -> None:
    for block in (SESSIONS, SECOND_FACTORS, API_TOKENS, GRANTS):
        op.execute(block)


def downgrade() -> None:
    op.execute("drop table app.api_tokens, app.second_factor_roles, app.second_factors")
    op.execute("drop index app.sessions_expires_at")
    op.execute("alter table app.sessions drop column session_id, drop column confirmed_at, drop column address")
