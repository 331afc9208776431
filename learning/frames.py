"""Rows and columns of a frame, typed: indexing a DataFrame is a Series or a frame or a number to a type checker."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def only(frame: pd.DataFrame, mask: Any) -> pd.DataFrame:
    """The rows where `mask` is true; the index is kept."""
    return cast(pd.DataFrame, frame[mask])


def numbers(frame: pd.DataFrame, name: str) -> Array:
    """A column as floats."""
    return cast(Any, frame[name]).to_numpy(dtype=float)


def truths(frame: pd.DataFrame, name: str) -> Mask:
    """A column of truths."""
    return cast(Any, frame[name]).to_numpy(dtype=bool)


def account_count(frame: pd.DataFrame) -> int:
    """Accounts in it."""
    return len(set(frame["account_key"]))


def left_count(frame: pd.DataFrame) -> int:
    """Accounts in it that left, by its column `left`."""
    return account_count(only(frame, truths(frame, "left")))


def varying(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Those columns of numbers that hold at least two different ones; NaN is none."""
    return [name for name in names if len(set(numbers(frame, name)[~np.isnan(numbers(frame, name))])) > 1]
