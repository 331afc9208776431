"""The answer of a question as a file: what is on the page, asked again with the rights of whoever fetches it.

A route of its own, because Streamlit would serve a download to anybody who has its address.
"""

import io
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.auth import Identity, Permission, require
from app.db import read
from app.errors import InvalidInput
from app.explore import question, shown, statement
from app.explore.marts import marts
from app.explore.question import Question, View
from app.exports import formats
from app.exports.formats import Format
from app.sandbox import reach, runner, service
from app.sandbox.ledger import Purpose
from app.ui import export_files, sql_export
from app.ui.explore_state import PARAMETER


def address(asked: Question, wanted: Format) -> str:
    """Address of the file of a question."""
    return export_files.of(f"explore.{wanted}?{urlencode({PARAMETER: asked.token()})}")


async def answer(request: Request) -> Response:
    """`GET /exports/explore.<format>?question=<token>`; statuses as of a statement's file (`sql_export`)."""
    return await sql_export.sent(
        request, lambda identity, wanted: _made(identity, request.query_params.get(PARAMETER, ""), wanted)
    )


def _made(identity: Identity, token: str, wanted: Format) -> tuple[str, bytes]:
    """A name, which says when not all is there, and what the page would show, of more groups and not rounded."""
    for permission in (Permission.EXPORT, Permission.RUN_SQL):
        require(identity, permission)
    asked = question.read(token)
    with read() as db:
        known = marts(reach.relations(db))
    text = statement.of(asked, known)
    found = service.run(identity, text, {}, limits=runner.FILE, purpose=Purpose.FILE, may_use_copy=True)
    if found.has_more_rows and asked.view is View.TABLE and asked.split:
        # which cells are missing nobody could see: they would be empty, as cells are that hold nothing
        raise InvalidInput(
            "question", "This table has more cells than a file holds.", hint="Take the split away, or filter."
        )
    made = shown.table(asked, known[asked.mart], found)
    file = io.BytesIO()
    formats.write(file, wanted, made.columns, [made.rows])
    cut = f"-first-{len(found.rows)}-{'rows' if asked.view is View.ROWS else 'groups'}" if found.has_more_rows else ""
    return f"{asked.mart}{cut}{'-long-texts-cut' if found.has_cut_texts else ''}.{wanted}", file.getvalue()
