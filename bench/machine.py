"""What the machine was like while a figure was taken: without it a number of seconds means nothing."""

import os
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """Cores, load over the last minute, and how long a fixed amount of work took."""

    cores: int
    load: float
    yardstick_seconds: float

    def __str__(self) -> str:
        return f"{self.cores} cores, load {self.load:.1f}, yardstick {self.yardstick_seconds * 1000:.0f} ms"


def look() -> Machine:
    """Take the figures now; the yardstick is five million additions in one thread."""
    began = time.perf_counter()
    total = 0
    for number in range(5_000_000):
        total += number
    return Machine(os.cpu_count() or 1, os.getloadavg()[0], time.perf_counter() - began)
