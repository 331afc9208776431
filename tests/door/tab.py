"""A tab of the pages without a browser: Streamlit's own messages over the socket, so that any of them can be sent."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

from tests.door.conftest import COOKIE

_NOT_YET = ForwardMsg.FINISHED_EARLY_FOR_RERUN


@dataclass(frozen=True)
class Widget:
    """Something that can be pressed or filled in: its id, its label, what it is, and the fragment it stands in."""

    id: str
    label: str
    kind: str
    fragment_id: str
    is_disabled: bool


@dataclass
class Drawn:
    """What one run drew; `timers` are the fragments that it told to run by themselves."""

    texts: list[str] = field(default_factory=list)
    widgets: list[Widget] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    timers: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All words of the page."""
        return "\n".join(self.texts)

    def labelled(self, label: str) -> Widget:
        """The widget with this label."""
        return next(one for one in self.widgets if one.label == label)

    def buttons(self) -> list[Widget]:
        """What can be pressed, if only it is not disabled."""
        return [one for one in self.widgets if one.kind == "button"]


@contextmanager
def tab(address: str, token: str | None, *, resume: str = "") -> Iterator["Tab"]:
    """An open socket at `address` (up to the base path), with a session cookie or without.

    `resume` is the id of a Streamlit session to take up again.
    """
    parts = urlsplit(address)
    with connect(
        f"ws://{parts.netloc}{parts.path}/_stcore/stream",
        origin=f"{parts.scheme}://{parts.netloc}",  # pyright: ignore[reportArgumentType]
        additional_headers={"Cookie": f"{COOKIE}={token}"} if token else {},
        subprotocols=["streamlit", "none", resume] if resume else ["streamlit"],  # pyright: ignore[reportArgumentType]
        max_size=None,
        proxy=None,
    ) as socket:
        yield Tab(socket)


class Tab:
    """One open socket, and the session behind it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.session_id = ""
        self._page_hash = ""
        self._query = ""
        self._socket = socket

    def open(self, page: str, query: str = "") -> Drawn:
        """What a page shows when its address is opened."""
        self._query, self._page_hash = query, ""
        return self._run(page_name=page)

    def rerun(self, states: Iterable[WidgetState] = (), *, fragment_id: str = "") -> Drawn:
        """What the page shows after a run with these states of widgets."""
        return self._run(states, fragment_id=fragment_id)

    def press(self, *ids: str, fragment_id: str = "") -> Drawn:
        """What the page shows after these were pressed, whether they stand on it or not."""
        return self.rerun((WidgetState(id=one, trigger_value=True) for one in ids), fragment_id=fragment_id)

    def _run(self, states: Iterable[WidgetState] = (), *, page_name: str = "", fragment_id: str = "") -> Drawn:
        asked = BackMsg()
        state = asked.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self._query, page_name, self._page_hash
        state.fragment_id = fragment_id
        state.widget_states.widgets.extend(states)
        self._socket.send(asked.SerializeToString())
        drawn = Drawn()
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(timeout=60))  # pyright: ignore[reportArgumentType]
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session_id = message.new_session.initialize.session_id
                drawn = Drawn()
            elif kind == "navigation":
                self._page_hash = message.navigation.page_script_hash
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                _take(drawn, message)
            elif kind == "auto_rerun":
                drawn.timers.append(message.auto_rerun.fragment_id)
            elif kind == "script_finished" and message.script_finished != _NOT_YET:
                return drawn


def _take(drawn: Drawn, message: ForwardMsg) -> None:
    element = message.delta.new_element
    kind = element.WhichOneof("type") or ""
    content = getattr(element, kind)
    for name in ("body", "label"):
        if isinstance(said := getattr(content, name, None), str) and said:
            drawn.texts.append(said)
    if kind == "exception":
        drawn.exceptions.append(content.message)
    if isinstance(widget_id := getattr(content, "id", None), str) and widget_id:
        drawn.widgets.append(
            Widget(
                widget_id,
                getattr(content, "label", ""),
                kind,
                message.delta.fragment_id,
                bool(getattr(content, "disabled", False)),
            )
        )
