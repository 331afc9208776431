"""What an analyst may ask at all, decided from PostgreSQL's own grammar before anything reaches a server.

One statement, a SELECT, made of known parts only: a part of the grammar that is not listed here is refused, so that
what a later PostgreSQL can do is not let in by being new. Relations and functions are allow-lists too. This is the only
layer that stops statements like SET or NOTIFY, which need no privilege; the other two (grants, and how a statement is
run) stand without it.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from google.protobuf.message import DecodeError, Message
from postgast import PgQueryError, parse, scan, walk
from postgast.pg_query_pb2 import SQLValueFunctionOp, Token

from app.errors import InvalidInput
from app.sandbox.functions import ALLOWED, TYPES

LONGEST = 20_000  # characters
MOST_PARAMETERS = 50

# every part of the grammar that a statement may be made of, by its name in PostgreSQL
_PARTS = frozenset(
    {
        *("ParseResult", "RawStmt", "SelectStmt", "ResTarget", "ColumnRef", "A_Star", "Alias", "String", "List"),
        *("A_Const", "Integer", "Float", "Boolean", "BitString", "A_Expr", "BoolExpr", "NullTest", "BooleanTest"),
        *("TypeCast", "TypeName", "FuncCall", "CaseExpr", "CaseWhen", "CoalesceExpr", "MinMaxExpr", "SubLink"),
        *("RowExpr", "A_ArrayExpr", "A_Indirection", "A_Indices", "CollateClause", "SQLValueFunction", "ParamRef"),
        *("RangeVar", "RangeSubselect", "RangeFunction", "JoinExpr", "WithClause", "CommonTableExpr", "SortBy"),
        *("GroupingSet", "GroupingFunc", "WindowDef", "NamedArgExpr"),
    }
)
_WHY = {
    "IntoClause": "SELECT INTO writes a table.",
    "LockingClause": "FOR UPDATE and its like lock rows.",
    "ExplainStmt": "Write the query alone: the plan is one click away.",
}
_MOMENTS = frozenset(
    SQLValueFunctionOp.Value(f"SVFOP_{name}")
    for name in (
        *("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIME_N", "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP_N"),
        *("LOCALTIME", "LOCALTIME_N", "LOCALTIMESTAMP", "LOCALTIMESTAMP_N"),
    )
)
# columns that every table has beside its own: which transaction wrote a row, and where it lies on the disk
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_BEFORE_A_VALUE = b"([,<>=+-*/%|"  # what may stand right before a parameter; after anything else a colon is a slice's
_PARAMETER_HINT = "Write :name; its value is asked for beside the statement and never becomes part of it."


class Refused(InvalidInput):
    """A statement that is not taken. Its sentence says where, from 1, when that is known."""

    def __init__(self, message: str, *, hint: str = "", at: tuple[int, int] | None = None) -> None:
        super().__init__("text", message + (f" (line {at[0]}, column {at[1]})" if at else ""), hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement that may run.

    `sql` is what the server gets: without a closing semicolon, each `:name` as `$1`, `$2`, … in the order of
    `parameters`. `relations` are the tables it names.
    """

    text: str
    sql: str
    parameters: tuple[str, ...]
    relations: tuple[str, ...]
    offset: int
    shifts: tuple[tuple[int, int], ...]

    def place(self, position: int) -> tuple[int, int]:
        """Line and column in `text` of a character of `sql`; all from 1, as the server counts."""
        return _place(self.text, self.shifts, position - 1 + self.offset)


def _place(text: str, shifts: tuple[tuple[int, int], ...], index: int) -> tuple[int, int]:
    """Where a character of a statement with numbers stands in the `text` with names. `shifts` say from which character
    on how many more there are in `text`."""
    known = bisect_right(shifts, (index, len(text)))
    before = text[: index + (shifts[known - 1][1] if known else 0)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _with_numbers(text: str) -> tuple[str, tuple[str, ...], tuple[tuple[int, int], ...]]:
    """`text` with each `:name` as the number of a bound value; the names, and how far characters moved."""
    raw = text.encode()
    try:
        tokens = scan(text).tokens
    except PgQueryError as error:
        raise Refused(_sentence(error.message), at=_place(text, (), error.cursorpos - 1)) from None
    if any(token.token == Token.Value("PARAM") for token in tokens):
        raise Refused("A value is written as a number here.", hint=_PARAMETER_HINT)
    pieces: list[bytes] = []
    numbers: dict[str, int] = {}
    shifts: list[tuple[int, int]] = []
    done = length = 0
    for token, following in pairwise(tokens):
        name = _NAME.match(raw, token.end)
        if token.token != Token.Value("ASCII_58") or name is None or following.start != token.end:
            continue
        before = raw[token.start - 1 : token.start]
        if before and not before.isspace() and before not in _BEFORE_A_VALUE:
            continue
        number = numbers.setdefault(name[0].decode(), len(numbers) + 1)
        pieces += [raw[done : token.start], f"${number}".encode()]
        length += len(pieces[-2].decode()) + len(pieces[-1])
        done = name.end()
        shifts.append((length, len(raw[:done].decode()) - length))
    if len(numbers) > MOST_PARAMETERS:
        raise Refused(f"A statement may have {MOST_PARAMETERS} parameters.")
    return (b"".join(pieces) + raw[done:]).decode(), tuple(numbers), tuple(shifts)


def parameters(text: str) -> tuple[str, ...]:
    """The names of the values that `text` asks for, in order. Raises Refused when it cannot be read at all."""
    return _with_numbers(text)[1]


def checked(text: str, *, schema: str, relations: Collection[str]) -> Statement:
    """The statement of `text`, when it may run: it reads nothing but `relations` of `schema`. Raises Refused."""
    if len(text) > LONGEST:
        raise Refused(f"A statement may hold {LONGEST:,} characters.", hint="Shorten it.")
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused("This holds a character that is not text.", hint="Remove NUL and halves of characters.")
    numbered, names, shifts = _with_numbers(text)
    raw = numbered.encode()

    def at(byte: int) -> tuple[int, int] | None:
        return _place(text, shifts, len(raw[:byte].decode(errors="ignore"))) if byte >= 0 else None

    try:
        tree = parse(numbered)
    except PgQueryError as error:
        raise Refused(_sentence(error.message), at=_place(text, shifts, error.cursorpos - 1)) from None
    except (DecodeError, RecursionError):
        raise Refused("This is nested too deeply.", hint="Break it up: WITH gives names to its parts.") from None
    if len(tree.stmts) != 1:
        raise Refused("There must be exactly one statement.", hint="Run them one after another.")
    known = Known(schema=schema, relations=frozenset(relations), named_parts=_named_parts(tree))
    for _, part in walk(tree):
        try:
            _check(part, known)
        except Refused as refusal:
            raise Refused(refusal.message, hint=refusal.hint, at=at(getattr(part, "location", -1))) from None
    whole = tree.stmts[0]
    start, end = whole.stmt_location, whole.stmt_location + whole.stmt_len
    return Statement(
        text=text,
        sql=raw[start : end if whole.stmt_len else None].decode(),
        parameters=names,
        relations=tuple(sorted({part.relname for part in _all(tree, "RangeVar")} & known.relations)),
        offset=len(raw[:start].decode()),
        shifts=shifts,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a statement may name."""

    schema: str
    relations: frozenset[str]
    named_parts: frozenset[str]


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:] + "."


def _all(tree: Message, kind: str) -> list[Any]:
    return [part for _, part in walk(tree) if part.DESCRIPTOR.name == kind]


def _named_parts(tree: Message) -> frozenset[str]:
    """Names given by WITH. None may look like the catalogue's, since here a name counts beyond its scope too."""
    names = frozenset(part.ctename for part in _all(tree, "CommonTableExpr"))
    for name in names:
        if name.startswith("pg_"):
            raise Refused(f"The name {name} is the server's own.", hint="Give this part another name.")
    return names


def _name(strings: Any) -> str:
    """A name without the server's own schema, which is where every allowed function, type and operator is."""
    parts = [one.string.sval for one in strings]
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] == "pg_catalog" else parts)


def _check_relation(part: Any, known: Known) -> None:
    is_ours = part.relname in known.relations and part.schemaname in ("", known.schema)
    is_part = part.relname in known.named_parts and not part.schemaname
    if part.catalogname or not (is_ours or is_part):
        name = ".".join(filter(None, (part.catalogname, part.schemaname, part.relname)))
        raise Refused(f"There is no table {name} here.", hint="The tables that can be read are listed beside.")


def _check_function(part: Any, _: Known) -> None:
    if (name := _name(part.funcname)) not in ALLOWED:
        close = ", ".join(get_close_matches(name, sorted(ALLOWED), n=3, cutoff=0.7))
        hint = f"Close to it: {close}." if close else "It is not among those that only compute."
        raise Refused(f"The function {name} cannot be used here.", hint=hint)


def _check_column(fields: Any) -> None:
    # by name alone, wherever it stands: (a).xmin reads it as a.xmin does
    for field in fields:
        if field.string.sval in _SYSTEM_COLUMNS:
            raise Refused(
                f"The column {field.string.sval} is the server's own and cannot be read here.",
                hint="The columns of each table are listed beside; a column that you name needs another name.",
            )


def _check_type(part: Any, _: Known) -> None:
    if (name := _name(part.names)) not in TYPES or part.pct_type:
        raise Refused(f"The type {name} cannot be used here.")


def _check_operator(part: Any, _: Known) -> None:
    if "." in _name(part.name).strip("."):
        raise Refused("Operators of a schema cannot be used here.")


def _check_moment(part: Any, _: Known) -> None:
    if part.op not in _MOMENTS:
        raise Refused("Who is connected, and to what, cannot be asked here.")


_CHECKS: Mapping[str, Callable[[Any, Known], None]] = {
    "RangeVar": _check_relation,
    "FuncCall": _check_function,
    "TypeName": _check_type,
    "A_Expr": _check_operator,
    "ColumnRef": lambda part, _: _check_column(part.fields[-1:]),
    "A_Indirection": lambda part, _: _check_column(part.indirection),
    "SQLValueFunction": _check_moment,
}


def _check(part: Message, known: Known) -> None:
    kind = part.DESCRIPTOR.name
    if kind in _PARTS:
        if kind in _CHECKS:
            _CHECKS[kind](part, known)
    elif kind == "Node" and not part.ByteSize():  # a place of the grammar with nothing in it
        return
    elif kind.endswith("Stmt"):
        raise Refused("Only a SELECT can run here.", hint=_WHY.get(kind, "Nothing can be changed from here."))
    else:
        raise Refused(_WHY.get(kind, f"This part of the grammar ({kind}) is not taken here."))
