"""The manifest is made when it has to be and never otherwise, and a run does not write over it."""

import json
import os
import time
from pathlib import Path

import pytest

from orchestration import documentation, manifest
from orchestration.dbt_in_process import DbtCommand


def test_an_unchanged_project_is_not_parsed_again(small_dbt: Path) -> None:
    made = manifest.prepare()
    before = made.stat().st_mtime_ns

    manifest.prepare()

    assert made.stat().st_mtime_ns == before
    assert manifest.load() is manifest.load()


@pytest.mark.parametrize("change", ["missing", "edited", "deleted", "other database"])
def test_a_manifest_is_made_again_when(change: str, small_dbt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = manifest.prepare()
    model = small_dbt / "models" / "marts" / "ticket_ages.sql"
    text = model.read_text()
    if change == "missing":
        made.unlink()
    elif change == "edited":
        os.utime(model)
    elif change == "deleted":
        extra = model.with_name("extra.sql")
        extra.write_text("select 1 as one")
        manifest.prepare()
        time.sleep(0.05)  # a folder's time comes from the kernel's coarse clock
        extra.unlink()
    else:
        monkeypatch.setenv("DBT_DATABASE", "elsewhere")

    assert manifest.is_stale()
    names = {node["name"] for node in manifest.load()["nodes"].values()}

    assert not manifest.is_stale()
    assert {"ticket_ages", "dim_accounts"} <= names
    assert "extra" not in names
    assert model.read_text() == text


def test_a_run_leaves_the_manifest_alone(small_dbt: Path) -> None:
    made = manifest.prepare()
    before = made.stat().st_mtime_ns

    list(DbtCommand(["build", "--select", "dim_accounts", *manifest.run_arguments(), "--quiet"]).events())

    assert made.stat().st_mtime_ns == before
    assert (manifest.target_folder() / "run" / "run_results.json").exists()


def test_a_project_that_does_not_parse_says_what_dbt_says(
    small_dbt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "project"
    broken.mkdir()
    (broken / "dbt_project.yml").write_text("name: broken\nprofile: none\n")
    (broken / "profiles.yml").write_text((small_dbt / "profiles.yml").read_text())
    monkeypatch.setenv("DBT_PROJECT_DIR", str(broken))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))

    with pytest.raises(manifest.DbtDoesNotParse, match="none"):
        manifest.prepare()


def test_parsing_needs_no_estate_and_leaves_the_environment_as_it_was(
    small_dbt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DBT_HOST", "DBT_PORT", "DBT_DATABASE", "DBT_USER", "DBT_ENV_SECRET_PASSWORD"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))

    made = manifest.prepare()

    assert json.loads(made.read_text())["nodes"]
    assert "DBT_HOST" not in os.environ


def test_the_documentation_follows_the_models_and_is_left_alone_until_they_change(small_dbt: Path) -> None:
    page = documentation.write()
    first = page.stat().st_mtime_ns
    documentation.write()
    assert page.stat().st_mtime_ns == first
    assert page.read_text().count("ticket_ages") > 1

    extra = small_dbt / "models" / "marts" / "newcomers.sql"
    extra.write_text("select 1 as one")
    try:
        assert "newcomers" in documentation.write().read_text()
    finally:
        extra.unlink()  # the project is every test's
    assert not list(manifest.target_folder().glob("docs.aside"))
