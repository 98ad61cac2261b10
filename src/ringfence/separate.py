"""Kernels that their callers reach by address instead of being linked with them.

Numba links a kernel into each of its callers, and optimises all of it again there. What many
kernels call, several levels deep, is so compiled some hundred times: with the whole waterfall
in it the core took minutes. A separate kernel is compiled once. Its callers hold the name of
a symbol, which is bound to its address when they are compiled and when they are loaded from
the cache.
"""

import hashlib
import inspect
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import infer, infer_global, make_intrinsic_template

from ringfence.compiled import kernel

# Symbols bound so far, so that each kernel is looked up once.
_BOUND: set[str] = set()


class Separate:
    """A separate kernel: called from Python as any kernel, from a kernel by address."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.compiled = kernel(function)
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__module__ = function.__module__
        template = make_intrinsic_template(self, self._typed(function), function.__name__)
        infer(template)
        infer_global(self, types.Function(template))

    def __call__(self, *arguments: Any) -> Any:
        """Call it from Python, as any kernel."""
        return self.compiled(*arguments)

    def _typed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return what tells Numba the signature of a call and how it is written."""

        def typed(_context: Any, *given: types.Type) -> Any:
            wanted = tuple(_plain(kind) for kind in given)
            place = (function.__module__, function.__name__, wanted)
            returns = bind(*place).signature.return_type
            return returns(*given), partial(_call, place, returns)

        parameters = inspect.signature(function).parameters.values()
        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
        typed.__signature__ = inspect.Signature([context, *bare])  # type: ignore[attr-defined]
        return typed


def separate(function: Callable[..., Any]) -> Any:
    """Decorate a kernel that many others call: it is compiled once and linked into none."""
    return kernel(function) if numba.config.DISABLE_JIT else Separate(function)  # type: ignore[attr-defined]


def bind(module: str, name: str, wanted: tuple[types.Type, ...]) -> Any:
    """Compile a separate kernel for some types, or load it, and bind its symbol."""
    dispatcher = getattr(import_module(module), name).compiled
    dispatcher.compile(wanted)
    found = dispatcher.overloads[wanted]
    symbol = _symbol(module, name, wanted)
    if symbol not in _BOUND:
        native = found.fndesc.llvm_func_name
        llvm.add_symbol(symbol, found.library.get_pointer_to_function(native))
        _BOUND.add(symbol)
    return found


def _symbol(module: str, name: str, wanted: tuple[types.Type, ...]) -> str:
    digest = hashlib.blake2b(repr([str(kind) for kind in wanted]).encode(), digest_size=8)
    return f"{module}.{name}.{digest.hexdigest()}"


def _plain(kind: types.Type) -> types.Type:
    """Members of an enumeration and constants are passed as plain integers."""
    kind = types.unliteral(kind)
    return kind.dtype if isinstance(kind, types.IntEnumMember) else kind


def _call(
    place: tuple[str, str, tuple[types.Type, ...]],
    returns: types.Type,
    context: Any,
    builder: Any,
    signature: Any,
    arguments: list[Any],
) -> Any:
    """Write the call of a separate kernel into its caller."""
    wanted = place[2]
    context.active_code_library._reload_init.add(partial(bind, *place))  # noqa: SLF001 - as parfors
    convention = context.call_conv
    kind = convention.get_function_type(returns, wanted)
    callee = cgutils.get_or_insert_function(builder.module, kind, _symbol(*place))
    given = [
        context.cast(builder, value, have, want)
        for value, have, want in zip(arguments, signature.args, wanted, strict=True)
    ]
    status, value = convention.call_function(builder, callee, returns, wanted, given)
    with cgutils.if_unlikely(builder, status.is_error):
        convention.return_status_propagate(builder, status)
    return value
