"""dbt's documentation of the warehouse as one page: every model and column, its tests, its SQL, and where it leads.

Made from the manifest alone, wherever that is made: what it tells is the code's. The front door shows it to admins.
"""

import os
import shutil
from pathlib import Path

from orchestration import manifest

PAGE = "index.html"


def folder() -> Path:
    """Where the page lies: beside the manifest, or what DBT_DOCS_DIR names."""
    return Path(os.environ.get("DBT_DOCS_DIR") or manifest.target_folder() / "docs").resolve()


def write() -> Path:
    """Make the page when it is older than the manifest; returns its path. Whoever is reading keeps the old one.

    Takes about 3 s. Raises DbtDoesNotParse.
    """
    made, page = manifest.prepare(), folder() / PAGE
    if page.exists() and page.stat().st_mtime >= made.stat().st_mtime:
        return page
    from dbt.cli.main import dbtRunner  # 3 s of imports, needed by this branch only

    aside = manifest.target_folder() / "docs.aside"
    aside.mkdir(exist_ok=True)
    shutil.copyfile(made, aside / made.name)
    quietly = ["docs", "generate", "--static", "--no-compile", "--empty-catalog", "--quiet"]
    with manifest.placeholders():
        answer = dbtRunner().invoke([*quietly, *manifest.arguments(aside)])
    if not answer.success:
        raise manifest.DbtDoesNotParse(f"The documentation of {manifest.project_folder()} failed: {answer.exception}")
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(aside / "static_index.html", page.with_suffix(".new"))
    page.with_suffix(".new").replace(page)
    shutil.rmtree(aside)
    return page
