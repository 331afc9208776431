"""What holds for every page and module of this face, whoever writes it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "pages").glob("*.py"))
FACE = sorted([*(ROOT / "app" / "ui").rglob("*.py"), ROOT / "app" / "main.py", ROOT / "app" / "asgi.py", *PAGES])
BANNED_CALLS = {"html", "iframe", "declare_component", "write", "login", "balloons", "snow"}
BANNED_WORDS = ("unsafe_allow_html", "unsafe_allow_javascript")


def _calls(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    """(module, name) of every call of an attribute."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            yield node.func.value.id, node.func.attr, node


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_no_entry_point_lies_beside_the_pages() -> None:
    """Streamlit would serve `pages/` beside an entry file without running it, and with it every access check."""
    scripts = [path.name for path in (ROOT).glob("*.py")]
    assert scripts == []
    assert not (ROOT / "app" / "pages").exists()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_knows_no_sql_and_no_cache(path: Path) -> None:
    assert not {name.partition(".")[0] for name in _imports(path)} & {"sqlalchemy", "redis", "psycopg", "dogpile"}
    assert len(path.read_text().splitlines()) <= 60


@pytest.mark.parametrize("path", FACE, ids=lambda path: path.name)
def test_no_call_can_put_foreign_text_into_the_page_as_markup(path: Path) -> None:
    source = path.read_text()
    used = [name for module, name, _ in _calls(ast.parse(source)) if module in ("st", "streamlit", "components")]
    assert not set(used) & BANNED_CALLS
    assert not [word for word in BANNED_WORDS if word in source]
    assert "innerHTML" not in source


@pytest.mark.parametrize("path", sorted((ROOT / "app" / "ui" / "assets").glob("*.js")), ids=lambda path: path.name)
def test_our_scripts_write_text_and_never_markup(path: Path) -> None:
    source = path.read_text()
    assert not [
        word for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(") if word in source
    ]


def test_every_cache_is_bounded_and_its_key_names_build_and_scope() -> None:
    found = 0
    for path in FACE:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in (
                    "st.cache_data",
                    "st.cache_resource",
                ):
                    found += 1
                    arguments = {argument.arg for argument in node.args.args}
                    assert {"build_id", "scope"} <= arguments, node.name
                    assert "max_entries" in {keyword.arg for keyword in decorator.keywords}, node.name
                assert ast.unparse(decorator) not in ("st.cache_data", "st.cache_resource"), node.name
    assert found >= 5


@pytest.mark.parametrize("path", FACE, ids=lambda path: path.name)
def test_a_module_has_one_subject(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 320


def test_the_face_never_reads_a_widget_as_proof_of_a_right() -> None:
    """Rights are asked of app.auth with the identity of the visit; session state holds choices."""
    for path in FACE:
        for module, name, call in _calls(ast.parse(path.read_text())):
            if (module, name) == ("auth", "require") or name == "can":
                assert "session_state" not in ast.unparse(call)


def test_the_fonts_are_ours_and_no_page_asks_another_host() -> None:
    config = (ROOT / ".streamlit" / "config.toml").read_text()
    assert "https://" not in config
    assert {path.name for path in (ROOT / "app" / "static").glob("*.woff2")} == {
        "inter-latin-wght-normal.woff2",
        "inter-latin-ext-wght-normal.woff2",
    }
    assert "SIL Open Font License" in (ROOT / "app" / "static" / "inter-LICENSE.txt").read_text()


def test_a08_what_a_timer_draws_is_no_activity_of_the_person() -> None:
    found = 0
    for path in FACE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                "run_every" in ast.unparse(one) for one in node.decorator_list
            ):
                looked_up = [
                    ast.unparse(call) for module, name, call in _calls(node) if (module, name) == ("visit", "begin")
                ]
                assert looked_up == ["visit.begin(is_background=True)"], node.name
                found += 1
    assert found == 3
