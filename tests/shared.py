"""Where the real market data and the published vectors lie, outside of the project."""

import os
from pathlib import Path

import pytest

SHARED = Path(
    os.environ.get("RINGFENCE_SHARED", Path(__file__).resolve().parent.parent.parent / "shared")
)


def shared(*parts: str) -> Path:
    """Path of a shared file; the test is skipped, with the reason, where it is missing."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"shared data is missing: {path.name} (set RINGFENCE_SHARED to its folder)")
    return path
