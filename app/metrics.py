"""Every number of the product, defined once (`metrics.toml`): what stands beside it on a page, in the glossary, in the
warehouse's documentation and, as the description of a column, wherever the marts are read.

`python -m app.metrics` prints the definitions for dbt; they lie in dbt/models/docs/metrics.md.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("metrics.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One number: its name and unit as people say them, what it counts, and the columns of marts (`mart.column`) that
    hold it; none where it is counted from what people do in the application."""

    metric_id: str
    name: str
    unit: str
    definition: str
    columns: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def metrics() -> Mapping[str, Metric]:
    """All metrics by their id, in the order of the file."""
    read = tomllib.loads(_FILE.read_text())
    return MappingProxyType(
        {
            metric_id: Metric(metric_id=metric_id, **{**values, "columns": tuple(values.get("columns", ()))})
            for metric_id, values in read.items()
        }
    )


def of_column(mart: str, column: str) -> Metric | None:
    """The metric that a column of a mart holds."""
    return next((one for one in metrics().values() if f"{mart}.{column}" in one.columns), None)


def documentation() -> str:
    """The definitions as dbt's doc blocks, one per metric that a mart holds."""
    blocks = (
        f"{{% docs metric_{one.metric_id} %}}\n{one.definition}\n{{% enddocs %}}\n"
        for one in metrics().values()
        if one.columns
    )
    return "\n".join(blocks)


if __name__ == "__main__":
    print(documentation(), end="")
