"""The stage for a crash: a venue with the population's pools, money and standing accounts.

Every pool has a backstop with capital of its creator, an insurance fund, and as account 1 a
maker who takes the other side of every trade; in lending pools account 1 is the lender, who
also buys what the backstop took over. The accounts behind it are keepers, who bid in auctions.
"""

import hashlib
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from ringfence.core.command import Happening, Kind, Rows, rows
from ringfence.core.pool import BACKSTOP, CASH
from ringfence.core.status import Status
from ringfence.lab.pools import DECIMALS, SETTLEMENT
from ringfence.lab.population import MAKER, Borrower, Population, Taker
from ringfence.lab.structures import Structure
from ringfence.units import SIZE_DECIMALS
from ringfence.venue.receipts import BatchReceipt
from ringfence.venue.state import PoolRecord
from ringfence.venue.venue import Venue

QUOTE = 10**DECIMALS

KEEPERS = (2, 3, 4)  # the accounts behind the maker's
BOND = 1_000  # dollars that a creator puts at stake, out of the maker's capital

# Capital by kind of pool, in dollars: maker or lender, backstop, insurance fund, each keeper.
CAPITAL = {
    "majors": (400_000_000, 1_000_000, 200_000, 1_000_000),
    "fast": (400_000_000, 5_000, 1_000, 100_000),
    "lending": (400_000_000, 500_000, 50_000, 1_000_000),
    "tail": (5_000_000, 5_000, 2_000, 20_000),
    "options": (400_000_000, 1_000_000, 100_000, 1_000_000),
}

Fields = dict[str, int]


def address_of(seed: int, owner: int) -> str:
    """Address of the population's owner; made up from the seed."""
    return "0x" + hashlib.sha256(f"ringfence lab {seed} {owner}".encode()).digest()[:20].hex()


def kind_of(record: PoolRecord) -> str:
    """Kind of a lab pool, from its name."""
    for kind in CAPITAL:
        if kind in record.spec.name:
            return kind
    raise AssertionError(f"{record.spec.name} is not a lab pool")


class Stage:
    """A venue under a population, with a second book of what owners themselves moved."""

    def __init__(self, venue: Venue, population: Population, seed: int) -> None:
        self.venue = venue
        self.population = population
        self.owners = [address_of(seed, k) for k in range(population.owners)]
        self.records: list[PoolRecord] = []
        self._waiting: dict[int, list[Fields]] = defaultdict(list)
        self.held: list[list[int]] = []  # by pool and asset: deposited less withdrawn
        self.commands = 0
        self.refused = 0
        with venue.group():
            self._open_venue()
        # What every wallet must hold: kept apart from the venue, from accepted commands only.
        self.expected = venue.state.wallets.amount.copy()

    def _open_venue(self) -> None:
        population, venue = self.population, self.venue
        venue.list_asset(SETTLEMENT, DECIMALS)
        coins = {c.asset for spec in population.specs for c in spec.collateral}
        for coin in sorted(coins):
            venue.list_asset(coin, SIZE_DECIMALS)
        for address in self.owners:
            venue.register(address)
        for creator, spec in enumerate(population.specs):
            identity = venue.create_pool(spec, self.owners[creator])
            self.records.append(venue.record(identity))
            self.held.append([0] * len(spec.assets()))

    def fill_wallets(self, coin_prices: dict[str, int], price_unit: int) -> None:
        """Give every owner thrice what his accounts will deposit, and creators their capital."""
        dollars: dict[tuple[int, str], int] = defaultdict(int)
        for taker in self.population.takers:
            dollars[taker.owner, SETTLEMENT] += 3 * taker.deposit
            for coin in coin_prices:
                dollars[taker.owner, coin] += taker.deposit
        for borrower in self.population.borrowers:
            for coin in coin_prices:
                dollars[borrower.owner, coin] += 3 * borrower.value
        self._fund_structures(dollars, coin_prices)
        for creator, record in enumerate(self.records):
            *others, keeper = CAPITAL[kind_of(record)]
            dollars[creator, SETTLEMENT] += (sum(others) + len(KEEPERS) * keeper) * QUOTE
        with self.venue.group():
            for (owner, asset), amount in sorted(dollars.items()):
                text = _dollars_in(asset, amount, coin_prices, price_unit)
                self.venue.receive(self.owners[owner], asset, text)
        self.expected = self.venue.state.wallets.amount.copy()

    def _fund_structures(
        self, dollars: dict[tuple[int, str], int], coin_prices: dict[str, int]
    ) -> None:
        """Give holders of option structures twice their deposits, in cash and in coins."""
        for holder in self.population.structures:
            for asset in (SETTLEMENT, *coin_prices):
                dollars[holder.owner, asset] += 2 * holder.deposit

    def open_accounts(self) -> None:
        """Open every account of the population, account 1 of each pool first, and fund it."""
        for k, record in enumerate(self.records):
            maker, backstop, insurance, keeper = (x * QUOTE for x in CAPITAL[kind_of(record)])
            for number in (MAKER, *KEEPERS):
                self.add(k, kind=Kind.OPEN_ACCOUNT, other=k, amount=number)
            for number in KEEPERS:
                self.add(k, kind=Kind.DEPOSIT, account=number, asset=CASH, amount=keeper)
            self.add(k, kind=Kind.DEPOSIT, account=MAKER, asset=CASH, amount=maker)
            self.add(k, kind=Kind.FUND_BOND, account=MAKER, amount=BOND * QUOTE)
            self.add(
                k, kind=Kind.DEPOSIT, account=BACKSTOP, asset=CASH, amount=backstop + insurance
            )
            self.add(k, kind=Kind.FUND_INSURANCE, account=BACKSTOP, amount=insurance)
            if not record.spec.instruments:
                self.add(k, kind=Kind.SUPPLY, account=MAKER, amount=maker * 3 // 4)
        people: tuple[Taker | Borrower | Structure, ...] = (
            *self.population.takers,
            *self.population.borrowers,
            *self.population.structures,
        )
        for person in people:
            self.add(person.pool, kind=Kind.OPEN_ACCOUNT, other=person.owner, amount=person.number)
        with self.venue.group():
            self.act()
            self._sign_orders()

    def _sign_orders(self) -> None:
        """Give accounts the orders that their owners have signed in advance."""
        for order in self.population.orders:
            self.add(
                order.pool,
                kind=Kind.PROTECT,
                account=self.account(order.pool, order.owner, order.number),
                amount=order.budget,
                size=int(order.may_reduce),
            )
        self.act()

    def book_budgets(self, k: int, events: NDArray[np.void]) -> None:
        """Enter in the second book what the engine has added out of signed budgets."""
        record = self.records[k]
        for event in events[events["kind"] == Happening.BUDGET_ADDED]:
            owner, amount = record.pool.owner[event["account"]], int(event["value"])
            self.expected[owner, record.assets[CASH]] -= amount
            self.held[k][CASH] += amount

    def account(self, pool: int, owner: int, number: int) -> int:
        """Index of an account in its pool."""
        return self.records[pool].accounts[owner, number]

    def add(self, pool: int, **fields: int) -> None:
        """Put a command of a pool on the list of what to do next."""
        self._waiting[pool].append(fields)

    def act(self) -> dict[int, BatchReceipt]:
        """Send every waiting command, pool by pool, each pool's as one batch; its receipts."""
        waiting, self._waiting = self._waiting, defaultdict(list)
        receipts = {}
        for pool, commands in sorted(waiting.items()):
            batch = _batch(commands)
            receipt = self.venue.execute_many(self.records[pool].id.hex(), batch)
            self.commands += len(batch)
            self.refused += len(batch) - receipt.accepted
            self._book(pool, batch, receipt)
            receipts[pool] = receipt
        return receipts

    def _book(self, k: int, batch: Rows, receipt: BatchReceipt) -> None:
        """Enter what accepted commands move between wallets and accounts in the second book."""
        record = self.records[k]
        for row, status in zip(batch, receipt.statuses, strict=True):
            kind = row["kind"]
            if status != Status.OK or kind not in (Kind.DEPOSIT, Kind.OPEN_POSITION, Kind.WITHDRAW):
                continue
            sign = 1 if kind == Kind.WITHDRAW else -1
            owner = record.pool.owner[row["account"]]
            self.expected[owner, record.assets[row["asset"]]] += sign * row["amount"]
            self.held[k][row["asset"]] -= sign * int(row["amount"])

    def are_wallets_as_expected(self) -> bool:
        """Whether no wallet moved but by its owner's own commands and signed budgets."""
        return bool(np.array_equal(self.expected, self.venue.state.wallets.amount))


def _batch(commands: list[Fields]) -> Rows:
    batch = rows(len(commands))
    for r, fields in enumerate(commands):
        for name, value in fields.items():
            batch[name][r] = value
    return batch


def _dollars_in(asset: str, amount: int, prices: dict[str, int], price_unit: int) -> str:
    """An amount of quote units, as a decimal string of an asset at the first prices."""
    if asset == SETTLEMENT:
        return f"{amount // QUOTE}"
    coins = amount * price_unit // QUOTE * 10**SIZE_DECIMALS // prices[asset]
    return f"{coins // 10**SIZE_DECIMALS}.{coins % 10**SIZE_DECIMALS:0{SIZE_DECIMALS}d}"
