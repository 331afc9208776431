"""What faces read of the marts, seen at the database, beside what dbt's exposures say that they read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, event

EXPOSURES = Path(__file__).resolve().parents[1] / "dbt" / "models" / "exposures.yml"
_MART = re.compile(r"\bmarts\.\"?(\w+)")
_OF_THE_BUILD = {"publications", "model_versions", "figure_checks"}  # what is said of a build, no mart of it


def declared() -> dict[str, set[str]]:
    """Names of the marts by the name of the exposure."""
    made = yaml.safe_load(EXPOSURES.read_text())["exposures"]
    return {one["name"]: set(re.findall(r"ref\('(\w+)'\)", " ".join(one["depends_on"]))) for one in made}


@contextmanager
def read_by(engine: Engine) -> Iterator[set[str]]:
    """The marts that statements of this engine name inside the block."""
    found: set[str] = set()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.update(set(_MART.findall(statement)) - _OF_THE_BUILD)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)
