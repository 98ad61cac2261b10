"""The live view of a crash in a terminal, and its summary for people."""

from collections import deque
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ringfence.core.health import HEALTH_MAX, health_factor, open_interest_value
from ringfence.core.pool import Step, Total
from ringfence.lab.crash import Crash
from ringfence.lab.stage import QUOTE
from ringfence.lab.summary import StepsSummary, Summary
from ringfence.lab.waterfall import STEPS
from ringfence.risk.worst import worst_account
from ringfence.units import PPM, PRICE_UNIT
from ringfence.venue.state import PoolRecord

BLOCKS = "▁▂▃▄▅▆▇█"
OTHER_LINES = 10  # of the live view besides prices and pools, and the cursor's
ROWS = 12  # pools in the summary


def short(value: int) -> str:
    """Quote units as dollars in at most six characters; a part of a dollar is not nothing."""
    dollars = value / QUOTE
    if 0 < dollars < 1:
        return "<1"
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if dollars >= size:
            unit = size if letter != "k" else 1e3
            digits = 0 if dollars >= 100 * unit else 1 if dollars >= 10 * unit else 2
            return f"{dollars / unit:.{digits}f}{letter}"
    return f"{dollars:,.0f}"


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
    """What a terminal shows while a crash plays: counts first, then prices, then pools."""

    def __init__(self, crash: Crash, title: str, width: int, height: int) -> None:
        self._crash = crash
        # The frame, a symbol, its price and its move take the rest of a line.
        self._curve = max(width - 34, 8)
        self._title = title if len(title) <= width - 8 else title[: width - 11] + "..."
        self._rows = max(height - len(crash.symbols) - OTHER_LINES, 3)
        self._history: dict[str, deque[int]] = {s: deque(maxlen=4_096) for s in crash.symbols}

    def note_prices(self) -> None:
        """Remember the prices of this tick for the curve."""
        for symbol, price in self._crash.prices.items():
            self._history[symbol].append(price)

    def render(self) -> RenderableType:
        """Return the whole view as it stands."""
        return Group(self._clock(), self._counts(), self._prices(), self._pools())

    def _clock(self) -> Text:
        crash = self._crash
        when = crash.clock.now_ns() // 10**9
        speed = crash.counts.ticks / crash.seconds if crash.seconds else 0
        return Text(
            f"tick {crash.counts.ticks:,} of {crash.ticks:,}   "
            f"{when // 3600 % 24:02d}:{when // 60 % 60:02d} UTC   "
            f"in auction {crash.in_step(Step.AUCTION):,}, "
            f"waiting {crash.in_step(Step.DELEVERAGING):,}   {speed:,.0f} ticks/s"
        )

    def _counts(self) -> Text:
        paid = self._crash.paid()
        return Text(
            f"liquidated {self._crash.liquidated():,} accounts in {paid.steps:,} steps, "
            f"{short(paid.closed)} closed\n"
            f"auctions {short(paid.auctioned)}  backstop {short(paid.notional + paid.debt)}  "
            f"insurance {short(paid.insurance)}  deleveraged {short(paid.deleveraged)}  "
            f"unpaid {short(paid.shortfall)}",
            style="bold",
        )

    def _prices(self) -> Panel:
        lines = []
        for symbol, history in self._history.items():
            if not history:
                continue
            step = -(-len(history) // self._curve)
            shown = list(history)[::step]
            move = history[-1] / self._crash.first[symbol] - 1
            lines.append(
                Text.assemble(
                    f"{symbol:>5} {history[-1] / PRICE_UNIT:>12,.2f} ",
                    (f"{move:+7.2%} ", "red" if move < 0 else "green"),
                    curve(shown),
                )
            )
        return Panel(Group(*lines), title=self._title, expand=False)

    def _pools(self) -> Table:
        drawn = Table(title="Pools, worst health first", title_justify="left", box=SIMPLE_HEAD)
        for name in ("pool", "health", "open", "insurance", "deepest step", "unpaid"):
            drawn.add_column(name, justify="left" if name == "pool" else "right", no_wrap=True)
        pools = zip(self._crash.stage.records, self._crash.books, strict=True)
        ranked = sorted(((_worst(r), r, book) for r, book in pools), key=lambda x: x[0])
        for health, record, book in ranked[: self._rows]:
            pool = record.pool
            interest = sum(open_interest_value(pool, u) for u in range(len(pool.index_price)))
            drawn.add_row(
                record.spec.name,
                _health(health),
                short(interest),
                short(int(pool.total[Total.INSURANCE_FUND])),
                book.paid.deepest(),
                short(book.paid.shortfall),
            )
        return drawn


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
        (
            "notional",
            f"{_money(summary.liquidated_notional)}, debt {_money(summary.liquidated_debt)}",
        ),
        ("steps", _steps(summary.steps)),
        ("borne by", _borne(summary.steps)),
        ("shortfall", f"{_money(summary.shortfall)} in {len(summary.shortfall_pools)} pools"),
        ("claims waiting", f"{_money(summary.unpaid_claims)} of profit not yet collected"),
        ("adds up", _sums(summary)),
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


def _money(amount: str) -> str:
    """An exact amount of dollars, to the cent; the whole of it is in the JSON."""
    return f"{Decimal(amount).quantize(Decimal('0.01')):,} USDC"


def _steps(steps: StepsSummary) -> str:
    """Each step and what it did, in the order of the waterfall."""
    return (
        f"signed orders {_money(steps.added)} added and {_money(steps.reduced)} reduced, "
        f"auctions {_money(steps.auctioned)}, backstop {_money(steps.notional)}, "
        f"insurance {_money(steps.insurance)}, deleveraging {_money(steps.deleveraged)}, "
        f"{steps.halts} pools halted, {steps.ends} settled for good "
        f"with {_money(steps.unpaid)} of claims unpaid"
    )


def _borne(steps: StepsSummary) -> str:
    return ", ".join(f"{name} {_money(amount)}" for name, amount in steps.borne.items())


def _sums(summary: Summary) -> Text:
    if summary.adds_up:
        return Text("to the unit: events, pools and people agree", style="green")
    return Text(f"NOT, in {len(summary.problems)} places: a fault", style="bold red")


def _proof(holds: bool, how: str) -> Text:  # noqa: FBT001 - one flag, named by its callers
    if holds:
        return Text(f"unchanged: {how}", style="green")
    return Text("CHANGED by something else: this is a fault", style="bold red")


def _pool_table(summary: Summary) -> RenderableType:
    """Every step's part of what was closed or paid, the pools that went deepest first."""
    reached = [p for p in summary.by_pool if p.steps.deepest != STEPS[0]]
    if not reached:
        return Text("No pool liquidated anybody.")
    reached.sort(
        key=lambda p: (-STEPS.index(p.steps.deepest), -float(p.shortfall), -float(p.insurance_used))
    )
    drawn = Table(
        title="How far pools went down the waterfall, and what each step took",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    names = ("pool", "deepest step", "auctions", "backstop", "insurance", "winners", "unpaid")
    for k, name in enumerate(names):
        drawn.add_column(name, justify="left" if k < 2 else "right", no_wrap=True)
    for pool in reached[:ROWS]:
        steps = pool.steps
        paid = (steps.auctioned, _sum(steps.notional, steps.debt), steps.insurance)
        drawn.add_row(
            pool.name,
            steps.deepest,
            *(_short(text) for text in (*paid, steps.deleveraged, steps.shortfall)),
        )
    return drawn


def _sum(first: str, second: str) -> str:
    return str(Decimal(first) + Decimal(second))


def _short(amount: str) -> str:
    return short(int(Decimal(amount) * QUOTE))
