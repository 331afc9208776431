"""The answer of an own statement as a file: it runs again, with the rights of whoever fetches it, for more rows.

A route of its own, because Streamlit would serve a download to anybody who has its address.
"""

import io
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app import auth, clock
from app.auth import Identity
from app.db import unit_of_work
from app.errors import AppError, NotFound, NotPermitted, TooManyStatements
from app.exports.formats import MEDIA_TYPES, Format
from app.sandbox import service

_STATUS = {NotPermitted: 403, NotFound: 404, TooManyStatements: 429}


Made = Callable[[Identity, Format], tuple[str, bytes]]


def _file(token: str | None, wanted: Format, made: Made) -> tuple[str, bytes] | None:
    with unit_of_work() as db:
        identity = auth.resolve(db, token=token, now=clock.real_now())
    return None if identity is None else made(identity, wanted)


async def sent(request: Request, made: Made) -> Response:
    """The file that `made` makes for whoever is signed in: 401 without a session, 404 for another format or what is
    not theirs, 403 for who may not, 429 while two run, 422 when it cannot be run."""
    try:
        wanted = Format(request.path_params["format"])
    except ValueError:
        return PlainTextResponse(f"Take one of {', '.join(Format)}.", status_code=404)
    token = request.cookies.get(auth.session_cookie().name)
    try:
        file = await run_in_threadpool(_file, token, wanted, made)
    except AppError as error:
        status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 422)
        return PlainTextResponse(f"{error.message} {error.hint}".strip(), status_code=status)
    if file is None:
        return PlainTextResponse("Sign in first, then export again.", status_code=401)
    name, content = file
    return Response(
        content,
        media_type=MEDIA_TYPES[wanted],
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


async def answer(request: Request) -> Response:
    """`GET /exports/sql/<statement>.<format>`: an own statement's; statuses as `sent`."""

    def made(identity: Identity, wanted: Format) -> tuple[str, bytes]:
        file = io.BytesIO()
        name = service.write_file(identity, request.path_params["statement_id"], wanted, file)
        return name, file.getvalue()

    return await sent(request, made)
