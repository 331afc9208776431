"""Choices that stand in the address: one of several, any of several, and the tabs of a page.

Streamlit takes from an address what a control shows, letter for letter, and drops everything else without a word.
People type addresses, and pages link to each other by codes: here both count, in any case of the letters.
"""

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_tab_container import TabContainer
from streamlit.runtime.scriptrunner import get_script_run_ctx

Names = Mapping[str, str] | Sequence[str]  # what is shown, by code, or alone where the code is what is shown


def _by_code(names: Names) -> Mapping[str, str]:
    return names if isinstance(names, Mapping) else {name: name for name in names}


def _meant(given: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """The codes that somebody means; what no control of that name has is left out."""
    known = {word.casefold(): code for code, shown in names.items() for word in (code, shown)}
    return [known[word.casefold()] for word in given if word.casefold() in known]


def accept(key: str, names: Names, *, are_several: bool = False) -> None:
    """Before the control of this key is drawn: have it, and the address, say what is meant letter for letter."""
    shown, given = _by_code(names), st.query_params.get_all(key)
    meant = _meant(given, shown)
    wanted = [shown[code] for code in meant]
    context = get_script_run_ctx()
    if not wanted or wanted == given or context is None:
        return
    with context.session_state.query_params() as address:
        is_drawn = address.is_bound(key)
        if not is_drawn:
            # a control that is new takes its start from the address; from the state of the session it would take it
            # too, but the address would say nothing of it, and the next reload would lose it
            address[key] = wanted
            address.set_initial_query_params_from_current()
    if is_drawn:
        st.session_state[key] = meant if are_several else meant[0]


def _held(key: str, names: Names) -> list[str]:
    """What a control of pills holds, also before it has been drawn for the first time."""
    if key not in st.session_state:
        return _meant(st.query_params.get_all(key), _by_code(names))
    held = st.session_state[key] or []
    return [name for name in ([held] if isinstance(held, str) else held) if name in names]


def one(label: str, names: Names, key: str, *, start: str) -> str:
    """The code of a segmented control in which something is always chosen, `start` at first."""
    accept(key, names)
    shown = _by_code(names)
    chosen = st.segmented_control(
        label,
        list(shown),
        format_func=lambda code: shown[code],
        default=start,
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen or start


def several(label: str, names: Sequence[str], key: str) -> tuple[str, ...]:
    """Pills, of which any number is chosen."""
    accept(key, names, are_several=True)
    return tuple(
        st.pills(label, names, selection_mode="multi", key=key, bind="query-params", label_visibility="collapsed") or ()
    )


def chip(label: str, names: Sequence[str], key: str) -> tuple[str, ...]:
    """A popover with all choices as pills; its label tells the choice: `Owner: any`, `Owner: Maya Lind`, `Owner: 3`."""
    with _chip(label, _held(key, names), key):
        return several(label, names, key)


def chip_of_one(label: str, names: Names, key: str) -> str | None:
    """A chip that holds one choice or none; the code of what is chosen."""
    shown = _by_code(names)
    with _chip(label, [shown[code] for code in _held(key, names)], key):
        accept(key, names)
        return st.pills(
            label,
            list(shown),
            format_func=lambda code: shown[code],
            key=key,
            bind="query-params",
            label_visibility="collapsed",
        )


def _chip(label: str, chosen: Sequence[str], key: str) -> DeltaGenerator:
    """All choices at once: a select box in a popover would take two clicks to show them."""
    shown = "any" if not chosen else chosen[0] if len(chosen) == 1 else str(len(chosen))
    return st.popover(f"{label}: {shown}", key=f"{key}_chip").container(width=300)


def tabs(names: Iterable[str], key: str) -> Sequence[TabContainer]:
    """Tabs, of which the open one is drawn."""
    accept(key, list(names))
    return st.tabs(list(names), key=key, bind="query-params", on_change="rerun")
