"""Shares with their uncertainty: pure."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.96  # two-sided 95%
ENOUGH = 30  # of what a share is of, before it is worth saying


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many."""

    count: int
    of: int

    @property
    def is_enough(self) -> bool:
        """Whether there are enough cases to say a share at all."""
        return self.of >= ENOUGH

    @property
    def share(self) -> float:
        """0 to 1; 0 of nothing."""
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the share by Wilson's score, 0 to 1; everything is possible when there are no cases."""
        if not self.of:
            return 0.0, 1.0
        spread = _Z * _Z / self.of
        middle = (self.share + spread / 2) / (1 + spread)
        half = _Z * sqrt(self.share * (1 - self.share) / self.of + spread / (4 * self.of)) / (1 + spread)
        return max(0.0, middle - half), min(1.0, middle + half)
