"""A query may name what its address knows, and nothing else.

FastAPI passes over a parameter that nobody reads: a filter with a slip in its name then answers with everything, and
looks as if it had been applied.
"""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _names(inner)


def refuse_unknown(request: Request) -> None:
    """Raise RequestValidationError for each parameter of the query that the request's route does not know."""
    given = request.query_params.keys()
    if not given:
        return
    known = list(_names(request.scope["route"].dependant))
    expected = f"This address knows {', '.join(known)}" if known else "This address knows none"
    if unknown := [name for name in given if name not in known]:
        raise RequestValidationError(
            [{"type": "unknown_parameter", "loc": ("query", name), "ctx": {"known": expected}} for name in unknown]
        )
