"""Account: its tabs, its figures, and text that arrives from outside."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from psycopg.types.json import Jsonb

from app.actions.lifecycle import CancelReason
from app.actions.model import ActionRow
from app.auth import Role
from app.ui import account_page, charts
from app.ui.account_renewal import assessment
from app.ui.figures import money
from app.ui.health_charts import Marker, health_history, near_markers, waterfall
from app.ui.text import escaped
from tests.app.factories import AS_OF, NOW, Estate
from tests.pages.conftest import Browser, labels, texts

EVIL = "R&D ![x](http://evil.example/x.png) :red[Ltd]"


def _full(estate: Estate) -> str:
    """An account with a row in every list, all of its texts hostile."""
    estate.publish()
    estate.loads()
    estate.load("hubspot", "companies", "succeeded", NOW - timedelta(hours=3))
    key = estate.account(
        EVIL,
        plan="Professional",
        seats_paid=10,
        seats_used_28d=4,
        renewal_date=AS_OF + timedelta(days=100),
        champion_name=EVIL,
    )
    estate.health(key, [80.0] * 40 + [60.0] * 5)
    estate.usage(key, [(10, 12)] * 20)
    estate.invoice(key)
    estate.put(
        "dim_contacts",
        contact_key="c1",
        account_key=key,
        contact_name=EVIL,
        email="a@b.example",
        stakeholder_role="champion",
        is_champion=True,
        has_left=False,
        has_bounced=False,
        is_product_user=True,
    )
    estate.put(
        "fct_tickets",
        ticket_id="1",
        account_key=key,
        subject=EVIL,
        status="open",
        priority="urgent",
        created_at=NOW,
        is_open=True,
        is_urgent_open=True,
    )
    estate.put(
        "fct_nps_responses",
        response_key="n1",
        account_key=key,
        score=3,
        category="detractor",
        comment=EVIL,
        responded_at=NOW,
    )
    estate.put(
        "fct_account_events",
        event_key="e1",
        account_key=key,
        occurred_at=NOW,
        event_kind="ticket_opened",
        title=EVIL,
        importance=1,
    )
    estate.put(
        "bridge_account_sources", account_key=key, source="hubspot", source_id="1", source_name=EVIL, is_linked=True
    )
    estate.put(
        "fct_mrr_movements",
        account_key=key,
        movement_month=AS_OF.replace(day=1),
        movement_type="contraction",
        amount_eur=-50,
    )
    estate.put(
        "fct_renewals",
        account_key=key,
        renewal_date=AS_OF + timedelta(days=100),
        forecast_state="deal_open",
        notice_date=AS_OF - timedelta(days=9),
        planned_end_date=AS_OF + timedelta(days=40),
        subscription_count=2,
        ending_subscription_count=1,
        currency_code="GBP",
        mrr_due=1000,
        mrr_due_eur=1150,
        ending_mrr=80,
        deal_name=EVIL,
        deal_stage="contractsent",
        deal_close_date=AS_OF + timedelta(days=90),
        first_checkpoint_date=AS_OF - timedelta(days=80),
        second_checkpoint_date=AS_OF + timedelta(days=10),
    )
    return key


@pytest.mark.parametrize("tab", list(account_page.TABS))
def test_every_tab_draws_and_shows_foreign_text_literally(browser: Browser, estate: Estate, tab: str) -> None:
    key = _full(estate)
    maya = estate.user("Maya Lind")
    estate.action(actor=maya, account_key=key, title=EVIL)

    page = browser.sign_in(maya).open("account", account=key, tab=tab)

    written = [element.value for element in page.markdown]
    assert any("R\\&D" in value for value in written), "the heading names the account"
    assert not any("![x](" in value or " :red[Ltd]" in value for value in written)
    assert not page.error


def test_the_head_says_how_sure_and_how_fresh(browser: Browser, estate: Estate) -> None:
    key = _full(estate)
    page = browser.sign_in(estate.user("Maya Lind")).open("account", account=key)

    written = texts(page)
    assert ":yellow-badge[**Y** 60]" in written
    assert "coverage 100%" in written
    assert "10 seats, 4 used" in written


@pytest.mark.parametrize(
    ("kind", "basis"),
    [
        ("model", "Learned from 212 churned accounts up to 1 Oct 2026"),
        ("rules", "Rules: too little history (12 of 50 churned accounts)"),
    ],
)
def test_the_risk_says_in_a_sentence_where_it_came_from(
    browser: Browser, estate: Estate, kind: str, basis: str
) -> None:
    key = _full(estate)
    estate.put(
        "fct_churn_risk_daily",
        account_key=key,
        risk_date=AS_OF,
        churn_probability_90d=0.31,
        churn_risk_band="High",
        mrr_at_risk_eur=310,
        model_version="churn-7",
        drivers=Jsonb([{"driver": "nps", "direction": "raises", "effect": 0.2, "text": "Latest NPS answer is 3"}]),
        risk_kind=kind,
        risk_basis=basis,
    )

    page = browser.sign_in(estate.user("Maya Lind")).open("account", account=key)

    assert f"**Drivers of risk** :small[:gray[{escaped(basis)}]]" in [text.value for text in page.markdown]


def test_looking_back_shows_the_score_of_that_day(browser: Browser, estate: Estate) -> None:
    key = _full(estate)
    page = browser.sign_in(estate.user("Maya Lind")).open("account", account=key)

    page.date_input(key="as_of").set_value(AS_OF - timedelta(days=10)).run()

    assert "**Y** 80" in texts(browser.checked())


def test_an_account_without_any_history_is_drawn_with_sentences(browser: Browser, estate: Estate) -> None:
    estate.publish()
    key = estate.account(
        "Bare Ltd", health_score=None, health_band=None, csm_name=None, csm_email=None, mrr_at_risk_eur=None
    )
    page = browser.sign_in(estate.user("Maya Lind")).open("account", account=key)

    assert "No health has been computed" in texts(page)
    assert "no history yet" in texts(page)


def test_an_analyst_gets_no_button_that_writes(browser: Browser, estate: Estate) -> None:
    key = _full(estate)
    page = browser.sign_in(estate.user("Alex Stone", Role.ANALYST)).open("account", account=key)

    assert not {"Add action", "Accept", "Edit"} & set(labels(page))


def test_an_account_is_looked_at_by_name_when_the_address_names_none(browser: Browser, estate: Estate) -> None:
    estate.publish()
    estate.account("Ashford Media")

    page = browser.sign_in(estate.user("Maya Lind")).open("account")

    assert page.selectbox(key="choose_account").options == ["Ashford Media"]


def test_a_waterfall_adds_up_and_starts_above_zero_only_when_steps_are_small() -> None:
    large = waterfall(("1 Oct", 80.0), [("Seat use", -25.0), ("Other", 5.0)], ("1 Nov", 60.0), dark=False)
    small = waterfall(("1 Oct", 80.0), [("Seat use", -1.0)], ("1 Nov", 79.0), dark=True)

    steps = list(large.to_dict()["data"][0]["y"])
    assert steps[0] + sum(steps[1:-1]) == steps[-1]
    assert large.layout.yaxis.range[0] == 0
    assert 0 < small.layout.yaxis.range[0] < 79


def test_a_history_without_scores_is_an_empty_picture_and_not_an_error() -> None:
    assert health_history([AS_OF], [None], [], dark=False).data


def test_the_head_rates_the_account_and_adds_an_action_for_it(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    key = estate.account()
    page = browser.sign_in(maya).open("account", account=key, tab="Timeline")
    assert "not rated yet" in texts(page)
    assert "Add action" in labels(page)
    page.session_state[f"rate_{key}_popover"] = True
    page.run()
    assert "Rate" not in labels(browser.checked()), "a score is chosen first"

    page.radio(key=f"rate_{key}_score").set_value(2).run()
    page.button(key=f"rate_{key}_send").click().run()

    browser.checked()
    assert estate.one("select (score, rated_by_name)::text from app.account_ratings") == '(2,"Maya Lind")'
    assert "**2** Unhappy" in texts(page)
    assert "of 5, Maya, today" in texts(page)
    assert any(what.startswith("Rated 2 of 5: Unhappy") for what in page.dataframe[0].value["what"])
    theirs = browser.sign_in(estate.user("Tom Okafor")).reload("account", account=key)
    assert "Rate" not in [block.proto.popover.label for block in theirs.get("popover")]


def test_the_money_tab_says_what_renews_when_and_whether_somebody_looked_in_time(
    browser: Browser, estate: Estate
) -> None:
    key = _full(estate)
    maya = estate.user("Maya Lind")
    browser.sign_in(maya)
    before = texts(browser.open("account", account=key, tab="Money"))
    estate.action(actor=maya, account_key=key, title="Look at the renewal", action_type="renewal")

    after = texts(browser.reload("account", account=key, tab="Money"))

    for written in (before, after):
        assert "**27 Feb 2027** :blue-badge[Renewal deal open]" in written
        assert f"Notice given **10 Nov 2026** for {money(80, 'GBP')} of it :gray[service ends 29 Dec 2026]" in written
        assert "90 days before, 29 Nov 2026: not yet" in written
    assert "180 days before, 31 Aug 2026:] :orange[not assessed yet]" in before
    assert "180 days before, 31 Aug 2026:] Look at the renewal :gray[20 Nov 2026]" in after


def test_a_notice_is_said_in_the_head_whatever_tab_is_open(browser: Browser, estate: Estate) -> None:
    key = _full(estate)
    browser.sign_in(estate.user("Maya Lind"))
    for_a_part = texts(browser.open("account", account=key))
    estate.set("fct_renewals", key, subscription_count=1, forecast_state="notice_given")
    estate.publish()

    for_all = texts(browser.reload("account", account=key, tab="Support"))

    assert ":red[a part ends 29 Dec 2026]" in for_a_part
    assert ":red[**Notice given**]" in for_all
    assert ":gray[ends 29 Dec 2026]" in for_all


def test_a_checkpoint_is_met_by_a_renewal_action_of_its_own_time_that_was_not_cancelled(estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    key = _full(estate)
    rows = [
        estate.detail(estate.action(actor=maya, account_key=key, action_type=kind).action_id).action
        for kind in ("renewal", "risk")
    ]
    day = NOW.date()

    def met(start: int, end: int, chosen: list[ActionRow]) -> bool:
        return assessment(chosen, start=day + timedelta(days=start), end=day + timedelta(days=end)) is not None

    assert met(0, 1, rows)
    assert not met(1, 90, rows)
    assert not met(-90, 0, rows)
    assert not met(0, 1, rows[1:])
    assert not met(0, 1, [replace(rows[0], cancel_reason=CancelReason.DUPLICATE)])


def test_the_people_tab_names_the_gaps_and_the_champion_who_left(browser: Browser, estate: Estate) -> None:
    estate.publish()
    key = estate.account(
        missing_roles=["champion", "budget_holder"],
        departed_champion_name="Ann *Lee*",
        champion_departure_date=AS_OF - timedelta(days=18),
        champion_departure_kind="bounced",
    )

    written = texts(browser.sign_in(estate.user("Maya Lind")).open("account", account=key, tab="People"))

    assert ":red[**no champion, no budget holder**]" in written
    assert f":red[**{escaped('Ann *Lee*')}**]" in written
    assert "champion left 1 Nov 2026, mail bounces" in written


@pytest.mark.parametrize(("days", "named"), [(60, "%-d %b"), (180, "%b")])
def test_no_month_stands_twice_below_a_line(days: int, named: str) -> None:
    drawn = [AS_OF - timedelta(days=ago) for ago in range(days, -1, -1)]

    axis = charts.day_axis(drawn)

    assert (axis["tickformat"], axis["range"]) == (named, [drawn[0], AS_OF])


def test_columns_over_weeks_name_each_week_once_and_over_months_each_month() -> None:
    first = date(2026, 11, 2)

    def ticks(weeks: int) -> tuple[list[date] | None, str]:
        days = [first + timedelta(days=7 * week) for week in range(weeks)]
        axis = charts.bars(days, [1.0] * weeks, dark=False).to_dict()["layout"]["xaxis"]
        given = axis.get("tickvals")
        return None if given is None else list(given), axis["tickformat"]

    assert ticks(1) == ([first], "%-d %b")
    assert len(ticks(16)[0] or []) <= 8
    assert ticks(26) == (None, "%b")


def test_labels_of_near_actions_do_not_lie_on_each_other() -> None:
    days = [date(2026, 8, 1) + timedelta(days=number) for number in range(180)]
    at = dict(zip(("Training", "Escalation", "Business review"), (days[170], days[175], days[20]), strict=True))

    groups = near_markers([Marker(at=day, label=label) for label, day in at.items()], days)

    assert [[one.label for one in near] for near in groups] == [["Business review"], ["Training", "Escalation"]]
