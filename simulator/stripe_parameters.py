"""Stripe's bracketed query language: single values, lists (`types[]`, `types[0]`) and ranges (`created[gte]`), and
its errors.
"""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.wire import Refused

PAGING = {"limit", "starting_after", "ending_before", "expand"}
OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
FILTERS: dict[str, set[str]] = {
    "customers": {"email", "created"},
    "subscriptions": {"customer", "price", "status", "created", "collection_method"},
    "subscription_items": {"subscription"},
    "invoices": {"customer", "subscription", "status", "created", "due_date", "collection_method"},
    "lines": set(),
    "prices": {"active", "product", "currency", "type", "created"},
    "products": {"active", "created", "ids"},
    "events": {"type", "types", "created", "delivery_success"},
}


def failed(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    """Stripe's error envelope."""
    return JSONResponse({"error": {"type": kind, "message": message, **extra}}, status, headers)


def missing(name: str, object_id: str, status: int = 404, param: str = "id") -> Response:
    """No such object; 400 when it was meant as a cursor."""
    return failed(status, f"No such {name}: '{object_id}'", code="resource_missing", param=param)


class Parameters:
    """The query of one list request; raises Refused for what the endpoint does not know."""

    def __init__(self, request: Request, plural: str) -> None:
        self.single: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.ranges: dict[str, dict[str, int]] = {}
        for name, value in request.query_params.multi_items():
            match = re.fullmatch(r"(\w+)\[(\w*)\]", name)
            if match is None:
                self.single[name] = value
            elif match[2] in OPERATORS:
                self.ranges.setdefault(match[1], {})[match[2]] = int(value)
            else:
                self.lists.setdefault(match[1], []).append(value)
        for name in (*self.single, *self.lists, *self.ranges):
            if name not in FILTERS[plural] | PAGING:
                message = f"Received unknown parameter: {name}"
                raise Refused(failed(400, message, code="parameter_unknown", param=name))

    def limit(self) -> int:
        """Page size, 1 to 100."""
        text = self.single.get("limit", "10")
        if not text.isdigit() or not 1 <= int(text) <= 100:
            raise Refused(failed(400, "This value must be between 1 and 100 (limit).", param="limit"))
        return int(text)

    def cursor(self) -> tuple[str, str] | None:
        """(parameter, object id) of the place to go on from."""
        both = [name for name in ("starting_after", "ending_before") if name in self.single]
        if len(both) > 1:
            message = "You cannot parameterize starting_after and ending_before together."
            raise Refused(failed(400, message, param="starting_after"))
        return (both[0], self.single[both[0]]) if both else None

    def expand(self) -> list[str]:
        """Members to expand, without the `data.` of lists."""
        return [path.removeprefix("data.") for path in self.lists.get("expand", [])]

    def conditions(self, name: str) -> tuple[str, dict[str, Any]]:
        """SQL over stripe_objects for the filters given, with its parameters; deleted objects are never listed."""
        parts, values = ["object = %(object)s", "deleted is null"], dict[str, Any](object=name)
        filters: dict[str, Any] = {key: value for key, value in self.single.items() if key not in PAGING}
        if name == "subscription":
            status = filters.pop("status", "active and other")
            if status == "active and other":
                parts.append("status <> 'canceled'")
            elif status != "all":
                filters["status"] = "canceled" if status == "ended" else status
        for member, value in filters.items():
            values[member] = f'%"id":"{value}"%' if member == "price" else value
            if member == "price":
                parts.append("doc::text like %(price)s")
            elif member in ("customer", "subscription", "status"):
                parts.append(f"{member} = %({member})s")
            else:
                parts.append(f"doc->>'{member}' = %({member})s")
        if "ids" in self.lists:
            values["ids"] = self.lists["ids"]
            parts.append("id = any(%(ids)s)")
        return " and ".join([*parts, *self.bounds()]), values

    def bounds(self) -> list[str]:
        """SQL for the ranges; the values are integers by now."""
        found = []
        for member, limits in self.ranges.items():
            column = "created" if member == "created" else f"(doc->>'{member}')::bigint"
            found += [f"{column} {OPERATORS[operator]} {value}" for operator, value in limits.items()]
        return found
