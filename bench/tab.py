"""A tab of the pages without a browser: Streamlit's own messages over the socket, of the one pinned version."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

_NOT_YET = ForwardMsg.FINISHED_EARLY_FOR_RERUN


def handshake(address: str, cookie: str | None, *, resume: str = "") -> dict[str, Any]:
    """Arguments of `connect` for a tab of the pages at `address` (up to the base path), with this cookie or without.

    `resume` is the id of a Streamlit session to take up again.
    """
    parts = urlsplit(address)
    return {
        "uri": f"ws://{parts.netloc}{parts.path}/_stcore/stream",
        "origin": f"{parts.scheme}://{parts.netloc}",
        "additional_headers": {"Cookie": cookie} if cookie else {},
        "subprotocols": ["streamlit", "none", resume] if resume else ["streamlit"],
        "max_size": None,
        "proxy": None,
    }


def rerun(
    *,
    page: str = "",
    page_hash: str = "",
    query: str = "",
    states: Iterable[WidgetState] = (),
    fragment_id: str = "",
) -> bytes:
    """What a browser sends to have a page drawn: one named by its address, or the one that is shown by its hash."""
    asked = BackMsg()
    state = asked.rerun_script
    state.query_string, state.page_name, state.page_script_hash = query, page, page_hash
    state.fragment_id = fragment_id
    state.widget_states.widgets.extend(states)
    return asked.SerializeToString()


def message(received: str | bytes) -> ForwardMsg:
    """What the server said."""
    said = ForwardMsg()
    said.ParseFromString(received)  # pyright: ignore[reportArgumentType]
    return said


def is_drawn(said: ForwardMsg) -> bool:
    """Whether this ends a run; one that is cut short for another is not ended."""
    return said.WhichOneof("type") == "script_finished" and said.script_finished != _NOT_YET
