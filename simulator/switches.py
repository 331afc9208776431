"""Fault switches: what a vendor does wrong from now on, or for the next few requests.

Set with `POST /__switches` (JSON, merged), read with GET, cleared with DELETE; only on a server bound to loopback. A
member `do` holds incidents, things that happen in the estate at once (`incidents`), for example `{"do": [{"archive":
{"object_type": "deals", "count": 50}}]}`.
"""

from dataclasses import dataclass, field
from typing import Any

KNOWN = {
    "down": "true: every request is answered 503",
    "slow_seconds": "every request waits this long",
    "fail_next": '{"status": 503, "count": 2}; also retry_after, envelope, policy, should_retry, code',
    "truncate_next": "number of answers whose JSON is cut in half",
    "reset_next": "number of answers that break off in the middle of the transfer",
    "rate_limit": 'a number for the main bucket or {"bucket": number}',
    "forbid": "HubSpot: object types that answer 403 MISSING_SCOPES",
    "search_lag_seconds": "HubSpot: records changed within this time are not in the search index",
    "create_after_page": "Stripe: number of list pages after which a customer is created",
    "delete_cursor_next": "Stripe: number of list pages whose last customer is deleted right afterwards",
    "event_api_version": "Stripe: version at which new events are rendered",
    "empty_page_next": "Zendesk: number of export pages that are empty without being the end",
    "refuse_cursor_next": "Zendesk: number of cursors refused",
    "expire_tokens": "Zendesk: true revokes every token now",
}


@dataclass
class Switches:
    """Current settings of one vendor."""

    values: dict[str, Any] = field(default_factory=dict)

    def merge(self, changes: dict[str, Any]) -> list[str]:
        """Apply changes (null removes); returns names nobody knows, in which case nothing is applied."""
        unknown = [name for name in changes if name not in KNOWN]
        if not unknown:
            self.values.update(changes)
            self.values = {name: value for name, value in self.values.items() if value is not None}
        return unknown

    def get(self, name: str) -> Any:
        """A switch's value, None when it is not set."""
        return self.values.get(name)

    def spend(self, name: str) -> bool:
        """Use up one of a counted switch."""
        left = int(self.values.get(name) or 0)
        if left <= 0:
            return False
        self.values[name] = left - 1
        return True

    def next_failure(self) -> dict[str, Any] | None:
        """The failure to answer with now, counting it."""
        failure = self.values.get("fail_next")
        if not failure or int(failure.get("count", 1)) <= 0:
            return None
        failure["count"] = int(failure.get("count", 1)) - 1
        return failure
