"""SQL: questions to the marts in one's own words, for analysts."""

from app.auth import Role
from app.ui import frame, sql_page, visit

with frame.page("SQL", note=frame.as_of(visit.current()), roles=(Role.ANALYST, Role.ADMIN)):
    sql_page.show()
