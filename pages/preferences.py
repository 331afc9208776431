"""Preferences: what I am told and when, where I work, and my password."""

from app.ui import frame, preferences, visit

with frame.page("Preferences", note=visit.current().identity.email.replace("@", "\u2060@\u2060")):
    preferences.show()
