"""Two people's edits of one action, brought together field by field. Pure.

The trap avoided: a version number alone. It says that somebody changed something, not that they changed the same thing;
and whoever is only told so, and saves again, overwrites what they never looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """`values` is what both edits make of the fields: mine where I changed one, else theirs. `taken` are the fields
    that only they changed, `collisions` those that both changed, to different values; both in the order of the fields.
    """

    values: dict[str, Any]
    taken: tuple[str, ...]
    collisions: tuple[str, ...]


def merge(base: Values, theirs: Values, mine: Values) -> Merged:
    """What both edits of `base` make together. All three name the same fields; values are compared by ==."""
    changed = {field for field in base if mine[field] != base[field]}
    moved = [field for field in base if theirs[field] != base[field]]
    return Merged(
        values={field: (mine if field in changed else theirs)[field] for field in base},
        taken=tuple(field for field in moved if field not in changed),
        collisions=tuple(field for field in moved if field in changed and mine[field] != theirs[field]),
    )
