"""Assignments: who carries what, and giving work to somebody else."""

from app.auth import Role
from app.ui import action_dialog, action_panel, assignment, frame, visit

here = visit.current()
with frame.page("Assignments", note=frame.as_of(here), roles=(Role.ADMIN,)) as controls:
    with controls:
        action_dialog.add_button()
    assignment.show()
    action_panel.drawer()
