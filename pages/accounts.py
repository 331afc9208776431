"""Accounts: who needs attention, and what to do about it."""

from app.auth import Role
from app.ui import account_table, filters, frame, visit

here = visit.current()
with frame.page("Accounts", note=frame.as_of(here)) as controls:
    with controls:
        view = filters.view_control("mine" if here.identity.role is Role.CSM else "all")
    account_table.show(view)
