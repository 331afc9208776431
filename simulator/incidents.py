"""Things that happen in the estate because somebody asked for them: `POST /__switches {"do": [...]}`.

Each incident writes what the real system would leave behind, and no more: archiving a record or changing a link bumps
no change time. Every one returns what it touched. One module per system: `incidents_crm`, `incidents_billing`,
`incidents_support`, `incident_files`.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from simulator import incident_files, incidents_billing, incidents_crm, incidents_support
from simulator.billing_records import EVENT_VERSION
from simulator.clock import Clock
from simulator.config import Settings


@dataclass
class Scene:
    """Where an incident happens: a transaction on the simulator's database, and simulated now."""

    db: psycopg.AsyncConnection[Any]
    now: float
    settings: Settings
    event_version: str

    async def rows(self, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        cursor = await self.db.execute(query.encode(), parameters or {})
        return await cursor.fetchall() if cursor.description else []


Incident = Callable[..., Awaitable[Any]]


@dataclass
class Incidents:
    """Runs incidents against one estate."""

    settings: Settings
    clock: Clock
    pool: AsyncConnectionPool
    event_version: str = EVENT_VERSION
    known: dict[str, Incident] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for module in (incidents_crm, incidents_billing, incidents_support, incident_files):
            found = inspect.getmembers(module, inspect.iscoroutinefunction)
            self.known |= {name: function for name, function in found if function.__module__ == module.__name__}

    async def run(self, order: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Run one incident, `{name: {arguments}}`.

        Raises LookupError for an unknown name, ValueError or TypeError for arguments that do not fit.
        """
        ((name, arguments),) = order.items()
        if name not in self.known:
            raise LookupError(f"unknown incident {name!r}; known: {', '.join(sorted(self.known))}")
        async with self.pool.connection() as db:
            scene = Scene(db, self.clock.now(), self.settings, self.event_version)
            return {name: await self.known[name](scene, **arguments)}
