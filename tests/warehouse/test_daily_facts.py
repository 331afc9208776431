"""The daily facts: a build a day later writes what it would have written had it known everything at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from app.db import make_engine, read
from app.errors import NotFound
from app.marts.proof import Proof, prove
from orchestration.publishing import let_through, put_back
from recount import check
from recount.figures import FIGURES
from tests.warehouse.estate import Load, at, days, empty
from tests.warehouse.project import Project

START = date(2025, 12, 1)
FIRST = date(2026, 3, 10)
FACTS = {
    "fct_usage_daily": "usage_date",
    "fct_account_health_daily": "health_date",
    "fct_churn_risk_daily": "risk_date",
}


def _load(db: psycopg.Connection, as_of: date, *, hour: int = 2) -> Load:
    """A load early on the day after `as_of`, by both clocks."""
    now = datetime.combine(as_of + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=hour)
    return Load(db, loaded_at=now, source_now=now)


def _months(first: date, count: int) -> list[tuple[date, date]]:
    edges = [
        date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, first.day)
        for n in range(count + 1)
    ]
    return list(pairwise(edges))


def _first_load(load: Load) -> None:
    """Alpha and Beta are customers, Gamma is a company that will turn out to be Alpha, Prospect bought nothing yet."""
    load.catalogue()
    load.company("alpha", "Alpha", created=START, tenant_id="1")
    load.company("beta", "Beta", created=START, tenant_id="2")
    load.company("gamma", "Gamma", created=START, tenant_id="3")
    for number, name in ((1, "alpha"), (2, "beta"), (3, "gamma")):
        load.tenant(number, created=START)
        load.organization(10 + number, number)
        load.customer(f"cus_{name}", tenant=number, company=name)
        load.subscription(f"sub_{name}", f"cus_{name}", start=START, seats=4)
        for index, period in enumerate(_months(START, 4)):
            load.invoice(f"in_{name}_{index}", f"cus_{name}", f"sub_{name}", period=period, seats=4, paid=period[0])
    load.contact("ann", "alpha", created=START, role="CHAMPION")
    load.contact("cas", "alpha", created=START, role="DECISION_MAKER", left=date(2026, 2, 1))
    load.company("prospect", "Prospect", created=START)
    load.contact("pat", "prospect", created=START)
    load.contact("eve", "beta", created=START, role="CHAMPION", left=date(2026, 2, 1))
    load.meeting("m1", "alpha", date(2026, 2, 1))
    load.ticket(1, 11, created=date(2026, 2, 20), priority="urgent")
    load.answer("r1", 2, score="4", day=date(2025, 12, 20))
    load.use(1, days(START, FIRST))
    load.use(2, days(START, FIRST, step=3), users=2)
    load.use(3, days(START, FIRST, step=7), users=1, event="login")


def _second_load(load: Load) -> None:
    """A day later: late events, an old ticket, a solved one, an old answer, one customer gone a week ago, one merged
    away, a new one."""
    load.use(1, [FIRST + timedelta(days=1)])
    load.use(1, [date(2026, 1, 5), date(2026, 3, 2)], users=5, event="sms_sent")
    load.ticket(1, 11, created=date(2026, 2, 20), priority="urgent", solved=date(2026, 3, 11))
    load.ticket(2, 12, created=date(2026, 1, 15), priority="urgent", solved=date(2026, 1, 18))
    load.answer("r2", 2, score="10 - very likely", day=date(2026, 2, 10))
    load.meeting("m2", "alpha", date(2026, 3, 11))
    load.subscription(
        "sub_beta", "cus_beta", start=START, seats=4, ended=date(2026, 3, 4), reason="cancellation_requested"
    )
    load.company("gamma", "Gamma", created=START, deleted_at=at(FIRST), delete_reason="merged", merged_into="alpha")
    load.company("delta", "Delta", created=date(2026, 3, 11), tenant_id="4")
    load.tenant(4, created=date(2026, 3, 11))
    load.customer("cus_delta", tenant=4)
    load.subscription("sub_delta", "cus_delta", start=date(2026, 3, 11), seats=2, interval="year")
    load.invoice(
        "in_delta",
        "cus_delta",
        "sub_delta",
        period=(date(2026, 3, 11), date(2027, 3, 11)),
        seats=2,
        interval="year",
        paid=None,
    )
    load.use(4, [date(2026, 3, 11)], users=2)


def _rows(project: Project, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(project.warehouse.transformer_dsn) as transformer:
        return transformer.execute(query.encode(), values).fetchall()


def _digests(project: Project) -> dict[str, str]:
    """A checksum of the rows that readers have, by mart."""
    marts = _rows(project, "select tablename from pg_tables where schemaname = 'marts' and tablename <> 'publications'")
    digest = "select coalesce(md5(string_agg(f::text, '' order by f::text)), '') from marts.{} as f"
    return {mart: _rows(project, digest.format(mart))[0][0] for (mart,) in marts}


@dataclass(frozen=True)
class Story:
    """Two builds of the project, both published, and what readers had after each."""

    project: Project
    first: dict[str, str]
    second: dict[str, str]


@pytest.fixture(scope="module")
def story(built: Project) -> Iterator[Story]:
    """Built on the first load, then incrementally on the second."""
    with psycopg.connect(built.warehouse.loader_dsn, autocommit=True) as loader:
        empty(loader)
        _first_load(_load(loader, FIRST))
        built.build()
        built.publish()
        first = _digests(built)
        _second_load(_load(loader, FIRST + timedelta(days=1)))
    built.build()
    assert _digests(built) == first, "readers saw a build before it was published"
    built.publish()
    yield Story(built, first, _digests(built))
    with psycopg.connect(built.warehouse.loader_dsn, autocommit=True) as loader:
        empty(loader)


@pytest.fixture
def grown(story: Story) -> Project:
    """The project after both builds."""
    return story.project


def _of(project: Project, company: str, columns: str, fact: str, day: date) -> tuple[Any, ...]:
    found = _rows(
        project,
        f"select {columns} from marts.{fact} where account_key = md5('hubspot:' || %s) and {FACTS[fact]} = %s",
        company,
        day,
    )
    assert len(found) == 1, f"{len(found)} rows for {company} on {day}"
    return found[0]


def test_the_build_before_comes_back_as_it_was_and_the_build_after_that_is_right(story: Story) -> None:
    with psycopg.connect(story.project.warehouse.transformer_dsn) as transformer:
        put_back(transformer)
    assert _digests(story.project) == story.first

    story.project.run("run")  # an incremental one without news: what it writes is what was put away
    [(noted, all_days)] = _rows(
        story.project,
        "select count(*) filter (where days.usage_date >= noted.first_date), count(*) from marts_next.fct_usage_daily"
        " as days left join publishing.written_days as noted using (account_key) where mart = 'fct_usage_daily'",
    )
    with psycopg.connect(story.project.warehouse.transformer_dsn) as transformer:
        let_through(transformer)
    story.project.publish()

    assert _digests(story.project) == story.second
    assert 0 < noted < all_days / 5, "a publication would compare the history and not the changes"


def test_a_build_a_day_later_writes_what_a_full_one_would(grown: Project) -> None:
    query = "select * from marts.{} order by account_key, {}"
    grew = {fact: _rows(grown, query.format(fact, day)) for fact, day in FACTS.items()}

    grown.run("run", "--full-refresh")
    grown.publish()

    for fact, day in FACTS.items():
        whole = _rows(grown, query.format(fact, day))
        assert len(whole) > 190
        assert [row[:2] for row in grew[fact]] == [row[:2] for row in whole]
        assert [row for row, wanted in zip(grew[fact], whole, strict=True) if row != wanted] == []


def test_readers_reach_the_marts_and_nothing_behind_them(grown: Project) -> None:
    with psycopg.connect(grown.warehouse.analyst_dsn) as analyst:
        for mart in _digests(grown):
            analyst.execute(f"select * from marts.{mart} limit 1".encode())
        for behind in (
            "marts_next.dim_accounts",
            "publishing.written_days",
            "staging.stg_app__users",
            "intermediate.int_accounts__lives",
            "seeds.health_measures",
            "app.users",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), analyst.transaction():
                analyst.execute(f"select * from {behind} limit 1".encode())
        with pytest.raises(psycopg.Error), analyst.transaction():
            analyst.execute("delete from marts.dim_accounts")


def test_late_events_change_the_days_they_belong_to(grown: Project) -> None:
    users, key_activity, rolling = _of(
        grown, "alpha", "active_user_count, key_activity_count, active_users_28d", "fct_usage_daily", date(2026, 3, 2)
    )

    # Three users sent a campaign each; five users' text messages came nine days late; Gamma's login was merged in.
    assert (users, key_activity) == (6, 8)
    assert rolling == 6


def test_a_customer_who_left_a_week_ago_has_no_days_after(grown: Project) -> None:
    for fact, day in FACTS.items():
        newest = _rows(grown, f"select max({day}) from marts.{fact} where account_key = md5('hubspot:beta')")
        assert newest == [(date(2026, 3, 4),)], fact
    account = _rows(
        grown, "select is_active, churned_date, churn_kind, mrr from marts.dim_accounts where account_id = 'beta'"
    )
    assert account == [(False, date(2026, 3, 4), "voluntary", Decimal(0))]


def test_a_merged_company_hands_its_days_to_the_survivor(grown: Project) -> None:
    seats = _of(grown, "alpha", "seat_use_value * 8", "fct_account_health_daily", date(2026, 2, 10))

    # Three users of Alpha and one of Gamma over four seats each, on a day before anybody knew of the merger.
    assert seats == (pytest.approx(4.0),)
    assert _rows(grown, "select count(*) from marts.fct_usage_daily where account_key = md5('hubspot:gamma')") == [(0,)]
    links = _rows(
        grown,
        "select rule, account_key = md5('hubspot:alpha') from marts.bridge_account_sources where source_id = 'gamma'",
    )
    assert links == [("crm_merge", True)]


def test_a_company_that_bought_nothing_yet_is_no_account_and_holds_up_no_build(grown: Project) -> None:
    link = _rows(grown, "select rule, is_linked from marts.bridge_account_sources where source_id = 'prospect'")

    assert link == [("not_a_customer", False)]
    assert _rows(grown, "select count(*) from marts.dim_contacts where contact_name = 'pat'") == [(0,)]


def test_an_answer_counts_from_its_day_and_only_the_newest(grown: Project) -> None:
    scores = [
        _of(grown, "beta", "nps_value", "fct_account_health_daily", day)[0]
        for day in (date(2025, 12, 19), date(2025, 12, 20), date(2026, 2, 9), date(2026, 2, 10))
    ]

    assert scores == [None, 4, 4, 10]


def test_an_urgent_ticket_weighs_until_it_is_solved(grown: Project) -> None:
    urgent = [
        _of(grown, "alpha", "urgent_unresolved_value", "fct_account_health_daily", day)[0]
        for day in (date(2026, 2, 19), date(2026, 2, 20), date(2026, 3, 10), date(2026, 3, 11))
    ]

    assert urgent == [0, 1, 1, 0]


def test_a_yearly_invoice_is_worth_a_twelfth_a_month(grown: Project) -> None:
    account = _rows(
        grown,
        "select mrr, seats_paid, billing_interval, renewal_date, overdue_invoice_count from marts.dim_accounts"
        " where account_id = 'delta'",
    )

    assert account == [(Decimal("100.00"), 2, "year", date(2027, 3, 11), 0)]


def test_roles_that_nobody_there_holds_are_named(grown: Project) -> None:
    gaps = _rows(
        grown,
        "select account_id, missing_roles, champion_name, departed_champion_name, champion_departure_kind"
        " from marts.dim_accounts order by 1",
    )

    assert gaps == [
        ("alpha", ["decision_maker", "budget_holder"], "ann", None, None),
        ("beta", ["champion", "decision_maker", "budget_holder"], None, "eve", "job_change"),
        ("delta", ["champion", "decision_maker", "budget_holder"], None, None, None),
    ]


def test_who_left_has_nothing_to_renew(grown: Project) -> None:
    renewals = _rows(
        grown,
        "select a.account_id, r.renewal_date, r.forecast_state, r.mrr_due_eur from marts.fct_renewals as r"
        " join marts.dim_accounts as a using (account_key) order by 1",
    )

    assert renewals == [
        ("alpha", date(2026, 12, 1), "auto_renew", Decimal("400.00")),
        ("delta", date(2027, 3, 11), "auto_renew", Decimal("100.00")),
    ]


def test_recurring_value_moves_by_its_movements(grown: Project) -> None:
    movements = _rows(
        grown,
        "select a.account_id, m.movement_month, m.movement_type, m.amount from marts.fct_mrr_movements as m"
        " join marts.dim_accounts as a using (account_key) order by 1, 2",
    )

    # Alpha holds Gamma's subscription too: two times four seats at 50. December began with the data: new there.
    assert movements == [
        ("alpha", date(2025, 12, 1), "new", Decimal("400.00")),
        ("beta", date(2025, 12, 1), "new", Decimal("200.00")),
        ("beta", date(2026, 3, 1), "churned", Decimal("-200.00")),
        ("delta", date(2026, 3, 1), "new", Decimal("100.00")),
    ]


def test_churn_and_growth_give_the_retention_rates_of_the_definition(grown: Project) -> None:
    months = _rows(
        grown,
        "select is_complete, start_mrr_eur, expansion_mrr_eur, contraction_mrr_eur, churned_mrr_eur, nrr_ratio,"
        " start_account_count, churned_account_count, logo_churn_ratio from marts.fct_revenue_retention_monthly"
        " where month_start_date = '2026-03-01'",
    )

    assert months == [
        (False, Decimal("600.00"), 0, 0, Decimal("200.00"), pytest.approx(2 / 3), 2, 1, pytest.approx(0.5))
    ]


@pytest.fixture(scope="module")
def application(story: Story) -> Iterator[Engine]:
    engine = make_engine(story.project.warehouse.application_url)
    yield engine
    engine.dispose()


def _figure(application: Engine, mart: str, column: str, *key: str) -> Proof:
    with read(application) as db:
        return prove(db, mart, key, column)


def _key(company: str) -> str:
    return md5(f"hubspot:{company}".encode(), usedforsecurity=False).hexdigest()


def test_a_figure_is_proved_down_to_the_records_and_loads_that_it_rests_on(grown: Project, application: Engine) -> None:
    proof = _figure(application, "dim_accounts", "mrr", _key("alpha"))

    [build] = _rows(
        grown, "select build_id, model_versions ->> 'dim_accounts' from marts.publications order by 1 desc limit 1"
    )
    [(first_load, *_), (second_load, *_)] = _rows(grown, "select load_id from ops.load_run order by 1")
    [quantity] = proof.quantities
    assert (proof.value, proof.build_id, proof.model_version) == ("400.00", *build)
    assert proof.formula.startswith("Monthly recurring value in the account's currency")
    assert (quantity.name, quantity.on_date, quantity.total) == ("mrr", date(2026, 3, 11), 400.0)
    assert {(one.stream, one.source_id, one.amount, one.load_id) for one in quantity.records} == {
        ("invoices", "in_alpha_3", 200.0, first_load),
        ("invoices", "in_gamma_3", 200.0, first_load),
    }
    assert list(proof.loads) == [first_load]
    assert (proof.chain[0].name, proof.chain[0].path) == ("dim_accounts", "models/marts/accounts/dim_accounts.sql")
    assert {"raw_stripe.invoices", "raw_product.usage_events"} <= {
        one.name for one in proof.chain if one.layer == "raw"
    }

    ticket = _figure(application, "fct_tickets", "solved_at", "1")
    assert [(one.source_id, one.load_id) for one in ticket.quantities[0].records] == [("1", second_load)]


def test_a_figure_of_use_names_its_events_and_one_made_of_figures_those(application: Engine) -> None:
    used = _figure(application, "fct_usage_daily", "active_user_count", _key("delta"), "2026-03-11")
    owned = _figure(application, "dim_csms", "mrr_eur", md5(b"hubspot_owner:1", usedforsecurity=False).hexdigest())
    score = _figure(application, "fct_account_health_daily", "voice_of_customer_score", _key("beta"), "2026-02-10")
    answer = _figure(application, "fct_account_health_daily", "nps_value", _key("beta"), "2026-02-10")

    assert used.usage
    assert (used.value, used.usage.count, used.usage.user_count) == ("2", 2, 2)
    assert {one.tenant_id for one in used.usage.events} == {4}
    assert sum(float(one.value or 0) for one in owned.figures) == float(owned.value or 0) == 500.0
    assert [(one.column, one.value) for one in score.figures] == [("nps_points", "100")]
    assert [(one.source_id, one.amount) for one in answer.quantities[0].records] == [("s:r2", 10.0)]


ADDED_UP = {
    "dim_accounts": ("mrr", "seats_paid", "open_ticket_count", "urgent_open_ticket_count", "nps_score"),
    "fct_account_health_daily": (
        *("ticket_volume_value", "urgent_unresolved_value", "known_roles_value", "champion_value", "nps_value"),
    ),
}


@pytest.mark.parametrize("mart", ADDED_UP)
def test_records_of_a_proof_add_up_to_the_figure(grown: Project, application: Engine, mart: str) -> None:
    keys = {
        "dim_accounts": "select array[account_key] from marts.dim_accounts where is_active",
        "fct_account_health_daily": "select array[account_key, health_date::text] from marts.fct_account_health_daily"
        " where health_date in ('2026-02-10', '2026-03-11')",
    }
    found = [
        (column, *key, proof.value, proof.quantities[0].total)
        for (key,) in _rows(grown, keys[mart])
        for column in ADDED_UP[mart]
        for proof in [_figure(application, mart, column, *key)]
    ]

    assert len(found) >= 10
    assert [one for one in found if float(one[-2] or 0) != (one[-1] or 0)] == []


def test_nobody_is_shown_a_proof_of_what_is_not_published(application: Engine) -> None:
    for mart, column, key in (
        ("publications", "build_id", ("1",)),
        ("pg_user", "passwd", ("x",)),
        ("dim_accounts", "mrr; drop table marts.dim_accounts", (_key("alpha"),)),
        ("dim_accounts", "mrr", ("nobody",)),
        ("dim_accounts", "mrr", (_key("alpha"), "2026-03-11")),
        ("fct_usage_daily", "session_count", (_key("alpha"), "the ides of March")),
    ):
        with pytest.raises(NotFound):
            _figure(application, mart, column, *key)


def _recounted(project: Project, seed: str) -> list[check.Checked]:
    with psycopg.connect(project.warehouse.transformer_dsn, options="-c timezone=UTC") as db:
        return check.check(db, seed=seed, count=400)


def test_every_figure_counted_again_from_raw_rows_is_the_one_that_is_published(grown: Project) -> None:
    answers = _recounted(grown, "one")

    assert len(answers) > 150
    assert {one.sampled.figure.column for one in answers} == {one.column for one in FIGURES}
    assert [str(one) for one in answers if one.verdict is not check.Verdict.SAME] == []


def test_a_falsified_figure_is_named_by_the_second_count(grown: Project) -> None:
    falsified = [
        ("dim_accounts", "mrr", "mrr + 0.01", "true", _key("alpha")),
        ("fct_mrr_movements", "amount", "amount + 1", "true", _key("delta")),
    ]
    for mart, column, value, which, key in falsified:
        with psycopg.connect(grown.warehouse.transformer_dsn) as db:
            db.execute(f"update marts.{mart} set {column} = {value} where {which} and account_key = %s".encode(), [key])

    different = [one for one in _recounted(grown, "two") if one.verdict is check.Verdict.DIFFERS]
    grown.publish(is_whole=True)

    assert {(one.sampled.figure.mart, one.sampled.figure.column, one.sampled.key[0]) for one in different} == {
        (mart, column, key) for mart, column, _, _, key in falsified
    }
    assert "dim_accounts.mrr of " in " ".join(map(str, different))
    assert "published 400.01, from raw rows 400.00" in " ".join(map(str, different))
    stored = _rows(grown, "select count(*) from marts.figure_checks where seed = 'two' and verdict = 'differs'")
    assert stored == [(2,)]


def test_what_was_loaded_since_the_build_is_no_difference(grown: Project) -> None:
    with psycopg.connect(grown.warehouse.loader_dsn, autocommit=True) as loader:
        _load(loader, FIRST + timedelta(days=2)).ticket(3, 11, created=date(2026, 3, 12), priority="urgent")

    verdicts = {
        (one.sampled.figure.column, one.sampled.key[0]): one.verdict
        for one in _recounted(grown, "three")
        if one.verdict is not check.Verdict.SAME
    }

    assert verdicts == {
        (column, _key("alpha")): check.Verdict.MOVED for column in ("open_ticket_count", "urgent_open_ticket_count")
    }
