"""Actions: one filtered set as a list, a board or a calendar, and the one that is being worked on."""

from app.ui import action_dialog, action_tracker, frame

with frame.page("Actions") as controls:
    with controls:
        who = action_tracker.controls()
        action_dialog.add_button()
    action_tracker.show(who)
