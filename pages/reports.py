"""Reports: what the portfolio does over time, each with its definition, as a picture, a table and a file."""

from app.ui import frame, reports_page, visit

here = visit.current()
with frame.page("Reports", note=frame.as_of(here)):
    reports_page.show()
