"""Reports: each is drawn from its address, says what it means, and gives its cells, files and link away by right."""

import json
from datetime import UTC, datetime, time

import pytest

from app.auth import Identity, Role
from app.reports.catalogue import REPORTS
from app.reports.wanted import months_before
from app.segments import service as segments
from app.ui import reports_files
from tests.app.factories import AS_OF, NOW, Estate, a_key, key_of
from tests.pages.conftest import Browser, texts


def band(estate: Estate, name: str, then: str, now: str) -> None:
    for day, letter in ((AS_OF.replace(month=9, day=30), then), (AS_OF, now)):
        estate.put("fct_account_health_daily", account_key=key_of(name), health_date=day, score=50.0, band=letter)


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_says_what_it_is_counted_from_and_of_which_build(
    browser: Browser, estate: Estate, maya: Identity, name: str
) -> None:
    page = browser.sign_in(maya).open("reports", report=name)

    said = texts(page)
    assert REPORTS[name].sources[-1] in said
    assert "Build **1**" in said
    assert "figures to 19 Nov 2026" in said
    assert f"report={name}" in page.code[0].value
    said += "".join(link.proto.label for link in page.get("page_link"))
    assert any(word in said for word in ("in this time", "active accounts", "Nothing to count", "NRR of the period"))


def test_every_report_is_drawn_from_rows(browser: Browser, estate: Estate, maya: Identity) -> None:
    account, month = key_of("Ashford Media"), AS_OF.replace(month=9, day=1)
    band(estate, "Ashford Media", "Y", "G")
    estate.put("fct_revenue_retention_monthly", month_start_date=month, segment="SMB")
    estate.put(
        "fct_mrr_movements", account_key=account, movement_month=month, movement_type="expansion", amount_eur=150
    )
    estate.put(
        "fct_actions", action_id="1", account_key=account, status="new", created_at=NOW, due_date=AS_OF,
        owner_user_id=str(maya.user_id), owner_name="Maya Lind",
    )  # fmt: skip
    for number in range(30):
        estate.put(
            "fct_action_outcomes", decision_id=str(number), account_key=account, decided_at=NOW, treatment_done=True,
            done_intervention="training", measured_30d_status="measured", trigger_cleared_30d=number < 15,
            health_change_30d=float(number), retention_30d="retained",
        )  # fmt: skip
    page = browser.sign_in(maya).open("reports")
    drawn = {}
    for name in REPORTS:
        page.segmented_control(key="report").set_value(name).run()
        drawn[name] = [table.value.iloc[0].tolist() for table in browser.checked().dataframe]

    assert drawn["bridge"][0][:4] == ["Sep 2026", 1000, 0, 150]
    assert drawn["bridge"][0][-2:] == ["115.0%", "100.0%"]
    assert drawn["cohorts"][0][:5] == ["Earlier", 0, "Aug 2026", 1, 1]
    assert drawn["follow-through"][0][:4] == ["Maya Lind", 1, 1, 1]
    assert drawn["interventions"][0][:4] == ["Training", 30, 30, "50% (33–67%)"]
    assert drawn["migration"][0] == ["Yellow → Green", 1, 1000 + 150]
    assert drawn["funnel"] == []


def test_a_cell_of_the_matrix_leads_to_its_accounts_and_a_made_up_one_to_nothing(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    band(estate, "Ashford Media", "G", "R")
    browser.sign_in(maya)

    page = browser.open("reports", report="migration", **{"from": "2026-09", "to": "Nov 2026", "cell": "G>R"})
    assert [table.value.iloc[0].tolist() for table in page.dataframe] == [
        ["Green → Red", 1, 1150],
        ["Ashford Media", "Maya Lind", 50, 50, 1150],
    ]
    assert "report=migration&cell=G%3ER&from=2026-09&to=2026-11" in page.code[0].value
    assert page.selectbox(key="to").options == ["Nov 2026", "Oct 2026", "Sep 2026"]

    page.query_params["cell"] = "<b>>R"
    assert len(browser.reload("reports", report="migration", cell="<b>>R").dataframe) == 1


def test_filters_of_one_report_do_not_trouble_the_next(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.account("Birch Logistics", segment="SMB", csm_name="Tom *Okafor*")
    page = browser.sign_in(maya).open("reports", by="segment", csm="Tom *Okafor*")
    assert page.dataframe[0].value["group"].tolist() == ["SMB"]

    page.segmented_control(key="report").set_value("follow-through").run()

    assert "No actions here" in texts(browser.checked()) or "Take a filter away" in texts(page)
    assert page.segmented_control(key="by").value == "csm"


def test_a_link_to_one_csm_is_not_followed_without_a_word_by_who_may_not_compare_people(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    page = browser.sign_in(maya).open("reports", report="funnel", csm="Tom Okafor")
    assert "This link asks for one CSM" in texts(page)

    analyst = browser.sign_in(estate.user("Alex Stone", Role.ANALYST))
    assert "This link asks" not in texts(analyst.reload("reports", report="funnel", csm="Tom Okafor"))


def test_months_and_names_that_nobody_can_mean_give_a_file_all_the_same(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    token = browser.sign_in(maya).token
    for query in ({"to": ["9999-12"]}, {"from": ["0001-01"]}, {"csm": ["\0"]}):
        for name in REPORTS:
            assert reports_files._file(token, name, reports_files.Format.CSV, query), (name, query)


def test_of_many_months_the_newest_are_drawn_and_the_rest_is_said(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    for back in range(20):
        month = months_before(AS_OF.replace(day=1), back)
        estate.put(
            "fct_actions", action_id=str(back), account_key=key_of("Ashford Media"), status="new", due_date=AS_OF,
            created_at=datetime.combine(month, time(12), UTC), owner_user_id=str(maya.user_id), owner_name="Maya Lind",
        )  # fmt: skip
    page = browser.sign_in(maya).open("reports", report="follow-through", by="month")

    chart = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert chart["layout"]["yaxis"]["type"] == "category", "2026-11 is a name here, no day"
    assert chart["data"][0]["y"][-1] == "2026-11"
    assert len(chart["data"][0]["y"]) == 16
    assert "Of 20 the 16 newest are drawn" in texts(page)


def test_the_file_of_a_report_asks_who_wants_it(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.account("Birch Logistics", csm_name="Tom Okafor", csm_email="tom.okafor@force24.example")
    analyst = estate.user("Alex Stone", Role.ANALYST)

    def lines(token: str | None) -> int | None:
        made = reports_files._file(token, "portfolio", reports_files.Format.CSV, {"by": ["csm"]})
        return None if made is None else len(made.decode().splitlines()) - 1

    assert lines("made up") is None
    assert lines(browser.sign_in(maya).token) == 1
    assert lines(browser.sign_in(analyst).token) == 2


def test_a_saved_segment_narrows_a_report_and_stands_in_its_link_and_file(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    estate.account("Birch Logistics", csm_name="Tom Okafor")
    given = {"name": "Only *Maya*", "description": None, "criteria": {"owners": ["Maya Lind"]}, "is_shared": False}
    with estate.work() as db:
        segment = segments.save(db, actor=maya, now=NOW, idempotency_key=a_key(), **given)
    page = browser.sign_in(maya).open("reports", in_segment=str(segment.segment_id))

    assert "Of the saved segment: 1 account that belong to it today." in texts(page)
    assert page.dataframe[0].value["group"].tolist() == ["Maya Lind"]
    assert f"in_segment={segment.segment_id}" in page.code[0].value
    file = reports_files._file(
        browser.token, "portfolio", reports_files.Format.CSV, {"in_segment": [str(segment.segment_id)]}
    )
    assert file is not None
    assert b"Tom Okafor" not in file
    assert "cannot narrow this report" in texts(
        browser.reload("reports", report="cohorts", in_segment=str(segment.segment_id))
    )
    tom = browser.sign_in(estate.user("Tom Okafor")).reload("reports", in_segment=str(segment.segment_id))
    assert "is not shared with you" in texts(tom)
    assert {"Maya Lind", "Tom Okafor"} <= set(tom.dataframe[0].value["group"])
