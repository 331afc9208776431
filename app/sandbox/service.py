"""Runs what an analyst asks: who may, how many at once, the gate, the statement, and the row that tells of it.

A statement that somebody else wrote and shared runs like one's own: with the rights of whoever runs it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import BinaryIO, TypeVar
from uuid import UUID, uuid4

from sqlalchemy.engine import make_url

from app import db as database
from app.auth import Identity, Permission, require
from app.clock import real_now
from app.errors import AppError, InvalidInput, SandboxUnavailable, StatementEnded
from app.exports import formats
from app.exports.formats import Format
from app.sandbox import columnar, gate, ledger, reach, runner
from app.sandbox.gate import Statement
from app.sandbox.ledger import Purpose, Verdict
from app.sandbox.runner import Answer, Server
from app.sandbox.watchdog import Patience, Reader
from app.settings import get_settings

LONGEST_VALUE = 2_000  # characters of a parameter
Given = TypeVar("Given", Answer, str)
Values = Mapping[str, str | None]


def server() -> Server:
    """Where statements run in this installation: where ANALYST_DSN points to, the primary or a read replica of it, on
    which they are watched too. Raises SandboxUnavailable when there is no account for analysts.
    """
    settings = get_settings()
    if settings.analyst_dsn is None:
        raise SandboxUnavailable()
    analyst = make_url(settings.analyst_dsn.get_secret_value())
    application = make_url(settings.app_database_url.get_secret_value())
    watcher = analyst.set(username=application.username, password=application.password)
    return Server(
        dsn=settings.analyst_dsn.get_secret_value(),
        watcher_dsn=watcher.render_as_string(hide_password=False),
        patience=Patience(
            cancel_seconds=settings.sql_cancel_seconds, terminate_seconds=settings.sql_cancel_seconds + 2
        ),
    )


def _checked(text: str, values: Values) -> Statement:
    with database.read() as db:
        relations = [relation.name for relation in reach.relations(db)]
    statement = gate.checked(text, schema=reach.SCHEMA, relations=relations)
    for name in statement.parameters:
        if name not in values:
            raise InvalidInput("parameters", f"The parameter {name} has no value.", hint="Give it one, or null.")
        if len(values[name] or "") > LONGEST_VALUE or "\x00" in (values[name] or ""):
            raise InvalidInput("parameters", f"The value of {name} is too long, or holds NUL.")
    return statement


def _told(
    identity: Identity,
    statement_id: UUID,
    purpose: Purpose,
    text: str,
    values: Values,
    work: Callable[[Server, Statement], Given],
) -> Given:
    """The answer of `work`, with a row that says what became of it, whatever that is."""
    require(identity, Permission.RUN_SQL)
    place = server()
    with database.unit_of_work() as db:
        ledger.begin(
            db,
            actor=identity,
            now=real_now(),
            statement_id=statement_id,
            purpose=purpose,
            text=text[: gate.LONGEST + 1],
            values=values,
        )
    began = time.monotonic()
    verdict, message, answer = Verdict.FAILED, None, None
    try:
        answer = work(place, _checked(text, values))
        verdict = Verdict.ANSWERED
        return answer
    except AppError as error:
        is_refused = isinstance(error, InvalidInput)
        verdict = (
            Verdict.REFUSED if is_refused else Verdict.ENDED if isinstance(error, StatementEnded) else Verdict.FAILED
        )
        message = error.message
        raise
    finally:
        with database.unit_of_work() as db:
            ledger.end(
                db,
                statement_id,
                now=real_now(),
                verdict=verdict,
                duration_ms=round((time.monotonic() - began) * 1000),
                row_count=len(answer.rows) if isinstance(answer, Answer) else None,
                is_cut=answer.is_cut if isinstance(answer, Answer) else None,
                message=message,
            )


def run(
    identity: Identity,
    text: str,
    values: Values,
    *,
    limits: runner.Limits = runner.SCREEN,
    reader: Reader | None = None,
    purpose: Purpose = Purpose.RUN,
    statement_id: UUID | None = None,
    may_use_copy: bool = False,
) -> Answer:
    """The answer to a statement, as far as `limits` go; `values` by the names of its parameters. `statement_id` names
    its row, for who wants to come back to it. With `may_use_copy` the columnar copy of the published build answers,
    where there is one that can: for statements of `app.explore`, which mean the same to both engines.

    Holds no connection of the application while it runs, and commits by itself: what was asked is kept even if the
    caller fails. Raises NotPermitted, Refused, InvalidInput, TooManyStatements, StatementFailed, StatementEnded,
    SandboxUnavailable.
    """
    return _told(
        identity,
        statement_id or uuid4(),
        purpose,
        text,
        values,
        lambda place, statement: (
            (_from_copy(place, statement, limits, reader or Reader()) if may_use_copy else None)
            or runner.run(place, statement, values, limits=limits, reader=reader)
        ),
    )


def _from_copy(place: Server, statement: Statement, limits: runner.Limits, reader: Reader) -> Answer | None:
    with database.read() as db:
        copy = columnar.of_installation(db)
    if copy is None or not copy.has(statement):
        return None
    try:
        return columnar.run(copy, statement, limits=limits, patience=place.patience, reader=reader)
    except columnar.NotFromCopy:
        return None


def plan(identity: Identity, text: str, values: Values, *, reader: Reader | None = None) -> str:
    """How the server would run a statement. Raises as `run`."""
    return _told(
        identity,
        uuid4(),
        Purpose.PLAN,
        text,
        values,
        lambda place, statement: runner.plan(place, statement, values, reader=reader),
    )


def write_file(identity: Identity, statement_id: UUID, wanted: Format, file: BinaryIO) -> str:
    """Run an own statement again and write more of its rows into a file; what would be a formula is disarmed.

    The name for it says when it does not hold all: a name stays with a file, and no row of ours is in somebody's sums.
    Raises NotFound and as `run`.
    """
    require(identity, Permission.EXPORT)
    with database.read() as db:
        asked = ledger.own(db, identity=identity, statement_id=statement_id)
    answer = run(identity, asked.text, asked.parameters, limits=runner.FILE, purpose=Purpose.FILE)
    columns = [replace(column, name=name) for column, name in zip(answer.columns, answer.unique_names(), strict=True)]
    formats.write(file, wanted, columns, [answer.rows])
    rows = f"-first-{len(answer.rows)}-rows" if answer.has_more_rows else ""
    return f"answer{rows}{'-long-texts-cut' if answer.has_cut_texts else ''}.{wanted}"
