"""Request budgets as the vendors keep them: sliding windows over real time, one per bucket."""

import time
from collections import deque


class Window:
    """At most `limit` requests in any `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.taken: deque[float] = deque()

    def take(self) -> bool:
        """Count a request; False when the budget is used up (a refused request costs nothing)."""
        self._forget()
        if len(self.taken) >= self.limit:
            return False
        self.taken.append(time.monotonic())
        return True

    def remaining(self) -> int:
        """Requests left now."""
        self._forget()
        return max(0, self.limit - len(self.taken))

    def resets_in(self) -> float:
        """Seconds until the oldest request leaves the window."""
        self._forget()
        return max(0.0, self.seconds - (time.monotonic() - self.taken[0])) if self.taken else 0.0

    def _forget(self) -> None:
        horizon = time.monotonic() - self.seconds
        while self.taken and self.taken[0] <= horizon:
            self.taken.popleft()


class Budgets:
    """The buckets of one vendor by name."""

    def __init__(self, **limits: tuple[int, float]) -> None:
        self.defaults = limits
        self.windows = {name: Window(limit, seconds) for name, (limit, seconds) in limits.items()}

    def override(self, limits: int | dict[str, int] | None) -> None:
        """Change limits: a number for the first bucket, a mapping by bucket, None for the vendor's own."""
        first = next(iter(self.windows))
        wanted = {first: limits} if isinstance(limits, int) else limits or {}
        for name, window in self.windows.items():
            window.limit = int(wanted.get(name, self.defaults[name][0]))

    def refusal(self, names: list[str]) -> str | None:
        """Take from every bucket named; the first one that is empty, or None."""
        return next((name for name in names if not self.windows[name].take()), None)
