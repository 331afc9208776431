"""What analysts asked is forgotten after a time: the text goes, and its hash, who asked and what came of it stay.

What holds is said for the active version of the retention alone: the ones before knew of no such time.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEPT = """
    (new.statement_id, new.user_id, new.purpose, new.text_sha256, new.started_at)
    is distinct from (old.statement_id, old.user_id, old.purpose, old.text_sha256, old.started_at)
"""
ENDS_ONCE = """
    old.ended_at is not null
    or (new.text, new.parameters) is distinct from (old.text, old.parameters)
"""
# the shortest time that can be set is kept here too, so that nobody who has the application's role is faster
FORGOTTEN = """
    new.text is null and new.parameters = '{}' and new.message is null
    and old.started_at < now() - interval '30 days'
    and (new.ended_at, new.verdict, new.row_count, new.is_cut, new.duration_ms)
        is not distinct from (old.ended_at, old.verdict, old.row_count, old.is_cut, old.duration_ms)
"""
TRIGGER = """
create or replace function app.keep_statement() returns trigger language plpgsql as $$
begin
    if {refused} then
        raise exception 'what was asked, and what became of it, is kept' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$
"""


def upgrade() -> None:
    op.execute("alter table app.sql_statements alter column text drop not null")
    op.execute("create index sql_statements_remembered on app.sql_statements (started_at) where text is not null")
    op.execute(TRIGGER.format(refused=f"{KEPT} or (({ENDS_ONCE}) and not ({FORGOTTEN}))"))
    op.execute(
        "update app.configurations set value = value || '{\"forget_statements_after_days\": 365}'"
        " where name = 'retention' and is_active"
    )


def downgrade() -> None:
    op.execute("update app.configurations set value = value - 'forget_statements_after_days' where name = 'retention'")
    op.execute("alter table app.sql_statements disable trigger ends_once")
    op.execute("update app.sql_statements set text = '' where text is null")
    op.execute("alter table app.sql_statements enable trigger ends_once")
    op.execute(TRIGGER.format(refused=f"{KEPT} or {ENDS_ONCE}"))
    op.execute("drop index app.sql_statements_remembered")
    op.execute("alter table app.sql_statements alter column text set not null")
