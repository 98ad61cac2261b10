"""Figures for Prometheus, of one service."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from ringfence.service.schema import Stats

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """A registry of its own, so that two services in one process do not mix."""

    def __init__(self, stats: Callable[[], Stats], dropped: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._stats = stats
        self.requests = Counter(
            "ringfence_http_requests_total",
            "Requests answered",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "ringfence_http_request_seconds",
            "Time to answer",
            ("method", "route"),
            buckets=SECONDS,
            registry=registry,
        )
        self._gauges = {
            name: Gauge(f"ringfence_{name}", text, registry=registry)
            for name, text in {
                "journal_seq": "Number of the last entry",
                "venue_time_seconds": "The venue's time",
                "ticks": "Ticks played",
                "tick_seconds": "What the last tick took",
                "commands": "Commands executed",
                "commands_refused": "Commands refused",
                "queue": "Commands that wait",
                "viewers": "Connections to the stream",
                "viewers_dropped": "Connections dropped for being too slow",
                "accounts": "Accounts in all pools",
                "accounts_active": "Accounts that owe or hold something",
                "accounts_at_risk": "Accounts below a health factor of 1.1",
                "liquidations": "Steps of liquidations since the start",
                "insurance_fund": "Insurance funds of all pools",
                "shortfall": "Losses that nobody paid, of all pools",
            }.items()
        }
        self._dropped = dropped

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        stats = self._stats()
        values: dict[str, float] = {
            "journal_seq": stats.seq,
            "venue_time_seconds": stats.time_ms / 1000,
            "ticks": stats.ticks,
            "tick_seconds": float(stats.tick_ms) / 1000,
            "commands": stats.commands,
            "commands_refused": stats.refused,
            "queue": stats.queue,
            "viewers": stats.viewers,
            "viewers_dropped": self._dropped(),
            "accounts": stats.accounts,
            "accounts_active": stats.active,
            "accounts_at_risk": stats.at_risk,
            "liquidations": stats.liquidations,
            "insurance_fund": float(stats.insurance_fund),
            "shortfall": float(stats.shortfall),
        }
        for name, value in values.items():
            self._gauges[name].set(value)
        return generate_latest(self._registry)
