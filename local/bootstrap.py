"""From an empty server to one that the programs can start on: databases, migrations, the first users."""

import csv
import hashlib
import shutil
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import psycopg

from local.postgres import Postgres
from local.services import Step
from local.state import ROOT, Environment
from local.warehouse import WarehouseRoles, ensure_database, ensure_role, prepare

PEOPLE = ROOT / "local" / "people.csv"


def prepare_databases(postgres: Postgres, environment: Environment) -> None:
    """Roles, databases and grants for the warehouse, the orchestrator and the simulator. Idempotent."""
    chosen = environment.chosen
    roles = WarehouseRoles(
        loader=chosen["LOADER_PASSWORD"],
        transformer=chosen["TRANSFORMER_PASSWORD"],
        application=chosen["APPLICATION_PASSWORD"],
        learner=chosen["LEARNER_PASSWORD"],
        analyst=chosen["ANALYST_PASSWORD"],
    )
    prepare(postgres.dsn(), database="warehouse", roles=roles)
    with psycopg.connect(postgres.dsn(), autocommit=True) as server:
        for role in ("dagster", "simulator", "product_reader"):
            ensure_role(server, role, chosen[f"{role.upper()}_PASSWORD"])
        ensure_database(server, "dagster", owner="dagster")
        ensure_database(server, "simulator", owner="simulator")
        ensure_database(server, "product", owner="simulator")
        server.execute("grant connect on database product to product_reader")
    home = Path(environment.variables["DAGSTER_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    Path(environment.variables["SURVEYS_FOLDER"]).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "orchestration" / "dagster.yaml", home / "dagster.yaml")
    (home / "workspace.yaml").write_text(
        "load_from:\n"
        "  - grpc_server:\n"
        "      host: 127.0.0.1\n"
        f"      port: {chosen['DAGSTER_CODE_PORT']}\n"
        "      location_name: account_intelligence\n"
    )


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def _content(*folders: str) -> str:
    files = (path for folder in folders for path in sorted((ROOT / folder).rglob("*")))
    return _digest(path for path in files if path.is_file() and path.suffix in (".py", ".sql", ".yml", ".csv", ".md"))


def _shell() -> str:
    """What the shell is built of: its own folder without the packages, and the font and icon of the pages."""
    made_of = [path for path in (ROOT / "shell").glob("*") if path.is_file()]
    for part in ("shell/src", "shell/public", "shell/tools", "app/static"):
        made_of += [path for path in (ROOT / part).rglob("*") if path.is_file()]
    return _digest(sorted([*made_of, ROOT / "local" / "node.sh"]))


def steps(environment: Environment) -> list[Step]:
    """The commands that bring schemas, manifest and estate to what this version of the code expects."""
    estate = [
        part
        for name in ("ACCOUNTS", "DAYS", "SEED")
        for part in (f"--{name.lower()}", environment.chosen[f"SIMULATOR_{name}"])
    ]
    estate += ["--past", "hidden"]
    python = sys.executable
    return [
        Step("Application schema", (python, "-m", "app.migrations"), lambda: _content("app/migrations")),
        Step(
            "People",
            (python, "-m", "app.users", "import", str(PEOPLE), "--password-env", "DEMO_PASSWORD"),
            PEOPLE.read_text,
        ),
        Step("Raw schemas", (python, "-m", "extract", "--ensure-schema"), lambda: _content("extract")),
        Step(
            "Orchestrator storage",
            (python, "-m", "dagster", "instance", "migrate"),
            lambda: version("dagster"),
        ),
        Step("dbt manifest", (python, "-m", "orchestration.prepare"), lambda: _content("dbt")),
        Step(
            "Simulated estate", (python, "-m", "simulator", "seed", *estate), lambda: " ".join(estate), is_verbose=True
        ),
        Step(
            "Shell",
            (str(ROOT / "local" / "node.sh"), "build"),
            _shell,
            makes=environment.state.folder / "shell" / "browser" / "index.html",
        ),
    ]


def figures() -> Step:
    """The pipeline run that makes what the pages of this version read; the services must be up."""
    pipeline = (sys.executable, "-m", "orchestration.launch", "incremental", "--wait")
    return Step("Pipeline run", pipeline, lambda: _content("dbt"), is_verbose=True)


def past(environment: Environment) -> list[Step]:
    """What brings in the work that simulated CSMs did before the product was there; the first figures must be out."""
    file = environment.state.folder / "past.jsonl"
    python = sys.executable

    def written() -> str:
        return hashlib.blake2b(file.read_bytes() if file.exists() else b"", digest_size=16).hexdigest()

    return [
        Step("Tracker used before", (python, "-m", "simulator", "past", str(file)), lambda: "written", makes=file),
        Step(
            "Past actions", (python, "-m", "app.past_actions", "--allow-refused", str(file)), written, is_verbose=True
        ),
        Step(
            "Pipeline run with them",
            (python, "-m", "orchestration.launch", "incremental", "--wait"),
            written,
            is_verbose=True,
        ),
    ]


def one_per_role() -> dict[str, str]:
    """E-mail of the first of the demo's people in each role."""
    with PEOPLE.open(newline="", encoding="utf-8") as rows:
        people = list(csv.DictReader(rows))
    return {person["role"]: person["email"] for person in reversed(people)}
