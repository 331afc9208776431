"""What one step of the world changed, waiting to be written.

Keyed by vendor id, so that a record touched twice is written once, in its last state. Both seeding (two years in one
ledger) and advancing (one day) fill it; `store` and `product` empty it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doc = dict[str, Any]


@dataclass
class HubspotRow:
    """One CRM object; `created` and `updated` in epoch seconds."""

    object_type: str
    id: int
    created: float
    updated: float
    properties: Doc
    archived: float | None = None
    merged_into: int | None = None
    merged_ids: str | None = None


@dataclass
class StripeRow:
    """One billing object; `plan` is set while the object still has a future (an open invoice)."""

    id: str
    object: str
    seq: int
    created: int
    doc: Doc
    customer: str | None = None
    subscription: str | None = None
    status: str | None = None
    deleted: int | None = None
    plan: Doc | None = None


@dataclass
class ZendeskRow:
    """One support object; `generated` (epoch seconds) is the export's own change clock."""

    kind: str
    id: int
    created: int
    updated: int
    generated: int
    doc: Doc
    status: str | None = None
    plan: Doc | None = None


@dataclass
class Usage:
    """Session-level events of one day, column-wise; `event` indexes catalogue.EVENTS, -1 is a heartbeat (no user).

    `occurred` and `ingested` are epoch milliseconds.
    """

    day: int
    event_id: NDArray[np.int64]
    tenant: NDArray[np.int64]
    user: NDArray[np.int64]
    event: NDArray[np.int64]
    occurred: NDArray[np.int64]
    ingested: NDArray[np.int64]
    duration_ms: NDArray[np.int64]
    automation: NDArray[np.int64]


@dataclass
class SurveyFile:
    """One NPS file as bytes, ready to be dropped; a file without `manifest` never gets its `.done`."""

    name: str
    content: bytes
    rows: int
    manifest: bool = True


@dataclass
class Ledger:
    """Everything that changed.

    Billing events before `events_since` (epoch seconds) are not kept: the feed would not serve them.
    """

    events_since: int = 0
    hubspot: dict[tuple[str, int], HubspotRow] = field(default_factory=dict)
    links: dict[tuple[str, int, str, int], bool] = field(default_factory=dict)
    stripe: dict[str, StripeRow] = field(default_factory=dict)
    events: list[tuple[str, int, int, str, Doc]] = field(default_factory=list)
    zendesk: dict[tuple[str, int], ZendeskRow] = field(default_factory=dict)
    tenants: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    users: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    usage: list[Usage] = field(default_factory=list)
    files: list[SurveyFile] = field(default_factory=list)

    def link(self, from_type: str, from_id: int, to_type: str, to_id: int, is_primary: bool = False) -> None:
        """Associate two CRM objects; stored once, served in both directions."""
        self.links[(from_type, from_id, to_type, to_id)] = is_primary
