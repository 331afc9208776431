"""Every control that the product promises has a test under its id, or stands in the list of what is open."""

import ast
import re
import tomllib
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
LIST = tomllib.loads((TESTS / "controls.toml").read_text(encoding="utf-8"))
_IDS = re.compile(r"test_((?:[aczs]\d\d_)+)")


def ids_with_a_test() -> set[str]:
    """The ids at the beginning of the names of all test functions, in capitals."""
    return {
        one.upper()
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (named := _IDS.match(node.name))
        for one in named[1].rstrip("_").split("_")
    }


def test_every_promised_control_has_a_test_or_is_said_to_have_none() -> None:
    assert set(LIST["promised"]) - ids_with_a_test() == set(LIST["open"])
    assert all(len(reason) > 20 for reason in LIST["open"].values())


def test_no_test_names_a_control_that_is_not_promised() -> None:
    assert ids_with_a_test() - set(LIST["promised"]) == set()


def test_the_list_is_the_whole_of_it() -> None:
    wanted = [f"A{n:02}" for n in range(1, 24)] + [f"C{n:02}" for n in range(1, 18)]
    wanted += [f"Z{n:02}" for n in (*range(1, 7), *range(11, 17))]
    wanted += [f"S{n:02}" for n in range(1, 16)]

    assert list(LIST["promised"]) == wanted
