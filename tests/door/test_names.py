"""What the Caddyfile asks of its environment is given by the demo and by the containers."""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.services import services
from local.state import Environment, State
from tests.deploy.test_compose import services as composed
from tests.door.conftest import CADDYFILE, PROXY_SECRET, caddy

ASKED = set(re.findall(r"\{\$(\w+)|\{env\.(\w+)\}", CADDYFILE.read_text()))
NAMES = {plain or late for plain, late in ASKED}


def test_the_file_asks_for_what_its_head_explains() -> None:
    head = CADDYFILE.read_text().partition("{\n")[0]

    assert {name for name in NAMES if not re.search(rf"\b{name}\b", head)} == set()
    assert len(NAMES) == 11


def test_the_demo_gives_every_name(tmp_path: Path) -> None:
    environment = Environment.establish(State(tmp_path / "state"))
    [front] = [one for one in services(environment) if one.name == "front"]

    given = {**environment.for_processes(), **front.env}

    assert {name for name in NAMES if not given.get(name)} == set()
    assert given["BIND"] == "127.0.0.1"
    assert (given["API"], given["STREAMLIT"]) == (
        f"127.0.0.1:{environment.port('API_PORT')}", f"127.0.0.1:{environment.port('STREAMLIT_PORT')}",
    )  # fmt: skip


def test_the_containers_give_every_name() -> None:
    door = composed()["caddy"]
    exported = set(re.findall(r"^export (\w+)$", " ".join(door["command"]), flags=re.M))

    assert {name for name in NAMES if not door["environment"].get(name) and name not in exported} == set()


# every way through the door, and what it asks before it lets somebody pass; the API asks by itself (tests/api)
WAYS = {
    ("SITE", "/api/*"): None,
    ("SITE", "/app"): None,  # leads to the next
    ("SITE", "/app/*"): "user",
    ("SITE", "/orchestrator"): None,  # leads to the other site
    ("SITE", "/orchestrator/*"): None,  # … and to a place on it
    ("SITE", ""): None,  # files of the shell, which hold no data
    ("SITE", "@page"): None,
    ("ORCHESTRATOR_SITE", "/hand-over"): None,  # takes the ticket for a cookie, and shows nothing
    ("ORCHESTRATOR_SITE", "/warehouse-docs"): "admin",  # leads to the next
    ("ORCHESTRATOR_SITE", "/warehouse-docs/*"): "admin",
    ("ORCHESTRATOR_SITE", "@launching"): "admin",
    ("ORCHESTRATOR_SITE", ""): "admin",
}


def test_z01_every_way_through_the_door_is_named_here() -> None:
    found: dict[tuple[str, str], str | None] = {}
    for name, body in re.findall(r"^\{\$(\w+):[^}]*\} \{$(.*?)^\}$", CADDYFILE.read_text(), flags=re.M | re.S):
        asked_of_all = re.search(r"^\t\timport gate (\w+)$", body, flags=re.M)
        for one in re.finditer(r"^(\t+)handle ?([^\s{]*) \{$(.*?)^\1\}$", body, flags=re.M | re.S):
            indent, way, inner = one.groups()
            # within a route things happen in order: what stands before the question is not asked it
            of_all = asked_of_all if asked_of_all and asked_of_all.start() < one.start() else None
            asked = re.search(r"import gate (\w+)", inner) or of_all
            found[name, way] = asked[1] if asked else None
            found |= {(name, nested): None for nested in re.findall(rf"^{indent}\t+handle (\S+) \{{$", inner, re.M)}

    assert found == WAYS


def _caddy(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [caddy(), *arguments, "--adapter", "caddyfile"] if arguments[0] == "validate" else [caddy(), *arguments]
    here = {"PATH": os.environ["PATH"], "HOME": str(folder), "PROXY_SECRET": PROXY_SECRET}
    return subprocess.run(command, env=here | variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("where", ["demo", "containers"])
def test_c17_the_shipped_file_is_valid_where_it_is_used(where: str, tmp_path: Path) -> None:
    environment = Environment.establish(State(tmp_path / "state"))
    [front] = [one for one in services(environment) if one.name == "front"]
    given = {**environment.variables, **front.env} if where == "demo" else composed()["caddy"]["environment"]
    variables = {name: given[name] for name in NAMES if given.get(name)}

    valid = _caddy("validate", "--config", str(CADDYFILE), folder=tmp_path, **variables)

    assert valid.returncode == 0, valid.stderr
    assert _caddy("fmt", "--diff", str(CADDYFILE), folder=tmp_path).returncode == 0
    site, orchestrator = urlsplit(given["SITE"]), urlsplit(given["ORCHESTRATOR_SITE"])
    assert site.scheme == orchestrator.scheme
    # ports of one host name share their cookies: a deployment has two names, the demo nothing but localhost
    assert (site.hostname == orchestrator.hostname) == (where == "demo")
    assert (site.port == orchestrator.port) == (where == "containers")


@pytest.mark.parametrize("name", sorted({"API", "STREAMLIT", "DAGSTER", "DAGSTER_READONLY"}))
def test_the_containers_name_services_that_there_are(name: str) -> None:
    hosts = {one.rpartition(":")[0] for one in composed()["caddy"]["environment"][name].split()}

    assert hosts <= composed().keys()
