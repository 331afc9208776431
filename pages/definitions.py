"""Definitions: what every number of the product counts."""

from app.ui import definitions_page, frame

with frame.page("Definitions"):
    definitions_page.show()
