"""Rows of playbooks and of their runs, and back. No rule lives here."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Select, exists, func, insert, select, text, update

from app.actions.lifecycle import OPEN
from app.actions.tables import actions
from app.errors import NotFound
from app.playbooks.model import Playbook, Run, RunStep, Step
from app.playbooks.plan import Checked
from app.playbooks.tables import playbook_runs, playbooks
from app.tables import users

_PLAYBOOK = TypeAdapter(Playbook)
_RUN = TypeAdapter(Run)
_RUN_STEP = TypeAdapter(RunStep)
_STEPS = TypeAdapter(tuple[Step, ...])
_OPEN = sorted(status.value for status in OPEN)


def hold(db: Connection, playbook_id: str, *, is_shared: bool = False) -> None:
    """Until the end of the transaction nobody publishes or retires this playbook; shared, others may start it."""
    lock = "pg_advisory_xact_lock_shared" if is_shared else "pg_advisory_xact_lock"
    db.execute(text(f"select {lock}(hashtextextended(:name, 0))"), {"name": f"playbook:{playbook_id}"})


def hold_start(db: Connection, playbook_id: str, account_key: str) -> None:
    """Until the end of the transaction nobody else starts this playbook on this account."""
    name = f"playbook_start:{playbook_id}:{account_key}"
    db.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def _playbooks() -> Select:
    return select(*playbooks.c, users.c.display_name.label("created_by_name")).outerjoin(
        users, users.c.user_id == playbooks.c.created_by
    )


def _found(db: Connection, query: Select) -> list[Playbook]:
    return [_PLAYBOOK.validate_python(dict(row._mapping)) for row in db.execute(query)]


def newest(db: Connection, *, with_retired: bool) -> list[Playbook]:
    """One version of each playbook, by name: the active one, of a retired playbook the last."""
    ranked = (
        select(playbooks.c.playbook_id, func.max(playbooks.c.version).label("version"))
        .group_by(playbooks.c.playbook_id)
        .subquery()
    )
    query = (
        _playbooks()
        .join(ranked, (ranked.c.playbook_id == playbooks.c.playbook_id) & (ranked.c.version == playbooks.c.version))
        .order_by(playbooks.c.is_active.desc(), func.lower(playbooks.c.name), playbooks.c.playbook_id)
    )
    return _found(db, query if with_retired else query.where(playbooks.c.is_active))


def versions(db: Connection, playbook_id: str) -> list[Playbook]:
    """Every version of a playbook, newest first; empty when there is none."""
    query = _playbooks().where(playbooks.c.playbook_id == playbook_id).order_by(playbooks.c.version.desc())
    return _found(db, query)


def one(db: Connection, playbook_id: str, version: int | None) -> Playbook:
    """That version, or with None the active one. Raises NotFound."""
    is_wanted = playbooks.c.is_active if version is None else playbooks.c.version == version
    found = _found(db, _playbooks().where(playbooks.c.playbook_id == playbook_id, is_wanted))
    if not found:
        raise NotFound("playbook", playbook_id)
    return found[0]


def insert_version(
    db: Connection, *, playbook_id: str, version: int, checked: Checked, values: Mapping[str, object]
) -> None:
    """A new active version, the one before it put aside."""
    set_aside(db, playbook_id)
    db.execute(
        insert(playbooks).values(
            playbook_id=playbook_id,
            version=version,
            name=checked.name,
            description=checked.description,
            action_type=checked.action_type.value,
            steps=_STEPS.dump_python(checked.steps, mode="json"),
            is_active=True,
            **values,
        )
    )


def set_aside(db: Connection, playbook_id: str) -> None:
    """No version of this playbook is active any more."""
    db.execute(
        update(playbooks).where(playbooks.c.playbook_id == playbook_id, playbooks.c.is_active).values(is_active=False)
    )


def insert_run(db: Connection, values: Mapping[str, object]) -> UUID:
    """A new run; returns its id."""
    run_id = uuid4()
    db.execute(insert(playbook_runs).values(run_id=run_id, version=1, **values))
    return run_id


def change_run(db: Connection, run: Run, changes: Mapping[str, object]) -> None:
    """Write changed columns of a locked run and count its version up."""
    db.execute(
        update(playbook_runs)
        .where(playbook_runs.c.run_id == run.run_id)
        .values(dict(changes) | {"version": run.version + 1})
    )


def lock_run(db: Connection, run_id: UUID) -> Run:
    """The run, locked until the end of the transaction. Raises NotFound."""
    held = select(playbook_runs.c.run_id).where(playbook_runs.c.run_id == run_id).with_for_update()
    if db.execute(held).one_or_none() is None:
        raise NotFound("playbook run", run_id)
    return runs(db, [playbook_runs.c.run_id == run_id], limit=1)[0]


def has_open_action() -> ColumnElement[bool]:
    """A condition on a run: something of it is still to be done."""
    return exists().where(actions.c.playbook_run_id == playbook_runs.c.run_id, actions.c.status.in_(_OPEN))


def running_counts(db: Connection) -> dict[str, int]:
    """Runs that are running, counted by playbook."""
    query = (
        select(playbook_runs.c.playbook_id, func.count().label("running_count"))
        .where(playbook_runs.c.stopped_at.is_(None), has_open_action())
        .group_by(playbook_runs.c.playbook_id)
    )
    return {row.playbook_id: row.running_count for row in db.execute(query)}


def runs(db: Connection, conditions: Sequence[ColumnElement[bool]], *, limit: int) -> list[Run]:
    """Runs with their steps: those still running first, then the newest start first. Two round trips."""
    query = (
        select(
            *playbook_runs.c,
            playbooks.c.name.label("playbook_name"),
            playbooks.c.steps.label("plan"),
            users.c.display_name.label("started_by_name"),
        )
        .join(
            playbooks,
            (playbooks.c.playbook_id == playbook_runs.c.playbook_id)
            & (playbooks.c.version == playbook_runs.c.playbook_version),
        )
        .join(users, users.c.user_id == playbook_runs.c.started_by)
        .where(*conditions)
        .order_by(
            (playbook_runs.c.stopped_at.is_(None) & has_open_action()).desc(),
            playbook_runs.c.started_at.desc(),
            playbook_runs.c.run_id,
        )
        .limit(limit)
    )
    rows = [dict(row._mapping) for row in db.execute(query)]
    made = _steps(db, [row["run_id"] for row in rows])
    found = []
    for row in rows:
        guidance = {step["number"]: step["guidance"] for step in row.pop("plan")}
        steps = tuple(
            _RUN_STEP.validate_python(step | {"guidance": guidance.get(step["number"], "")})
            for step in made.get(row["run_id"], ())
        )
        found.append(_RUN.validate_python(row | {"steps": steps}))
    return found


def _steps(db: Connection, run_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    query = (
        select(
            actions.c.playbook_run_id,
            actions.c.playbook_step.label("number"),
            actions.c.title,
            actions.c.action_id,
            actions.c.status,
            actions.c.due_date,
            actions.c.owner_user_id,
            users.c.display_name.label("owner_name"),
            actions.c.result,
            actions.c.cancel_reason,
        )
        .outerjoin(users, users.c.user_id == actions.c.owner_user_id)
        .where(actions.c.playbook_run_id.in_(run_ids))
        .order_by(actions.c.playbook_run_id, actions.c.playbook_step)
    )
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in db.execute(query) if run_ids else ():
        values = dict(row._mapping)
        found.setdefault(values.pop("playbook_run_id"), []).append(values)
    return found
