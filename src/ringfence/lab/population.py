"""A seeded population: who owns what, in which pools, and when they come and go.

Everything follows from the seed by whole numbers, so it is the same on any Python. Numbers
stated here, not found in data: two pools in five are majors, one in five is fast, one in four
lends, the rest are tail pools; an owner has accounts in several pools and keeps most of his money outside;
positions last from an hour to two days; two takers in three are long; three accounts in ten have
an order that their owner has signed in advance.
"""

import msgspec

from ringfence.core.spec import PoolSpec
from ringfence.lab.dice import Dice
from ringfence.lab.option_pools import options_spec
from ringfence.lab.pools import fast_spec, lending_spec, majors_spec, tail_price, tail_spec
from ringfence.lab.structures import Structure, draw
from ringfence.units import HOUR_NS

MAKER, LENDER = 1, 1  # the first account after the backstop
SIZES = (200, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 100_000)  # deposits in dollars
LEVERAGE_STEPS = (20, 40, 60, 100, 100, 150, 200)  # percent of the typical leverage
LEVERAGE_MAX = 20  # in majors; in fast pools leverage is four times as high
FAST = 4
STRUCTURES_A_POOL = 50  # accounts of an option pool, a quarter of each kind
LOAN_TO_VALUE = (50, 65, 75, 85, 92, 97)  # percent of what initial margin allows
ORDERS_OF = 10  # of so many accounts one has a budget, one may be reduced, one has both
STAY_MIN_NS, STAY_MAX_NS = HOUR_NS, 48 * HOUR_NS


class PopulationPlan(msgspec.Struct, frozen=True):
    """What to build.

    Raises:
        ValueError: A number is outside of its range; the message says which.
    """

    pools: int = 40
    accounts: int = 2_000
    leverage: int = 10
    seed: int = 1
    option_pools: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, value, low, high in (
            ("pools", self.pools, 1, 10_000),
            ("accounts", self.accounts, 1, 5_000_000),
            ("leverage", self.leverage, 1, LEVERAGE_MAX),
            ("option-pools", self.option_pools, 0, 1_000),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; it must be from {low} to {high}")


class Taker(msgspec.Struct, frozen=True):
    """An account that opens a position against the pool's maker, and closes it again."""

    pool: int
    owner: int
    number: int
    is_long: bool
    leverage: int
    deposit: int  # quote units
    enter_ns: int
    stay_ns: int


class Borrower(msgspec.Struct, frozen=True):
    """An account that deposits coins and draws cash against them."""

    pool: int
    owner: int
    number: int
    value: int  # quote units of each coin it deposits
    loan_to_value: int  # percent of what its initial margin allows
    enter_ns: int


class Order(msgspec.Struct, frozen=True):
    """What an account's owner signs in advance: a budget of the wallet, and leave to reduce."""

    pool: int
    owner: int
    number: int
    budget: int  # quote units
    may_reduce: bool


class Population(msgspec.Struct, frozen=True):
    """The plan made concrete."""

    specs: tuple[PoolSpec, ...]
    owners: int  # the first ones create a pool each, and own its backstop and its maker
    takers: tuple[Taker, ...]
    borrowers: tuple[Borrower, ...]
    structures: tuple[Structure, ...] = ()
    orders: tuple[Order, ...] = ()

    @property
    def accounts(self) -> int:
        """Accounts that come and go; makers, lenders and backstops are not counted."""
        return len(self.takers) + len(self.borrowers) + len(self.structures)


def _kind_of(k: int) -> str:
    """Kind of the k-th pool: in twenty, eight are majors, four fast, five lend, three tail."""
    fourth = "tail" if k % 20 < 15 else "lending"
    return ("majors", "lending", "fast", fourth, "majors")[k % 5]


def _spec_of(k: int, prices: dict[str, int], stale_seconds: int) -> PoolSpec:
    symbols = list(prices)
    symbol = symbols[k % len(symbols)]
    kind = _kind_of(k)
    if kind == "lending":
        return lending_spec(k, prices, stale_seconds)
    if kind == "fast":
        return fast_spec(k, symbol, prices[symbol], stale_seconds)
    if kind == "tail":
        start = tail_price(prices[symbol], prices[symbol])
        return tail_spec(k, symbol, start, stale_seconds)
    return majors_spec(k, symbol, prices[symbol], stale_seconds)


def populate(
    plan: PopulationPlan,
    prices: dict[str, int],
    span_ns: tuple[int, int],
    *,
    stale_seconds: int,
    quote: int,
) -> Population:
    """Return the population of a plan for the first prices and the span of a price series.

    Two thirds of the accounts come within the first twentieth of the span, the others at
    any time after it. quote: smallest units of the settlement asset in one dollar.
    """
    dice = Dice(plan.seed)
    specs = tuple(_spec_of(k, prices, stale_seconds) for k in range(plan.pools))
    people = max(plan.accounts * 3 // 5, 1)
    start_ns, end_ns = span_ns
    specs += _option_specs(plan, prices, start_ns, stale_seconds)
    takers: list[Taker] = []
    borrowers: list[Borrower] = []
    numbers: dict[tuple[int, int], int] = {}
    for _ in range(plan.accounts):
        pool, owner = dice.below(plan.pools), len(specs) + dice.below(people)
        number = numbers[pool, owner] = numbers.get((pool, owner), 0) + 1
        window = max((end_ns - start_ns) // (20 if dice.below(3) < 2 else 1), 1)
        enter_ns = start_ns + dice.below(window)
        money = dice.one_of(SIZES) * quote
        if specs[pool].instruments:
            leverage = plan.leverage * dice.one_of(LEVERAGE_STEPS) // 100
            leverage = min(max(leverage, 1), LEVERAGE_MAX)
            takers.append(
                Taker(
                    pool,
                    owner,
                    number,
                    dice.below(3) < 2,
                    leverage * FAST if _kind_of(pool) == "fast" else leverage,
                    money,
                    enter_ns,
                    STAY_MIN_NS + dice.below(STAY_MAX_NS - STAY_MIN_NS),
                )
            )
        else:
            ratio = dice.one_of(LOAN_TO_VALUE)
            borrowers.append(Borrower(pool, owner, number, money, ratio, enter_ns))
    owners = len(specs) + people
    structures = _structures(plan, len(specs), owners, span_ns, quote)
    orders = _orders(plan.seed, (*takers, *borrowers))
    return Population(specs, owners, tuple(takers), tuple(borrowers), structures, orders)


def _orders(seed: int, people: tuple[Taker | Borrower, ...]) -> tuple[Order, ...]:
    """Draw who signs orders in advance, by dice of their own: three in ten, each in its way.

    A budget is half of what the account deposits. Borrowers have no position to reduce.
    """
    dice, orders = Dice(seed + 3), []
    for person in people:
        drawn = dice.below(ORDERS_OF)
        is_taker = isinstance(person, Taker)
        money = person.deposit if isinstance(person, Taker) else person.value
        budget = money // 2 if drawn in (0, 2) else 0
        may_reduce = is_taker and drawn in (1, 2)
        if budget or may_reduce:
            orders.append(Order(person.pool, person.owner, person.number, budget, may_reduce))
    return tuple(orders)


def _structures(
    plan: PopulationPlan, pools: int, owners: int, span_ns: tuple[int, int], quote: int
) -> tuple[Structure, ...]:
    """Draw the holders of option structures, by dice of their own: the others stay as they are."""
    count, dice = plan.option_pools * STRUCTURES_A_POOL, Dice(plan.seed + 2)
    return draw(dice, count, range(plan.pools, pools), range(pools, owners), span_ns, quote)


def _option_specs(
    plan: PopulationPlan, prices: dict[str, int], start_ns: int, stale_seconds: int
) -> tuple[PoolSpec, ...]:
    """Pools of options on the symbols in turn; they come on top of the others."""
    symbols = list(prices)
    numbers = range(plan.pools, plan.pools + plan.option_pools)
    named = [(k, symbols[k % len(symbols)]) for k in numbers]
    return tuple(options_spec(k, s, prices[s], start_ns, stale_seconds) for k, s in named)
