"""The bench of scenario margin: contenders compute the same, or say why they are not there."""

import numpy as np
import pytest

from ringfence.lab.bench import compiler, scenarios
from ringfence.risk.scan import Scan


def test_contenders_that_are_there_find_what_we_find():
    contenders = {scenarios.SCIPY: scenarios.with_scipy, scenarios.C: scenarios.with_c}
    rows = list(scenarios.compared(scenarios.pools_of(500), contenders, 1))
    assert len(rows) == 2
    for row in rows:
        assert (row.ratio is None) == row.baseline.startswith("skipped")
    assert rows[0].ratio is not None


def test_a_contender_with_other_results_is_refused():
    wrong = {"wrong": lambda _pools: lambda: Scan(np.zeros(10), np.ones(10))}
    with pytest.raises(scenarios.ResultsDifferError, match="wrong"):
        list(scenarios.compared(scenarios.pools_of(10), wrong, 1))


def test_a_missing_compiler_is_a_row_with_the_reason(monkeypatch):
    monkeypatch.setattr(compiler.shutil, "which", lambda _name: None)
    features = {"avx512f": True, "avx512dq": True}
    monkeypatch.setattr(scenarios.binding, "get_host_cpu_features", lambda: features)
    contenders = {scenarios.C: scenarios.with_c}
    (row,) = scenarios.compared(scenarios.pools_of(10), contenders, 1)
    assert (row.baseline, row.ratio) == ("skipped: gcc is not installed", None)


def test_the_grid_has_the_33_rows_that_options_have_arrays_for():
    pools = scenarios.pools_of(10)
    assert pools.scenarios == 33
    assert len(pools.book.size) == 400
    assert pools.table.ctypes.data % 64 == 0


def test_every_figure_of_the_suite_has_a_unit():
    rows = list(scenarios.run(quick=True))
    assert [r.unit for r in rows] == ["ns per account"] * 3 + ["us", "ms", "ms"]
    assert all(row.value > 0 for row in rows)
