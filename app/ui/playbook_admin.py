"""Playbooks for the admin: which there are, their versions, editing and publishing them, retiring them."""

from datetime import datetime

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity, Permission, require
from app.playbooks import service
from app.playbooks.model import Playbook
from app.ui import figures, frame, playbook_data, playbook_drafts, playbook_editor, visit, words, writes
from app.ui.playbook_drafts import Kept
from app.ui.playbook_editor import NEW, name_of, place_of
from app.ui.text import escaped

_PARAMETER = "playbook"


@frame.panel
def admin() -> None:
    """The list on the left, the one that is edited on the right. Which one is in the address."""
    require(visit.current().identity, Permission.MANAGE_PLAYBOOKS)
    found = {playbook.playbook_id: playbook for playbook in playbook_data.playbooks(with_retired=True)}
    chosen = st.query_params.get(_PARAMETER, "")
    left, right = st.columns([1, 2.4], gap="small")
    with left:
        _list(list(found.values()), chosen)
    with right, st.container(border=True, gap="small", key="playbook_editor"):
        if chosen == NEW:
            frame.heading("New playbook")
            playbook_editor.edit(None)
        elif chosen in found:
            _one(found[chosen])
        elif chosen:
            st.markdown(":gray[There is no such playbook. Choose one at the left.]")
        else:
            st.markdown(
                "**Choose a playbook** :gray[to change its steps. What you publish is a new version: it counts for "
                "what is started from then on, and runs that have begun keep theirs.]"
            )


def _open(playbook_id: str) -> None:
    st.query_params[_PARAMETER] = playbook_id


def _list(playbooks: list[Playbook], chosen: str) -> None:
    running, me = playbook_data.running_counts(), visit.current().identity.user_id
    with st.container(border=True, gap="xsmall", key="playbook_list"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**Playbooks** :small[:gray[{len(playbooks)}]]", width="content")
            st.button("New", icon=":material/add:", type="tertiary", key="playbook_new", on_click=_open, args=(NEW,))
        for playbook in playbooks:
            facts = [words.word(words.ACTION_TYPES, playbook.action_type).lower()]
            facts.append(figures.count(len(playbook.steps), "step"))
            facts.append(f"version {playbook.version}")
            if count := running.get(playbook.playbook_id):
                facts.append(f"{count} running")
            if not playbook.is_active:
                facts.append("retired")
            if playbook_drafts.find(me, playbook.playbook_id) is not None:
                facts.append("**not published**")
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                name = escaped(playbook.name, limit=60)
                shown = f"**{name}**" if playbook.is_active else f":gray[{name}]"
                st.markdown(f"{shown}  \n:small[:gray[{' · '.join(facts)}]]")
                is_open = playbook.playbook_id == chosen
                st.button(
                    "Editing" if is_open else "Edit",
                    type="tertiary",
                    key=f"playbook_edit_{playbook.playbook_id}",
                    disabled=is_open,
                    on_click=_open,
                    args=(playbook.playbook_id,),
                )


def _one(playbook: Playbook) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        state = "" if playbook.is_active else " :gray-badge[retired]"
        st.markdown(
            f"**{escaped(playbook.name)}**{state} :small[:gray[version {playbook.version}, {_by(playbook)}]]",
            width="content",
        )
        if playbook.is_active:
            _retire_popover(playbook)
    playbook_editor.edit(playbook)
    _versions(playbook)


def _by(playbook: Playbook) -> str:
    if playbook.created_by is None:
        return "came with the product"
    at = figures.clock(playbook.created_at, now=visit.current().now)
    return f"{at} by {escaped(playbook.created_by_name)}"


def _versions(playbook: Playbook) -> None:
    found = playbook_data.versions(playbook.playbook_id)
    has_edits = playbook_drafts.find(visit.current().identity.user_id, playbook.playbook_id) is not None
    with st.expander(f"Versions ({len(found)})", icon=":material/history:"):
        for version in found:
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                now = " :green-badge[now]" if version.is_active else ""
                st.markdown(
                    f"**{version.version}**{now} {escaped(version.name, limit=60)} "
                    f":small[:gray[{figures.count(len(version.steps), 'step')} · {_by(version)}]]",
                    width="content",
                )
                if version.version != playbook.version:
                    st.button(
                        "Edit from here",
                        type="tertiary",
                        key=f"playbook_from_{playbook.playbook_id}_{version.version}",
                        on_click=_edit_from,
                        args=(playbook, version),
                        disabled=has_edits,
                        help="Publish or discard your changes first"
                        if has_edits
                        else "Its fields and steps replace what stands in the editor; nothing is published yet",
                    )


def _edit_from(playbook: Playbook, version: Playbook) -> None:
    name = name_of(playbook)
    draft = playbook_drafts.draft_of(version)
    mine = visit.current().identity.user_id
    playbook_drafts.keep(mine, name, Kept(draft=draft, base_version=playbook.version))
    playbook_editor.start_afresh(name)


def _retire_popover(playbook: Playbook) -> None:
    count = playbook_data.running_counts().get(playbook.playbook_id, 0)
    writes.form_key(f"retire:{playbook.playbook_id}")
    with st.popover("Retire", type="tertiary", key=f"playbook_retire_{playbook.playbook_id}"):
        going = f" {figures.count(count, 'run')} that began {'goes' if count == 1 else 'go'} on." if count else ""
        st.markdown(f"Nobody can start **{escaped(playbook.name)}** any more.{going} Publishing it brings it back.")
        st.button(
            "Retire it",
            type="primary",
            key=f"playbook_retire_it_{playbook.playbook_id}",
            on_click=_retire,
            args=(playbook,),
        )


def _retire(playbook: Playbook) -> None:
    form = writes.form_key(f"retire:{playbook.playbook_id}")

    def write(db: Connection, actor: Identity, now: datetime) -> Playbook:
        return service.retire(
            db,
            actor=actor,
            now=now,
            playbook_id=playbook.playbook_id,
            expected_version=playbook.version,
            idempotency_key=form,
        )

    done = f"{escaped(playbook.name)} is retired."
    if writes.perform(write, place=place_of(name_of(playbook)), done=done) is not None:
        writes.renew_form(f"retire:{playbook.playbook_id}")
