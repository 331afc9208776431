"""The composer: a text box whose text is never lost, for notes and closing notes.

The browser keeps the draft by person and subject (assets/composer.js) and clears it only when `acknowledged` names the
key that was sent. So the save callback runs the service first and acknowledges after: an error leaves the draft alone.
A composer that goes away with what it did, such as the reason of a snooze, is not told any more: its draft is forgotten
by that key.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

from app.ui import kept_fields

LIMIT_CHARACTERS = 20_000
Choice = str | int | None
_ASSETS = Path(__file__).parent / "assets"


@lru_cache(maxsize=1)
def _component() -> Any:
    """Registered once, at its first use: importing this module does no work."""
    parts = {kind: (_ASSETS / f"composer.{kind}").read_text(encoding="utf-8") for kind in ("html", "css")}
    js = "\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in ("drafts.js", "composer.js"))
    return v2.component("account_intelligence_composer", isolate_styles=False, js=js, **parts)


def composer(
    key: str,
    *,
    user_id: str,
    subject: str,
    label: str,
    save: Callable[[str, str], bool],
    button: str = "Save note",
    placeholder: str = "What happened, what was agreed, what comes next",
    missing: str = "",
    empty_hint: str = "",
    start: str = "",
    is_optional: bool = False,
    is_sent_from_anywhere: bool = False,
    limit: int = LIMIT_CHARACTERS,
    height: int = 74,
    choices: Mapping[str, Choice] | None = None,
    is_untouched: bool = True,
    restore: Callable[[Mapping[str, Any]], None] | None = None,
) -> None:
    """Draw a composer for one subject, such as `action:<id>`.

    `save(text, idempotency_key)` runs in the callback, before the page redraws, and answers whether the text is stored.
    `missing` names what else must be chosen before saving and keeps the button off; `empty_hint` is added while the box
    is empty; with `is_optional` an empty box may be sent. `is_sent_from_anywhere` lets Ctrl + Enter send it from the
    other fields of its form too. `start` stands there when there is no draft. `key` must be unique on the page and
    stable over reruns.

    `choices` are those of the controls beside the box: the browser keeps them with the text, and when they come back
    untouched after a reload (`is_untouched`), `restore` gets what was kept, in a callback. That comes from the browser,
    so it must be checked.
    """

    def event(name: str) -> dict[str, Any] | None:
        """What the browser sent; None when the page was drawn without this composer in the meantime."""
        try:
            sent = st.session_state[key].get(name)
        except KeyError:
            return None
        return sent if isinstance(sent, dict) else None

    def on_saved() -> None:
        sent = event("saved")
        if sent is None:
            st.toast("The page changed while you sent this. Your text is kept: send it again.", icon=":material/info:")
            return
        body, idempotency_key = sent.get("text"), sent.get("key")
        if not isinstance(body, str) or not isinstance(idempotency_key, str):
            return
        is_stored = save(body, idempotency_key)
        st.session_state[f"{key}:answer"] = (is_stored, idempotency_key)
        if is_stored:
            kept_fields.forget_text(idempotency_key)

    def on_restored() -> None:
        kept = event("restored")
        if restore is not None and kept is not None:
            restore(kept)

    is_stored, answered = st.session_state.get(f"{key}:answer", (False, None))
    _component()(
        key=key,
        data={
            "user": user_id,
            "subject": subject,
            "label": label,
            "button": button,
            "placeholder": placeholder,
            "missing": missing,
            "emptyHint": empty_hint,
            "start": start,
            "isOptional": is_optional,
            "isSentFromAnywhere": is_sent_from_anywhere,
            "limit": limit,
            "height": height,
            "choices": None if choices is None else dict(choices),
            "isUntouched": is_untouched,
            "acknowledged": answered if is_stored else None,
            "refused": None if is_stored else answered,
        },
        on_saved_change=on_saved,
        on_restored_change=on_restored,
    )
