"""What routes share: the desk, page limits and cursors, and where times may lie."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from ringfence.service.desk import Desk
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
    str | None, QueryParameter(description="`next` of the page before.", max_length=64)
]
FromMs = Annotated[int, QueryParameter(description="From this time on.", ge=0, le=TIME_MS_MAX)]
ToMs = Annotated[int, QueryParameter(description="Up to this time.", ge=0, le=TIME_MS_MAX)]

T = TypeVar("T")


def number_in(cursor: str | None, otherwise: int) -> int:
    """Return the number that a cursor stands for.

    Raises:
        ProblemError: It is none.
    """
    if cursor is None:
        return otherwise
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 16):
        detail = f"cursor is {cursor!r}; give the `next` of the page before"
        raise ProblemError("malformed", detail)
    return int(cursor)


def page(found: Sequence[T], limit: int, cursor: str | None) -> tuple[Sequence[T], str | None]:
    """Return a page of a list, and the cursor of the next one."""
    start = number_in(cursor, 0)
    stop = start + limit
    return found[start:stop], str(stop) if stop < len(found) else None
