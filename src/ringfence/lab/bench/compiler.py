"""C contenders of the bench, compiled here by gcc for this very processor, where it is there."""

import ctypes
import importlib
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class MissingError(Exception):
    """A contender is not there; says what is missing."""


def compiled(source: str, function: str, *flags: str, libraries: tuple[str, ...] = ()) -> Any:
    """Return a function of a C file beside this module.

    Raises:
        MissingError: There is no gcc, or it does not compile the file.
    """
    gcc = shutil.which("gcc")
    if gcc is None:
        raise MissingError("gcc is not installed")
    path = Path(__file__).with_name(source)
    with tempfile.TemporaryDirectory() as folder:
        middle, library = Path(folder) / "contender.o", Path(folder) / "contender.so"
        _call(gcc, "-O3", "-march=native", "-fPIC", *flags, "-c", "-o", str(middle), str(path))
        # Linked without the flags: -ffast-math would add start-up code that makes the
        # processor flush subnormal numbers, in this whole process and for good.
        _call(gcc, "-shared", "-o", str(library), str(middle), *libraries)
        return getattr(ctypes.CDLL(str(library)), function)


def _call(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no input of others
    if ran.returncode:
        raise MissingError(f"gcc does not compile it: {ran.stderr.strip().splitlines()[-1]}")


def package(name: str, module: str | None = None) -> Any:
    """Return a module of a package that may not be installed.

    Raises:
        MissingError: It is not.
    """
    if find_spec(name) is None:
        raise MissingError(f"{name} is not installed")
    return importlib.import_module(module or name)
