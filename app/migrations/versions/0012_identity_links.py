"""What people know of identity: which account a source record belongs to, or that it belongs to none.

Append-only: the newest row of a record counts, and an older one says what was believed before and why.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LINKS = """
create table app.identity_links (
    link_id bigint generated always as identity primary key,
    source text not null check (source in ('stripe', 'zendesk', 'product', 'survey')),
    source_id text not null check (btrim(source_id) <> ''),
    account_key text,
    reason text not null check (btrim(reason) <> ''),
    linked_by_user_id uuid not null references app.users,
    linked_by_name text not null,
    linked_at timestamptz not null
);
create index identity_links_record on app.identity_links (source, source_id, link_id desc);
create trigger append_only before update or delete on app.identity_links
    for each row execute function app.refuse_change();
create trigger append_only_truncate before truncate on app.identity_links
    for each statement execute function app.refuse_change()
"""


def upgrade() -> None:
    op.execute(LINKS)


def downgrade() -> None:
    op.execute("drop table app.identity_links")
