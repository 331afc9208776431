"""The project on empty sources, and what its tables allow to whom."""

import psycopg

from tests.warehouse.project import Project

MARTS = (
    "bridge_account_sources",
    "dim_accounts",
    "dim_contacts",
    "dim_csms",
    "fct_account_events",
    "fct_account_health_daily",
    "fct_action_outcomes",
    "fct_actions",
    "fct_churn_risk_daily",
    "fct_engagements",
    "fct_figure_inputs",
    "fct_identity_issues",
    "fct_invoices",
    "fct_mrr_movements",
    "fct_nps_responses",
    "fct_renewals",
    "fct_revenue_retention_monthly",
    "fct_tickets",
    "fct_usage_daily",
)


def test_everything_builds_on_empty_sources(built: Project) -> None:
    with psycopg.connect(built.warehouse.transformer_dsn) as transformer:
        assert transformer.execute("select as_of_date from intermediate.int_time__as_of").fetchone() == (None,)
        for mart in MARTS:
            assert transformer.execute(f"select count(*) from marts_next.{mart}".encode()).fetchone() == (0,)


def test_every_case_window_and_date_difference_holds_on_a_few_rows(built: Project) -> None:
    results = built.run("test", "--select", "test_type:unit")

    assert len(results) >= 30


def test_schemas_are_named_as_they_are_granted(built: Project) -> None:
    with psycopg.connect(built.warehouse.transformer_dsn) as transformer:
        owned = transformer.execute(
            "select distinct schemaname from pg_tables where tableowner = 'transformer'"
            " union select distinct schemaname from pg_views where viewowner = 'transformer'"
        ).fetchall()

    assert {row[0] for row in owned} == {"staging", "intermediate", "marts", "marts_next", "publishing", "seeds"}


def test_a_page_finds_the_days_of_one_account_by_an_index(built: Project) -> None:
    wanted = {
        "fct_account_health_daily": "(account_key, health_date)",
        "fct_churn_risk_daily": "(account_key, risk_date)",
        "fct_usage_daily": "(account_key, usage_date)",
        "fct_account_events": "(account_key, occurred_at)",
    }
    with psycopg.connect(built.warehouse.transformer_dsn) as transformer:
        for mart, columns in wanted.items():
            indexes = transformer.execute("select indexdef from pg_indexes where tablename = %s", (mart,)).fetchall()
            assert any(columns in row[0] for row in indexes), mart
