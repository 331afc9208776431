"""Accounts: the filter as data, and the table it gives."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import pytest

from app.auth import Identity, Role
from app.marts import health, risk
from app.segments import service
from app.segments.service import Segment
from app.ui import words
from app.ui.portfolio import AccountFilter, narrowed, summary
from tests.app.factories import AS_OF, NOW, Estate, a_key, key_of
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
    assert not page.dataframe[0].proto.selection_mode, "nor by who may create no action"


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


# --- as of a past day

THEN = AS_OF - timedelta(days=1)


def _history(estate: Estate) -> None:
    """Three accounts with two days of history; one has left since, one is without a score on the day before."""
    estate.publish()
    tom = {"csm_email": "tom.okafor@force24.example", "csm_name": "Tom Okafor"}
    kept = {"renewal_date": AS_OF + timedelta(days=40), "last_contact_date": AS_OF - timedelta(days=9)}
    for name, scores, risks, last, values in (
        ("Ashford Media", [61.0, 44.0], ((0.31, "High"), (0.62, "Critical")), AS_OF, {}),
        ("Borea Energy", [72.0], ((0.12, "Medium"),), THEN, {"is_active": False}),
        ("Castell Optics", [None, 80.0], ((0.05, "Low"), (0.04, "Low")), AS_OF, tom),
    ):
        key = estate.account(name, **values)
        estate.health(key, scores, last=last, mrr_eur=900, **kept)
        estate.risk(key, *risks, last=last)
    estate.transformer.execute("update marts.fct_churn_risk_daily set mrr_at_risk_eur = 900 * churn_probability_90d")


def test_the_portfolio_of_a_past_day_says_what_each_account_says_of_that_day(browser: Browser, estate: Estate) -> None:
    _history(estate)
    browser.sign_in(estate.user("Harriet Cole", Role.ADMIN))

    page = browser.open("accounts", as_of=THEN.isoformat(), view="All")
    rows = page.dataframe[0].value.set_index("account")

    assert "corrected by what came later" in texts(page)
    assert sorted(rows.index) == ["Ashford Media", "Borea Energy", "Castell Optics"]
    assert "next" not in rows
    assert not [button.label for button in page.button if button.label.startswith("Create action")]
    assert not page.dataframe[0].proto.selection_mode, "nothing can be done with a row ticked on a past day"
    with estate.work() as db:
        for name, row in rows.to_dict(orient="index").items():
            key = key_of(str(name))
            then, at_risk = health.on(db, key, THEN), risk.on(db, key, THEN)
            assert then is not None
            assert at_risk is not None
            assert row["band"] == [words.band_letter(then.band)]
            assert row["health"] == then.score or (pd.isna(row["health"]) and then.score is None)
            assert row["risk"] == f"{at_risk.churn_probability_90d:.2f} {(at_risk.churn_risk_band or '')[0]}"
            assert row["at_risk"] == round(at_risk.mrr_at_risk_eur or 0)
            assert (row["mrr"], row["renewal"], row["contact"]) == (900, 41, 8)

    one = browser.reload("account", account=key_of("Ashford Media"), as_of=THEN.isoformat())
    assert "**High** 0.31" in texts(one)


def test_the_way_back_from_a_past_day_leads_to_today(browser: Browser, estate: Estate) -> None:
    _history(estate)

    page = browser.sign_in(estate.user("Maya Lind")).open("accounts", as_of=THEN.isoformat())
    assert page.dataframe[0].value["account"].tolist() == ["Ashford Media", "Borea Energy"]
    page.button(key="back_to_today").click().run()

    assert "corrected by what came later" not in texts(browser.checked())
    assert page.dataframe[0].value["account"].tolist() == ["Ashford Media"]
    assert page.dataframe[0].value["next"].tolist() == ["none"]


# --- segments


def _segment(estate: Estate, who: Identity, **values: Any) -> Segment:
    given = {"name": "Big <b>ones</b>", "criteria": {"segments": ["Enterprise"]}, "is_shared": True} | values
    with estate.work() as db:
        return service.save(db, actor=who, now=NOW, description=None, idempotency_key=a_key(), **given)


def test_a_segment_narrows_the_page_and_its_chips_narrow_it_further(browser: Browser, estate: Estate) -> None:
    estate.publish()
    for name, values in {
        "Ashford": {},
        "Borea": {"segment": "Enterprise"},
        "Castell": {"segment": "Enterprise"},
    }.items():
        estate.account(name, **values)
    estate.set("dim_accounts", key_of("Castell"), health_band="R")
    maya = estate.user("Maya Lind")
    segment = _segment(estate, maya)

    browser.sign_in(estate.user("Alex Stone", Role.ANALYST))
    page = browser.open("accounts", in_segment=str(segment.segment_id))
    assert sorted(page.dataframe[0].value["account"]) == ["Borea", "Castell"]
    assert any(button.label.startswith("In: Big") for button in page.button)
    page.text_input(key="q").input("tell").run()
    assert page.dataframe[0].value["account"].tolist() == ["Castell"]

    hidden = _segment(estate, maya, name="Mine", is_shared=False)
    page = browser.reload("accounts", in_segment=str(hidden.segment_id))
    assert "does not exist, or is not shared with you" in texts(page)
    assert len(page.dataframe[0].value) == 3


def test_what_is_on_the_page_is_saved_as_a_segment_and_shown_with_its_size(browser: Browser, estate: Estate) -> None:
    estate.publish()
    estate.account("Ashford Media", health_band="R")
    estate.health(key_of("Ashford Media"), [40.0, 41.0, 42.0], mrr_eur=1000)
    maya = estate.user("Maya Lind")
    page = browser.sign_in(maya).open("accounts", q="ashford")

    def dialog() -> str:
        """AppTest runs whole pages, and each run closes the dialog."""
        page.button(key="segments_open").click().run()
        return texts(browser.checked())

    dialog()
    page.button(key="segment_form_save").click().run()
    dialog()
    assert not page.button(key="segments_open").label.startswith("In:")
    page.text_input(key="segment_form_name").input("Ashfords")
    page.button(key="segment_form_save").click().run()

    said = dialog().replace("\\", "")
    assert "accounts of maya" in said
    assert "name or domain holds “ashford”" in said
    assert "1 account · " in said
    assert "MRR · private" in said
    assert "taken as of today: name and owner" in said
