"""Rules about the tree itself, each of which was a trap once."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REGISTRIES = re.compile(r"p[y]pi\.org|python[h]osted\.org|registry\.np[m]js|d[e]b\.debian\.org")


def tracked(*patterns: str) -> list[Path]:
    """Files under version control (or about to be), as absolute paths."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_file_names_a_package_registry() -> None:
    named = [path for path in tracked() if REGISTRIES.search(path.read_text(errors="ignore"))]

    assert named == []


def test_no_python_file_lies_in_dbt() -> None:
    # it would join the import path of the package dbt
    assert [path for path in tracked("dbt") if path.suffix == ".py"] == []


def test_no_streamlit_entry_point_lies_beside_pages() -> None:
    # beside `pages/`, a first deep link would run the page and skip the entry point with its access check
    beside = [path for path in tracked("*.py") if path.parent == ROOT]

    assert beside == []


def test_every_package_of_ours_has_an_empty_init() -> None:
    rooms = ("api", "app", "extract", "local", "orchestration", "simulator")
    filled = [
        path
        for path in tracked("*__init__.py")
        if path.relative_to(ROOT).parts[0] in rooms and path.read_text().strip()
    ]

    assert [path for path in filled if path.parent.name != "sources"] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-tools.lock"])
def test_every_locked_package_has_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = re.findall(r"^[a-zA-Z0-9_.\-\[\]]+==", text, flags=re.M)
    blocks = re.split(r"^(?=[a-zA-Z0-9_.\-\[\]]+==)", text, flags=re.M)[1:]

    assert pinned
    assert all("--hash=sha256:" in block for block in blocks)
