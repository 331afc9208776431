"""Actions: what is open, and the one that is being worked on beside it."""

from app.ui import action_dialog, action_list, frame

with frame.page("Actions") as controls:
    with controls:
        who = action_list.whose_control()
        action_dialog.add_button()
    action_list.show(who)
