"""Runs the statement of the editor while the page waits: what was asked, and what came of it.

The wait draws every fifth of a second, so that whatever the person does next, Cancel or another click, is taken up at
once and ends the statement; a tab that was closed ends it too.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Literal, TypeVar
from uuid import UUID, uuid4

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.auth import Identity
from app.errors import AppError, InvalidInput, StatementEnded
from app.sandbox import service
from app.sandbox.runner import Answer
from app.sandbox.watchdog import Reader

_ASKED = "sql:asked"
_CAME = "sql:came"
_LOOKS_SECONDS = 0.2
What = Literal["run", "plan"]
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of the statement that was asked last: an answer, a plan, or an error."""

    statement_id: UUID
    answer: Answer | None = None
    plan: str | None = None
    error: AppError | None = None


def ask(what: What) -> Callable[[str], None]:
    """Callback: the text is to be run, or its plan shown, in the run that follows."""

    def asked(text: str) -> None:
        st.session_state[_ASKED] = (what, text)

    return asked


def put_off(names: Sequence[str]) -> None:
    """What was asked waits for values that nobody has been asked for yet."""
    if st.session_state.pop(_ASKED, None) is None:
        return
    told = ", ".join(f":{name}" for name in names)
    wanted = InvalidInput(
        "parameters", f"The statement asks for {told}.", hint="Give the value above and run it again; empty is null."
    )
    st.session_state[_CAME] = Came(statement_id=uuid4(), error=wanted)


def came() -> Came | None:
    """What came of the statement asked last, in this tab."""
    return st.session_state.get(_CAME)


def answer_asked(identity: Identity, values: Mapping[str, str | None]) -> bool:
    """Run what was asked, keep what comes of it, and say whether anything was asked."""
    asked = st.session_state.pop(_ASKED, None)
    if asked is None:
        return False
    what, text = asked
    statement_id = uuid4()
    # kept first: whoever goes on while it runs finds it cancelled
    st.session_state[_CAME] = Came(statement_id=statement_id, error=StatementEnded("The statement was cancelled."))
    try:
        if what == "plan":
            plan = waited_for(lambda reader: service.plan(identity, text, values, reader=reader))
            st.session_state[_CAME] = Came(statement_id=statement_id, plan=plan)
        else:
            answer = waited_for(
                lambda reader: service.run(identity, text, values, reader=reader, statement_id=statement_id)
            )
            st.session_state[_CAME] = Came(statement_id=statement_id, answer=answer)
    except AppError as error:
        st.session_state[_CAME] = Came(statement_id=statement_id, error=error)
    return True


def waited_for(
    work: Callable[[Reader], Given], *, key: str = "sql_cancel", cancelled: Callable[[], None] | None = None
) -> Given:
    """What `work` gives; after a moment the time so far and a way out stand there, a button of this key, which calls
    `cancelled` too."""
    reader = Reader()
    began = time.monotonic()
    place = st.empty()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work, reader)
        try:
            if not wait([working], timeout=2 * _LOOKS_SECONDS).done:
                with place.container(horizontal=True, vertical_alignment="center", gap="small"):
                    note = st.empty()
                    st.button(
                        "Cancel", icon=":material/stop_circle:", key=key, on_click=_leave, args=(reader, cancelled)
                    )
                while not wait([working], timeout=_LOOKS_SECONDS).done:
                    note.markdown(f":gray[Running for {time.monotonic() - began:.0f} s]", width="content")
                    if not _is_present():
                        reader.leave()
        except BaseException:  # a click while it runs ends this run of the page
            reader.leave()
            raise
    place.empty()
    return working.result()


def _leave(reader: Reader, cancelled: Callable[[], None] | None) -> None:
    reader.leave()
    if cancelled is not None:
        cancelled()


def _is_present() -> bool:
    """Whether the tab that this run draws for is still open."""
    context = get_script_run_ctx()
    return context is None or not runtime.exists() or runtime.get_instance().is_active_session(context.session_id)
