"""A report as a file, of what whoever is signed in may take away.

It has a route of its own because Streamlit would serve a download to anybody who has its address.
"""

import io
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app import auth, clock
from app.calendar import display_date
from app.db import unit_of_work
from app.errors import AppError, NotFound
from app.exports.formats import MEDIA_TYPES, Format
from app.marts import version
from app.reports import catalogue
from app.reports.wanted import Wanted, from_query
from app.settings import get_settings
from app.ui import export_files


def address(name: str, wanted: Wanted, kind: Format) -> str:
    """Address of the file of a report."""
    return export_files.of(f"reports/{name}.{kind}?{wanted.query()}")


def link(name: str, wanted: Wanted, **more: str) -> str:
    """The whole address that shows this report to a colleague; `more` is what else of it is chosen."""
    settings = get_settings()
    page = "/pages/reports" if settings.public_url else "/reports"
    parts = urlencode({"report": name} | more)
    return f"{settings.front_url.rstrip('/')}{page}?{parts}&{wanted.query()}"


def _file(token: str | None, name: str, kind: Format, query: dict[str, list[str]]) -> bytes | None:
    with unit_of_work() as db:
        identity = auth.resolve(db, token=token, now=clock.real_now())
        if identity is None:
            return None
        as_of = version.published(db).as_of_date
        report = catalogue.REPORTS[name]
        single = {key: values[-1] for key, values in query.items()}
        wanted = from_query(single, query, otherwise=catalogue.at_first(report, as_of))
        today = display_date(clock.business_now(db))
        wanted = catalogue.within(db, report, wanted, identity=identity, as_of=as_of, today=today)
        file = io.BytesIO()
        catalogue.write(db, report, kind, file, identity=identity, wanted=wanted, as_of=as_of)
    return file.getvalue()


async def report(request: Request) -> Response:
    """`GET /exports/reports/<report>.<format>?<filter>`: the rows of the page that are the person's to take away.

    401 without a session, 404 for another report, format or segment, 503 before the first build.
    """
    name, kind = request.path_params["report"], request.path_params["format"]
    if name not in catalogue.REPORTS or kind not in list(Format):
        return PlainTextResponse(f"Take one of {', '.join(Format)} of a report.", status_code=404)
    query = {key: request.query_params.getlist(key) for key in request.query_params}
    token = request.cookies.get(auth.session_cookie().name)
    try:
        file = await run_in_threadpool(_file, token, name, Format(kind), query)
    except AppError as error:
        status = 404 if isinstance(error, NotFound) else 503
        return PlainTextResponse(f"{error.message} {error.hint}".strip(), status_code=status)
    if file is None:
        return PlainTextResponse("Sign in first, then export again.", status_code=401)
    return Response(
        file,
        media_type=MEDIA_TYPES[Format(kind)],
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"},
    )
