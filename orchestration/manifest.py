"""The dbt manifest: where it lies, when it is stale, how it is made.

`DbtProject.prepare_if_dev()` of dagster-dbt does nothing outside `dagster dev`, and its preparer starts dbt twice as a
process (5 s each). Here the parse runs in this process and only when the models are newer than the manifest. The
artefacts lie outside `dbt/target`, so that a dbt command typed by hand does not change what the orchestrator reads.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_WATCHED = ("models", "macros", "seeds", "snapshots", "tests", "analyses", "dbt_project.yml", "profiles.yml")
# What profiles.yml asks for. Parsing connects to nothing, so a placeholder does where there is no estate yet.
_PLACEHOLDERS = {
    "DBT_HOST": "localhost",
    "DBT_PORT": "5432",
    "DBT_DATABASE": "warehouse",
    "DBT_USER": "transformer",
    "DBT_ENV_SECRET_PASSWORD": "not-needed-to-parse",
}


class DbtDoesNotParse(Exception):
    """The dbt project can not be read; the message is dbt's own."""


def project_folder() -> Path:
    """The dbt project: `dbt/`, or what DBT_PROJECT_DIR names."""
    return Path(os.environ.get("DBT_PROJECT_DIR") or ROOT / "dbt").resolve()


def settings() -> str:
    """Text of the project's own settings: its variables are part of what a build is."""
    return (project_folder() / "dbt_project.yml").read_text(encoding="utf-8")


def target_folder() -> Path:
    """Where the orchestrator's dbt writes its artefacts: `.state/dbt`, or what DBT_TARGET_PATH names."""
    return Path(os.environ.get("DBT_TARGET_PATH") or ROOT / ".state" / "dbt").resolve()


def arguments(target: Path) -> list[str]:
    """What every dbt command needs to find the project, and to write into `target` only."""
    folder = str(project_folder())
    logs = os.environ.get("DBT_LOG_PATH") or str(target)
    return ["--project-dir", folder, "--profiles-dir", folder, "--target-path", str(target), "--log-path", logs]


def run_arguments() -> list[str]:
    """Arguments every dbt command of a run ends with.

    A run writes its artefacts beside the prepared ones and starts from their parse: a command that rewrote
    manifest.json would do so under the eyes of a process that is just reading it.
    """
    parsed = target_folder() / "partial_parse.msgpack"
    known = ["--partial-parse-file-path", str(parsed)] if parsed.exists() else []
    return [*arguments(target_folder() / "run"), *known]


def newest_change(project: Path) -> float:
    """Modification time of the newest file or folder that dbt would read; folders show deleted files."""
    newest = 0.0
    for name in _WATCHED:
        start = project / name
        if start.exists():
            newest = max(newest, start.stat().st_mtime, *(place.stat().st_mtime for place in start.rglob("*")))
    return newest


def is_stale() -> bool:
    """True when there is no manifest, the project changed since, or it was made for another database."""
    manifest = target_folder() / "manifest.json"
    if not manifest.exists() or manifest.stat().st_mtime < newest_change(project_folder()):
        return True
    wanted = os.environ.get("DBT_DATABASE")
    return bool(wanted) and _database_of(json.loads(manifest.read_bytes())) not in (None, wanted)


def _database_of(manifest: Mapping[str, Any]) -> str | None:
    return next((node["database"] for node in manifest["nodes"].values() if node.get("database")), None)


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """One process at a time: code server, run worker and tests may all find the manifest missing."""
    target.mkdir(parents=True, exist_ok=True)
    with (target / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def placeholders() -> Iterator[None]:
    """For commands that connect to nothing: what profiles.yml asks for, where there is no estate yet."""
    missing = {name: value for name, value in _PLACEHOLDERS.items() if not os.environ.get(name)}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def prepare(*, force: bool = False) -> Path:
    """Parse the dbt project when its manifest is stale; returns the manifest's path.

    Takes about 1 s when little changed, 10 s from nothing. Raises DbtDoesNotParse.
    """
    target = target_folder()
    with _locked(target):
        if force or is_stale():
            _parse()
    return target / "manifest.json"


def _parse() -> None:
    from dbt.cli.main import dbtRunner  # 3 s of imports, needed by this branch only

    with placeholders():
        answer = dbtRunner().invoke(["parse", "--quiet", *arguments(target_folder())])
    if not answer.success:
        raise DbtDoesNotParse(f"The dbt project in {project_folder()} does not parse: {answer.exception}")
    manifest = target_folder() / "manifest.json"
    os.utime(manifest)  # dbt leaves an unchanged manifest alone, which would look stale for ever


@lru_cache(maxsize=4)
def _read(path: Path, _modified: float) -> Mapping[str, Any]:
    return json.loads(path.read_bytes())


def load() -> Mapping[str, Any]:
    """The manifest of the project as it is now, parsed again when it has to be. The same object while unchanged."""
    path = prepare()
    return _read(path, path.stat().st_mtime)
