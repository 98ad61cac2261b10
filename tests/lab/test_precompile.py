"""Compiling in several processes: in which order, and for which types."""

import pkgutil
from importlib import import_module

import numba
import pytest

from ringfence import core
from ringfence.core import machine
from ringfence.core.health import excess_with, requirement
from ringfence.core.log import empty_log
from ringfence.core.settlement import settle_account
from ringfence.lab.bench.pools import populated_pool, price_rows
from ringfence.lab.precompile import (
    callees,
    compile_kernel,
    of_the_core,
    precompile,
    signature,
)
from ringfence.separate import Separate

# Every separate kernel of the core, by module and name.
SEPARATE = {
    (kernel.__module__, kernel.__name__): kernel
    for module in pkgutil.iter_modules(core.__path__)
    for kernel in vars(import_module(f"{core.__name__}.{module.name}")).values()
    if isinstance(kernel, Separate)
}

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


def test_the_types_are_those_that_callers_ask_for():
    populated_pool(2)
    seen = 0
    for kernel in SEPARATE.values():
        # Tests that ran before may have asked for others, with an enumeration in place of a number.
        overloads = set(kernel.compiled.overloads)
        seen += len(overloads)
        assert not overloads or signature(kernel.compiled.py_func) in overloads
    assert seen >= 10


def test_a_kernel_calls_others_itself_and_through_those_it_is_linked_with():
    def place(kernel):
        return kernel.__module__, kernel.__name__

    assert callees(settle_account.compiled.py_func) == set()
    assert place(requirement) in callees(excess_with.compiled.py_func)
    of_apply = callees(machine.apply.py_func)
    assert place(machine.apply_to_account) in of_apply
    assert place(excess_with) in of_apply  # by way of leave_if_cured


def test_all_of_the_core_is_found_from_its_one_entry():
    assert of_the_core() == set(SEPARATE)
    assert len(SEPARATE) > 20


def test_every_kernel_has_its_turn(monkeypatch):
    """In this process and without a compiler: an order without an end would never return."""
    turns = []

    class Inline:
        def __init__(self, *_options):
            self.is_shut = False

        def submit(self, _function, *place):
            future = precompile.__globals__["Future"]()
            missing = {p for p in callees_of(place) if p not in turns}
            assert not missing, f"{place} came before {missing}"
            turns.append(place)
            future.set_result(2)
            return future

        def shutdown(self, **_options):
            self.is_shut = True

    def callees_of(place):
        return callees(SEPARATE[place].compiled.py_func)

    monkeypatch.setattr("ringfence.lab.precompile.ProcessPoolExecutor", Inline)
    monkeypatch.setattr("ringfence.lab.precompile.processors", lambda: 2)
    told = []
    assert precompile(told.append) == 2 * len(SEPARATE) == told[-1]
    assert len(turns) == len(set(turns)) == len(SEPARATE)
    monkeypatch.setattr("ringfence.lab.precompile.processors", lambda: 1)
    assert precompile(told.append) == 0


def test_what_is_in_the_cache_is_compiled_no_more():
    machine.apply(
        populated_pool(2), price_rows(1, 1)[:0], price_rows(1, 1)["time_ns"], empty_log(0)
    )
    assert compile_kernel(settle_account.__module__, settle_account.__name__) == 0
