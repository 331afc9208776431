"""What the Caddyfile asks of its environment is given by the demo and by the containers."""

import re
from pathlib import Path

import pytest

from local.services import services
from local.state import Environment, State
from tests.deploy.test_compose import services as composed
from tests.door.conftest import CADDYFILE

ASKED = set(re.findall(r"\{\$(\w+)|\{env\.(\w+)\}", CADDYFILE.read_text()))
NAMES = {plain or late for plain, late in ASKED}


def test_the_file_asks_for_what_its_head_explains() -> None:
    head = CADDYFILE.read_text().partition("{\n")[0]

    assert {name for name in NAMES if not re.search(rf"\b{name}\b", head)} == set()
    assert len(NAMES) == 9


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


@pytest.mark.parametrize("name", sorted({"API", "STREAMLIT", "DAGSTER", "DAGSTER_READONLY"}))
def test_the_containers_name_services_that_there_are(name: str) -> None:
    hosts = {one.rpartition(":")[0] for one in composed()["caddy"]["environment"][name].split()}

    assert hosts <= composed().keys()
