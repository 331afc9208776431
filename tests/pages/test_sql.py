"""The page SQL: ask, read, keep, share, and take away."""

import io

import pyarrow.parquet as parquet
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from streamlit.testing.v1 import AppTest

from app.auth import Identity, Role
from app.sandbox import runner
from app.ui import sql_export
from tests.app.factories import Estate
from tests.pages.conftest import Browser, labels, texts
from tests.pages.test_routes import Site


@pytest.fixture
def alex(estate: Estate, maya: Identity) -> Identity:
    """An analyst; Maya's account is published."""
    estate.account("=cmd()", mrr_eur=5)
    return estate.user("Alex Stone", Role.ANALYST)


def typed(page: AppTest, text: str, then: str = "run") -> AppTest:
    """Write into the editor and press a button of it."""
    page.text_area[0].set_value(text).run()
    return page.button(key=f"sql_editor:{then}").click().run()


def test_a_statement_is_asked_for_its_values_answered_and_listed(
    browser: Browser, estate: Estate, alex: Identity
) -> None:
    estate.transformer.execute("comment on table marts.dim_accounts is 'One row per account. More of it.'")
    page = browser.sign_in(alex).open("sql")
    assert any("One row per account" in expander.label for expander in page.expander)

    text = "select account_name, mrr_eur, mrr_eur from dim_accounts where mrr_eur > :least"
    page.text_area[0].set_value(text)
    page.button(key="sql_editor:run").click()  # with the same click, before anybody saw that there is a value to give
    page.run()
    assert any("The statement asks for" in error.value for error in page.error)
    assert not page.dataframe
    page.text_input(key="sql_value_least").set_value("100").run()
    page = typed(page, text)
    browser.checked()

    [table] = page.dataframe
    assert table.value.to_dict("records") == [
        {"account_name": "Ashford Media", "mrr_eur": 1150.0, "mrr_eur (2)": 1150.0},
    ]
    assert "1 row" in texts(page)
    assert "answered" in texts(page)
    page.segmented_control(key="sql_shown").set_value("Chart").run()
    browser.checked()
    page = typed(page, text, "plan")
    assert any("Scan" in code.value for code in page.code)


def test_a_refusal_says_where_and_nothing_of_the_data(browser: Browser, alex: Identity) -> None:
    page = browser.sign_in(alex).open("sql")

    page = typed(page, "select *\nfrom app.users")
    assert "There is no table app" in page.error[0].value
    assert "line 2, column 6" in page.error[0].value
    page = typed(page, "select account_name::int from dim_accounts")

    assert "Ashford" not in page.error[0].value


def test_s14_a_shared_query_is_shown_as_text_and_opened_by_another_analyst(
    browser: Browser, estate: Estate, alex: Identity
) -> None:
    text = "select 1 as one -- <img src=x onerror=alert(1)> ![x](https://elsewhere.example/x.png)"
    page = browser.sign_in(alex).open("sql")
    page = typed(page, text, "typed")
    page.text_input(key="sql_name").set_value("Mine *bold*").run()
    page.toggle(key="sql_is_shared").set_value(True).run()
    page.button(key="sql_new").click().run()
    browser.checked()

    page = browser.sign_in(estate.user("Harriet Cole", Role.ADMIN)).reload("sql")
    [opener] = [button for button in page.button if str(button.key).startswith("sql_open_")]
    assert text in [code.value for code in page.code]
    assert not any(name in texts(page) for name in ("<img", "![x]"))
    assert "Remove" not in labels(page)
    opener.click().run()

    assert page.text_area[0].value == text


def test_z14_a_file_is_of_ones_own_statement_and_holds_no_formula(
    browser: Browser, estate: Estate, alex: Identity, maya: Identity
) -> None:
    site = Site(Starlette(routes=[Route("/exports/sql/{statement_id:uuid}.{format}", sql_export.answer)]))
    page = browser.sign_in(alex).open("sql")
    typed(page, 'select account_name, mrr_eur as "=1+1" from dim_accounts order by mrr_eur')
    statement = estate.one("select statement_id from app.sql_statements")
    place = f"/exports/sql/{statement}"

    def fetched(who: Identity, kind: str) -> tuple[int, bytes]:
        answer = site.get(f"{place}.{kind}", cookie=browser.sign_in(who).token)
        return answer.status_code, answer.content

    assert fetched(alex, "csv") == (
        200,
        "\ufeffaccount_name,'=1+1\r\n'=cmd(),5.0\r\nAshford Media,1150.0\r\n".encode(),
    )
    rows = parquet.read_table(io.BytesIO(fetched(alex, "parquet")[1])).to_pylist()
    assert rows[0] == {"account_name": "=cmd()", "=1+1": 5.0}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "FILE", runner.Limits(rows=1))
        cut = site.get(f"{place}.xlsx", cookie=browser.sign_in(alex).token)
    assert cut.headers["content-disposition"] == 'attachment; filename="answer-first-1-rows.xlsx"'
    assert "1 row, more was left out in a file" in texts(browser.reload("sql"))
    assert fetched(alex, "exe")[0] == 404
    assert fetched(estate.user("Robin Vale", Role.ANALYST), "csv")[0] == 404
    assert fetched(maya, "csv")[0] == 403
    assert site.get(f"{place}.csv", cookie="made-up").status_code == 401
