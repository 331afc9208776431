"""The small picture of what a suggestion rests on."""

from datetime import date

import streamlit as st

from app.suggestions.model import Suggestion
from app.ui import charts, figures
from app.ui.text import escaped


def picture(suggestion: Suggestion, key: str) -> None:
    """The picture of the evidence and what it shows; left out when the rule has no series."""
    evidence = suggestion.evidence or {}
    points = [point for point in evidence.get("series") or [] if point[1] is not None]
    series = [float(point[1]) for point in points]
    if len(series) < 3:
        return
    days = (date.fromisoformat(points[-1][0]) - date.fromisoformat(points[0][0])).days + 1
    baseline = evidence.get("baseline")
    name = str(evidence.get("series_name") or "value")
    name = name[:1].upper() + name[1:]
    shown = charts.evidence(series, None if baseline is None else float(baseline), dark=charts.is_dark())
    charts.draw(shown, key=f"evidence_{key}", alt=f"{name}, over {days} days, last {series[-1]:.0f}")
    caption = f"{escaped(name)}, over {figures.count(days, 'day')}"
    if baseline is not None:
        caption += f"; dotted: own baseline {figures.grouped(float(baseline))}"
    st.markdown(f":small[:gray[{caption}]]")
