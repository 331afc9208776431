"""Foreign text inside our Markdown, and how figures and dates are said."""

from datetime import UTC, date, datetime

import pytest

from app.ui import figures, words
from app.ui.text import WORD_JOINER, escaped, shortened, with_bold_figures

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "hostile",
    [
        "![x](http://evil.example/x.png)",
        "[click](javascript:alert(1))",
        "<img src=x onerror=alert(1)>",
        "**bold** _and_ `code` ~~gone~~",
        ":material/home: :red[x] :rocket: $x^2$",
        "# heading",
        "| a | b |",
        "www.evil.example http://evil.example a@evil.example",
        "a -> b -- c <- d >= e",
        "> quote\n\n- list",
    ],
)
def test_escaped_text_reads_the_same_and_starts_nothing(hostile: str) -> None:
    shown = escaped(hostile)

    for character in "*_`[]<>#|$~!":
        assert f"\\{character}" in shown or character not in hostile
    assert "\n" not in shown
    plain = shown.replace("\\", "").replace(WORD_JOINER, "")
    assert plain == " ".join(hostile.split())
    assert ":material/" not in shown.replace("\\", "")
    assert "://" not in shown.replace("\\", "").replace(WORD_JOINER, "", 0) or WORD_JOINER in shown


def test_empty_text_is_a_dash_and_long_text_is_cut() -> None:
    assert escaped(None) == escaped("  ") == "–"
    assert escaped("x" * 300, limit=10) == "x" * 9 + "…"
    assert shortened("a\n b", limit=9) == "a b"


def test_figures_in_a_sentence_are_bold_but_days_of_a_date_are_not() -> None:
    sentence = "Invoice over £1,240.50 failed 2 times, last on 13 Nov 2026, 12% late"

    shown = with_bold_figures(sentence).replace("\\", "")

    assert shown == "Invoice over **£1,240.50** failed **2** times, last on 13 Nov 2026, **12%** late"


def test_bold_figures_cannot_be_used_to_write_markdown() -> None:
    assert "\\*\\*5\\*\\*" in with_bold_figures("**5**").replace("**5**", "5") or "\\*" in with_bold_figures("**5**")


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (date(2026, 11, 18), "Overdue 4 d"),
        (TODAY, "Today"),
        (date(2026, 11, 23), "Tomorrow"),
        (date(2026, 11, 27), "Fri 27 Nov"),
        (date(2027, 1, 4), "4 Jan 2027"),
        (None, "No date"),
    ],
)
def test_a_due_date_is_said_as_people_say_it(due: date | None, said: str) -> None:
    assert figures.due(due, TODAY) == said


def test_money_and_times() -> None:
    assert figures.money(11480.4).replace(figures.THIN_SPACE, " ") == "€\u00a011 480"
    assert figures.money(12, "usd") == "\\$\u00a012"
    assert figures.money(None) == "–"
    assert figures.money_short(750_000).startswith("€\u00a0750")
    assert figures.signed(-0.2) == "0"
    assert figures.signed(-16) == "−16"
    assert figures.clock(datetime(2026, 11, 22, 6, 10, tzinfo=UTC), now=NOW) == "06:10"
    assert figures.clock(datetime(2026, 6, 22, 6, 10, tzinfo=UTC), now=NOW) == "22 Jun"
    assert figures.ago(date(2026, 11, 13), TODAY) == "9 days ago"


def test_every_code_of_the_application_has_a_word() -> None:
    from app.actions import vocabulary
    from app.actions.lifecycle import CancelReason, Result, Status
    from app.marts.health import MEASURES
    from app.marts.timeline import EVENT_KINDS
    from app.suggestions.model import DismissalReason

    for members, names in (
        (Status, words.STATUSES),
        (Result, words.RESULTS),
        (CancelReason, words.CANCELLATIONS),
        (DismissalReason, words.DISMISSALS),
        (vocabulary.ActionType, words.ACTION_TYPES),
        (vocabulary.Priority, words.PRIORITIES),
        (vocabulary.Source, words.SOURCES),
        (vocabulary.Intervention, words.INTERVENTIONS),
        (vocabulary.Execution, words.EXECUTIONS),
        (vocabulary.CustomerResponse, words.RESPONSES),
        (vocabulary.StakeholderRole, words.STAKEHOLDER_ROLES),
    ):
        assert {str(member) for member in members} == set(names), members
    assert set(MEASURES) <= set(words.MEASURES)
    assert set(EVENT_KINDS) <= set(words.EVENT_KINDS)
    assert words.word(words.STATUSES, "brand_new") == "Brand new"


def test_a_reason_code_is_shown_as_a_word_and_stored_as_the_code_again() -> None:
    assert words.reason_stored(words.reason_shown("usage_decline")) == "usage_decline"
    assert words.reason_stored("typed by hand ") == "typed by hand"
    assert words.reason_stored("  ") is None


def test_an_amount_in_euro_is_not_said_twice() -> None:
    assert (figures.in_euro(12, "EUR"), figures.in_euro(12, None)) == ("", "")
    assert figures.in_euro(12, "GBP") == ", €\u00a012"
