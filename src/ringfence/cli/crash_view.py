"""The live view of a crash in a terminal, and its summary for people."""

from collections import deque

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ringfence.core.health import HEALTH_MAX, health_factor, open_interest_value
from ringfence.core.pool import Total
from ringfence.lab.crash import Crash
from ringfence.lab.stage import QUOTE
from ringfence.lab.summary import Summary
from ringfence.risk.worst import worst_account
from ringfence.units import PPM, PRICE_UNIT
from ringfence.venue.state import PoolRecord

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 64  # of the price curve
ROWS = 12  # pools shown


def dollars(value: int) -> str:
    """Quote units as whole dollars with separators."""
    return f"{value // QUOTE:,}"


def curve(prices: list[int]) -> str:
    """Prices as a row of blocks, lowest to highest."""
    low, high = min(prices), max(prices)
    span = max(high - low, 1)
    return "".join(BLOCKS[(p - low) * (len(BLOCKS) - 1) // span] for p in prices)


def _worst(record: PoolRecord) -> int:
    a = worst_account(record.pool)
    return HEALTH_MAX if a < 0 else int(health_factor(record.pool, a))


def _health(value: int) -> Text:
    if value >= HEALTH_MAX:
        return Text("-", style="dim")
    style = "bold red" if value < PPM else "yellow" if value < PPM * 12 // 10 else "green"
    return Text(f"{value / PPM:.3f}", style=style)


class CrashView:
    """What a terminal shows while a crash plays."""

    def __init__(self, crash: Crash, title: str) -> None:
        self._crash = crash
        self._title = title
        self._history: dict[str, deque[int]] = {s: deque(maxlen=4_096) for s in crash.symbols}

    def note_prices(self) -> None:
        """Remember the prices of this tick for the curve."""
        for symbol, price in self._crash.prices.items():
            self._history[symbol].append(price)

    def render(self) -> RenderableType:
        """Return the whole view as it stands."""
        return Group(self._prices(), self._pools(), self._counts())

    def _prices(self) -> Panel:
        lines = Text()
        for symbol, history in self._history.items():
            if not history:
                continue
            step = max(len(history) // WIDTH, 1)
            shown = list(history)[::step][-WIDTH:]
            move = history[-1] / self._crash.first[symbol] - 1
            lines.append(f"{symbol:>5} {history[-1] / PRICE_UNIT:>12,.2f} ")
            lines.append(f"{move:+7.2%} ", style="red" if move < 0 else "green")
            lines.append(curve(shown) + "\n")
        when = self._crash.clock.now_ns() // 10**9
        hours, minutes = when // 3600 % 24, when // 60 % 60
        return Panel(lines, title=f"{self._title}   {hours:02d}:{minutes:02d} UTC", expand=False)

    def _pools(self) -> Table:
        drawn = Table(title="Pools, worst health first", title_justify="left", expand=False)
        for name in ("pool", "worst health", "open interest", "insurance", "paid", "shortfall"):
            drawn.add_column(name, justify="left" if name == "pool" else "right")
        ranked = sorted(((_worst(r), r) for r in self._crash.stage.records), key=lambda x: x[0])
        for health, record in ranked[:ROWS]:
            pool = record.pool
            interest = sum(open_interest_value(pool, u) for u in range(len(pool.index_price)))
            drawn.add_row(
                record.spec.name,
                _health(health),
                dollars(interest),
                dollars(int(pool.total[Total.INSURANCE_FUND])),
                dollars(int(pool.total[Total.INSURANCE_PAID])),
                dollars(int(pool.total[Total.SHORTFALL])),
            )
        return drawn

    def _counts(self) -> Text:
        crash, counts = self._crash, self._crash.counts
        speed = counts.ticks / crash.seconds if crash.seconds else 0
        return Text(
            f"tick {counts.ticks:,}   liquidations {counts.liquidations:,} of "
            f"{len(counts.liquidated):,} accounts, {dollars(counts.notional)} notional   "
            f"insurance paid {dollars(crash.total(Total.INSURANCE_PAID))}   "
            f"shortfall {dollars(sum(crash.shortfalls().values()))}   {speed:,.0f} ticks/s"
        )


def summary_view(summary: Summary) -> RenderableType:
    """Return the summary as a person would read it."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    latency = summary.decision_latency_us
    for name, value in (
        ("prices", summary.description),
        ("accounts", f"{summary.accounts:,} in {summary.pools} pools, seed {summary.seed}"),
        ("ticks", f"{summary.ticks:,} at {summary.ticks_per_second:,.0f} a second"),
        ("liquidated", f"{summary.liquidated_accounts:,} accounts, {summary.liquidations:,} steps"),
        ("notional", f"{summary.liquidated_notional} USDC, debt {summary.liquidated_debt} USDC"),
        ("insurance used", f"{summary.insurance_used} USDC"),
        ("shortfall", f"{summary.shortfall} USDC in {len(summary.shortfall_pools)} pools"),
        ("claims waiting", f"{summary.unpaid_claims} USDC of profit not yet collected from losers"),
        ("decision", f"median {latency.median} us, p99 {latency.p99} us after a tick"),
        (
            "wallets",
            _proof(summary.wallets_unchanged, "only their owners' own commands moved them"),
        ),
        (
            "other pools",
            _proof(summary.unaffected_pools_unchanged, "same digests around every liquidation"),
        ),
        ("journal", f"{summary.entries:,} entries, head {summary.head}"),
    ):
        facts.add_row(name, value)
    return Group(facts, _pool_table(summary))


def _proof(holds: bool, how: str) -> Text:  # noqa: FBT001 - one flag, named by its callers
    if holds:
        return Text(f"unchanged: {how}", style="green")
    return Text("CHANGED by something else: this is a fault", style="bold red")


def _pool_table(summary: Summary) -> Table:
    touched = [p for p in summary.by_pool if p.liquidated_accounts or p.shortfall != "0"]
    touched.sort(key=lambda p: (-float(p.shortfall), -float(p.insurance_used)))
    drawn = Table(title="Pools that paid most", title_justify="left")
    for name in ("pool", "liquidated", "insurance used", "left", "shortfall", "claims unpaid"):
        drawn.add_column(name, justify="left" if name == "pool" else "right")
    for pool in touched[:ROWS]:
        drawn.add_row(
            pool.name,
            str(pool.liquidated_accounts),
            pool.insurance_used,
            pool.insurance_left,
            pool.shortfall,
            pool.unpaid_claims,
        )
    return drawn
