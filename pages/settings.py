"""Settings: people, what actions are made of, the rules of time, messages, and who changed what."""

from app.auth import Role
from app.ui import frame, settings_page

with frame.page("Settings", roles=(Role.ADMIN,)):
    settings_page.show()
