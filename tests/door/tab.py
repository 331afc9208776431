"""A tab of the pages without a browser: Streamlit's own messages over the socket, so that any of them can be sent."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

from bench.tab import handshake, is_drawn, message, rerun
from tests.door.conftest import COOKIE


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
    cookie = f"{COOKIE}={token}" if token else None
    with connect(**handshake(address, cookie, resume=resume)) as socket:
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
        self._socket.send(
            rerun(page=page_name, page_hash=self._page_hash, query=self._query, states=states, fragment_id=fragment_id)
        )
        drawn = Drawn()
        while True:
            said = message(self._socket.recv(timeout=60))
            kind = said.WhichOneof("type")
            if kind == "new_session":
                self.session_id = said.new_session.initialize.session_id
                drawn = Drawn()
            elif kind == "navigation":
                self._page_hash = said.navigation.page_script_hash
            elif kind == "delta" and said.delta.WhichOneof("type") == "new_element":
                _take(drawn, said)
            elif kind == "auto_rerun":
                drawn.timers.append(said.auto_rerun.fragment_id)
            elif is_drawn(said):
                return drawn


def _take(drawn: Drawn, said: ForwardMsg) -> None:
    element = said.delta.new_element
    kind = element.WhichOneof("type") or ""
    content = getattr(element, kind)
    for name in ("body", "label"):
        if isinstance(text := getattr(content, name, None), str) and text:
            drawn.texts.append(text)
    if kind == "exception":
        drawn.exceptions.append(content.message)
    if isinstance(widget_id := getattr(content, "id", None), str) and widget_id:
        drawn.widgets.append(
            Widget(
                widget_id,
                getattr(content, "label", ""),
                kind,
                said.delta.fragment_id,
                bool(getattr(content, "disabled", False)),
            )
        )
