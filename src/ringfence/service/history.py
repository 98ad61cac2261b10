"""What charts show: points of every pool and account, kept in memory and thinned.

A point a minute of the venue's time. When a list is full every other point goes, and points
come half as often from then on, so a chart always spans all of the time.
"""

from typing import Any

from ringfence.columns import Column
from ringfence.core.health import HEALTH_MAX
from ringfence.service.frames import Frame, Snapshot
from ringfence.units import MINUTE_NS, MS_NS, PPM
from ringfence.venue.receipts import decimal

POINTS_MAX = 1440
CELLS_MAX = 1_000_000  # accounts times points; larger pools keep fewer points of accounts

_FIELDS = (
    "time_ms",
    "prices",
    "marks",
    "worst_health",
    "at_risk",
    "equity",
    "insurance_fund",
    "shortfall",
    "open_interest_value",
    "total_debt",
)


class PoolHistory:
    """Points of one pool and its accounts."""

    def __init__(self) -> None:
        self.every_ns = MINUTE_NS
        self.points: list[dict[str, Any]] = []
        self._accounts: list[tuple[int, Column, Column]] = []  # time in ms, health, equity
        self._next_ns = 0

    def is_due(self, time_ns: int) -> bool:
        """Whether the next point has come."""
        return time_ns >= self._next_ns

    def note(self, frame: Frame, fields: dict[str, Any], time_ns: int) -> None:
        """Keep a point."""
        self._next_ns = (time_ns // self.every_ns + 1) * self.every_ns
        self.points.append({name: fields[name] for name in _FIELDS})
        # Copies, for a column of a survey keeps all of the others alive.
        survey = frame.survey
        health, equity = survey.health.copy(), survey.equity.copy()
        self._accounts.append((time_ns // MS_NS, health, equity))
        room = min(POINTS_MAX, max(CELLS_MAX // max(len(frame.owner), 1), 2))
        if len(self._accounts) > room:
            del self._accounts[: -room // 2]
        if len(self.points) > POINTS_MAX:
            self.points = self.points[::2]
            self._accounts = self._accounts[::2]
            self.every_ns *= 2

    def between(self, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
        """Return the pool's points of a span."""
        return [p for p in self.points if from_ms <= p["time_ms"] <= to_ms]

    def of_account(self, a: int, quote: int, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
        """Return the points of one account; none from before it was opened."""
        return [
            {
                "time_ms": time_ms,
                "health_factor": decimal(int(health[a]), PPM) if health[a] < HEALTH_MAX else None,
                "equity": decimal(int(equity[a]), quote),
            }
            for time_ms, health, equity in self._accounts
            if a < len(health) and from_ms <= time_ms <= to_ms
        ]


class Histories:
    """Histories of all pools."""

    def __init__(self) -> None:
        self.of: dict[str, PoolHistory] = {}

    def note(self, snapshot: Snapshot, fields: dict[str, dict[str, Any]]) -> None:
        """Keep a point of each pool whose time has come."""
        for pool, frame in snapshot.frames.items():
            history = self.of.setdefault(pool, PoolHistory())
            if history.is_due(snapshot.time_ns):
                history.note(frame, fields[pool], snapshot.time_ns)
