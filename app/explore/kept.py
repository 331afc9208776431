"""A question kept as a saved query of the SQL page: its statement, and above it the question as a comment.

So it has the versions, the sharing and the trail that saved queries have, and opens in the editor too. The comment says
what the statement below it was; once somebody has changed that, it is a query like any other and no question any more.
"""

import re
from hashlib import sha256

from app.errors import InvalidInput
from app.explore.question import Question, read

_MARK = re.compile(r"-- Explore: ([A-Za-z0-9_-]+) ([0-9a-f]{8})\n")


def text(question: Question, statement: str) -> str:
    """What is saved of a question and its statement."""
    return f"-- Explore: {question.token()} {_sum(statement)}\n{statement}"


def question(text: str) -> Question | None:
    """The question of a saved text; None when it holds none, or another statement by now."""
    mark = _MARK.match(text)
    if mark is None or _sum(text[mark.end() :]) != mark[2]:
        return None
    try:
        return read(mark[1])
    except InvalidInput:
        return None


def _sum(statement: str) -> str:
    return sha256(statement.encode("utf-8", "replace")).hexdigest()[:8]
