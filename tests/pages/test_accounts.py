"""Accounts: the filter as data, and the table it gives."""

from datetime import timedelta
from urllib.parse import parse_qs

import pandas as pd
import pytest

from app.auth import Role
from app.ui.portfolio import AccountFilter, narrowed, summary
from tests.app.factories import AS_OF, NOW, Estate, key_of
from tests.pages.conftest import Browser, texts

MAYA = "maya.lind@force24.example"


def _portfolio() -> pd.DataFrame:
    """Four accounts that differ in everything a filter looks at."""
    return pd.DataFrame(
        {
            "account_key": ["a", "b", "c", "d"],
            "account_name": ["Ashford Media", "Borea (Energy)", "Castell Optics", "Dune Homes"],
            "domain": ["ashford.example", "borea.example", "castell.example", "dune.example"],
            "csm_name": ["Maya Lind", "Tom Okafor", "Maya Lind", "Tom Okafor"],
            "csm_email": [MAYA, "tom.okafor@force24.example", MAYA, None],
            "health_band": ["R", "Y", None, "G"],
            "churn_risk_band": ["High", "Low", "Critical", "Low"],
            "segment": ["SMB", "SMB", "Enterprise", "SMB"],
            "plan": ["Essentials", "Professional", "Enterprise", "Essentials"],
            "days_to_renewal": [30, 100, 400, -5],
            "mrr_eur": [100.0, 200.0, 300.0, 400.0],
            "mrr_at_risk_eur": [50.0, 10.0, 200.0, None],
            "contact_days": [5.0, 120.0, None, 10.0],
            "next_title": [None, "Call", None, "Review"],
        }
    ).set_index("account_key", drop=False)


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        (AccountFilter(), ["c", "a", "b", "d"]),
        (AccountFilter(view="mine"), ["c", "a"]),
        (AccountFilter(view="renewals"), ["a"]),
        (AccountFilter(view="silent"), ["c", "b"]),
        (AccountFilter(view="idle"), ["c", "a"]),
        (AccountFilter(search="(ener"), ["b"]),
        (AccountFilter(search="dune.ex"), ["d"]),
        (AccountFilter(bands=("–",)), ["c"]),
        (AccountFilter(bands=("R", "G")), ["a", "d"]),
        (AccountFilter(owners=("Tom Okafor",), segments=("SMB",)), ["b", "d"]),
        (AccountFilter(renewals=("overdue", "later")), ["c", "d"]),
        (AccountFilter(is_idle=True, plans=("Essentials",)), ["a"]),
        (AccountFilter(risks=("Medium",)), []),
    ],
)
def test_a_filter_keeps_what_it_names_most_revenue_at_risk_first(chosen: AccountFilter, keys: list[str]) -> None:
    assert narrowed(_portfolio(), chosen, owner_emails=(MAYA,)).index.tolist() == keys


def test_a_filter_survives_the_way_through_the_address() -> None:
    chosen = AccountFilter(view="silent", search="a&b=ü", bands=("R", "–"), owners=("Maya Lind",), is_idle=True)
    read = parse_qs(chosen.query())

    assert AccountFilter.from_query({name: values[0] for name, values in read.items()}, read) == chosen


def test_somebody_without_accounts_in_the_crm_has_an_empty_book() -> None:
    assert len(narrowed(_portfolio(), AccountFilter(view="mine"), owner_emails=("alex.stone@force24.example",))) == 0


def test_a_summary_counts_never_contacted_accounts_as_silent() -> None:
    total = summary(_portfolio())

    assert (total.silent_count, total.idle_count, total.uncovered_count, total.renewing_count) == (2, 2, 1, 1)
    assert total.mrr_eur == 1000


def test_the_page_shows_a_csm_their_own_book_first_with_the_next_action_of_each(
    browser: Browser, estate: Estate
) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    estate.account("Ashford Media", health_trend_90d=[None, 60.0, 70.0], last_contact_date=AS_OF - timedelta(days=9))
    estate.account("Borea Energy", csm_email="tom.okafor@force24.example", csm_name="Tom Okafor")
    estate.action(actor=maya, title="Call Jo", due_date=NOW.date())

    page = browser.sign_in(maya).open("accounts")

    rows = page.dataframe[0].value
    assert rows["account"].tolist() == ["Ashford Media"]
    assert rows["next"].tolist() == ["Today: Call Jo"]
    assert "csm_name" not in rows
    assert list(rows["trend"][0]) == [60.0, 70.0]
    assert "1 of 2 accounts" in texts(page)


def test_an_analyst_sees_every_account_and_no_button_that_writes(browser: Browser, estate: Estate) -> None:
    estate.publish()
    estate.account("Ashford Media")
    estate.account("Borea Energy", csm_email=None)

    page = browser.sign_in(estate.user("Alex Stone", Role.ANALYST)).open("accounts")

    rows = page.dataframe[0].value
    assert len(rows) == 2
    assert rows["csm_name"].tolist() == ["Maya Lind", "Maya Lind"]
    assert rows["risk"].tolist() == ["0.20 M", "0.20 M"]
    assert not [
        button.label for button in page.button if button.label in ("Add action", "Create action", "Create actions")
    ]


def test_no_match_is_a_sentence(browser: Browser, estate: Estate) -> None:
    estate.publish()
    estate.account("Ashford Media")

    page = browser.sign_in(estate.user("Maya Lind")).open("accounts", q="nobody is called this")

    assert "No account matches" in texts(page)
    assert not page.dataframe


def test_the_account_page_of_an_unknown_key_offers_the_way_to_a_known_one(browser: Browser, estate: Estate) -> None:
    estate.publish()
    estate.account("Ashford Media")

    page = browser.sign_in(estate.user("Maya Lind")).open("account", account=key_of("nobody"))

    assert "does not exist" in texts(page)
    assert page.selectbox(key="choose_account").options == ["Ashford Media"]
