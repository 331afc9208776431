"""Columns of mart frames as plain Python values: what charts and sums want, with their types certain.

A frame's column may hold dates, timestamps, NaN, NaT or None for the same thing; here that is decided once.
"""

from datetime import date
from typing import Any

import pandas as pd


def days(frame: pd.DataFrame, column: str) -> list[date]:
    """A column of days without gaps; rows without a day are left out."""
    return [stamp.date() for stamp in pd.to_datetime(frame[column]) if isinstance(stamp, pd.Timestamp)]


def numbers(frame: pd.DataFrame, column: str) -> list[float | None]:
    """A column of numbers, None where there is none."""
    return [None if value is None or value != value else float(value) for value in frame[column].tolist()]


def highest(values: list[float | None], window: int) -> list[float | None]:
    """The highest of each value and the `window` - 1 before it: days without work would make a saw of a daily count."""
    spans = (values[max(0, place - window + 1) : place + 1] for place in range(len(values)))
    return [max((value for value in span if value is not None), default=None) for span in spans]


def total(frame: pd.DataFrame, column: str) -> float:
    """Sum of a column, missing values as nothing."""
    return sum(value for value in numbers(frame, column) if value is not None)


def count(flags: Any) -> int:
    """How many of a mask are true."""
    return sum(bool(flag) for flag in flags.tolist())


def until(frame: pd.DataFrame, column: str, last: date) -> pd.DataFrame:
    """The rows up to and including a day."""
    if not len(frame):
        return frame
    keep = [isinstance(stamp, pd.Timestamp) and stamp.date() <= last for stamp in pd.to_datetime(frame[column])]
    return frame.loc[keep]
