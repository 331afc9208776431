"""The real dbt project as tests run it: in this process, against a database of the test run."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from dbt.cli.main import dbtRunner

from orchestration import model_versions, publishing
from tests.conftest import Warehouse

PROJECT = Path(__file__).parents[2] / "dbt"


class DbtFailed(AssertionError):
    """A dbt command did not succeed; the message lists each node that failed and why."""


@dataclass(frozen=True)
class Project:
    """The project with a warehouse to build in and a folder for its artefacts."""

    warehouse: Warehouse
    folder: Path

    def environment(self) -> dict[str, str]:
        """What the profile reads."""
        return {
            "DBT_HOST": "127.0.0.1",
            "DBT_PORT": str(self.warehouse.port),
            "DBT_DATABASE": self.warehouse.database,
            "DBT_USER": "transformer",
            "DBT_ENV_SECRET_PASSWORD": self.warehouse.transformer_password,
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(PROJECT),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DO_NOT_TRACK": "1",
        }

    def run(self, *arguments: str) -> list[Any]:
        """One dbt command; returns its results, or raises DbtFailed with what each failed node said."""
        before = {name: os.environ.get(name) for name in self.environment()}
        os.environ.update(self.environment())
        try:
            answer = dbtRunner().invoke([*arguments, "--quiet", "--no-use-colors", "--log-level-file", "none"])
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        results = list(getattr(answer.result, "results", None) or [])
        if not answer.success:
            failed = [f"{one.node.name}: {one.message}" for one in results if one.status in ("error", "fail")]
            raise DbtFailed("\n".join(failed) or str(answer.exception))
        return results

    def build(self, *arguments: str) -> list[Any]:
        """Everything but the unit tests, which need no data and have a test of their own."""
        return self.run("build", "--exclude-resource-type", "unit_test", *arguments)

    def publish(self, *, is_whole: bool = False) -> publishing.Published:
        """Bring readers what was built, as the orchestrator does after green tests; `is_whole` compares every row."""
        manifest = json.loads((self.folder / "target" / "manifest.json").read_text())
        settings = (PROJECT / "dbt_project.yml").read_text()
        models = model_versions.of(manifest, built_in=publishing.MARTS_NEXT, settings=settings)
        with psycopg.connect(self.warehouse.transformer_dsn) as transformer:
            return publishing.publish(
                transformer, models=models, dbt_invocation_id=None, dagster_run_id=None, is_whole=is_whole
            )
