"""Actions: what is open, and the one that is being worked on beside it."""

from app.auth import Role
from app.ui import action_dialog, action_list, frame, visit

here = visit.current()
with frame.page("Actions", note="mine and others" if here.identity.role is Role.CSM else "everybody's") as controls:
    with controls:
        action_dialog.add_button()
    action_list.show()
