"""Rules in Settings: what is typed, looked at and published."""

from datetime import timedelta

import pytest

from app.auth import Identity, Role
from app.segments import service as segments
from app.suggestions import lookback
from tests.app.factories import AS_OF, NOW, Estate, a_key
from tests.pages.conftest import Browser, labels, texts


@pytest.fixture
def harriet(estate: Estate) -> Identity:
    """An admin over an account whose health fell by ten points half a year ago, and left."""
    estate.publish()
    key = estate.account(is_active=False, churned_date=AS_OF - timedelta(days=100), churn_kind="voluntary")
    days = 365 - 100
    estate.health(key, [80.0] * (days - 60) + [70.0] * 60, last=AS_OF - timedelta(days=101))
    estate.health(estate.account("Calm Ltd"), [80.0] * 120)
    return estate.user("Harriet Cole", Role.ADMIN)


def test_a_change_is_looked_at_before_it_is_published_and_an_old_version_goes_back_into_the_form(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    page = browser.sign_in(harriet).open("settings", part="Rules", rule="R1")
    page.number_input(key="rule_R1_0_drop_high").set_value(30).run()
    assert "Critical must ask for a fall at least as large as high" in texts(page)
    assert "Publish version 2" not in labels(page)

    page.number_input(key="rule_R1_0_drop_high").set_value(8).run()
    page.text_input(key="rule_R1_0_reason").set_value("See *slow* falls").run()
    assert "Publish version 2" not in labels(page), "nobody has looked yet"
    page.button(key="rule_look").click().run()
    said = texts(browser.checked())
    assert "1 suggestion** instead of" in said or "**1** suggestion instead of **0**" in said
    assert "left on" in said
    assert lookback.NOT_KEPT["R1"][0] in said
    page.button(key="rule_publish").click().run()
    browser.checked()

    row = (
        "select params -> 'thresholds' ->> 'drop_high' || ' ' || reason from app.rules where version = 2 and is_active"
    )
    row += " and rule_id = 'R1'"
    assert estate.one(row) == "8 See *slow* falls"
    assert browser.kept == {}
    page.button(key="put_back_R1_1").click().run()
    assert page.number_input(key="rule_R1_1_drop_high").value == 15
    assert page.text_input(key="rule_R1_1_reason").value == "Version 1 put back"
    assert estate.one("select max(version) from app.rules where rule_id = 'R1'") == 2


def test_a_rule_is_limited_to_a_segment_with_a_reason_and_a_number_beside_it_needs_the_look_back(
    browser: Browser, estate: Estate, harriet: Identity, maya: Identity
) -> None:
    with estate.work() as db:
        segment, namesake = (
            segments.save(
                db,
                actor=owner,
                now=NOW,
                name="Calm *ones*",
                description=None,
                criteria={"search": "calm"},
                is_shared=True,
                idempotency_key=a_key(),
            )
            for owner in (harriet, maya)
        )
    page = browser.sign_in(harriet).open("settings", part="Rules", rule="R4")
    choices = page.selectbox(key="rule_R4_0_accounts").options
    assert len(set(choices)) == 5, "two people may use one name"
    assert f"Only Calm *ones* (by Maya Lind, {str(namesake.segment_id)[:4]})" in choices
    page.selectbox(key="rule_R4_0_accounts").select(f"except_segment:{segment.segment_id}").run()
    page.text_input(key="rule_R4_0_reason").set_value("They are looked after by hand").run()
    page.number_input(key="rule_R4_0_window_days").set_value(9).run()
    assert page.button(key="rule_publish").disabled, "nobody has looked yet"
    page.number_input(key="rule_R4_0_window_days").set_value(14).run()
    assert "Looks at: All accounts → **All but Calm \\*ones\\* " in texts(page)
    page.button(key="rule_publish").click().run()
    browser.checked()

    held = "select params ->> 'except_segment' from app.rules where rule_id = 'R4' and is_active and version = 2"
    assert estate.one(held) == str(segment.segment_id)
    assert page.dataframe[0].value["state"].tolist()[3] == "limited"


def test_every_rule_opens_and_what_is_typed_outlives_a_reload(browser: Browser, harriet: Identity) -> None:
    browser.sign_in(harriet)
    for number in (3, 12, 14):  # a list among its thresholds, shares, next to nothing
        page = browser.open("settings", part="Rules", rule=f"R{number}")
        assert not page.error, number
    page.number_input(key="rule_R14_0_rating_valid_days").set_value(33).run()

    page = browser.reload("settings", part="Rules", rule="R14")
    browser.give_back("rules:R14")

    assert page.number_input(key="rule_R14_0_rating_valid_days").value == 33
