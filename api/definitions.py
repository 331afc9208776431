"""What numbers count, in the description of the API: the same words as beside them on a page."""

from typing import Any

from app.metrics import of_column

# answers that are rows of a mart
_MART_OF = {"Account": "dim_accounts", "AccountHit": "dim_accounts", "HealthPoint": "fct_account_health_daily"}


def add_definitions(described: dict[str, Any]) -> None:
    """Put the definition of its metric onto every field that holds one."""
    for name, mart in _MART_OF.items():
        for field, schema in described["components"]["schemas"][name]["properties"].items():
            if metric := of_column(mart, field):
                schema["description"] = metric.definition
