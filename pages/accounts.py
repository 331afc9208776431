"""Accounts: who needs attention, today or on a past day, and what to do about it."""

from app.auth import Role
from app.ui import account_table, filters, frame, portfolio_day, visit

here = visit.current()
with frame.page("Accounts", note=frame.as_of(here)) as controls:
    with controls:
        view = filters.view_control("mine" if here.identity.role is Role.CSM else "all")
        day = portfolio_day.control()
    portfolio_day.strip(day, view)
    account_table.show(view, day)
