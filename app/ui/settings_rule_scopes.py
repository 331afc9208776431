"""Which accounts each rule looks at: all, those of one segment, or all but those of one."""

from datetime import datetime
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.segments.service import Segment
from app.suggestions import rule_scopes
from app.suggestions.rule_scopes import RuleScope
from app.ui import frame, segment_data, settings_data, tables, visit, writes
from app.ui.text import escaped, shortened

PLACE = "settings:rule_scopes"
_HOW = {"all": "All accounts", "only": "Only a segment", "except": "All but a segment"}


@frame.panel
def show() -> None:
    """What each rule is tied to, and the form that ties one."""
    here = visit.current()
    scopes = settings_data.rule_scopes(here)
    shared = {one.segment_id: one for one in segment_data.segments(here) if one.is_shared}
    with st.container(border=True, gap="small", key="rule_scopes_box"):
        frame.heading("Rules and segments", "from the next evaluation on; what waits outside its segment ends then")
        cells = pd.DataFrame(
            {
                "rule": [one.rule_id for one in scopes],
                "title": [tables.plain(shortened(one.title, limit=60)) for one in scopes],
                "looks": [_looks_at(one, shared) for one in scopes],
                "version": [one.version for one in scopes],
            }
        )
        columns = {
            "rule": tables.text("Rule", 60),
            "title": tables.text("What it suggests", 300),
            "looks": tables.text("Looks at", 320),
            "version": tables.number("Version", 70, "%d", metric=None),
        }
        tables.show(cells, columns, key="rule_scopes_table", alt="Rules and the accounts they look at", most=16)
        frame.problem(PLACE)
        if not shared:
            frame.aside("No segment is visible to all yet: make one on Accounts, Segments.")
            return
        _form(scopes, shared)


def _looks_at(scope: RuleScope, shared: dict[UUID, Segment]) -> str:
    if scope.only_segment:
        return f"only {_name(shared, scope.only_segment)}"
    if scope.except_segment:
        return f"all but {_name(shared, scope.except_segment)}"
    return "all accounts"


def _name(shared: dict[UUID, Segment], segment_id: UUID) -> str:
    one = shared.get(segment_id)
    return one.name if one is not None else "a segment"


def _form(scopes: list[RuleScope], shared: dict[UUID, Segment]) -> None:
    by_id = {one.rule_id: one for one in scopes}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        rule_id = st.selectbox(
            "Rule",
            list(by_id),
            index=None,
            format_func=lambda code: f"{code} {shortened(by_id[code].title, limit=50)}",
            placeholder="Choose one",
            key="rule_scope_rule",
            width=300,
        )
        how = st.segmented_control(
            "It looks at",
            list(_HOW),
            format_func=lambda code: _HOW[code],
            default="all",
            required=True,
            key="rule_scope_how",
        )
        segment_id = None
        if how != "all":
            segment_id = st.selectbox(
                "Segment",
                list(shared),
                index=None,
                format_func=lambda key: f"{shortened(shared[key].name, limit=40)} (by {shared[key].owner_name})",
                placeholder="Choose one",
                key="rule_scope_segment",
                width=280,
            )
        scope = by_id.get(rule_id) if rule_id else None
        wanted = (segment_id if how == "only" else None, segment_id if how == "except" else None)
        is_complete = scope is not None and (how == "all" or segment_id is not None)
        is_new = scope is not None and wanted != (scope.only_segment, scope.except_segment)
        st.button(
            "Publish",
            type="primary",
            key="rule_scope_publish",
            disabled=not (is_complete and is_new),
            on_click=_publish,
            args=(scope, *wanted),
        )
    if scope is not None and is_complete and not is_new:
        frame.aside(f"That is how {escaped(scope.rule_id)} is already.")


def _publish(scope: RuleScope | None, only: UUID | None, but: UUID | None) -> None:
    if scope is None:
        return
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> RuleScope:
        return rule_scopes.limit(
            db,
            actor=actor,
            now=now,
            rule_id=scope.rule_id,
            only_segment=only,
            except_segment=but,
            expected_version=scope.version,
            idempotency_key=form,
        )

    writes.perform(
        write, place=PLACE, done=lambda made: f"{made.rule_id}: version {made.version} is active.", said_at=PLACE
    )
    writes.renew_form(PLACE)
