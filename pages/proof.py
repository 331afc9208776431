"""Proof: everything that one figure rests on, down to the records of the sources."""

from app.ui import frame, proof_page, visit

here = visit.current()
with frame.page("Proof", note=frame.as_of(here)):
    proof_page.show()
