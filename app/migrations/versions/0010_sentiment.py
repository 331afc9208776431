"""What a CSM thinks of an account, 1 to 5 with the meaning that was shown: kept apart from the score, never changed."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = """
create table app.account_ratings (
    rating_id bigint generated always as identity primary key,
    account_key text not null,
    score smallint not null check (score between 1 and 5),
    meaning text not null,
    note text,
    rated_by uuid not null references app.users,
    rated_by_name text not null,
    rated_at timestamptz not null
);
create index account_ratings_account on app.account_ratings (account_key, rating_id desc);
create trigger append_only before update or delete on app.account_ratings
    for each row execute function app.refuse_change();
create trigger append_only_truncate before truncate on app.account_ratings
    for each statement execute function app.refuse_change();
"""

# The bootstrap grants select on every table of this schema to the transformer by default; no model stages this one.
GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'transformer') then
        revoke all on app.account_ratings from transformer;
    end if;
end
$$;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("drop table app.account_ratings")
