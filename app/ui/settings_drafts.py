"""What an admin is changing and has not published: held apart from what is active, shown as before → after, published
as one version.

The trap avoided: two admins on one page. What is published is the active value with only the fields this person
changed, so that a colleague's change in between stays, and the preview shows exactly what will differ; of a field that
both changed, this person says which value it shall have. The browser keeps what is edited, with the version it was
begun on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from app import configuration
from app.auth import Identity
from app.configuration import Version
from app.errors import StaleVersion
from app.ui import figures, frame, kept_fields, settings_data, visit, words, writes
from app.ui.text import escaped

# values by row and field: {"risk": {"label": "Risk", "due_offset_bd": 2}}
Rows = dict[str, dict[str, Any]]
LISTED = 12
_CHOICES: Mapping[str, Mapping[str, str]] = {"action_type": words.ACTION_TYPES, "priority": words.PRIORITIES}


def merged(active: Rows, base: Rows, edited: Rows) -> Rows:
    """`active` with what differs between `base` and `edited`; rows that only `edited` has come last."""
    result = {code: dict(row) for code, row in active.items()}
    for code, row in edited.items():
        before = base.get(code, {})
        changed = {field: value for field, value in row.items() if field not in before or before[field] != value}
        if changed:
            result[code] = {**result.get(code, {}), **changed}
    for code in base.keys() - edited.keys():
        result.pop(code, None)
    return result


def collisions(base: Rows, active: Rows, edited: Rows) -> list[tuple[str, str]]:
    """Rows and fields that both have changed since `base`, to different values."""
    return [
        (code, field)
        for code, row in edited.items()
        for field, value in row.items()
        if code in base
        and code in active
        and field in active[code]
        and len({repr(one[code].get(field)) for one in (base, active)} | {repr(value)}) == 3
    ]


def differences(before: Rows, after: Rows, names: Mapping[str, str]) -> list[str]:
    """A line of Markdown for each field that differs; `names` says what fields are called, an empty name hides one."""
    lines = []
    for code, row in after.items():
        was = before.get(code)
        title = f"**{escaped(str((was or row).get('label') or code))}** " if code else ""
        if was is None:
            lines.append(f"{title}is new")
            continue
        for field, value in row.items():
            if was.get(field) != value and names.get(field, field):
                lines.append(f"{title}{names.get(field, field)}: {_shown(was.get(field))} → **{_shown(value)}**")
    lines += [f"**{escaped(str(before[code].get('label') or code))}** goes" for code in before if code not in after]
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escaped(str(value).replace("_", " ") if value not in (None, "") else "nothing")


def plausible(kept: Any, base: Rows, is_new_code: Callable[[str], bool]) -> bool:
    """Whether rows that come from the browser are such as the table could have made of `base`: known codes, or new
    ones that it could have given, and in each field a value of the kind that stands there."""
    if not isinstance(kept, dict):
        return False
    sample = next(iter(base.values()), None)
    for code, row in kept.items():
        if not isinstance(row, dict) or (code not in base and not is_new_code(code)):
            return False
        known = base.get(code, sample or row)
        if row.keys() != known.keys():
            return False
        for field, value in row.items():
            choices = _CHOICES.get(field)
            if type(value) is not type(known[field]) or (choices is not None and value not in choices):
                return False
    return True


@dataclass(frozen=True)
class _Begun:
    """An edit that has begun: the rows and the version it is told from, and the rows that its widgets started with,
    which are others when the browser gave them back. `rounds` counts the times the widgets started anew."""

    base: Rows | None = None
    version: int | None = None
    start: Rows | None = None
    rounds: int = 0


class Draft:
    """One part of one configuration while it is edited. `read` makes rows of its value, `write` the value of rows;
    `is_new_code` says which codes a row may have that the value has not. Widgets start with `start`."""

    def __init__(
        self,
        name: str,
        part: str,
        *,
        names: Mapping[str, str],
        read: Callable[[Any], Rows],
        write: Callable[[Rows], Any],
        is_new_code: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.name, self.part, self.names = name, part, names
        self.place = f"settings:{part}"
        self._read, self._write, self._is_new_code = read, write, is_new_code
        self.active: Version = settings_data.active(name)
        self._now = read(self.active.value)
        begun: _Begun = st.session_state.get(f"{self.place}:begun", _Begun())
        if begun.base is None:
            # what widgets show from now on, they are told from: a version published while they stand is no edit
            begun = _Begun(base=self._now, version=self.active.version, rounds=begun.rounds)
            self._begin(begun)
        self.base: Rows = self._now if begun.base is None else begun.base
        self.start: Rows = self.base if begun.start is None else begun.start
        self._version = self.active.version if begun.version is None else begun.version
        self.key = f"{part}_{begun.rounds}"
        self._begun = begun

    def head(self, title: str, note: str) -> None:
        """Title, who set what is active, and the versions before it."""
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{title}** :small[:gray[{note}]]")
            with st.popover(f"Version {self.active.version}", type="tertiary", key=f"{self.part}_versions"):
                here = visit.current()
                for one in settings_data.versions(self.name, here)[:LISTED]:
                    who = escaped(one.created_by_name) if one.created_by_name else "shipped with the product"
                    when = figures.clock(one.created_at, now=here.now)
                    st.markdown(
                        f"{'**' if one.is_active else ''}{one.version}{'**' if one.is_active else ''} · {who} "
                        f":small[:gray[{when}]]"
                    )

    def finish(self, edited: Rows) -> None:
        """What would change, and the buttons that publish or discard it. Call it after the fields."""
        is_changed = edited != self.base
        kept = {"version": self._version, "rows": edited} if is_changed else {}
        kept_fields.keep(self.place, kept, self._give_back)
        if not is_changed:
            frame.problem(self.place)
            # widgets of an older version, or that the browser's rows were given to, start anew from what is active
            if self._version != self.active.version or self.start != self.base:
                self._begin(_Begun(rounds=self._begun.rounds + 1))
                st.rerun(scope="fragment" if visit.is_fragment_run() else "app")
            return
        # from the first change on the fields keep starting from what they started from
        self._begin(_Begun(base=self.base, version=self._version, start=self.start, rounds=self._begun.rounds))
        wanted = merged(self._now, self.base, edited)
        lines = differences(self._now, wanted, self.names)
        theirs = differences(self.base, self._now, self.names)
        over = collisions(self.base, self._now, edited)
        with st.container(border=True, gap="xsmall", key=f"{self.part}_change"):
            if self._version != self.active.version:
                who = escaped(self.active.created_by_name)
                mine = "That stays but for this:" if over else "That stays, whatever the fields show. Yours:"
                st.markdown(
                    f":orange[{who} published version {self.active.version} meanwhile:]  \n"
                    + "  \n".join(theirs[:LISTED])
                    + f"  \n:orange[{mine}]"
                )
                if isinstance(frame.met(self.place), StaleVersion):
                    frame.forget(self.place)  # said here already
            more = f"  \n:gray[and {len(lines) - LISTED} more]" if len(lines) > LISTED else ""
            st.markdown("  \n".join(lines[:LISTED]) + more if lines else ":gray[That is how it is already.]")
            with st.container(horizontal=True, gap="xsmall"):
                changes = figures.count(len(lines), "change")
                st.button(
                    f"Publish {changes}, {len(over)} over theirs" if over else f"Publish {changes}",
                    type="primary",
                    key=f"{self.part}_publish",
                    disabled=not lines,
                    on_click=self._publish,
                    args=(wanted, self.active.version),
                )
                if over:
                    st.button("Take theirs", key=f"{self.part}_theirs", on_click=self._take, args=(edited, over))
                st.button("Discard", type="tertiary", key=f"{self.part}_discard", on_click=self._restart)
        frame.problem(self.place)

    def _begin(self, begun: _Begun) -> None:
        st.session_state[f"{self.place}:begun"] = begun

    def _give_back(self, kept: Mapping[str, Any]) -> None:
        """Callback: the fields start from what the browser kept, told from the version it was begun on."""
        found = [
            one for one in settings_data.versions(self.name, visit.current()) if one.version == kept.get("version")
        ]
        rows = kept.get("rows")
        base = self._read(found[0].value) if found else {}
        if found and plausible(rows, base, self._is_new_code):
            self._begin(_Begun(base=base, version=found[0].version, start=rows, rounds=self._begun.rounds + 1))

    def _take(self, edited: Rows, over: list[tuple[str, str]]) -> None:
        """Callback: where both changed a field it is as the other set it; what else was changed stays."""
        rows = {code: dict(row) for code, row in merged(self._now, self.base, edited).items()}
        for code, field in over:
            rows[code][field] = self._now[code][field]
        self._begin(_Begun(base=self._now, version=self.active.version, start=rows, rounds=self._begun.rounds + 1))

    def _restart(self) -> None:
        """The fields start anew, from what is active."""
        self._begin(_Begun(rounds=self._begun.rounds + 1))
        kept_fields.forget(self.place)
        frame.forget(self.place)

    def _publish(self, wanted: Rows, expected: int) -> None:
        form = writes.form_key(self.place)

        def write(db: Connection, actor: Identity, now: datetime) -> Version:
            return configuration.publish(
                db,
                actor=actor,
                now=now,
                name=self.name,
                value=self._write(wanted),
                expected_version=expected,
                idempotency_key=form,
            )

        made = writes.perform(write, place=self.place, done=lambda one: f"Version {one.version} is active.")
        # a refused value comes back changed: that is another act
        writes.renew_form(self.place)
        if made is not None:
            self._restart()
