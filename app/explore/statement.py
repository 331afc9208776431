"""The one SQL statement of a question: it reckons in the database, and only groups come back.

Names are those of the catalogue and quoted, values are read as their column's kind and quoted by psycopg; nothing else
of a question becomes text of the statement. What it says is shown to the person, so it is laid out to be read, and it
passes the same gate as everything that analysts write.
"""

import re
from collections.abc import Iterable, Mapping

from postgast import scan
from postgast.pg_query_pb2 import KeywordKind
from psycopg import sql

from app.errors import InvalidInput
from app.explore.checks import checked, dimensions, read_value
from app.explore.marts import ACCOUNTS, KEY, OF_ACCOUNT, TIMES, Kind, Mart
from app.explore.question import LONGEST_TOKEN, Dimension, Filter, Function, Measure, Question, Test, Unit, View
from app.sandbox import gate

LARGEST_PARTS = 12  # of what a question is split by; the rest is OTHER, and what is empty stands apart
OTHER = "Other (the rest)"
BINS = 30  # of a histogram, about
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def name(word: str) -> str:
    """A name as SQL writes it, in quotes where it has to be."""
    if _PLAIN.fullmatch(word) and scan(word).tokens[0].keyword_kind == KeywordKind.NO_KEYWORD:
        return word
    return sql.Identifier(word).as_string()


def _literal(text: str) -> str:
    """A value in quotes, on one line: laying the statement out must not change it."""
    quoted = sql.Literal(text).as_string().strip()
    if "\n" not in quoted and "\r" not in quoted:
        return quoted
    inside = quoted.removeprefix("E")[1:-1].replace("\n", "\\n").replace("\r", "\\r")
    return f"E'{inside}'"


def of(question: Question, marts: Mapping[str, Mart]) -> str:
    """The statement. Its columns are the groups, then what the question is split by, then its figures, by `labels`; of
    a histogram from, to and rows of each bin; of a cohort its start, the periods since, and how many are there.

    Raises InvalidInput for a question that cannot be asked, or whose statement would be too long.
    """
    text = _Statement(question, checked(question, marts)).text()
    if len(text) > gate.LONGEST - LONGEST_TOKEN - 100:  # it is kept with its token, see `kept`
        raise InvalidInput("question", "This question is too long.", hint="Take some filters away.")
    return text


def largest_values(question: Question, column: str, marts: Mapping[str, Mart], *, most: int) -> str:
    """A statement for the values that a column has most often, to choose from; the filters do not count."""
    mart = checked(Question(mart=question.mart, view=View.ROWS), marts)
    if column not in mart.columns:
        raise InvalidInput("column", "There is no such column.")
    made = _Statement(Question(mart=question.mart, groups=(Dimension(column=column),)), mart)
    where = f"where {made.column(column)} is not null"
    return (
        f"select {made.column(column)}\n{made.source}\n{where}\ngroup by 1\norder by count(*) desc, 1\nlimit {most:d}"
    )


def labels(question: Question) -> list[str]:
    """Names of the answer's columns, each once, no longer than PostgreSQL keeps them."""
    wanted = [_dimension_name(one) for one in dimensions(question)] + [_measure_name(one) for one in question.measures]
    found: list[str] = []
    for word in wanted:
        short, number = word[:60], 2
        while short in found:
            short, number = f"{word[:56]}_{number}", number + 1
        found.append(short)
    return found


def _dimension_name(one: Dimension) -> str:
    plain = one.column.removeprefix(OF_ACCOUNT)
    if one.column.startswith(OF_ACCOUNT) and not plain.startswith("account_"):
        plain = f"account_{plain}"
    return f"{plain}_{one.unit}" if one.unit else plain


def _measure_name(one: Measure) -> str:
    if one.column is None:
        return "rows_counted"
    return f"{one.function}_{one.column.removeprefix(OF_ACCOUNT)}"


class _Statement:
    """The parts of one statement on one mart, the account's table joined when a column of it is named."""

    def __init__(self, question: Question, mart: Mart) -> None:
        self._question, self._mart = question, mart
        named = [one.column for one in (*dimensions(question), *question.filters, *question.measures)]
        self._joins = any(one is not None and one.startswith(OF_ACCOUNT) for one in named)
        table = name(mart.name)
        self.source = f"from {table}"
        if self._joins:
            key = name(KEY)
            self.source += f" as mart\nleft join {name(ACCOUNTS)} as account on account.{key} = mart.{key}"

    def column(self, column: str) -> str:
        """A column of the catalogue, with its table where there are two."""
        if column.startswith(OF_ACCOUNT):
            return f"account.{name(column.removeprefix(OF_ACCOUNT))}"
        return f"mart.{name(column)}" if self._joins else name(column)

    def text(self) -> str:
        question = self._question
        if question.view is View.ROWS:
            return f"select {'mart.' if self._joins else ''}*\n{self.source}{self._where()}"
        if question.view is View.HISTOGRAM:
            return self._histogram()
        if question.view is View.COHORT:
            return self._cohort()
        return self._grouped()

    def _where(self, *more: str) -> str:
        conditions = [*(self._condition(one) for one in self._question.filters), *more]
        return "\nwhere " + "\n    and ".join(conditions) if conditions else ""

    def _condition(self, one: Filter) -> str:
        column, at = self._mart.columns[one.column], self.column(one.column)
        if one.test is Test.EMPTY:
            return f"{at} is null"
        if one.test is Test.FILLED:
            return f"{at} is not null"
        values = [self._value(value, one.column) for value in one.values]
        if one.test is Test.CONTAINS:
            return f"strpos(lower({at}), lower({values[0]})) > 0"
        if one.test is Test.FROM:
            return f"{at} >= {values[0]}"
        if one.test is Test.BEFORE:
            return f"{at} < {values[0]}"
        listed = f"({', '.join(values)})"
        if one.test is Test.IS:
            return f"{at} in {listed}"
        return f"({at} not in {listed} or {at} is null)" if column.kind is not Kind.OTHER else "true"

    def _value(self, value: str, column: str) -> str:
        known = self._mart.columns[column]
        read = read_value(value, known)
        if known.kind in (Kind.NUMBER, Kind.WHOLE, Kind.BOOLEAN):
            return read if not read.startswith("-") else f"({read})"
        return _literal(read)

    def dimension(self, one: Dimension) -> str:
        """What a dimension groups by."""
        if one.unit is None:
            return self.column(one.column)
        if one.unit is Unit.DAY and self._mart.columns[one.column].kind is Kind.DAY:
            return self.column(one.column)
        return f"date_trunc('{one.unit.value}', {self.column(one.column)})::date"

    def measure(self, one: Measure) -> str:
        """What a figure reckons."""
        if one.column is None:
            return "count(*)"
        at = self.column(one.column)
        if self._mart.columns[one.column].kind is Kind.BOOLEAN and one.function is not Function.DISTINCT:
            at += "::int"
        return {
            Function.DISTINCT: f"count(distinct {at})",
            Function.SUM: f"sum({at})",
            Function.AVERAGE: f"avg({at})",
            Function.MEDIAN: f"percentile_cont(0.5) within group (order by {at})",
            Function.MIN: f"min({at})",
            Function.MAX: f"max({at})",
        }[one.function]

    def _part(self) -> tuple[str, str]:
        """How the largest parts are found, as a WITH, and which part a row belongs to; two empty texts without."""
        split = self._question.split
        if split is None:
            return "", ""
        part = f"{self.dimension(split)}::text"
        size = next((one for one in self._question.measures if is_additive(one)), None)
        by = f"{self.measure(size)} desc nulls last" if size else "count(*) desc"
        # a value that is called like the rest would be taken for it, so it is of the rest
        where = self._where(f"{self.dimension(split)} is not null", f"{part} <> {_literal(OTHER)}")
        found = (
            f"with largest as (\n    select {part} as part\n{_indented(self.source + where)}\n"
            f"    group by 1\n    order by {by}, 1\n    limit {LARGEST_PARTS}\n)\n\n"
        )
        other = f"when {self.dimension(split)} is not null then {_literal(OTHER)}"
        return found, f"case when {part} in (select part from largest) then {part} {other} end"

    def _grouped(self) -> str:
        question = self._question
        largest, part = self._part()
        expressions = [
            *(self.dimension(one) for one in question.groups),
            *([part] if part else []),
            *(self.measure(one) for one in question.measures),
        ]
        columns = _columns(zip(expressions, labels(question), strict=True))
        count = len(question.groups) + (1 if part else 0)
        by = ", ".join(str(place + 1) for place in range(count))
        tail = f"\ngroup by {by}\norder by {self._order(count)}" if count else ""
        return f"{largest}select\n{columns}\n{self.source}{self._where()}{tail}"

    def _order(self, count: int) -> str:
        """Newest first where the first group is time, else the largest first; then by the rest, so that it is one
        order."""
        first = self._question.groups[0] if self._question.groups else None
        if first and self._mart.columns[first.column].kind in TIMES:
            return ", ".join(["1 desc nulls last", *(str(place + 1) for place in range(1, count))])
        return ", ".join([f"{count + 1} desc nulls last", *(str(place + 1) for place in range(count))])

    def _histogram(self) -> str:
        [drawn] = self._question.groups
        at = self.column(drawn.column)
        whole = self._mart.columns[drawn.column].kind is Kind.WHOLE
        largest, part = self._part()
        value = f"{at}::double precision"
        where = self._where(f"{value} between -1e300 and 1e300")  # neither endless nor no number at all
        picked = f"    select {value} as value{f', {part} as part' if part else ''}\n{_indented(self.source + where)}"
        least = "greatest(1, {})" if whole else "{}"
        step = f"(max(value) - min(value)) / {BINS}"
        nice = (
            "case when step / power(10, floor(log(step))) <= 2 then 2"
            " when step / power(10, floor(log(step))) <= 5 then 5 else 10 end * power(10, floor(log(step)))"
        )
        begin = largest.rstrip() + ",\n\npicked" if largest else "with picked"
        return (
            f"{begin} as not materialized (\n{picked}\n),\n\n"
            f"steps as (\n    select nullif({step}, 0) as step from picked\n),\n\n"
            f"widths as (\n    select {least.format(f'coalesce({nice}, 1)')} as width from steps\n)\n\n"
            "select\n    floor(value / width) * width as from_value,\n"
            "    (floor(value / width) + 1) * width as before_value,\n"
            + (f"    part as {name(labels(self._question)[1])},\n" if part else "")
            + "    count(*) as rows_counted\nfrom picked cross join widths\n"
            f"group by {'1, 2, 3' if part else '1, 2'}\norder by {'1, 3' if part else '1'}"
        )

    def _cohort(self) -> str:
        when, who = self._question.groups
        at = self.column(who.column)
        seen = self._where(f"{at} is not null", f"{self.column(when.column)} is not null")
        inner = _indented(f"{self.source}{seen}")
        since = {
            Unit.DAY: "period - cohort",
            Unit.WEEK: "(period - cohort) / 7",
            Unit.MONTH: _months("period", "cohort"),
            Unit.QUARTER: f"({_months('period', 'cohort')}) / 3",
        }[when.unit or Unit.MONTH]
        return (
            f"with seen as (\n    select {at} as who, {self.dimension(when)} as period\n{inner}\n    group by 1, 2\n"
            "),\n\n"
            "since as (\n    select period, min(period) over (partition by who) as cohort\n    from seen\n)\n\n"
            f"select\n    cohort,\n    {since} as periods_since,\n    count(*) as still_there\n"
            "from since\ngroup by 1, 2\norder by 1 desc, 2"
        )


def is_additive(one: Measure) -> bool:
    """Whether the figure of a whole is the sum of its parts' figures."""
    return one.function in (Function.COUNT, Function.SUM)


def _months(later: str, earlier: str) -> str:
    return (
        f"((extract(year from {later}) - extract(year from {earlier})) * 12"
        f" + extract(month from {later}) - extract(month from {earlier}))::int"
    )


def _indented(text: str) -> str:
    """One step to the right."""
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _columns(pairs: Iterable[tuple[str, str]]) -> str:
    lines = [
        f"    {expression}" if expression.rpartition(".")[2] == name(label) else f"    {expression} as {name(label)}"
        for expression, label in pairs
    ]
    return ",\n".join(lines)
