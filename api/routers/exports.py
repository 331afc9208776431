"""/exports: what a person may take away, as a file."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, cast

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.deps import Db, Exporter, Now
from app.calendar import display_date
from app.exports import datasets
from app.exports.datasets import Dataset
from app.exports.formats import MEDIA_TYPES, Format

router = APIRouter(prefix="/exports", tags=["exports"])

IN_MEMORY = 4 * 1024 * 1024  # bytes; a longer file goes to disk
PIECE = 64 * 1024  # bytes

Since = Annotated[
    date | None,
    Query(
        description="Only what changed (actions) or is dated (health) on this day or later, UTC; accounts do not say"
        " when they changed, and refuse it. Whoever takes files regularly asks again for the last day they have."
    ),
]


@router.get(
    "/{dataset}.{file_format}",
    response_class=StreamingResponse,
    responses={200: {"description": "The file.", "content": {kind: {} for kind in MEDIA_TYPES.values()}}},
)
def export(
    dataset: Dataset, file_format: Format, identity: Exporter, db: Db, now: Now, since: Since = None
) -> StreamingResponse:
    """Accounts, actions with their recorded outcomes, or daily health; a CSM's own, everything for the others.

    The file is whole before its first byte leaves: what can go wrong is a status, never half a file, and a slow reader
    holds no connection to the database.
    """
    with ExitStack() as until_failed:
        file = until_failed.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY))
        datasets.write(
            db,
            dataset,
            file_format,
            cast(BinaryIO, file),
            identity=identity,
            today=display_date(now),
            since=since,
        )
        until_sent = until_failed.pop_all()
    size = file.tell()
    file.seek(0)

    def pieces() -> Iterator[bytes]:
        with until_sent:
            while piece := file.read(PIECE):
                yield piece

    return StreamingResponse(
        pieces(),
        media_type=MEDIA_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="{dataset}.{file_format}"',
            "Content-Length": str(size),
        },
    )
