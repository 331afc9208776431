# ruff: noqa: S608 - the changes are literals of this module
"""Incidents in the CRM: archived, restored, merged, erased, changed and unlinked records."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from simulator.incidents import Scene

CHOOSE = """
    select id from hubspot_objects
    where object_type = %(type)s and merged_into is null and erased_at is null
        and (archived_at is not null) = %(archived)s and (%(ids)s::bigint[] is null or id = any(%(ids)s))
    order by id limit %(count)s
"""


async def _choose(
    scene: Scene, object_type: str, ids: list[int] | None, count: int, *, archived: bool = False
) -> list[int]:
    """The records named, else the first `count` of the type."""
    wanted = [int(one) for one in ids] if ids else None
    values = {"type": object_type, "ids": wanted, "count": len(wanted or []) or count, "archived": archived}
    return [row[0] for row in await scene.rows(CHOOSE, values)]


def _moment(scene: Scene) -> datetime:
    return datetime.fromtimestamp(int(scene.now * 1000) / 1000, UTC)


async def _set(scene: Scene, object_type: str, ids: list[int], change: str, value: object = None) -> list[str]:
    await scene.rows(
        "update hubspot_objects set " + change + " where object_type = %(type)s and id = any(%(ids)s)",
        {"type": object_type, "ids": ids, "now": _moment(scene), "value": value},
    )
    return [str(one) for one in ids]


async def archive(scene: Scene, object_type: str, ids: list[int] | None = None, count: int = 1) -> list[str]:
    """Records go to the recycle bin; their change time stays."""
    return await _set(scene, object_type, await _choose(scene, object_type, ids, count), "archived_at = %(now)s")


async def restore(scene: Scene, object_type: str, ids: list[int] | None = None, count: int = 1) -> list[str]:
    """Records come back from the recycle bin with the same id."""
    chosen = await _choose(scene, object_type, ids, count, archived=True)
    return await _set(scene, object_type, chosen, "archived_at = null")


async def erase(scene: Scene, object_type: str, ids: list[int] | None = None, count: int = 1) -> list[str]:
    """Privacy delete: gone from every list, 404 for ever."""
    chosen = await _choose(scene, object_type, ids, count)
    return await _set(scene, object_type, chosen, "erased_at = %(now)s, properties = '{}'")


async def change(
    scene: Scene, object_type: str, properties: dict[str, str | None], ids: list[int] | None = None, count: int = 1
) -> list[str]:
    """Properties change now, of many records in the same millisecond."""
    chosen = await _choose(scene, object_type, ids, count)
    setting = "properties = properties || %(value)s, updated_at = %(now)s"
    return await _set(scene, object_type, chosen, setting, Jsonb(properties))


async def unlink(scene: Scene, from_type: str, from_id: int, to_type: str, to_id: int) -> int:
    """A link ends; neither record's change time moves."""
    rows = await scene.rows(
        """
        delete from hubspot_links where (from_type, from_id, to_type, to_id)
            in ((%(a)s, %(b)s, %(c)s, %(d)s), (%(c)s, %(d)s, %(a)s, %(b)s)) returning from_id
        """,
        {"a": from_type, "b": int(from_id), "c": to_type, "d": int(to_id)},
    )
    return len(rows)


async def merge(
    scene: Scene, object_type: str, absorbed: int, survivor: int, new_id: bool = False
) -> dict[str, str | list[str]]:
    """One record absorbs another, earlier merges included; with `new_id` both vanish into a third id."""
    target, gone = int(survivor), [int(absorbed)]
    values = {"type": object_type, "now": _moment(scene), "survivor": int(survivor)}
    if new_id:
        target = 10**14 + int(secrets.token_hex(5), 16)
        gone.append(int(survivor))
        await scene.rows(
            """
            insert into hubspot_objects (object_type, id, created_at, updated_at, properties)
            select object_type, %(target)s, created_at, %(now)s, properties from hubspot_objects
            where object_type = %(type)s and id = %(survivor)s
            """,
            {**values, "target": target},
        )
    for one in gone:
        await _absorb(scene, object_type, one, target)
    return {"survivor": str(target), "absorbed": [str(one) for one in gone]}


async def _absorb(scene: Scene, object_type: str, gone: int, target: int) -> None:
    values = {"type": object_type, "gone": gone, "target": target, "now": _moment(scene)}
    done = await scene.rows(
        """
        update hubspot_objects as kept
        set merged_ids = concat_ws(';', kept.merged_ids, lost.id::text, lost.merged_ids), updated_at = %(now)s
        from hubspot_objects as lost
        where kept.object_type = %(type)s and kept.id = %(target)s
            and lost.object_type = %(type)s and lost.id = %(gone)s
        returning kept.id
        """,
        values,
    )
    if not done:
        raise ValueError(f"no {object_type} {gone} or {target}")
    await scene.rows(
        "update hubspot_objects set merged_into = %(target)s where object_type = %(type)s and id = %(gone)s", values
    )
    await scene.rows(
        """
        insert into hubspot_links (from_type, from_id, to_type, to_id, is_primary)
        select from_type, case when from_type = %(type)s and from_id = %(gone)s then %(target)s else from_id end,
            to_type, case when to_type = %(type)s and to_id = %(gone)s then %(target)s else to_id end, is_primary
        from hubspot_links
        where (from_type = %(type)s and from_id = %(gone)s) or (to_type = %(type)s and to_id = %(gone)s)
        on conflict do nothing
        """,
        values,
    )
    await scene.rows(
        """
        delete from hubspot_links
        where (from_type = %(type)s and from_id = %(gone)s) or (to_type = %(type)s and to_id = %(gone)s)
        """,
        values,
    )
