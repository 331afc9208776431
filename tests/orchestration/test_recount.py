"""The nightly second count as an asset check: what it says of the answers, and that it keeps them whatever they are."""

from datetime import date

import dagster as dg
import pytest

from orchestration.defs import recount
from orchestration.resources import RunLease, Transforming
from recount.check import Checked, Sampled, Verdict
from recount.figures import FIGURES
from tests.conftest import Warehouse


def _answer(verdict: Verdict) -> Checked:
    return Checked(Sampled(FIGURES[0], ("a",), date(2026, 3, 1), "400.01"), "400.00", verdict)


@pytest.mark.parametrize(
    ("verdicts", "passed", "said"),
    [
        ([Verdict.SAME] * 99 + [Verdict.MOVED], True, None),
        (
            [Verdict.SAME] * 99 + [Verdict.DIFFERS],
            False,
            "dim_accounts.mrr of a: published 400.01, from raw rows 400.00",
        ),
        ([Verdict.MOVED] * 100, False, "nothing could be compared"),
        ([], False, "nothing could be compared"),
    ],
)
def test_the_check_fails_for_what_differs_and_for_what_compared_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, verdicts: list[Verdict], passed: bool, said: str | None
) -> None:
    monkeypatch.setattr("recount.check.check", lambda db, *, seed: [_answer(one) for one in verdicts])
    role = {"user": "transformer", "password": warehouse.transformer_password}
    given = {
        "transforming": Transforming(host="127.0.0.1", port=str(warehouse.port), database=warehouse.database, **role),
        "lease": RunLease(dsn=warehouse.loader_dsn),
    }

    result = dg.materialize([recount.figure_checks], resources=given)

    [evaluation] = result.get_asset_check_evaluations()
    assert result.success, "a second count that differs takes nothing back"
    assert (evaluation.check_name, evaluation.passed, evaluation.description) == (recount.CHECK, passed, said)
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR
