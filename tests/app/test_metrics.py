"""Numbers are defined once: pages, warehouse and documentation say the same words."""

import ast
from pathlib import Path

import pytest
import yaml

from app.metrics import documentation, metrics, of_column

ROOT = Path(__file__).resolve().parents[2]
# said by a page in a list of its own, or only where a mart is read
BESIDE = {"measure_points", "measure_contribution", "sentiment"}


def descriptions() -> dict[str, str]:
    """Of every column of a mart, as `mart.column`, what its file says of it."""
    return {
        f"{model['name']}.{column['name']}": column["description"]
        for file in (ROOT / "dbt/models/marts").rglob("_*__marts.yml")
        for model in yaml.safe_load(file.read_text())["models"]
        for column in model["columns"]
    }


def named_in_code() -> set[str]:
    """Every metric that the pages name, wherever a call says `metric=`, or a list of them stands."""
    known = metrics()
    files = [*(ROOT / "app/ui").glob("*.py"), *(ROOT / "pages").glob("*.py")]
    trees = [ast.parse(file.read_text()) for file in files]
    called = {
        word.value.value
        for tree in trees
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg == "metric" and isinstance(word.value, ast.Constant) and word.value.value is not None
    }
    assert called <= set(known), f"no such metric: {called - set(known)}"
    constants = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {name for name in known if name in constants}


def test_every_metric_is_said_on_a_page_and_none_is_made_up() -> None:
    assert set(metrics()) - named_in_code() - {name for name, one in metrics().items() if one.columns} <= BESIDE


def test_a_column_that_holds_a_metric_is_described_by_it_and_by_nothing_else() -> None:
    described = descriptions()
    holds = {column: one.metric_id for one in metrics().values() for column in one.columns}

    assert set(holds) <= set(described)
    assert {column: text for column, text in described.items() if "doc('metric_" in text} == {
        column: f"{{{{ doc('metric_{metric_id}') }}}}" for column, metric_id in holds.items()
    }


def test_the_documentation_of_the_warehouse_holds_the_definitions_of_today() -> None:
    assert (ROOT / "dbt/models/docs/metrics.md").read_text() == documentation(), (
        "python -m app.metrics > dbt/models/docs/metrics.md"
    )


def test_names_are_told_apart_and_definitions_are_sentences() -> None:
    known = metrics().values()

    assert all(one.definition.endswith(".") and one.unit for one in known)
    assert len({(one.name, one.unit) for one in known}) == len(known)


@pytest.mark.parametrize(("column", "metric"), [("mrr_eur", "mrr"), ("account_name", None)])
def test_the_metric_of_a_column_is_found(column: str, metric: str | None) -> None:
    found = of_column("dim_accounts", column)

    assert (found.metric_id if found else None) == metric
