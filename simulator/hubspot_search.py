"""The search endpoint's filters as SQL. Values travel as parameters, property names only after a check."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MOST_RESULTS = 10_000
MOMENTS = {
    "createdate": "created_at",
    "hs_createdate": "created_at",
    "lastmodifieddate": "updated_at",
    "hs_lastmodifieddate": "updated_at",
}
COMPARISONS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


@dataclass
class Query:
    """A where condition, an order and their parameters."""

    condition: str
    order: str
    parameters: dict[str, Any] = field(default_factory=dict)


def compile_query(body: dict[str, Any]) -> Query:
    """Raises ValueError, with the vendor's kind of explanation, for what the vendor refuses."""
    groups = body.get("filterGroups") or []
    filters = [one for group in groups for one in group.get("filters", [])]
    if len(groups) > 5 or any(len(group.get("filters", [])) > 6 for group in groups) or len(filters) > 18:
        raise ValueError("too many filters: at most 5 groups of 6, 18 in all")
    sorts = body.get("sorts") or []
    if len(sorts) > 1:
        raise ValueError("only one sort is allowed")
    query = Query("true", "id")
    if groups:
        query.condition = " or ".join(
            "(" + (" and ".join(_condition(query, one) for one in group.get("filters", [])) or "true") + ")"
            for group in groups
        )
    if body.get("query"):
        query.parameters["text"] = f"%{body['query']}%"
        query.condition = f"({query.condition}) and properties::text ilike %(text)s"
    if sorts:
        name = sorts[0] if isinstance(sorts[0], str) else sorts[0].get("propertyName", "hs_object_id")
        descending = isinstance(sorts[0], dict) and sorts[0].get("direction") == "DESCENDING"
        query.order = f"{_expression(name)[0]} {'desc' if descending else 'asc'}, id"
    return query


def _expression(name: str) -> tuple[str, str]:
    """SQL for a property and how its values compare: id, moment or text."""
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ValueError(f"property {name!r} does not exist")
    if name == "hs_object_id":
        return "id", "id"
    if name in MOMENTS:
        return MOMENTS[name], "moment"
    return f"properties->>'{name}'", "text"


def _value(kind: str, text: Any) -> Any:
    if kind == "id":
        return int(text)
    if kind == "moment":
        if str(text).lstrip("-").isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return str(text)


def _condition(query: Query, one: dict[str, Any]) -> str:
    expression, kind = _expression(str(one.get("propertyName", "")))
    operator = one.get("operator", "EQ")

    def bind(text: Any) -> str:
        name = f"p{len(query.parameters)}"
        query.parameters[name] = _value(kind, text)
        return f"%({name})s"

    if operator == "HAS_PROPERTY":
        return f"{expression} is not null"
    if operator == "NOT_HAS_PROPERTY":
        return f"{expression} is null"
    if operator in ("IN", "NOT_IN"):
        marks = ", ".join(bind(value) for value in one.get("values", []))
        return f"{expression} {'not in' if operator == 'NOT_IN' else 'in'} ({marks})"
    if operator == "BETWEEN":
        return f"{expression} between {bind(one.get('value'))} and {bind(one.get('highValue'))}"
    if operator == "CONTAINS_TOKEN":
        query.parameters[f"p{len(query.parameters)}"] = f"%{str(one.get('value')).strip('*')}%"
        return f"{expression} ilike %(p{len(query.parameters) - 1})s"
    if operator not in COMPARISONS:
        raise ValueError(f"unknown operator {operator}")
    mark = bind(one.get("value"))
    if kind == "text" and operator not in ("EQ", "NEQ"):
        number = f"(case when {expression} ~ '^-?[0-9]+([.][0-9]+)?$' then ({expression})::numeric end)"
        return f"{number} {COMPARISONS[operator]} {mark}::text::numeric"
    return f"{expression} {COMPARISONS[operator]} {mark}"
