"""Secrets come from files, and nobody finds them anywhere else."""

from pathlib import Path

import pytest

from deploy.environment import SecretMissing, is_production, with_secrets


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A secret's file as an engine mounts it, with the line end that editors add."""
    place = tmp_path / "loader_password"
    place.write_text("s3cret/with:signs@all\n")
    return place


def test_a_file_becomes_the_variable_without_its_line_end(password: Path) -> None:
    made = with_secrets({"LOADER_PASSWORD_FILE": str(password), "TZ": "UTC"})

    assert made == {"LOADER_PASSWORD": "s3cret/with:signs@all", "TZ": "UTC"}


def test_an_address_gets_its_password_quoted(password: Path) -> None:
    made = with_secrets(
        {
            "LOADER_PASSWORD_FILE": str(password),
            "LOADER_DSN": "postgresql://loader:{LOADER_PASSWORD}@postgres/warehouse",
        }
    )

    assert made["LOADER_DSN"] == "postgresql://loader:s3cret%2Fwith%3Asigns%40all@postgres/warehouse"


def test_braces_that_name_no_secret_stay_as_they_are(password: Path) -> None:
    made = with_secrets({"LOADER_PASSWORD_FILE": str(password), "FORMAT": "{LEVEL} {message}"})

    assert made["FORMAT"] == "{LEVEL} {message}"


def test_an_empty_file_means_that_there_is_no_such_secret(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")

    made = with_secrets(
        {"REDIS_PASSWORD_FILE": str(tmp_path / "empty"), "REDIS_URL": "redis://:{REDIS_PASSWORD}@redis:6379/0"}
    )

    assert made == {}


def test_a_variable_beside_its_file_is_refused(password: Path) -> None:
    with pytest.raises(SecretMissing, match="LOADER_PASSWORD and LOADER_PASSWORD_FILE are both set"):
        with_secrets({"LOADER_PASSWORD_FILE": str(password), "LOADER_PASSWORD": "another"})


def test_a_missing_file_is_named_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match=r"HUBSPOT_TOKEN_FILE names .*absent, which can not be read: No such file"):
        with_secrets({"HUBSPOT_TOKEN_FILE": str(tmp_path / "absent")})


def test_a_file_that_is_no_secret_of_ours_is_left_alone(tmp_path: Path) -> None:
    # SSL_CERT_FILE names hundreds of kilobytes: as a variable they kept every program from starting
    given = {"SSL_CERT_FILE": str(tmp_path / "authorities.pem")}

    assert with_secrets(given) == given


@pytest.mark.parametrize(
    ("environment", "expected"), [({}, True), ({"ENVIRONMENT": "Demo"}, True), ({"ENVIRONMENT": "demo"}, False)]
)
def test_a_forgotten_or_misspelt_environment_counts_as_production(environment: dict[str, str], expected: bool) -> None:
    assert is_production(environment) is expected
