"""What routes share: the desk, page limits and cursors, and where times may lie."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from ringfence.service.desk import Desk
from ringfence.service.frames import Frame
from ringfence.service.problems import ProblemError

TheDesk = NamedDependency[Desk]

TIME_MS_MAX = 2**53 - 1
ADDRESS = "^0x[0-9a-fA-F]{40}$"

PoolName = Annotated[str, PathParameter(description="Id or name of a pool.", max_length=256)]
Address = Annotated[
    str, PathParameter(description="Address of an owner.", pattern=ADDRESS, max_length=42)
]
Number = Annotated[
    int, PathParameter(description="The owner's own number of the account.", ge=0, le=TIME_MS_MAX)
]
Limit = Annotated[int, QueryParameter(description="Items in a page.", ge=1, le=500)]
Cursor = Annotated[
    str | None,
    QueryParameter(
        description="`next` of the page before.", pattern="^[0-9]{1,16}$", max_length=16
    ),
]
FromMs = Annotated[int, QueryParameter(description="From this time on.", ge=0, le=TIME_MS_MAX)]
ToMs = Annotated[int, QueryParameter(description="Up to this time.", ge=0, le=TIME_MS_MAX)]

T = TypeVar("T")


def underlying_of(frame: Frame, name: str | None) -> int:
    """Return the number of an underlying of a pool; the first one unless named.

    Raises:
        ProblemError: The pool has none of that name.
    """
    names = [u.name for u in frame.facts.spec.underlyings]
    if name is not None and name not in names:
        detail = f"there is no underlying {name!r} in this pool; it has {', '.join(names)}"
        raise ProblemError("underlying_unknown", detail)
    return names.index(name) if name is not None else 0


def number_in(cursor: str | None, otherwise: int) -> int:
    """Return the number that a cursor stands for."""
    if cursor is None:
        return otherwise
    return int(cursor)


def page(found: Sequence[T], limit: int, cursor: str | None) -> tuple[Sequence[T], str | None]:
    """Return a page of a list, and the cursor of the next one."""
    start = number_in(cursor, 0)
    stop = start + limit
    return found[start:stop], str(stop) if stop < len(found) else None
