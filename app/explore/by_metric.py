"""From a number of `app.metrics` to the question that shows it: its mart, and how it may be reckoned. Pure.

The trap avoided: a sum over what is kept day by day, or a mean of ratios, gives a figure that means nothing. What is
kept by day and can be added is added up within a day; ratios of segments stay apart; money keeps to one currency.
"""

from collections.abc import Iterator, Mapping

from app.explore.checks import OF, dimension_of, suited
from app.explore.marts import TIMES, Kind, Mart
from app.explore.question import Function, Measure, Question, Unit, View
from app.metrics import Metric, metrics, of_column

_ADDED = frozenset({"EUR a month", "EUR", "a month", "currency of the invoice", "accounts", "users"})
_ADDED |= {"activities", "campaigns", "automations", "attempts"}
_MIXED = frozenset({"a month", "currency of the invoice"})  # of no one currency
_SKEWED = frozenset({"minutes"})
_OF_MOVERS = "mrr_after"  # a level, kept only of those that moved: their sum is nobody's
_CURRENCY = "currency_code"
_PARTS = ("segment", "csm_name")  # where no time is kept: by the first of these that a mart has


def offered(marts: Mapping[str, Mart]) -> dict[str, Metric]:
    """The numbers that a mart here holds, by their id, in the order of their definitions."""
    return {metric_id: one for metric_id, one in metrics().items() if next(_places(one, marts), None)}


def of_question(question: Question) -> Metric | None:
    """The number that a question's first figure is made of."""
    column = next((one.column for one in question.measures if one.column), None)
    return of_column(question.mart, column) if column else None


def adds_days(question: Question) -> bool:
    """Whether a known number, kept for each day, is added up over several of them: right for what happens, wrong for
    what is."""
    by_day = any(one.unit is Unit.DAY for one in (*question.groups, question.split) if one)
    summed = [one.column for one in question.measures if one.function is Function.SUM and one.column]
    return question.mart.endswith("_daily") and not by_day and any(of_column(question.mart, one) for one in summed)


def question(metric: Metric, marts: Mapping[str, Mart]) -> Question:
    """A number over time where days or months of it are kept, else by segment or person. `metric`: one of `offered`."""
    places = list(_places(metric, marts))
    mart, column = next((one for one in places if _is_kept_over_time(one[0])), places[0])
    is_added = metric.unit in _ADDED and metric.metric_id != _OF_MOVERS
    function = Function.SUM if is_added else Function.MEDIAN if metric.unit in _SKEWED else Function.AVERAGE
    times = mart.of(*TIMES) if mart.name.startswith("fct_") else []
    if times:
        unit = Unit.DAY if is_added and mart.name.endswith("_daily") else Unit.MONTH
        groups = (dimension_of(times[0], unit),)
    else:
        groups = tuple(dimension_of(mart.columns[name]) for name in _PARTS if name in mart.columns)[:1]
    split = _split(metric, mart, is_added=is_added)
    asked = Question(
        mart=mart.name,
        view=View.LINE if times else View.BAR,
        groups=groups,
        split=dimension_of(mart.columns[split]) if split else None,
        measures=(Measure(function=function, column=column),),
    )
    return suited(asked, mart)


def _split(metric: Metric, mart: Mart, *, is_added: bool) -> str | None:
    if metric.unit in _MIXED and _CURRENCY in mart.columns:
        return _CURRENCY
    return "segment" if not is_added and mart.name.endswith("_monthly") and "segment" in mart.columns else None


def _is_kept_over_time(mart: Mart) -> bool:
    return mart.name.endswith(("_daily", "_monthly"))


def _places(metric: Metric, marts: Mapping[str, Mart]) -> Iterator[tuple[Mart, str]]:
    """Where a number is kept: marts here with their column of numbers."""
    for place in metric.columns:
        name, _, column = place.partition(".")
        mart = marts.get(name)
        if mart and column in mart.columns and mart.columns[column].kind in OF[Function.SUM] - {Kind.BOOLEAN}:
            yield mart, column
