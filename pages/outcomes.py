"""Outcomes: what became of what was suggested and done, and how sure that is."""

from app.ui import frame, outcomes_page, visit

here = visit.current()
with frame.page("Outcomes", note=frame.as_of(here)):
    outcomes_page.show()
