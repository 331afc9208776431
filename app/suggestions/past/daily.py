"""Marts with a row an account and day, read once for all days and cut to what each day knew: R1 to R3, R8, R12 to R14.

The same rows of the same length that evaluation reads (`app.suggestions.inputs`); what is only said in a sentence and
decides nothing (which measures moved, what drives the risk) is left out.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import fetch
from app.suggestions.lookback import Past
from app.suggestions.past.lives import Estate
from app.suggestions.triggers.health import HealthInput
from app.suggestions.triggers.risk import OpinionInput, RiskInput
from app.suggestions.triggers.seats import SeatsDay, SeatsInput
from app.suggestions.triggers.usage import UsageDay, UsageInput

_USAGE = text(
    """
    select
        account_key,
        array_agg(usage_date order by usage_date) as days,
        array_agg(days_since_key_activity order by usage_date) as since_activity,
        array_agg(coalesce(key_activity_7d, 0) order by usage_date) as count_7d,
        array_agg(coalesce(key_activity_prev_7d, 0) order by usage_date) as previous_7d,
        array_agg(coalesce(key_activity_30d, 0) order by usage_date) as count_30d,
        array_agg(coalesce(key_activity_prev_30d, 0) order by usage_date) as previous_30d
    from marts.fct_usage_daily
    where usage_date >= :first
    group by account_key
    """
)
_HEALTH = text(
    """
    select
        account_key,
        array_agg(health_date order by health_date) as days,
        array_agg(score order by health_date) as scores
    from marts.fct_account_health_daily
    where health_date >= :first
    group by account_key
    """
)
_SEATS = text(
    """
    select
        h.account_key,
        array_agg(h.health_date order by h.health_date) as days,
        array_agg(h.seat_use_value order by h.health_date) as ratios,
        array_agg(coalesce(u.key_activity_30d, 0) order by h.health_date) as count_30d,
        array_agg(coalesce(u.key_activity_prev_30d, 0) order by h.health_date) as previous_30d
    from marts.fct_account_health_daily as h
    left join marts.fct_usage_daily as u on u.account_key = h.account_key and u.usage_date = h.health_date
    where h.health_date >= :first
    group by h.account_key
    """
)
_RISK = text(
    """
    select
        account_key,
        array_agg(risk_date order by risk_date) as days,
        array_agg(churn_probability_90d order by risk_date) as probabilities,
        array_agg(churn_risk_band order by risk_date) as bands,
        array_agg(risk_kind order by risk_date) as kinds
    from marts.fct_churn_risk_daily
    where risk_date >= :first
    group by account_key
    """
)
_RATINGS = text(
    """
    select account_key, score, meaning, rated_by_name, cast(rated_at at time zone 'UTC' as date) as rated_on
    from app.account_ratings
    order by rating_id
    """
)


class _Story(NamedTuple):
    """One account: its days in order, and something of each."""

    days: Sequence[date]
    of: Sequence[Any]

    def upto(self, day: date, count: int) -> slice:
        """The places of the `count` days that end with a day."""
        return slice(bisect_left(self.days, day - timedelta(days=count - 1)), bisect_right(self.days, day))


def _since(stories: dict[str, _Story], reach: int) -> date | None:
    """The first day with as much behind it as the rule reads, of the account that is known longest."""
    first = min((story.days[0] for story in stories.values() if story.days), default=None)
    return None if first is None else first + timedelta(days=reach - 1)


def usage(db: Connection, estate: Estate, first: date) -> Past:
    """Key activity, for R2 and R3."""
    rows = fetch(db, "fct_usage_daily", _USAGE, first=first - timedelta(days=60))
    stories = {
        row.account_key: _Story(
            row.days,
            [
                (quiet, UsageDay(day=day, count_7d=c7, previous_7d=p7, count_30d=c30, previous_30d=p30))
                for day, quiet, c7, p7, c30, p30 in zip(
                    row.days,
                    row.since_activity,
                    row.count_7d,
                    row.previous_7d,
                    row.count_30d,
                    row.previous_30d,
                    strict=True,
                )
            ],
        )
        for row in rows
        if row.account_key in estate.known
    }

    def at(day: date) -> dict[str, UsageInput]:
        found: dict[str, UsageInput] = {}
        for key, story in stories.items():
            cut = story.of[story.upto(day, 60)]
            if cut:
                found[key] = UsageInput(
                    account_key=key,
                    as_of=day,
                    plan=estate.known[key].plan,
                    days_since_activity=cut[-1][0] if cut[-1][1].day == day else None,
                    days=tuple(one for _, one in cut),
                )
        return found

    return Past(since=_since(stories, 30), at=at)


def health(db: Connection, estate: Estate, first: date) -> Past:
    """Scores, for R1."""
    rows = fetch(db, "fct_account_health_daily", _HEALTH, first=first - timedelta(days=60))
    stories = {row.account_key: _Story(row.days, row.scores) for row in rows}

    def at(day: date) -> dict[str, HealthInput]:
        found: dict[str, HealthInput] = {}
        for key, story in stories.items():
            cut = story.upto(day, 60)
            scores = dict(zip(story.days[cut], story.of[cut], strict=True))
            if scores:
                found[key] = HealthInput(
                    account_key=key, as_of=day, scores=scores, contributions={}, contributions_before={}
                )
        return found

    return Past(since=_since(stories, 30), at=at)


def seats(db: Connection, estate: Estate, first: date) -> Past:
    """Seat use, for R8 and R12."""
    rows = fetch(db, "fct_account_health_daily", _SEATS, first=first - timedelta(days=45))
    stories = {
        row.account_key: _Story(
            row.days,
            [
                SeatsDay(day=day, seat_use_ratio=ratio, count_30d=c30, previous_30d=p30)
                for day, ratio, c30, p30 in zip(row.days, row.ratios, row.count_30d, row.previous_30d, strict=True)
            ],
        )
        for row in rows
        if row.account_key in estate.known
    }

    def at(day: date) -> dict[str, SeatsInput]:
        found: dict[str, SeatsInput] = {}
        for key, story in stories.items():
            cut = tuple(story.of[story.upto(day, 45)])
            known = estate.known[key]
            if cut:
                found[key] = SeatsInput(
                    account_key=key,
                    as_of=day,
                    customer_since=known.life.since,
                    seats_paid=known.seats_paid,
                    days=cut,
                )
        return found

    return Past(since=_since(stories, 45), at=at)


def _risk_stories(db: Connection, first: date, reach: int) -> dict[str, _Story]:
    rows = fetch(db, "fct_churn_risk_daily", _RISK, first=first - timedelta(days=reach))
    return {
        row.account_key: _Story(row.days, list(zip(row.probabilities, row.bands, row.kinds, strict=True)))
        for row in rows
    }


def risks(db: Connection, estate: Estate, first: date) -> Past:
    """Churn risk, for R13."""
    stories = _risk_stories(db, first, 60)

    def at(day: date) -> dict[str, RiskInput]:
        found: dict[str, RiskInput] = {}
        for key, story in stories.items():
            cut = story.upto(day, 60)
            days = dict(zip(story.days[cut], story.of[cut], strict=True))
            if days:
                found[key] = RiskInput(
                    account_key=key,
                    as_of=day,
                    days={one: (value, band) for one, (value, band, _) in days.items()},
                    drivers=(),
                    kind=days[day][2] if day in days else None,
                )
        return found

    return Past(since=_since(stories, 30), at=at)


def opinions(db: Connection, estate: Estate, first: date) -> Past:
    """Risk bands beside the rating that stood on a day, for R14."""
    stories = _risk_stories(db, first, 30)
    ratings: dict[str, list[Any]] = defaultdict(list)
    for row in db.execute(_RATINGS):
        ratings[row.account_key].append(row)

    def at(day: date) -> dict[str, OpinionInput]:
        found: dict[str, OpinionInput] = {}
        for key, given in ratings.items():
            rated = [one for one in given if one.rated_on <= day]
            if not rated or key not in stories:
                continue
            story = stories[key]
            cut = story.upto(day, 30)
            days = dict(zip(story.days[cut], story.of[cut], strict=True))
            if days:
                found[key] = OpinionInput(
                    account_key=key,
                    as_of=day,
                    bands={one: band for one, (_, band, _) in days.items()},
                    probability=days[day][0] if day in days else None,
                    rating=rated[-1].score,
                    meaning=rated[-1].meaning,
                    rated_on=rated[-1].rated_on,
                    rated_by=rated[-1].rated_by_name,
                )
        return found

    return Past(since=_since(stories, 30), at=at)
