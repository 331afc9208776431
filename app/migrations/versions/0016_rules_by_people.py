"""Who published a version of a rule and why; rules that are throttled."""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

RULES = """
alter table app.rules add column created_by uuid references app.users;
alter table app.rules add column reason text;
"""

# A rule is throttled once at a time; the row says when it began, why, and by whom it was lifted.
THROTTLES = """
create table app.rule_throttles (
    throttle_id bigint generated always as identity primary key,
    rule_id text not null,
    rule_version integer not null,
    began_at timestamptz not null,
    false_alarm_count integer not null,
    answer_count integer not null check (answer_count >= false_alarm_count),
    score_share double precision not null check (score_share > 0 and score_share <= 1),
    ended_at timestamptz,
    ended_by uuid references app.users,
    ended_by_name text,
    ended_reason text,
    foreign key (rule_id, rule_version) references app.rules (rule_id, version),
    check ((ended_at is null) = (ended_by is null))
);
create unique index rule_throttles_one on app.rule_throttles (rule_id, rule_version) where ended_at is null;
create function app.keep_throttle() returns trigger language plpgsql as $$
begin
    if old.ended_at is not null
        or (new.rule_id, new.rule_version, new.began_at, new.false_alarm_count, new.answer_count, new.score_share)
            is distinct from
            (old.rule_id, old.rule_version, old.began_at, old.false_alarm_count, old.answer_count, old.score_share)
    then
        raise exception 'a throttle ends, and nothing else about it changes' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger ends_once before update on app.rule_throttles for each row execute function app.keep_throttle();
create trigger append_only before delete on app.rule_throttles for each row execute function app.refuse_change();
create trigger append_only_truncate before truncate on app.rule_throttles
    for each statement execute function app.refuse_change();
"""
THROTTLING = {"line_pct": 50, "least_answers": 30, "score_left_pct": 25, "window_days": 365}

# The bootstrap grants select on every table of this schema to the transformer by default; no model stages this one.
GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'transformer') then
        revoke all on app.rule_throttles from transformer;
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


_NAMES = ("configurations_name", "configurations", "name")


def upgrade() -> None:
    op.execute(RULES)
    op.execute(THROTTLES)
    op.execute(GRANTS)
    _change_list(*_NAMES, added=("rule_throttling",))
    shipped = sa.text(
        "insert into app.configurations (name, version, value, is_active, created_at)"
        " values ('rule_throttling', 1, cast(:value as jsonb), true, now())"
    )
    op.execute(shipped.bindparams(value=json.dumps(THROTTLING)))


def downgrade() -> None:
    op.execute("delete from app.configurations where name = 'rule_throttling'")
    _change_list(*_NAMES, gone=("rule_throttling",))
    op.execute("drop table app.rule_throttles")
    op.execute("drop function app.keep_throttle()")
    op.execute("alter table app.rules drop column reason")
    op.execute("alter table app.rules drop column created_by")
