"""A set of int64 columns that a kernel takes as one pointer.

Numba passes a NamedTuple of fifty arrays as some four hundred numbers, in every call between
kernels: compiling the core took two minutes that way, and calling it six microseconds. A
subclass of Columns is passed as the address of a table instead, with the data pointer and the
lengths of each column. In plain Python it is an object with arrays as attributes.

The table ends with the address of a function, 0 where there is none. What is called through it
is compiled once, and only where somebody needs it, while everything that a kernel calls by name
is compiled anew into each of its callers.
"""

from typing import Any, ClassVar, Self

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, intrinsic, register_model, unbox
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

Column = NDArray[np.int64]

_WORDS = 3  # of a column in the table: data pointer, first length, second length


class ColumnsType(types.Type):
    """Numba's type of one subclass of Columns: its name and the axes of each column."""

    def __init__(self, name: str, axes: tuple[tuple[str, int], ...]) -> None:
        self.axes = axes
        super().__init__(name=f"Columns({name}, {axes})")

    def place(self, column: str) -> tuple[int, int]:
        """Return the number of a column and how many axes it has."""
        for k, (name, axes) in enumerate(self.axes):
            if name == column:
                return k, axes
        raise AttributeError(f"{self.name} has no column {column}")


class Columns:
    """Named int64 columns of one or two axes; subclasses annotate them, `axes` counts."""

    axes: ClassVar[dict[str, int]]
    _numba_type_: ClassVar[ColumnsType]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        matrices = getattr(cls, "MATRICES", ())
        names = [n for n, kind in cls.__annotations__.items() if kind is Column]
        cls.axes = {name: 2 if name in matrices else 1 for name in names}
        cls._numba_type_ = ColumnsType(cls.__name__, tuple(cls.axes.items()))

    def __init__(self, **columns: Column) -> None:
        if columns.keys() != self.axes.keys():
            raise TypeError(f"columns differ: {sorted(columns.keys() ^ self.axes.keys())}")
        table = np.zeros((len(self.axes) + 1, _WORDS), dtype=np.int64)
        table[-1, 0] = self.function_address(columns)
        for k, (name, axes) in enumerate(self.axes.items()):
            column = columns[name]
            if column.dtype != np.int64 or column.ndim != axes or not column.flags.c_contiguous:
                raise TypeError(f"column {name} must be int64, contiguous, of {axes} axes")
            table[k, 0] = column.ctypes.data
            table[k, 1 : 1 + axes] = column.shape
        self.__dict__.update(columns, _table=table, address=table.ctypes.data)

    @classmethod
    def function_address(cls, _columns: dict[str, Column]) -> int:
        """Address that the table ends with."""
        return 0

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"column {name} cannot be rebound; write into it")

    def items(self) -> list[tuple[str, Column]]:
        """Return names and columns in their order."""
        return [(name, self.__dict__[name]) for name in self.axes]

    def replaced(self, **columns: Column) -> Self:
        """Return the same columns with some of them exchanged."""
        return type(self)(**(dict(self.items()) | columns))


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
        axes = dict(kind.axes).get(name)
        return None if axes is None else types.Array(types.int64, axes, "C")


@lower_getattr_generic(ColumnsType)
def _column(context: Any, builder: Any, kind: ColumnsType, address: Any, name: str) -> Any:
    k, axes = kind.place(name)
    word = ir.IntType(64)
    table = builder.inttoptr(address, word.as_pointer())

    def load(at: int) -> Any:
        value = builder.load(builder.gep(table, [ir.Constant(word, k * _WORDS + at)]))
        # The table never changes, so a store into a column need not reload it.
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    array_type = types.Array(types.int64, axes, "C")
    array = make_array(array_type)(context, builder)
    shape = [load(1 + axis) for axis in range(axes)]
    size = ir.Constant(word, 8)
    strides = [size] if axes == 1 else [builder.mul(shape[1], size), size]
    pointer = builder.inttoptr(load(0), array.data.type)
    populate_array(array, pointer, shape, strides, size, None)
    return array._getvalue()  # noqa: SLF001 - numba's own name for it


@intrinsic
def call_function(_context: Any, columns: Any, numbers: Any) -> Any:
    """Call the function at the end of the table with the table's address and a tuple of int64."""
    count = len(numbers)

    def codegen(_ctx: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        table = builder.inttoptr(arguments[0], word.as_pointer())
        place = ir.Constant(word, len(columns.axes) * _WORDS)
        address = builder.load(builder.gep(table, [place]))
        kind = ir.FunctionType(word, [word] * (count + 1))
        function = builder.inttoptr(address, kind.as_pointer())
        values = [builder.extract_value(arguments[1], k) for k in range(count)]
        return builder.call(function, [arguments[0], *values])

    return types.int64(columns, types.UniTuple(types.int64, count)), codegen


def columns_at(kind: type[Columns]) -> Any:
    """Return a compiled function from the address of a table to columns of a kind."""

    @intrinsic
    def at(_context: Any, address: Any) -> Any:
        def codegen(_ctx: Any, _builder: Any, _signature: Any, arguments: Any) -> Any:
            return arguments[0]

        return kind._numba_type_(address), codegen

    return at
