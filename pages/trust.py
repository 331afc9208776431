"""Trust: how fresh the figures are, what did not come in, and what that holds up."""

from app.ui import frame, trust_page, visit

here = visit.current()
with frame.page("Trust", note=frame.as_of(here)):
    trust_page.show()
