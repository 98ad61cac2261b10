"""Histories span all of the time, in bounded memory."""

from tests.service.live import live

from ringfence.service import history as h
from ringfence.service.summaries import summary_fields
from ringfence.units import MINUTE_NS


def filled(monkeypatch, points: int) -> h.PoolHistory:
    """A history that may hold eight points, after so many minutes of one pool."""
    monkeypatch.setattr(h, "POINTS_MAX", 8)
    kept = h.PoolHistory()
    with live() as served:
        frame = next(iter(served.desk.snapshot.frames.values()))
    for minute in range(points):
        time_ns = minute * MINUTE_NS
        if kept.is_due(time_ns):
            fields = summary_fields(frame, 0) | {"time_ms": time_ns // 10**6}
            kept.note(frame, fields, time_ns)
    return kept


def test_a_full_history_keeps_every_other_point_and_the_whole_span(monkeypatch):
    kept = filled(monkeypatch, 100)
    times = [point["time_ms"] for point in kept.points]
    assert len(times) <= 8
    assert times[0] == 0
    assert times[-1] >= 100 * 60_000 - 2 * kept.every_ns // 10**6
    assert kept.every_ns > MINUTE_NS


def test_a_span_is_cut_out_with_both_ends(monkeypatch):
    kept = filled(monkeypatch, 5)
    found = [point["time_ms"] for point in kept.between(60_000, 180_000)]
    assert found == [60_000, 120_000, 180_000]
    of_account = kept.of_account(1, 10**6, 60_000, 180_000)
    assert [point["time_ms"] for point in of_account] == found


def test_a_pool_of_many_accounts_keeps_fewer_points_of_them(monkeypatch):
    monkeypatch.setattr(h, "CELLS_MAX", 12)
    kept = filled(monkeypatch, 8)
    assert len(kept.points) == 8
    assert len(kept.of_account(1, 10**6, 0, 10**9)) <= 4
