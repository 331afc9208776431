"""Proof: the page of one figure, the ways to it from an account, and what Trust says of the second count."""

import json
from datetime import date, timedelta

import pytest

from app.auth import Identity
from tests.app.factories import AS_OF, NOW, Estate, key_of
from tests.pages.conftest import Browser, texts

KEY = key_of("Ashford Media")
COLUMNS = {
    "account_key": {"type": "text", "formula": "Our key."},
    "account_name": {"type": "text", "formula": "Name in the CRM."},
    "mrr": {
        "type": "numeric",
        "formula": "Lines of recurring prices that cover the day.",
        "inputs": [{"quantity": "mrr", "at": "as_of_date"}],
        "figures": [{"mart": "dim_accounts", "column": "account_name", "where": {"account_key": "account_key"}}],
    },
    "seats_used_28d": {"type": "integer", "formula": "Users.", "usage": {"at": "as_of_date", "days": 28}},
    "as_of_date": {"type": "date", "formula": "The day.", "inputs": [{"quantity": "nothing"}]},
}
CHAIN = [
    {"name": "dim_accounts", "layer": "marts", "path": "models/marts/accounts/dim_accounts.sql", "digest": "a1"},
    {"name": "raw_stripe.invoices", "layer": "raw", "path": "", "digest": ""},
]


@pytest.fixture
def proven(estate: Estate, maya: Identity) -> Identity:
    """Maya's account with one invoice line behind its recurring value and one event, and what made them."""
    estate.loads()
    estate.load("stripe", "invoices", "succeeded", NOW - timedelta(hours=2))
    estate.transformer.execute(
        "insert into marts.model_versions values ('dim_accounts', '0123456789ab', %s, '{account_key}', %s, %s)",
        [CHAIN[0]["path"], json.dumps(CHAIN), json.dumps(COLUMNS)],
    )
    estate.transformer.execute('update marts.publications set model_versions = \'{"dim_accounts": "0123456789ab"}\'')
    for number, (start, end) in enumerate([(AS_OF, None), (date(2026, 1, 1), date(2026, 2, 1))]):
        estate.put(
            "fct_figure_inputs",
            account_key=KEY,
            quantity="mrr",
            source="stripe",
            stream="invoices",
            source_id=f"in_{number}",
            part=f"il_{number}",
            from_date=start,
            to_date=end,
            amount=1000,
            load_id=1,
            loaded_at=NOW - timedelta(hours=2),
        )
    return maya


def test_one_click_shows_formula_inputs_version_build_load_and_source_rows(browser: Browser, proven: Identity) -> None:
    page = browser.sign_in(proven).open("proof", mart="dim_accounts", key=KEY, column="mrr")

    said = texts(page)
    records, figures = page.dataframe[0].value, page.dataframe[1].value
    assert "Lines of recurring prices that cover the day" in said
    assert "**1000**" in said
    assert "**0123456789ab** :gray[version of the models]" in said
    assert "1 source record on Thu 19 Nov, together 1\u202f000.00" in said
    assert records[["id", "part", "amount", "load"]].values.tolist() == [["in_0", "il_0", 1000.0, 1]]
    assert figures[["mart", "value"]].values.tolist() == [["dim_accounts.account_name", "Ashford Media"]]
    assert page.dataframe[2].value["name"].tolist() == ["dim_accounts", "raw_stripe.invoices"]


def test_a_figure_that_is_not_there_is_a_sentence(browser: Browser, proven: Identity) -> None:
    tab = browser.sign_in(proven)

    assert "No figure is named" in texts(tab.open("proof"))
    for asked in (
        {"mart": "users", "key": "1", "column": "password_hash"},
        {"mart": "dim_accounts", "key": KEY, "column": "no_such"},
        {"mart": "dim_accounts", "key": "nobody", "column": "mrr"},
    ):
        assert "This figure does not exist" in texts(tab.reload("proof", **asked)), asked


def test_a_figure_without_events_or_records_says_that_there_are_none(browser: Browser, proven: Identity) -> None:
    tab = browser.sign_in(proven)

    used = texts(tab.open("proof", mart="dim_accounts", key=KEY, column="seats_used_28d"))
    counted = texts(tab.reload("proof", mart="dim_accounts", key=KEY, column="as_of_date"))

    assert "Nobody used the product in these days" in used
    assert "No source record counts" in counted


def test_an_account_leads_from_each_of_its_figures_to_the_proof(browser: Browser, proven: Identity) -> None:
    page = browser.sign_in(proven).open("account", account=KEY, tab="Proof")

    table = next(one.value for one in page.dataframe if "figure" in one.value)
    assert table.loc[table["column"] == "dim_accounts.mrr", ["figure", "value"]].values.tolist() == [
        ["MRR", "1\u202f000.00"]
    ]
    assert len(table) == 18


def test_trust_names_what_came_out_different_when_counted_again(
    browser: Browser, estate: Estate, proven: Identity
) -> None:
    tab = browser.sign_in(proven)
    assert "No figure has been counted again" in texts(tab.open("trust"))

    estate.transformer.execute(
        "insert into marts.figure_checks (build_id, checked_at, seed, mart, key, figure, published, recounted, verdict)"
        " select 1, %s, 'a', 'dim_accounts', array[%s], 'mrr', '1000', '1000', 'same' from generate_series(1, 100)",
        [NOW - timedelta(hours=7), KEY],
    )
    assert "100 random figures of build 1 counted again" in texts(tab.reload("trust"))

    for verdict, recounted in (("same", "1000"), ("differs", "900"), ("moved", "800")):
        estate.transformer.execute(
            "insert into marts.figure_checks"
            " (build_id, checked_at, seed, mart, key, figure, published, recounted, verdict)"
            " values (1, %s, 'b', 'dim_accounts', array[%s], 'mrr', '1000', %s, %s)",
            [NOW, KEY, recounted, verdict],
        )
    page = tab.reload("trust")

    assert "1 of 2 random figures of build 1 came out different" in texts(page)
    assert "1 more changed at their source since" in texts(page)
    assert page.dataframe[0].value[["mart", "published", "recounted"]].values.tolist() == [
        ["dim_accounts.mrr", "1000", "900"]
    ]
