"""Incidents in support: system updates, deleted, restored and scrubbed tickets, many changes within one second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.json import Json

from simulator.clock import iso

if TYPE_CHECKING:
    from simulator.incidents import Scene

Doc = dict[str, Any]
SCRUBBED = {
    "subject": "SCRUBBED",
    "raw_subject": "SCRUBBED",
    "description": "SCRUBBED",
    "tags": [],
    "requester_id": -1,
    "submitter_id": -1,
}


async def _tickets(scene: Scene, ids: list[int] | None, count: int, *statuses: str) -> list[tuple[int, Doc]]:
    """The tickets named, else the newest `count` in one of the statuses."""
    rows = await scene.rows(
        """
        select id, doc from zendesk_objects
        where kind = 'tickets' and (id = any(%(ids)s) or (%(ids)s::bigint[] is null and status = any(%(statuses)s)))
        order by id desc limit %(count)s
        """,
        {"ids": ids, "count": len(ids or []) or count, "statuses": list(statuses)},
    )
    return [(row[0], row[1]) for row in rows]


async def _save(scene: Scene, number: int, doc: Doc, at: int) -> None:
    await scene.rows(
        """
        update zendesk_objects set doc = %(doc)s, generated = %(at)s, status = %(status)s,
            plan = case when %(status)s = 'deleted' then null else plan end
        where kind = 'tickets' and id = %(id)s
        """,
        {"doc": Json({**doc, "generated_timestamp": at}), "at": at, "status": doc["status"], "id": number},
    )


async def system_update(
    scene: Scene, ids: list[int] | None = None, count: int = 1, seconds_ago: int = 120
) -> list[int]:
    """`generated_timestamp` moves, `updated_at` does not."""
    chosen = await _tickets(scene, ids, count, "closed")
    for number, doc in chosen:
        await _save(scene, number, {**doc, "tags": [*doc["tags"], "swept"]}, int(scene.now) - seconds_ago)
    return [number for number, _ in chosen]


async def delete_ticket(
    scene: Scene, ids: list[int] | None = None, count: int = 1, scrub: bool = False, seconds_ago: int = 120
) -> list[int]:
    """Tickets are deleted but stay in the export; with `scrub` their content goes too."""
    chosen = await _tickets(scene, ids, count, "new", "open", "pending", "solved", "closed")
    at = int(scene.now) - seconds_ago
    for number, doc in chosen:
        before = doc.get("status_before", doc["status"])
        gone = {**doc, "status": "deleted", "updated_at": iso(at), "status_before": before}
        await _save(scene, number, {**gone, **SCRUBBED} if scrub else gone, at)
    return [number for number, _ in chosen]


async def restore_ticket(
    scene: Scene, ids: list[int] | None = None, count: int = 1, seconds_ago: int = 90
) -> list[int]:
    """Deleted tickets come back in the state they had."""
    chosen = await _tickets(scene, ids, count, "deleted")
    at = int(scene.now) - seconds_ago
    for number, doc in chosen:
        status = doc.pop("status_before", "open")
        await _save(scene, number, {**doc, "status": status, "updated_at": iso(at)}, at)
    return [number for number, _ in chosen]


async def touch_organizations(scene: Scene, count: int = 1200, seconds_ago: int = 300) -> int:
    """Many organizations change within one second."""
    at = int(scene.now) - seconds_ago
    rows = await scene.rows(
        """
        update zendesk_objects set updated = %(at)s, generated = %(at)s,
            doc = (doc::jsonb || jsonb_build_object('updated_at', %(text)s::text))::json
        where kind = 'organizations'
            and id in (select id from zendesk_objects where kind = 'organizations' order by id limit %(count)s)
        returning id
        """,
        {"at": at, "text": iso(at), "count": count},
    )
    return len(rows)
