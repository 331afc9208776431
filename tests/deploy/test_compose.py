"""What compose.yaml promises, read from the file as the engine's own parser understands it (Z11 and the like)."""

import json
import re
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deploy.environment import SECRETS, with_secrets
from deploy.services import NAMES, command

ROOT = Path(__file__).resolve().parents[2]
# the program itself: the command that its package installs ends with 0 whatever happened
COMPOSE = Path(next(iter(find_spec("compose").submodule_search_locations))) / "docker-compose"  # pyright: ignore
HADOLINT = Path(sys.executable).parent / "hadolint"
EDGE = {"caddy"}
OUTSIDE = {"dagster-code"}
HIGHEST = {"postgres", "redis"}  # images of others, started by their own programs
ADDRESSES = {"SITE": "https://accounts.example.com", "ORCHESTRATOR_SITE": "https://orchestrator.example.com"}


def parse(*files: str, **variables: str) -> subprocess.CompletedProcess[str]:
    chosen = [part for file in files for part in ("--file", file)]
    return subprocess.run(
        [COMPOSE, *chosen, "--profile", "*", "--env-file", "/dev/null", "config", "--format", "json"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@lru_cache
def composed() -> dict[str, Any]:
    """The whole file, merged and filled in."""
    done = parse(**ADDRESSES)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def services() -> dict[str, dict[str, Any]]:
    return composed()["services"]


SERVICES = (
    "api", "backup", "caddy", "dagster", "dagster-code", "dagster-control", "dagster-daemon", "migrate", "postgres",
    "redis", "restore", "streamlit-1", "streamlit-2",
)  # fmt: skip
each = pytest.mark.parametrize("name", SERVICES)


def test_this_test_knows_every_service() -> None:
    assert sorted(services()) == sorted(SERVICES)


@pytest.mark.parametrize("missing", sorted(ADDRESSES))
def test_without_an_address_nothing_starts_and_it_says_which(missing: str) -> None:
    done = parse(**{name: value for name, value in ADDRESSES.items() if name != missing})

    assert done.returncode != 0
    assert missing in done.stderr


def test_z11_only_caddy_is_published() -> None:
    published = {name for name, service in services().items() if service.get("ports")}

    assert published == EDGE
    assert {port["target"] for port in services()["caddy"]["ports"]} == {80, 443}


@each
def test_z11_everything_is_on_the_private_network_and_no_other_but_who_must(name: str) -> None:
    expected = {"private"} | ({"edge"} if name in EDGE else set()) | ({"outside"} if name in OUTSIDE else set())

    assert set(services()[name]["networks"]) == expected
    assert services()[name].get("network_mode") is None


def test_z11_the_private_network_has_no_way_out() -> None:
    networks = composed()["networks"]

    assert networks["private"]["internal"] is True
    assert {name for name, network in networks.items() if not network.get("internal")} == {"edge", "outside"}


def test_with_an_identity_provider_the_api_alone_gets_a_way_out() -> None:
    told = {"OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "us"}

    done = parse("compose.yaml", "deploy/oidc.yaml", **ADDRESSES, **told)
    unnamed = parse("compose.yaml", "deploy/oidc.yaml", **ADDRESSES)

    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)["services"]
    api = services()["api"]
    assert set(made["api"].pop("networks")) == {"private", "outside"}
    assert made["api"].pop("environment") == api["environment"] | told | {
        "OIDC_CLIENT_SECRET_FILE": "/run/secrets/oidc_client_secret",
        "OIDC_NAME": "your company's sign-in",
    }
    assert {secret["source"] for secret in made["api"].pop("secrets")} == {
        "oidc_client_secret", *(secret["source"] for secret in api["secrets"]),
    }  # fmt: skip
    assert made["api"] == {name: part for name, part in api.items() if name in made["api"]}
    assert {name: part for name, part in made.items() if name != "api"} == {
        name: part for name, part in services().items() if name != "api"
    }
    assert unnamed.returncode != 0
    assert "OIDC_" in unnamed.stderr  # the parser names the first of both that it meets, in no order


@each
def test_nobody_runs_as_root_or_can_become_it(name: str) -> None:
    service = services()[name]
    uid, _, gid = service["user"].partition(":")

    assert int(uid) >= 999
    assert int(gid) >= 999
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert service.get("pid") is None


@each
def test_roots_are_read_only_and_nothing_of_the_host_can_be_written(name: str) -> None:
    service = services()[name]
    from_host = [mount for mount in service.get("volumes", []) if mount["type"] == "bind"]

    assert service["read_only"] is True
    assert all(mount.get("read_only") for mount in from_host)
    assert not any("docker.sock" in mount.get("source", "") for mount in from_host)


@each
def test_everything_has_a_limit_of_memory_processors_and_processes(name: str) -> None:
    limits = services()[name]["deploy"]["resources"]["limits"]

    assert {"memory", "cpus", "pids"} <= limits.keys()


@each
def test_logs_can_not_fill_the_disk(name: str) -> None:
    assert services()[name]["logging"]["options"].keys() >= {"max-size", "max-file"}


@each
def test_what_stays_is_checked_and_started_again(name: str) -> None:
    service = services()[name]
    if name in ("migrate", "restore"):
        assert service["restart"] == "no"
        return

    assert service["restart"] == "unless-stopped"
    if name != "caddy":  # the image's file is checked at its start; it answers through nothing but the door
        assert service["healthcheck"]["test"]


@each
def test_who_uses_the_database_waits_until_it_is_prepared(name: str) -> None:
    service = services()[name]
    awaited = {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
    if name in ("postgres", "redis", "caddy", "restore"):
        assert "migrate" not in awaited
        return

    expected = ("postgres", "service_healthy") if name == "migrate" else ("migrate", "service_completed_successfully")
    assert expected in awaited.items()


@each
def test_no_secret_stands_in_the_file(name: str) -> None:
    environment = services()[name].get("environment") or {}
    addresses = [value for value in environment.values() if value and "@" in value and "://" in value]

    assert not [key for key in environment if key in SECRETS and not re.search(r"\{[A-Z_]+\}", environment[key])]
    assert all(re.search(r":\{[A-Z_]+_PASSWORD\}@", address) for address in addresses)


@each
def test_every_named_secret_is_mounted_known_and_used(name: str) -> None:
    service = services()[name]
    mounted = {secret["source"] for secret in service.get("secrets", [])}
    named = {
        key.removesuffix("_FILE"): Path(value).name
        for key, value in (service.get("environment") or {}).items()
        if key.endswith("_FILE")
    }
    script = " ".join(service.get("command") or [])

    assert named.keys() <= SECRETS
    assert mounted == set(named.values()) | set(re.findall(r"/run/secrets/(\w+)", script))


def test_only_who_must_has_the_superuser_s_password() -> None:
    holders = {
        name for name, service in services().items()
        if "postgres_password" in {secret["source"] for secret in service.get("secrets", [])}
    }  # fmt: skip

    assert holders == {"postgres", "migrate", "restore"}


def test_what_faces_the_browser_has_no_key_of_a_source_and_no_writer_of_marts() -> None:
    for name in ("api", "streamlit-1", "streamlit-2", "dagster", "dagster-control", "dagster-daemon", "caddy"):
        mounted = {secret["source"] for secret in services()[name]["secrets"]}

        known = {"application_password", "redis_password", "proxy_secret", "dagster_password"}
        runs_sql = name == "api" or name.startswith("streamlit")
        assert mounted <= known | ({"analyst_password"} if runs_sql else set())


@each
def test_every_address_can_be_made_from_the_secrets_of_its_service(name: str, tmp_path: Path) -> None:
    given = dict(services()[name].get("environment") or {})
    for key in [key for key in given if key.endswith("_FILE") and key.removesuffix("_FILE") in SECRETS]:
        place = tmp_path / key
        place.write_text(f"secret-of-{key}")
        given[key] = str(place)

    made = with_secrets({key: value for key, value in given.items() if value is not None})

    assert not [value for value in made.values() if re.search(r"\{[A-Z_]+\}", value)]


def test_each_service_of_ours_is_one_that_the_image_knows() -> None:
    started = {
        service["command"][1] for service in services().values() if (service.get("command") or [""])[0] == "start"
    }

    assert started == set(NAMES)
    assert all(command(name, {"DAGSTER_HOME": "/srv/state"}) for name in NAMES)


def test_the_orchestrator_that_is_looked_at_refuses_changes() -> None:
    assert "--read-only" in command("dagster", {})
    assert "--read-only" not in command("dagster-control", {})
    assert services()["caddy"]["environment"]["DAGSTER_READONLY"].startswith("dagster:")


def test_visitors_are_spread_over_two_page_servers() -> None:
    assert services()["caddy"]["environment"]["STREAMLIT"].split() == ["streamlit-1:8501", "streamlit-2:8501"]


def test_every_secret_is_made_by_the_script_and_made_once(tmp_path: Path) -> None:
    script = [str(ROOT / "deploy" / "make-secrets.sh"), str(tmp_path / "secrets")]
    subprocess.run(script, check=True, capture_output=True)
    first = {place.name: place.read_text() for place in (tmp_path / "secrets").iterdir()}

    subprocess.run(script, check=True, capture_output=True)

    assert first.keys() == composed()["secrets"].keys() | {"oidc_client_secret"}
    assert {place.name: place.read_text() for place in (tmp_path / "secrets").iterdir()} == first
    filled = [secret for secret in first.values() if secret]
    assert len(set(filled)) == len(filled) >= 9
    assert min(map(len, filled)) >= 40
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


def test_the_dockerfile_is_clean() -> None:
    done = subprocess.run([HADOLINT, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout == ""
    assert done.returncode == 0


def test_the_linter_of_the_dockerfile_bites(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /srv && sudo apt-get install curl\n")

    done = subprocess.run([HADOLINT, "Dockerfile"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode != 0


def test_every_image_ends_as_somebody_without_rights() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = re.split(r"^FROM ", text, flags=re.M)[1:]
    users = {}
    for stage in stages:
        base, name = re.match(r"(\S+) AS (\w+)", stage).groups()  # pyright: ignore[reportOptionalMemberAccess]
        found = re.findall(r"^USER (\S+)", stage, flags=re.M)
        users[name] = found[-1] if found else users.get(base)

    assert {users[name] for name in ("faces", "pipeline", "web")} == {"10001:10001"}


def test_every_base_image_is_an_argument_with_an_exact_version() -> None:
    text = (ROOT / "Dockerfile").read_text()
    defaults = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", text, flags=re.M))
    own = set(re.findall(r"^FROM \S+ AS (\w+)", text, flags=re.M))
    bases = set(re.findall(r"^FROM (\S+) AS", text, flags=re.M)) - own

    assert bases == {f"${{{name}}}" for name in defaults}
    assert all(re.search(r":\d+(\.\d+)*", image) for image in defaults.values())


def test_what_goes_into_an_image_is_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    assert rules[0] == "*"
    assert not {"!.git", "!.state", "!.env", "!secrets", "!simulator", "!tests"} & set(rules)


def test_what_an_image_copies_is_let_into_the_build_and_is_there() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), flags=re.M)
    copied = [source for sources in copies for source in sources.split()]

    assert "recount" in copied
    assert [source for source in copied if source.split("/")[0] not in let_in] == []
    assert [source for source in copied if not (ROOT / source).exists()] == []
