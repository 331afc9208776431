"""The editor for one statement: highlighted, completed from the catalogue, run by Ctrl + Enter, its draft kept by the
browser over a reload."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

from app.sandbox.reach import Relation

_ASSETS = Path(__file__).parent / "assets"
_LOAD = "sql:load"
_TEXT = "sql:text"
_KEY = "sql_editor"
FIRST = """select segment, count(*) as account_count, round(sum(mrr_eur)) as mrr_eur
from dim_accounts
where is_active
group by segment
order by mrr_eur desc"""


@lru_cache(maxsize=1)
def _component() -> Any:
    """Registered once, at its first use: importing this module does no work."""
    parts = {kind: (_ASSETS / f"sql_editor.{kind}").read_text(encoding="utf-8") for kind in ("html", "css")}
    js = "\n".join(
        (_ASSETS / name).read_text(encoding="utf-8") for name in ("drafts.js", "sql_names.js", "sql_editor.js")
    )
    return v2.component("account_intelligence_sql_editor", isolate_styles=False, js=js, **parts)


def text() -> str:
    """What stands in the editor, as far as the browser has told: a short pause after the last key, or a click."""
    return st.session_state.get(_TEXT, FIRST)


def load(statement: str) -> None:
    """Callback: put another text into the editor."""
    number = st.session_state.get(_LOAD, (0, ""))[0] + 1
    st.session_state[_LOAD] = (number, statement)
    st.session_state[_TEXT] = statement


def insert_table(name: str) -> None:
    """Callback: begin a statement on a table."""
    load(f"select *\nfrom {name}\nlimit 100")


def editor(
    *, user_id: str, relations: Sequence[Relation], run: Callable[[str], None], plan: Callable[[str], None]
) -> None:
    """Draw it, with the names that can complete what is typed. `run` and `plan` get the text, in a callback."""

    def told(name: str, then: Callable[[str], None] | None) -> Callable[[], None]:
        def heard() -> None:
            try:
                sent = st.session_state[_KEY].get(name)
            except KeyError:
                return
            if isinstance(sent, str):
                st.session_state[_TEXT] = sent
                if then is not None:
                    then(sent)

        return heard

    number, statement = st.session_state.get(_LOAD, (0, FIRST))
    _component()(
        key=_KEY,
        data={
            "user": user_id,
            "label": "SQL statement",
            "load": {"id": number, "text": statement},
            "tables": [[one.name, one.grain, [[field.name, field.kind] for field in one.fields]] for one in relations],
        },
        on_run_change=told("run", run),
        on_plan_change=told("plan", plan),
        on_typed_change=told("typed", None),
    )
