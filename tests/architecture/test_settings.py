"""`.env.example` names every variable that a process of ours reads."""

import re
from pathlib import Path

from pydantic_settings import BaseSettings

import extract.config
import learning.config
import simulator.config
from app.settings import Settings

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"


def settings_classes() -> list[type[BaseSettings]]:
    """All settings classes of the four rooms that read the environment."""
    modules = (extract.config, learning.config, simulator.config)
    found = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return [Settings, *(one for one in found if issubclass(one, BaseSettings) and one is not BaseSettings)]


def test_the_example_lists_every_setting() -> None:
    wanted = {
        f"{one.model_config.get('env_prefix', '')}{name}".upper()
        for one in settings_classes()
        for name in one.model_fields
    }

    listed = set(re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(), flags=re.M))

    assert wanted - listed == set()
