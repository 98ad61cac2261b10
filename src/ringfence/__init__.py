"""Ringfence: an isolated-margin clearing and risk engine for crypto derivatives.

The names here are loaded when they are first used, so that importing the package is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringfence.core.reading import SpecError
    from ringfence.core.spec import PoolSpec
    from ringfence.venue import commands
    from ringfence.venue.venue import Venue

__all__ = ["PoolSpec", "SpecError", "Venue", "commands"]

_HOMES = {
    "PoolSpec": "ringfence.core.spec",
    "SpecError": "ringfence.core.reading",
    "Venue": "ringfence.venue.venue",
}


def __getattr__(name: str) -> Any:
    if name == "commands":
        return import_module("ringfence.venue.commands")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ringfence' has no attribute {name!r}")
