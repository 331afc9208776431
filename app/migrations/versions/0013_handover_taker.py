"""The shipped hand-over gives its first steps to who leaves and its later ones to who takes over, as version 2.

The owner in the CRM changes on a day of its own: until then the steps of the new contact went to the one who leaves,
and when an admin started it, those of the one who leaves to the admin.
An admin who has published a version of their own keeps it.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        with set_aside as (
            update app.playbooks as p set is_active = false
            where
                p.playbook_id = 'handover' and p.version = 1 and p.is_active and p.created_by is null
                and not exists (select from app.playbooks as n where n.playbook_id = 'handover' and n.version > 1)
            returning p.*
        )

        insert into app.playbooks (
            playbook_id, version, name, description, action_type, steps, is_active, created_by, created_at
        )
        select
            playbook_id, 2, name,
            replace(
                description, 'Started by the one who leaves.',
                'First what the owner who leaves does, then what who takes over does.'
            ),
            action_type,
            (
                select
                    jsonb_agg(
                        step || case step ->> 'owner'
                            when 'account_owner' then '{"owner": "taker"}'::jsonb
                            else '{"owner": "account_owner"}'::jsonb
                        end
                        order by place
                    )
                from jsonb_array_elements(steps) with ordinality as s (step, place)
            ),
            true, null, now()
        from set_aside
        """
    )


def downgrade() -> None:
    # the versions in between know no taker; what was started with this one keeps it
    op.execute(
        """
        delete from app.playbooks as p
        where
            p.playbook_id = 'handover' and p.version = 2 and p.created_by is null
            and not exists (
                select from app.playbook_runs as r where r.playbook_id = 'handover' and r.playbook_version = 2
            )
        """
    )
    op.execute(
        """
        update app.playbooks as p set is_active = true
        where
            p.playbook_id = 'handover' and p.version = 1
            and not exists (select from app.playbooks as n where n.playbook_id = 'handover' and n.version > 1)
        """
    )
