# ruff: noqa: S608 - conditions are constants of ours; every value is a parameter or an integer
"""Support records as exports and lists need them: by (generated, id), by whole seconds, by id."""

import base64
from dataclasses import dataclass
from typing import Any, Protocol

Row = tuple[Any, ...]
Doc = dict[str, Any]


class Reader(Protocol):
    """Runs a query and returns all rows."""

    async def __call__(self, query: str, parameters: dict[str, Any] | None = None) -> list[Row]: ...


@dataclass(frozen=True)
class Place:
    """Where an export stands: the last record it has delivered."""

    generated: int
    id: int

    def cursor(self) -> str:
        """Opaque form."""
        return base64.urlsafe_b64encode(f"{self.generated}.0||{self.id}".encode()).decode()


def place_of(cursor: str) -> Place | None:
    """Inverse of `Place.cursor`, None for what is none of ours."""
    try:
        moment, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition("||")
        return Place(int(float(moment)), int(number))
    except ValueError:
        return None


async def after(read: Reader, kind: str, place: Place, *, until: int, size: int) -> tuple[list[Doc], Place, bool]:
    """Records changed after `place`, the place after them, and whether that was all there is through `until`."""
    rows = await read(
        """
        select id, generated, doc from zendesk_objects
        where kind = %(kind)s and (generated, id) > (%(moment)s, %(id)s) and generated <= %(until)s
        order by generated, id limit %(size)s
        """,
        {"kind": kind, "moment": place.generated, "id": place.id, "until": until, "size": size + 1},
    )
    kept = rows[:size]
    return [row[2] for row in kept], Place(kept[-1][1], kept[-1][0]) if kept else place, len(rows) <= size


async def since(read: Reader, kind: str, start: int, *, until: int, size: int) -> tuple[list[Doc], int, bool]:
    """Records from second `start` on, the last second among them, and whether that was all.

    A page holds at least `size` records while there are more, always ends with a whole second, and goes at least one
    second beyond `start`: a reader that continues from the last second sees it twice but never stands still.
    """
    bounds = {"kind": kind, "start": start, "until": until, "size": size}
    within = "from zendesk_objects where kind = %(kind)s and generated"
    ((end,),) = await read(
        f"select max(generated) from (select generated {within} between %(start)s and %(until)s"
        " order by generated, id limit %(size)s) as page",
        bounds,
    )
    if end == start:
        ((end,),) = await read(
            f"select coalesce(min(generated), %(start)s) {within} > %(start)s and generated <= %(until)s", bounds
        )
    bounds["end"] = start if end is None else end
    rows = await read(f"select doc {within} between %(start)s and %(end)s order by generated, id", bounds)
    ((left,),) = await read(f"select count(*) {within} > %(end)s and generated <= %(until)s", bounds)
    return [row[0] for row in rows], bounds["end"], left == 0


async def count(read: Reader, condition: str, values: dict[str, Any]) -> int:
    """Number of records a list would show."""
    ((total,),) = await read(f"select count(*) from zendesk_objects where {condition}", values)
    return total


async def window(
    read: Reader, shape: str, condition: str, values: dict[str, Any], *, descending: bool, size: int, offset: int
) -> list[Row]:
    """(id, shaped document) rows of a list by id."""
    order = "id desc" if descending else "id"
    return await read(
        f"select id, {shape} from zendesk_objects where {condition} order by {order} limit {size} offset {offset}",
        values,
    )


async def some(read: Reader, kind: str, ids: list[int]) -> list[Doc]:
    """Records by id, for sideloads and single reads; deleted tickets are not among them."""
    rows = await read(
        "select doc from zendesk_objects where kind = %(kind)s and id = any(%(ids)s)"
        " and status is distinct from 'deleted' order by id",
        {"kind": kind, "ids": ids},
    )
    return [row[0] for row in rows]
