"""What a run of histories has seen: outcomes by kind, and rare events by name."""

from collections import Counter

import numpy as np
from tests.properties.histories import History
from tests.properties.running import Step

from ringfence.core.command import Happening, Kind
from ringfence.core.health import has_position
from ringfence.core.lending import lender_assets
from ringfence.core.pool import BACKSTOP, Pool, Total
from ringfence.core.status import Status

WATCHED = (Total.INSURANCE_PAID, Total.DEBT_SHARES, Total.SHORTFALL)


class Census:
    """Counters over every step of every history that it watches."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.rare: Counter[str] = Counter()
        self.commands = 0

    def watch(self, history: History, count: int) -> None:
        """Run a history and count what it does."""
        before = [int(history.pool.total[t]) for t in WATCHED]
        for step in history.take(count):
            after = [int(history.pool.total[t]) for t in WATCHED]
            self._note(step, history.pool)
            self._note_totals(step, *(y - x for x, y in zip(before, after, strict=True)))
            before = after

    def _note(self, step: Step, pool: Pool) -> None:
        self.commands += 1
        kind = Kind(step.kind).name if step.kind in set(Kind) else "UNKNOWN"
        self.outcomes[kind, step.status.name] += 1
        for event in step.events:
            self._note_event(Happening(int(event["kind"])), event, pool)
        if step.is_accepted(Kind.LIQUIDATE):
            self._note_liquidation(step, pool)
        if step.is_accepted(Kind.ADVANCE_CLOCK) and lender_assets(pool) < 0:
            self.rare["lenders wiped out"] += 1
        if pool.total[Total.RESERVE] > 0:
            self.rare["reserve waits for lender cash"] += 1

    def _note_totals(self, step: Step, paid: int, debt: int, shortfall: int) -> None:
        if paid > 0:
            self.rare["insurance used"] += 1
        if shortfall > 0:
            self.rare["shortfall"] += 1
        if step.is_accepted(Kind.LIQUIDATE) and shortfall > 0 and debt < 0:
            self.rare["debt written off"] += 1

    def _note_event(self, kind: Happening, event: np.void, pool: Pool) -> None:
        account, index = int(event["account"]), int(event["index"])
        if kind == Happening.POSITION_LIQUIDATED:
            whole = pool.size[account, index] == 0
            self.rare["whole liquidation" if whole else "partial liquidation"] += 1
        elif kind == Happening.CLAIMS_PAID and event["shortfall"] > 0:
            self.rare["claim unpaid"] += 1
            self.rare["claims paid pro rata"] += event["value"] > 0
        elif kind == Happening.CHANGE_ACTIVATED and pool.size.any():
            self.rare["parameter change activated during open positions"] += 1
        else:
            self.rare[kind.name.lower().replace("_", " ")] += 1

    def _note_liquidation(self, step: Step, pool: Pool) -> None:
        a = step.field("account")
        if len(step.events) > 1:
            self.rare["liquidation in several steps"] += 1
        if not has_position(pool, a) and pool.due[a] > 0:
            self.rare["due left behind"] += 1
        if pool.debt_shares[BACKSTOP] > 0:
            self.rare["backstop in debt"] += 1

    def refused(self, status: Status) -> int:
        """How often a status was the outcome, over all kinds."""
        return sum(n for (_, name), n in self.outcomes.items() if name == status.name)

    def accepted(self, kind: Kind) -> int:
        """How often a kind was accepted."""
        return self.outcomes[kind.name, Status.OK.name]
