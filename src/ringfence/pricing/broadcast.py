"""Broadcasting of scalars and arrays to a kernel over columns, slice by slice.

A kernel takes contiguous columns of equal length. An argument that is the same for every
row is written out once for one slice and used for all of them, so it costs no memory
traffic; the kernel gives up the interpreter lock, so slices may run on several threads.
Every row depends on its own inputs only: the threads and slices cannot change a bit.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SLICE = 16_384  # rows: some hundred microseconds of work, and the columns stay in the cache


def run(
    kernel: Callable[..., None],
    numbers: Sequence[ArrayLike],
    flags: Sequence[ArrayLike],
    results: int,
    *,
    threads: int = 1,
) -> tuple[Any, ...]:
    """Run kernel(*numbers, *flags, *results) over all rows; scalars in, floats out.

    Raises:
        TypeError: A flag is not boolean.
        ValueError: The shapes do not broadcast.
    """
    inputs: list[NDArray[Any]] = [np.asarray(number, dtype=np.float64) for number in numbers]
    inputs += [_boolean(flag) for flag in flags]
    shapes = {array.shape for array in inputs}
    shape = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
    count = math.prod(shape)
    length = min(count, SLICE)
    columns = [_column(array, shape, length) for array in inputs]
    outputs = [np.empty(count) for _ in range(results)]

    def one_slice(start: int) -> None:
        stop = min(start + length, count)
        rows = [c[: stop - start] if c.size == length else c[start:stop] for c in columns]
        with np.errstate(all="ignore"):  # what has no meaning is NaN; only interpreted code warns
            kernel(*rows, *(output[start:stop] for output in outputs))

    starts = range(0, count, SLICE)
    if threads > 1 and len(starts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one_slice, starts))
    else:
        for start in starts:
            one_slice(start)
    if shape == ():
        return tuple(float(output[0]) for output in outputs)
    return tuple(output.reshape(shape) for output in outputs)


def _boolean(flag: ArrayLike) -> Flags:
    array = np.asarray(flag)
    if array.dtype != np.bool_:
        raise TypeError(f"is_call must be boolean (True: call, False: put), not {array.dtype}")
    return array


def _column(array: NDArray[Any], shape: tuple[int, ...], length: int) -> NDArray[Any]:
    """Write an argument out: for one slice if it is one value, else for all rows."""
    if array.shape == shape:
        return array.ravel()
    if array.size == 1:
        return np.full(length, array.item())
    return np.broadcast_to(array, shape).ravel()
