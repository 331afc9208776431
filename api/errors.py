"""Errors of the application as HTTP, in this one place: which status, and a body a person can read.

Never a stack, SQL, a path or a version. What nobody foresaw gets an id that is in the log too.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.refusals import refusals
from app import errors

LOG = logging.getLogger("api")
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Mapped:
    """Status and stable code of one error class."""

    status: int
    code: str
    title: str


STATUS: Mapping[type[errors.AppError], Mapped] = {
    errors.NotAuthenticated: Mapped(401, "not_authenticated", "Not signed in"),
    errors.SecondFactorNeeded: Mapped(401, "second_factor_needed", "A code is needed"),
    errors.IdentityProviderFailed: Mapped(401, "identity_provider_failed", "The identity provider did not vouch"),
    errors.NotRecent: Mapped(403, "sign_in_again", "Prove that it is you"),
    errors.SecondFactorRequired: Mapped(403, "second_factor_required", "A second factor is needed"),
    errors.SessionNeeded: Mapped(403, "session_needed", "Not open to tokens"),
    errors.NotPermitted: Mapped(403, "not_permitted", "Not permitted"),
    errors.NotFound: Mapped(404, "not_found", "Not found"),
    errors.IllegalTransition: Mapped(409, "illegal_transition", "This move is not possible"),
    errors.StaleVersion: Mapped(409, "stale_version", "Somebody else was faster"),
    errors.IdempotencyConflict: Mapped(422, "idempotency_conflict", "Request key used for something else"),
    errors.InvalidInput: Mapped(422, "invalid_input", "A value cannot be taken"),
    errors.Throttled: Mapped(429, "throttled", "Too many attempts"),
    errors.TooManyRequests: Mapped(429, "too_many_requests", "Too many requests"),
    errors.Busy: Mapped(503, "busy", "Somebody else is changing this"),
    errors.TooManyStatements: Mapped(429, "too_many_statements", "Too many statements at once"),
    errors.StatementFailed: Mapped(422, "statement_failed", "The statement could not be run"),
    errors.StatementEnded: Mapped(422, "statement_ended", "The statement was ended"),
    errors.SandboxUnavailable: Mapped(503, "sql_unavailable", "No SQL right now"),
    errors.Overloaded: Mapped(503, "overloaded", "Too much at once"),
    errors.MartUnavailable: Mapped(503, "mart_unavailable", "No figures yet"),
    errors.BuildReplaced: Mapped(503, "build_replaced", "New figures have just been published"),
}
_UNKNOWN = Mapped(500, "unexpected", "Something went wrong")
_DATABASE_AWAY = Mapped(503, "database_unavailable", "The database does not answer")
_REFUSED = Mapped(422, "invalid_input", "A value cannot be taken")


def mapped(error: errors.AppError) -> Mapped:
    """The entry of the error's class, or of its nearest base that has one."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return _UNKNOWN


def problem(
    entry: Mapped, detail: str, *, hint: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """A problem answer, in ASCII: what is echoed may hold half a character, which UTF-8 cannot encode."""
    body = {
        "type": f"urn:problem:{entry.code}",
        "title": entry.title,
        "status": entry.status,
        "code": entry.code,
        "detail": detail,
        "hint": hint,
        "errors": [],
        **{name: value for name, value in more.items() if value is not None},
    }
    text = json.dumps(body, ensure_ascii=True, allow_nan=False, default=str)
    return Response(text, status_code=entry.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


async def _body(request: Request) -> Any:
    """The request body as it came, or None when it is not JSON. Starlette keeps it after the first read."""
    try:
        return await request.json()
    except (ValueError, RuntimeError):
        return None


async def _app_error(request: Request, error: errors.AppError) -> Response:
    entry = mapped(error)
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, errors.IllegalTransition):
        more["legal"] = [str(status) for status in error.legal]
    elif isinstance(error, errors.StaleVersion):
        more["current"] = jsonable_encoder(error.current)
        more["changes"] = jsonable_encoder(error.changes)
        more["yours"] = await _body(request)
    elif isinstance(error, errors.InvalidInput):
        more["errors"] = [{"field": error.field, "message": error.message}]
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return problem(entry, error.message, hint=error.hint, headers=headers, **more)


async def _invalid_request(_: Request, error: RequestValidationError) -> Response:
    first, *others = found = refusals(error.errors())
    more = f" {len(others)} more {'value is' if len(others) == 1 else 'values are'} wrong too." if others else ""
    listed = [{"field": one.field, "message": one.message} for one in found]
    return problem(_REFUSED, first.message, hint=first.hint + more, errors=listed)


async def _http_error(_: Request, error: HTTPException) -> Response:
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "refused")
    entry = Mapped(error.status_code, code, str(error.detail))
    return problem(entry, str(error.detail), headers=error.headers)


async def _database_away(_: Request, error: Exception) -> Response:
    LOG.error("the database does not answer: %s", type(error).__name__)
    return problem(
        _DATABASE_AWAY,
        "The database does not answer right now.",
        hint="Nothing you sent was half saved. Try again in a minute.",
        headers={"Retry-After": "5"},
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    error_id = uuid4().hex[:12]
    route = request.scope.get("route")
    LOG.error("error %s in %s %s", error_id, request.method, getattr(route, "path", "?"), exc_info=error)
    return problem(
        _UNKNOWN, "Something went wrong on our side.", hint=f"Say this number: {error_id}.", error_id=error_id
    )


Handler = Callable[[Request, Any], Awaitable[Response]]


def install(app: FastAPI) -> None:
    """Give the application its handlers."""
    handlers: dict[type[Exception], Handler] = {
        errors.AppError: _app_error,
        RequestValidationError: _invalid_request,
        HTTPException: _http_error,
        OperationalError: _database_away,
        InterfaceError: _database_away,
        PoolTimeout: _database_away,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
