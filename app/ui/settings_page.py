"""The parts of Settings as tabs in the address; only the open one is drawn."""

from collections.abc import Callable, Mapping

from app.ui import (
    choices,
    frame,
    page_style,
    playbook_admin,
    settings_audit,
    settings_lists,
    settings_messages,
    settings_numbers,
    settings_rules,
    settings_users,
)


def _types_and_reasons() -> None:
    left, right = page_style.split([1, 1.5], "types")
    with left:
        settings_lists.types()
    with right:
        settings_lists.reasons()


def _dues_and_escalation() -> None:
    left, right = page_style.split([1, 1], "dues")
    with left:
        settings_lists.dues()
    with right:
        settings_numbers.escalation()


TABS: Mapping[str, Callable[[], None]] = {
    "Users": settings_users.show,
    "Types and reasons": _types_and_reasons,
    "Interventions": settings_lists.treatments,
    "Due and escalation": _dues_and_escalation,
    "Retention": settings_numbers.retention,
    "Holidays": settings_numbers.holidays,
    "Rules": settings_rules.show,
    "Playbooks": playbook_admin.admin,
    "Messages": settings_messages.show,
    "Audit": settings_audit.show,
}


def show() -> None:
    """The tabs, and the open one's content; what fails in one leaves the others reachable."""
    tabs = choices.tabs(TABS, "part")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab, frame.guard():
                draw()
