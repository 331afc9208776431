"""Many people from a file, on the command line."""

from pathlib import Path

import psycopg
import pytest

from app.db import engine
from app.settings import get_settings
from app.users import main
from tests.conftest import Warehouse

FILE = "email,name,role,owner_email\nann@firm.example,Ann Lee,csm,ann@firm.example\nbo@firm.example,Bo Ek,admin,\n"


@pytest.fixture
def people(migrated_app: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of two people, and the application's settings on a fresh database."""
    monkeypatch.setenv("APP_DATABASE_URL", migrated_app.application_url)
    monkeypatch.setenv("FIRST_PASSWORD", "correct horse battery staple")
    get_settings.cache_clear()
    engine.cache_clear()
    file = tmp_path / "people.csv"
    file.write_text(FILE)
    return file


def test_a_file_of_people_is_imported_once_and_who_exists_is_left_alone(
    people: Path, migrated_app: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    first = main(["import", str(people), "--password-env", "FIRST_PASSWORD"])
    second = main(["import", str(people), "--password-env", "FIRST_PASSWORD"])

    assert (first, second) == (0, 0)
    assert "ann@firm.example exists already" in capsys.readouterr().out
    with psycopg.connect(migrated_app.admin_dsn) as connection:
        rows = connection.execute("select email, role, owner_email from app.users order by email").fetchall()
    assert rows == [("ann@firm.example", "csm", "ann@firm.example"), ("bo@firm.example", "admin", None)]


def test_one_wrong_line_imports_nobody(
    people: Path, migrated_app: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    people.write_text(FILE + "not-an-address,Cy,csm,\n")

    code = main(["import", str(people), "--password-env", "FIRST_PASSWORD"])

    assert code == 1
    assert "not an e-mail address" in capsys.readouterr().err
    with psycopg.connect(migrated_app.admin_dsn) as connection:
        assert connection.execute("select count(*) from app.users").fetchone() == (0,)
