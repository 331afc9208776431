"""What the shell says twice is the same twice."""

import re
from pathlib import Path

from app.ui.navigation import HOMES, PLACES

TEXT = (Path(__file__).resolve().parents[2] / "shell" / "src" / "app" / "layout" / "places.ts").read_text()


def test_the_rail_has_the_pages_of_the_bar_in_its_order_for_the_same_roles() -> None:
    rail = re.findall(r"address: '([\w-]+)', title: '([\w ]+)', icon: '\w+', roles: (EVERYBODY|\[[^\]]*\])", TEXT)
    everybody = str(re.findall(r"EVERYBODY: [^=]*= (\[[^\]]*\])", TEXT)[0])

    shown = [
        (address, title, re.findall(r"'(\w+)'", everybody if roles == "EVERYBODY" else roles))
        for address, title, roles in rail
    ]

    assert shown == [(one.address, one.title, [str(role) for role in one.roles]) for one in PLACES if one.roles]


def test_the_shell_knows_every_page_and_no_other() -> None:
    beside = re.findall(r"'([\w-]+)'", str(re.findall(r"BESIDE: [^=]*= (\[[^\]]*\])", TEXT)[0]))

    assert beside == [one.address for one in PLACES if not one.roles]


def test_every_role_starts_on_the_same_page() -> None:
    homes = dict(re.findall(r"(\w+): '([\w-]+)'", TEXT[TEXT.index("HOMES") :]))

    assert homes == {str(role): address for role, address in HOMES.items()}
