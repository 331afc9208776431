"""Explore: questions to the marts by clicking, for analysts."""

from app.auth import Role
from app.ui import explore_page, frame, visit

with frame.page("Explore", note=frame.as_of(visit.current()), roles=(Role.ANALYST, Role.ADMIN)):
    explore_page.show()
