"""Every page counts days from today, although figures end on the last complete day."""

from datetime import date, timedelta

import pandas as pd
import pytest

from app.ui import figures
from app.ui.data import counted_from
from tests.app.factories import AS_OF, NOW, Estate
from tests.pages.conftest import Browser, texts

TODAY = NOW.date()


def test_head_table_and_usage_count_the_same_days_from_today(browser: Browser, estate: Estate) -> None:
    estate.publish()
    key = estate.account(
        renewal_date=TODAY + timedelta(days=30),
        days_to_renewal=31,
        last_contact_date=TODAY - timedelta(days=9),
    )
    estate.usage(key, [(5, 5)])
    estate.set("fct_usage_daily", key, days_since_key_activity=8)
    browser.sign_in(estate.user("Maya Lind"))

    head = texts(browser.open("account", account=key, tab="Usage"))

    assert "**30 days**" in head
    assert "**9 days ago**" in head
    assert "**9 days ago** :gray[last key activity]" in head
    row = browser.open("accounts").dataframe[0].value.iloc[0]
    assert (row["renewal"], row["contact"]) == (30, 9)


def test_a_driver_that_counts_days_names_the_day_it_counted_from() -> None:
    assert figures.counted_on("Renewal in 18 days", AS_OF) == "Renewal in 18 days, on Thu 19 Nov"
    assert figures.counted_on("Health score 92", AS_OF) == "Health score 92"


@pytest.mark.parametrize("missing", [None, pd.NaT])
def test_an_account_without_dates_has_no_counts(missing: object) -> None:
    rows = counted_from(pd.DataFrame({"last_contact_date": [missing]}), TODAY)

    assert rows["contact_days"].isna().tolist() == [True]
    assert figures.days_until(None, date(2026, 1, 1)) is None
