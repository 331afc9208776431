"""What the browser needs beside the pages: the few rules of style the theme has no setting for, columns that stack on a
narrow window, how much room there is, a history in which Back leads to the filtered list one came from, a panel that
takes nothing more once another action was clicked, and numbers that count before one has left their field.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.components import v2
from streamlit.delta_generator import DeltaGenerator

GAP = 14  # pixels between two columns
_BORDER_AND_PADDING = 30
_ASSETS = Path(__file__).parent / "assets"
_VIEW = "page_style:view"
# before the browser has told: a window of 1440 px with the shell's bar at its side
_UNTOLD = {"room": 1200, "isNarrow": False}


@lru_cache(maxsize=2)
def _component(theme: str) -> Any:
    """Registered once per theme: a component's style is part of its registration."""
    files = ["page.css", *(["page-dark.css"] if theme == "dark" else [])]
    css = "\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in files)
    js = "\n".join(
        (_ASSETS / name).read_text(encoding="utf-8") for name in ("giving_way.js", "numbers.js", "history.js")
    )
    return v2.component(f"account_intelligence_style_{theme}", css=css, js=js, isolate_styles=False)


def mount() -> None:
    """Give the page its style; it takes no room. Call it once a run, outside every panel."""
    with st.container(key="page_style"):
        theme = "dark" if st.context.theme.type == "dark" else "light"
        key = f"style_{theme}"
        _component(theme)(
            key=key,
            data={"view": _view()},
            default={"view": _view()},
            on_view_change=lambda: st.session_state.update({_VIEW: st.session_state[key]["view"]}),
        )


def _view() -> dict[str, Any]:
    told = st.session_state.get(_VIEW)
    try:
        return {"room": min(max(int(told["room"]), 300), 4000), "isNarrow": bool(told["isNarrow"])} if told else _UNTOLD
    except (KeyError, TypeError, ValueError, OverflowError):  # a message made by hand
        return _UNTOLD


def is_narrow() -> bool:
    """Whether the window is narrower than 1200 px, as far as the browser has told; before that, False."""
    return _view()["isNarrow"]


def room(share: float = 1, of: float = 1) -> int:
    """Pixels of the page's width, in steps of 20 rounded down, as far as the browser has told; or of one of its
    columns, whose weight is `share` in a sum of weights `of`.
    """
    whole = _view()["room"]
    return whole if share == of else int((whole - GAP) * share / of)


def boxed(pixels: int) -> int:
    """Pixels inside a container with a border, of those that the container has."""
    return pixels - _BORDER_AND_PADDING


def split(widths: Sequence[float], key: str, *, gap: Literal["small", "medium"] = "small") -> Sequence[DeltaGenerator]:
    """Columns beside each other, below 1200 px one under the other in the order given."""
    with st.container(key=f"split_{key}"):
        return st.columns(list(widths), gap=gap)
