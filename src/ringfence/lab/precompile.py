"""Compile the separate kernels in several processes at once; they meet in the cache.

A compiler keeps one processor busy. Separate kernels are compiled once each, so they are shared
out among as many processes as there are processors, each kernel after those that it calls. What
is left, and all of it where there is one processor only, is compiled where it is first needed.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import numba
from numba import int64, types
from numba.core import event

from ringfence.core import machine
from ringfence.core.command import rows
from ringfence.core.health import AS_IT_IS
from ringfence.core.log import empty_log
from ringfence.core.pool import Pool
from ringfence.core.terms import Terms
from ringfence.separate import Separate

# They have no types of their own.
type_of: Any = numba.typeof
unpacked: Any = types.StarArgTuple

PROCESSES_MAX = 4  # more would wait for each other

Place = tuple[str, str]  # module and name of a kernel


class Count(event.Listener):
    """Tells how many functions have been compiled, each time that one is done."""

    def __init__(self, tell: Callable[[int], None], done: int = 0) -> None:
        self._tell, self.done = tell, done

    def on_start(self, _event: object) -> None:
        """Nothing is done yet."""

    def on_end(self, _event: object) -> None:
        """One more."""
        self.done += 1
        self._tell(self.done)


@contextmanager
def counted(tell: Callable[[int], None], done: int = 0) -> Iterator[Count]:
    """Count what is compiled, from a number on."""
    with event.install_listener("numba:compile", Count(tell, done)) as count:
        yield count


def precompile(tell: Callable[[int], None]) -> int:
    """Compile the separate kernels, unless there is but one processor; return how many functions.

    `tell` is called with the number of functions compiled so far.
    """
    processes = min(processors(), PROCESSES_MAX)
    if processes < 2:
        return 0
    context = get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, end_quietly)
    try:
        return _in_order(pool, tell)
    except BrokenProcessPool:
        return 0  # one was killed; the rest is compiled here
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_quietly() -> None:
    """Let Ctrl-C, which reaches every process, end one that only compiles without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _in_order(pool: ProcessPoolExecutor, tell: Callable[[int], None]) -> int:
    """Give each kernel to the pool when those that it calls are done."""
    waiting = {place: callees(_kernel(*place).compiled.py_func) for place in of_the_core()}
    running: dict[Future[int], Place] = {}
    total = 0
    while waiting or running:
        ready = [place for place, needed in waiting.items() if not needed]
        for place in ready:
            del waiting[place]
            running[pool.submit(compile_kernel, *place)] = place
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            total += future.result()
            place = running.pop(future)
            for needed in waiting.values():
                needed.discard(place)
        tell(total)
    return total


def of_the_core() -> set[Place]:
    """All separate kernels that a batch of commands may call."""
    found: set[Place] = set()
    left = callees(machine.apply.py_func)
    while left:
        place = left.pop()
        found.add(place)
        left |= callees(_kernel(*place).compiled.py_func) - found
    return found


def callees(function: Callable[..., Any]) -> set[Place]:
    """Separate kernels that a function calls, itself or through others that it is linked with."""
    found, seen, left = set(), {function}, [function]
    while left:
        caller = left.pop()
        for name in caller.__code__.co_names:
            value = caller.__globals__.get(name)
            linked = getattr(value, "py_func", None)
            if isinstance(value, Separate):
                found.add((value.__module__, value.__name__))
            elif linked is not None and linked not in seen:
                seen.add(linked)
                left.append(linked)
    return found


def compile_kernel(module: str, name: str) -> int:
    """Compile a separate kernel into the cache; return how many functions that took.

    It is compiled for a caller that is inlined, as in the core, where `apply_one` is: Numba lets
    callees inherit that, and without it a deposit takes a quarter longer.
    """
    kernel = _kernel(module, name)

    def call(*arguments: Any) -> Any:
        return kernel(*arguments)

    caller = numba.njit(forceinline=True, error_model="numpy")(call)
    with counted(lambda _done: None) as count:
        caller.compile((unpacked(signature(kernel.compiled.py_func)),))
    return count.done - 1


def signature(function: Callable[..., Any]) -> tuple[Any, ...]:
    """Types that the callers of a separate kernel give it, by the names of its annotations."""
    examples = {"Log": empty_log(0), "Change": AS_IT_IS, "Terms": Terms(0, 0), "Any": rows(1)[0]}
    known = {name: type_of(example) for name, example in examples.items()}
    known["Pool"] = Pool._numba_type_
    kinds = [kind for name, kind in function.__annotations__.items() if name != "return"]
    return tuple(known.get(getattr(kind, "__name__", kind), int64) for kind in kinds)


def _kernel(module: str, name: str) -> Any:
    return getattr(import_module(module), name)
