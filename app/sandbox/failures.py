"""What the database says of a statement, in words that hold no value of a row.

PostgreSQL prints the value that it could not convert or divide by: a cast would read out what a SELECT may not show, in
a place that logs keep. So only what is said while a statement is being understood (class 42: names, types, grammar) is
passed on, and of what goes wrong while it runs the kind alone.
"""

from collections.abc import Callable

import psycopg
from psycopg import errors

from app.errors import AppError, SandboxUnavailable, StatementEnded, StatementFailed, TooManyStatements
from app.sandbox.watchdog import Reason

_UNDERSTANDING = "42"
_RUNNING = {
    "22012": "A division by zero.",
    "22003": "A number is too large for its type.",
    "22P02": "A text could not be read as the type that it is cast to.",
    "22007": "A text could not be read as a date or a time.",
    "22008": "A date or a time is out of range.",
    "21000": "A subquery that stands for one value gave more than one row.",
    "23": "A value does not fit.",
    "22": "A value of the data does not fit what is done with it.",
    "53200": "This needs more memory than a statement may take.",
    "53400": "This needs more room for intermediate rows than a statement may take.",
    "54": "This is too large: a value, a list of columns, or the statement itself.",
    "XX000": "A value becomes too large.",
    "55P03": "A table is being replaced right now.",
    "40001": "A table is being replaced right now.",  # on a replica, which follows the primary before it answers
}
_HINTS = {
    "53400": "Filter before sorting or joining, or select fewer columns.",
    "53200": "Filter before sorting or joining, or select fewer columns.",
    "55P03": "Run it again in a moment.",
    "40001": "Run it again in a moment.",
    "22P02": "Look for the rows with a condition first, such as  column ~ '^[0-9]+$'.",
    "22012": "nullif(…, 0) makes the divisor empty instead.",
}


def ended(reason: Reason, *, seconds: float) -> StatementEnded:
    """What is said of a statement that did not get to its answer."""
    if reason is Reason.LEFT:
        return StatementEnded("The statement was cancelled.")
    if reason is Reason.IN_THE_WAY:
        return StatementEnded(
            "The statement was ended: a table that it reads is being replaced.", hint="Run it again in a moment."
        )
    return StatementEnded(
        f"The statement took longer than {seconds:g} s and was ended.",
        hint="Filter by date or account, aggregate before joining, or look at its plan.",
    )


def explained(error: psycopg.Error, *, place: Callable[[int], tuple[int, int]]) -> AppError:
    """The error of a statement as a sentence. `place` says line and column of a character of what the server got."""
    code = error.sqlstate or ""
    if isinstance(error, errors.TooManyConnections):
        return TooManyStatements("Too many statements run at once.", retry_after_seconds=5)
    if isinstance(error, errors.InsufficientPrivilege):
        return StatementFailed("The statement asks for something that analysts may not use.")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return StatementFailed("Nothing can be changed from here.")
    if code.startswith(_UNDERSTANDING):
        position = error.diag.statement_position
        line, column = place(int(position)) if position else (0, 0)
        where = f" (line {line}, column {column})" if position else ""
        said = error.diag.message_primary or "The statement could not be understood"
        return StatementFailed(f"{said[:1].upper()}{said[1:]}{where}", hint=error.diag.message_hint or "")
    if known := _RUNNING.get(code) or _RUNNING.get(code[:2]):
        return StatementFailed(known, hint=_HINTS.get(code, ""))
    if isinstance(error, psycopg.OperationalError):
        return SandboxUnavailable()
    if isinstance(error, psycopg.DataError):  # ours, of what arrived: Python knows no such day
        return StatementFailed("A date lies outside the years 1 to 9999.", hint="Cast it to text, or filter it out.")
    return StatementFailed("The statement could not be run.")
