"""Margin models as data: a TOML file each, the fields of ScenarioModel or StandardModel."""

import tomllib
from importlib.resources import files
from typing import Any

PRESETS = ("span16", "deribit-like", "derive-pmrm2", "derive-srm")


def parameters_of(name: str) -> dict[str, Any]:
    """Parameters of a preset, as its file states them."""
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))
