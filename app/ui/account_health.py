"""What a health score is made of: six dimensions, each opening to its measures, and what was left out, in words."""

from collections.abc import Callable, Mapping

import streamlit as st

from app.marts.health import DIMENSIONS, MEASURES, HealthDay
from app.ui import account_data, figures, frame, visit, words
from app.ui.account_head import Subject
from app.wording import listed

LEVELS: Mapping[int, str] = {100: ":green-badge[Good]", 60: ":yellow-badge[Average]", 0: ":red-badge[Poor]"}
RED_UP_TO, YELLOW_UP_TO = 50, 75
LEAST_COVERAGE = 0.6


def _days_before(value: float) -> str:
    return "on the day" if value < 1 else f"{figures.count(round(value), 'day')} before"


def _of_baseline(value: float) -> str:
    return f"{figures.percent(value)} of their own pace"


_SAID: Mapping[str, Callable[[float], str]] = {
    "seat_use": lambda value: f"{figures.percent(value)} of paid seats in 28 days",
    "key_activity": lambda value: f"{figures.signed_percent(value)} against the 30 days before",
    "recency": lambda value: f"last used {_days_before(value)}",
    "live_automations": lambda value: f"{round(value)} live",
    "campaigns": _of_baseline,
    "feature_breadth": lambda value: figures.count(round(value), "feature family", "feature families"),
    "ticket_volume": lambda value: f"{figures.count(round(value), 'ticket')} in 30 days",
    "urgent_unresolved": lambda value: f"{round(value)} open" if value >= 1 else "none open",
    "first_reply": lambda value: f"{figures.duration(value)} on average",
    "last_contact": lambda value: f"two-way contact {_days_before(value)}",
    "known_roles": lambda value: f"{figures.count(round(value), 'contact')} with a known role",
    "champion": lambda value: figures.count(round(value), "champion") if value >= 1 else "no champion",
    "nps": lambda value: f"{round(value)} of 10",
    "overdue_invoice": lambda value: (
        f"oldest {figures.count(round(value), 'day')} overdue" if value >= 1 else "nothing overdue"
    ),
    "failed_payment": lambda value: f"{round(value)} not settled" if value >= 1 else "none",
}
_WITHOUT: Mapping[str, str] = {
    "seat_use": "no product usage or no paid seats",
    "key_activity": "under 60 days of usage",
    "recency": "no product usage",
    "live_automations": "no product usage",
    "campaigns": "under 90 days of usage",
    "feature_breadth": "no product usage",
    "first_reply": "no first reply in 30 days",
    "last_contact": "never in contact",
    "nps": "no answer in 180 days",
}


def level(score: float | None) -> str | None:
    """R, Y or G of one dimension, by the limits of the whole score."""
    if score is None:
        return None
    return "R" if round(score) <= RED_UP_TO else "Y" if round(score) <= YELLOW_UP_TO else "G"


def dimension_weight(dimension: str, row: HealthDay, weights: Mapping[str, float]) -> float | None:
    """Weight of a dimension in the score: 0 without data, None when one of its measures has an unknown weight."""
    counted = [measure for measure, of in MEASURES.items() if of == dimension and _points(row, measure) is not None]
    if any(measure not in weights for measure in counted):
        return None
    return sum(weights[measure] for measure in counted)


def _points(row: HealthDay, measure: str) -> int | None:
    return getattr(row, f"{measure}_points")


def missing(row: HealthDay) -> list[str]:
    """Measures without data, in the order of the score."""
    return [measure for measure in MEASURES if _points(row, measure) is None]


def coverage_sentence(row: HealthDay) -> str:
    """How much of the weight had data and what did not; our own Markdown."""
    gone = missing(row)
    if not gone or row.coverage_ratio is None:
        return "Every measure had data."
    names = [words.word(words.MEASURES, measure).lower().replace("nps", "NPS") for measure in gone]
    text = (
        f"Coverage **{figures.percent(row.coverage_ratio)}**: {100 - round(100 * row.coverage_ratio)}% of the weight "
        f"had no data ({listed(names)}). It is left out and the rest counts for more."
    )
    if row.coverage_ratio < LEAST_COVERAGE:
        text += f" Under {figures.percent(LEAST_COVERAGE)} there is no band."
    return text


def show(subject: Subject) -> None:
    """The panel: a row per dimension with score, letter and weight; open, it lists the measures."""
    row, weights = account_data.parts(subject.account.account_key, visit.current(), as_of=subject.as_of)
    if row is None:
        return
    with st.container(border=True, gap=None, key="health_parts"):
        frame.heading(
            "Health with its parts",
            f"on {figures.day(row.health_date)}, counts of days as of then",
            metric="health_score",
        )
        for dimension in DIMENSIONS:
            with st.expander(_title(dimension, row, weights), type="compact", key=f"part_{dimension}"):
                st.markdown(_table(dimension, row, weights))
        st.markdown(f":small[:gray[{coverage_sentence(row)}]]")


def _share(weight: float | None) -> str:
    return "–" if weight is None else figures.percent(weight)


def _title(dimension: str, row: HealthDay, weights: Mapping[str, float]) -> str:
    name, score = words.word(words.DIMENSIONS, dimension), getattr(row, f"{dimension}_score")
    if score is None:
        return f"{name} {words.band_badge(None)} :gray[no data, counts for nothing]"
    letter = level(score)
    weight = dimension_weight(dimension, row, weights)
    gives = "" if weight is None else f", gives {score * weight:.0f} of {100 * weight:.0f} points"
    word = words.BAND_NAMES[words.band_letter(letter)].lower()
    return f"{name} {words.band_badge(letter, score)} :gray[{word} · weight {_share(weight)}{gives}]"


def _table(dimension: str, row: HealthDay, weights: Mapping[str, float]) -> str:
    lines = ["| Measure | Value | Level | Weight |", "|:--|:--|:--|--:|"]
    for measure, of in MEASURES.items():
        if of != dimension:
            continue
        name, points = words.word(words.MEASURES, measure), _points(row, measure)
        value = getattr(row, f"{measure}_value")
        if points is None:
            why = f": {_WITHOUT[measure]}" if measure in _WITHOUT else ""
            lines.append(f"| {name} | :gray[no data{why}] | :gray[left out] | – |")
            continue
        said = "–" if value is None else _SAID[measure](value)
        lines.append(f"| {name} | {said} | {LEVELS.get(points, '–')} | {_share(weights.get(measure))} |")
    return "\n".join(lines)
