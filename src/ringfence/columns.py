"""A set of columns of 64-bit numbers that a kernel takes as one pointer.

Numba passes a NamedTuple of fifty arrays as some four hundred numbers, in every call between
kernels: compiling the core took two minutes that way, and calling it six microseconds. A
subclass of Columns is passed as the address of a table instead, with the data pointer and the
lengths of each column. In plain Python it is an object with arrays as attributes.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, register_model, unbox
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

Column = NDArray[np.int64]
Floats = NDArray[np.float64]  # never of a pool's state
Numbers = Mapping[str, Column | Floats]

_WORDS = 3  # of a column in the table: data pointer, first length, second length


class ColumnsType(types.Type):
    """Numba's type of one subclass of Columns: its name, and axes and numbers of each column."""

    def __init__(self, name: str, columns: dict[str, tuple[int, Any]]) -> None:
        self.arrays = {
            column: types.Array(_NUMBERS[numbers], axes, "C")
            for column, (axes, numbers) in columns.items()
        }
        self.places = {column: k for k, column in enumerate(columns)}
        super().__init__(name=f"Columns({name}, {self.arrays})")


_NUMBERS = {np.int64: types.int64, np.float64: types.float64}


class Columns:
    """Named columns of one or two axes; subclasses annotate them, `axes` counts."""

    axes: ClassVar[dict[str, int]]
    numbers: ClassVar[dict[str, Any]]  # of each column: np.int64 or np.float64
    places: ClassVar[dict[str, int]]  # of each column in the table
    _table: Column
    _numba_type_: ClassVar[ColumnsType]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        matrices = getattr(cls, "MATRICES", ())
        kinds = {Column: np.int64, Floats: np.float64}
        found = {n: kinds[kind] for n, kind in cls.__annotations__.items() if kind in kinds}
        cls.numbers = found
        cls.axes = {name: 2 if name in matrices else 1 for name in found}
        cls.places = {name: k for k, name in enumerate(found)}
        both = {name: (cls.axes[name], numbers) for name, numbers in found.items()}
        cls._numba_type_ = ColumnsType(cls.__name__, both)

    def __init__(self, **columns: Column | Floats) -> None:
        if columns.keys() != self.axes.keys():
            raise TypeError(f"columns differ: {sorted(columns.keys() ^ self.axes.keys())}")
        self._take(columns, np.zeros((len(self.axes), _WORDS), dtype=np.int64), columns)

    def _take(self, columns: Numbers, table: Column, new: Numbers) -> None:
        """Become these columns; the table is to be brought up to date with the new ones."""
        for name, column in new.items():
            axes, numbers = self.axes[name], self.numbers[name]
            if column.dtype != numbers or column.ndim != axes or not column.flags.c_contiguous:
                kind = numbers.__name__
                raise TypeError(f"column {name} must be {kind}, contiguous, of {axes} axes")
            words = (column.__array_interface__["data"][0], *column.shape)
            table[self.places[name], : 1 + axes] = words
        address = table.__array_interface__["data"][0]
        self.__dict__.update(columns, _table=table, address=address)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"column {name} cannot be rebound; write into it")

    def items(self) -> list[tuple[str, Column]]:
        """Return names and columns in their order."""
        return [(name, self.__dict__[name]) for name in self.axes]

    def replaced(self, **columns: Column) -> Self:
        """Return the same columns with some of them exchanged."""
        if not columns.keys() <= self.axes.keys():
            raise TypeError(f"columns differ: {sorted(columns.keys() - self.axes.keys())}")
        other = type(self).__new__(type(self))
        other._take(  # noqa: SLF001 - one of our own, made right here
            dict(self.items()) | columns, self._table.copy(), columns
        )
        return other


@register_model(ColumnsType)
class _ColumnsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: ColumnsType) -> None:
        super().__init__(manager, kind, ir.IntType(64))


@unbox(ColumnsType)
def _unbox(_kind: ColumnsType, value: Any, c: Any) -> NativeValue:
    address = c.pyapi.object_getattr_string(value, "address")
    native = c.unbox(types.int64, address)
    c.pyapi.decref(address)
    return native


@infer_getattr
class _ColumnsAttributes(AttributeTemplate):
    key = ColumnsType

    def generic_resolve(self, kind: Any, name: str) -> Any:  # type: ignore[override]  # untyped base
        return kind.arrays.get(name)


@lower_getattr_generic(ColumnsType)
def _column(context: Any, builder: Any, kind: ColumnsType, address: Any, name: str) -> Any:
    k, array_type = kind.places[name], kind.arrays[name]
    word = ir.IntType(64)
    table = builder.inttoptr(address, word.as_pointer())

    def load(at: int) -> Any:
        value = builder.load(builder.gep(table, [ir.Constant(word, k * _WORDS + at)]))
        # The table never changes, so a store into a column need not reload it.
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    array = make_array(array_type)(context, builder)
    shape = [load(1 + axis) for axis in range(array_type.ndim)]
    size = ir.Constant(word, 8)
    strides = [size] if array_type.ndim == 1 else [builder.mul(shape[1], size), size]
    pointer = builder.inttoptr(load(0), array.data.type)
    populate_array(array, pointer, shape, strides, size, None)
    return array._getvalue()  # noqa: SLF001 - numba's own name for it
