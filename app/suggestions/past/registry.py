"""What each rule would have been given on past days, by its id."""

from collections.abc import Callable, Mapping
from datetime import date

from sqlalchemy import Connection

from app.suggestions.lookback import Past
from app.suggestions.past import daily, records
from app.suggestions.past.lives import Estate

PAST: Mapping[str, Callable[[Connection, Estate, date], Past]] = {
    "R1": daily.health,
    "R2": daily.usage,
    "R3": daily.usage,
    "R4": records.people,
    "R5": records.tickets,
    "R6": records.answers,
    "R7": records.payments,
    "R8": daily.seats,
    "R9": records.onboardings,
    "R10": records.renewals,
    "R11": records.people,
    "R12": daily.seats,
    "R13": daily.risks,
    "R14": daily.opinions,
}
