"""Sums of products over forty lanes at once: the inner loop of the scenario scan.

    sum[lane] = sum over legs of size[leg] * rows[instrument[leg], lane]

Compiled, the lanes are five LLVM vectors of eight int64 that stay in registers; plain loops
take three times as long. LLVM lowers the vectors to whatever the processor has, with the same
integers. In plain Python the same function adds up Python integers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

LANES = 8  # int64 of one vector
VECTORS = 5
WIDTH = LANES * VECTORS  # lanes of a row
LAST = WIDTH - 1  # the lane that is summed, but takes no part in the least

Ints = NDArray[np.int64]
Indices = NDArray[np.int32]


def least_and_last(
    instrument: Indices, size: Ints, rows: Ints, start: int, stop: int
) -> tuple[int, int]:
    """Least of zero and the sums of all lanes but the last, and the sum of the last lane."""
    sums = [0] * WIDTH
    for leg in range(start, stop):
        row = rows[instrument[leg]]
        for lane in range(WIDTH):
            sums[lane] += int(size[leg]) * int(row[lane])
    return min(0, *sums[:LAST]), sums[LAST]


@overload(least_and_last, jit_options={"forceinline": True, "error_model": "numpy"})
def _least_and_last(
    instrument: Indices, size: Ints, rows: Ints, start: int, stop: int
) -> Callable[..., tuple[int, int]]:
    def by_vectors(
        instrument: Indices, size: Ints, rows: Ints, start: int, stop: int
    ) -> tuple[int, int]:
        return _vectors(instrument, size, rows, start, stop)

    return by_vectors


_WORD, _HALF = ir.IntType(64), ir.IntType(32)
_VECTOR = ir.VectorType(_WORD, LANES)
_NOTHING = ir.Constant(_VECTOR, ir.Undefined)


def _build(_context: Any, instrument: Any, size: Any, rows: Any, start: Any, stop: Any) -> Any:
    signature = types.UniTuple(types.int64, 2)(instrument, size, rows, types.int64, types.int64)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        instruments, sizes, table = (
            make_array(kind)(context, builder, value).data
            for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        )
        zero = ir.Constant(_VECTOR, [_WORD(0)] * LANES)
        sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(VECTORS)]
        for each in sums:
            builder.store(zero, each)
        one = ir.Constant(_WORD, 1)
        with _for_range_slice(builder, *arguments[3:], one) as (leg, _):
            index = builder.sext(builder.load(builder.gep(instruments, [leg])), _WORD)
            weight = _spread(builder, builder.load(builder.gep(sizes, [leg])))
            row = builder.gep(table, [builder.mul(index, _WORD(WIDTH))])
            for v, each in enumerate(sums):
                place = builder.gep(row, [_WORD(LANES * v)])
                part = builder.load(builder.bitcast(place, _VECTOR.as_pointer()), align=8)
                builder.store(builder.add(builder.load(each), builder.mul(weight, part)), each)
        found = [builder.load(each) for each in sums]
        last = builder.extract_element(found[-1], _HALF(LANES - 1))
        found[-1] = builder.insert_element(found[-1], _WORD(0), _HALF(LANES - 1))
        least = _least(builder, found)
        return context.make_tuple(builder, signature.return_type, [least, last])

    return signature, codegen


_vectors: Any = intrinsic(_build)  # Any: its types know of the context, its callers do not
_for_range_slice: Any = cgutils.for_range_slice


def _spread(builder: Any, value: Any) -> Any:
    """One value in all lanes."""
    first = builder.insert_element(_NOTHING, value, _HALF(0))
    return builder.shuffle_vector(
        first, _NOTHING, ir.Constant(ir.VectorType(_HALF, LANES), [_HALF(0)] * LANES)
    )


def _least(builder: Any, vectors: list[Any]) -> Any:
    """Least lane of all vectors."""
    least = vectors[0]
    for each in vectors[1:]:
        least = builder.select(builder.icmp_signed("<", least, each), least, each)
    kind = ir.FunctionType(_WORD, [_VECTOR])
    name = f"llvm.vector.reduce.smin.v{LANES}i64"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [least])
