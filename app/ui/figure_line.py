"""A line of figures above a panel: each says what it counts, and leads to its proof or its definition."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.metrics import metrics
from app.ui import navigation, proof_link


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A value and what stands beside it, our own Markdown; `metric` defines it, None for what is no number.

    `proof` names mart, key and column where one row of a mart holds the value.
    """

    value: str
    name: str
    metric: str | None = None
    proof: tuple[str, Sequence[str], str] | None = None


def show(figures: Sequence[Figure], key: str) -> None:
    """Draw the line: the value, and what it is in grey."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="large", key=key):
        for figure in figures:
            draw(figure)


def draw(figure: Figure) -> None:
    """Draw one figure where a line of its own is made of more than figures."""
    label = f"{figure.value} :gray[{figure.name}]"
    if figure.proof is not None:
        mart, key, column = figure.proof
        proof_link.link(mart, key, column, label=label, metric=figure.metric)
    elif figure.metric is not None:
        st.page_link(
            navigation.address_of("definitions"),
            label=label,
            query_params={"metric": figure.metric},
            help=metrics()[figure.metric].definition,
            width="content",
        )
    else:
        st.markdown(label, width="content")
