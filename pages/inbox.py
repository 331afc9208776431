"""Inbox: what others did that concerns me."""

from app.ui import action_panel, frame, inbox

with frame.page("Inbox") as controls:
    inbox.show(controls)
    action_panel.drawer()
