"""The way from a figure to its proof, for every page that shows figures."""

from collections.abc import Sequence

import streamlit as st

from app.metrics import metrics
from app.ui import navigation


def _address(mart: str, key: Sequence[str], column: str) -> dict[str, str | list[str]]:
    return {"mart": mart, "key": list(key), "column": column}


def link(mart: str, key: Sequence[str], column: str, *, label: str, metric: str | None = None) -> None:
    """A way to the proof of a figure; `label` is our own Markdown, `metric` what the figure counts."""
    st.page_link(
        navigation.address_of("proof"),
        label=label,
        query_params=_address(mart, key, column),
        help=f"{metrics()[metric].definition} Click for its proof." if metric else "Proof of this figure",
    )


def go(mart: str, key: Sequence[str], column: str) -> None:
    """Callback: to the proof of a figure."""
    st.switch_page(navigation.address_of("proof"), query_params=_address(mart, key, column))


def name_of(column: str) -> str:
    """A column as people say it: `mrr_eur` is MRR, EUR."""
    plain = column.removesuffix("_eur").removesuffix("_ratio").replace("_", " ")
    said = " ".join(word.upper() if word in ("mrr", "nps", "nrr", "grr") else word for word in plain.split())
    return (said[:1].upper() + said[1:]) + (", EUR" if column.endswith("_eur") else "")
