"""Options of the model: payoffs, largest losses, scenarios, rules per option, valuations."""

from tests.model.state import (
    CASH,
    CLOSEOUT,
    INITIAL,
    MAINTENANCE,
    MILLION,
    TARGET,
    Account,
    Instrument,
    State,
    down,
    up,
)

from ringfence.core.pool import Rule
from ringfence.core.status import Status

BRACKETS, STANDARD, SCENARIO, COLLATERALISED = range(4)
SINGLE, LOWER, LOSS, SIZE, PARTNER = range(5)
CAP = 4 * 10**15  # quote units: no loss on one underlying counts for more


def pays(instrument: Instrument, price: int) -> int:
    """Price units that one contract pays at a settlement price."""
    if instrument.side > 0:
        return max(price - instrument.strike, 0)
    if instrument.side < 0:
        return max(instrument.strike - price, 0)
    return price


def by_expiry(state: State, account: Account, u: int) -> list[list[int]]:
    """Instruments of an underlying in which the account has a position, expiry by expiry."""
    groups: dict[int, list[int]] = {}
    for i in state.underlyings[u].instruments:
        if account.positions[i].size:
            groups.setdefault(state.instruments[i].expiry, []).append(i)
    return list(groups.values())


def worth(state: State, account: Account, held: list[int]) -> int:
    """Value of some positions at their marks."""
    return sum(state.value(account.positions[i].size, state.instruments[i].mark) for i in held)


def worst_end(state: State, account: Account, held: list[int], highest: int | None) -> int:
    """Least that some positions of one expiry pay, wherever they settle."""
    ends = {0} | {state.instruments[i].strike for i in held if state.instruments[i].side}
    if highest is not None:
        ends.add(highest)
    return min(
        sum(state.value(account.positions[i].size, pays(state.instruments[i], end)) for i in held)
        for end in ends
    )


def open_calls(state: State, account: Account, held: list[int]) -> int:
    """Calls sold without one bought."""
    calls = [account.positions[i].size for i in held if state.instruments[i].side > 0]
    return max(0, -sum(calls))


def collateralised(state: State, account: Account, u: int) -> int:
    """Every expiry's largest loss."""
    highest = state.underlyings[u].price_max
    return sum(
        worth(state, account, held) - worst_end(state, account, held, highest)
        for held in by_expiry(state, account, u)
    )


def coins(state: State, account: Account, u: int) -> list[int]:
    """Collateral assets that move with the scenarios of an underlying."""
    return [
        c
        for c, asset in enumerate(state.assets)
        if c != CASH and asset.offsetting and asset.underlying == u and account.balances[c]
    ]


def scenario_totals(state: State, account: Account, u: int) -> list[int]:
    """What the account gains in every scenario."""
    kinds, price = state.kinds, state.underlyings[u].price
    value = sum(state.value(account.balances[c], price) for c in coins(state, account, u))
    totals = []
    for move in state.moves:
        gain = value * abs(move) // 10**9
        totals.append(gain if move > 0 else -gain)
    for held in by_expiry(state, account, u):
        lots = [account.positions[i].size // state.instruments[i].lot for i in held]
        arrays = [state.instruments[i].array[1:] for i in held]
        sums = [
            sum(n * array[s] for n, array in zip(lots, arrays, strict=True))
            for s in range(len(kinds))
        ]
        for s, kind in enumerate(kinds):
            pair = sums[s : s + 2]
            if kind == SINGLE:
                totals[s] += sums[s]
            elif kind == LOWER:
                totals[s] += min(pair)
            elif kind == LOSS:
                totals[s] += min([*pair, 0])
            elif kind == SIZE:
                totals[s] -= abs(min(pair))
    return totals


def sold_net(state: State, account: Account, u: int) -> int:
    """Options sold net, strike by strike of each expiry."""
    net: dict[tuple[int, int], int] = {}
    for i in state.underlyings[u].instruments:
        instrument = state.instruments[i]
        if instrument.side:
            key = instrument.expiry, instrument.strike
            net[key] = net.get(key, 0) + account.positions[i].size
    return sum(-size for size in net.values() if size < 0)


def limit(state: State, account: Account, u: int, level: int) -> int:
    """The most that scenarios may demand: what can be lost at all."""
    groups = by_expiry(state, account, u)
    if any(state.instruments[i].side == 0 for held in groups for i in held):
        return CAP
    if any(open_calls(state, account, held) for held in groups):
        return CAP
    underlying = state.underlyings[u]
    losses = [worth(state, account, g) - worst_end(state, account, g, None) for g in groups]
    price = underlying.price
    if level == INITIAL:
        price = max(0, price - underlying.confidence)
    total = sum(max(loss, 0) for loss in losses)
    if total >= CAP:
        return CAP
    for c in coins(state, account, u):
        kept = MILLION - state.assets[c].haircut[level]
        total += down(state.value(account.balances[c], price), kept, MILLION)
    return total


def worst_loss(state: State, account: Account, u: int) -> int:
    """Loss in the worst scenario."""
    return min(max([0, *(-x for x in scenario_totals(state, account, u))]), CAP)


def delta_legs(state: State, account: Account, u: int) -> list[int]:
    """Delta of each position, in quote units."""
    return [
        account.positions[i].size // state.instruments[i].lot * state.instruments[i].array[0]
        for held in by_expiry(state, account, u)
        for i in held
    ]


def scenario(state: State, account: Account, u: int, level: int, floor: int) -> int:
    """Requirement by scenarios; floor: what the brackets ask for the deltas."""
    underlying = state.underlyings[u]
    factor = max(underlying.factor[level:])
    needed = max(up(worst_loss(state, account, u), factor, MILLION), floor)
    short = state.value(sold_net(state, account, u), underlying.price)
    linear = sum(
        abs(state.value(account.positions[i].size, state.instruments[i].mark))
        for i in underlying.instruments
        if state.instruments[i].side == 0
    )
    needed += up(short, underlying.option_rate[level], MILLION)
    needed += up(linear, underlying.linear_rate[level], MILLION)
    return min(needed, limit(state, account, u, level))


def sold_rates(state: State, i: int) -> tuple[int, int]:
    """Price units that one contract sold needs: maintenance and initial."""
    instrument, rate = state.instruments[i], state.standard
    spot = state.underlyings[instrument.underlying].price
    highest, lowest, call, put, put_value, scale = rate[:6]
    shares = {r: up(spot, r, MILLION) for r in (highest, lowest, call, put)}
    if instrument.side > 0:
        out = max(instrument.strike - spot, 0)
        return shares[call], max(shares[lowest], shares[highest] - out)
    out = max(spot - instrument.strike, 0)
    keep = max(shares[put], up(instrument.mark, put_value, MILLION))
    start = max(shares[lowest], shares[highest] - out)
    scaled = up(keep + instrument.mark, scale, MILLION) - instrument.mark
    return keep, max(start, scaled)


def standard(state: State, account: Account, u: int, level: int) -> int:
    """Requirement by rules per option."""
    underlying, total = state.underlyings[u], 0
    for held in by_expiry(state, account, u):
        if state.instruments[held[0]].side == 0:
            continue
        keep = start = 0
        for i in held:
            size = account.positions[i].size
            rates = sold_rates(state, i)
            if size > 0:
                value = state.value(size, state.instruments[i].mark)
                keep, start = keep + value, start + value
            else:
                keep += up(-size, rates[0], state.divisor)
                start += up(-size, rates[1], state.divisor)
        asked = [up(keep, underlying.factor[k], MILLION) for k in (CLOSEOUT, MAINTENANCE, TARGET)]
        if level == INITIAL:
            asked.append(up(start, underlying.factor[INITIAL], MILLION))
        lost = worth(state, account, held) - worst_end(state, account, held, None)
        beyond = up(open_calls(state, account, held), underlying.price, state.divisor)
        lost += up(beyond, state.standard[6 if level == INITIAL else 7], MILLION)
        total += min(max(asked[: CLOSEOUT - level + 1]), max(lost, 0))
    return total


def needs_valuation(state: State, i: int) -> bool:
    """Whether an instrument's value does not follow from the index price."""
    return state.model == SCENARIO or state.instruments[i].side != 0


def valuation_class(state: State, i: int) -> int:
    """How good a valuation is now; the classes of prices."""
    if not needs_valuation(state, i):
        return 0
    valued = state.instruments[i].valued
    if valued == 0:
        return 5
    age = state.now - valued
    if age >= state.rules[Rule.LONG_STALE_NS]:
        return 3
    return 2 if age >= state.rules[Rule.STALE_NS] else 0


def valued(state: State, action: int, i: int) -> bool:
    """Whether an action may use the valuation of an instrument."""
    return state.model == BRACKETS or state.allowed[action][valuation_class(state, i)]


def set_risk_array(state: State, i: int, first: int, values: list[int]) -> Status:
    """Five slots of a risk array."""
    if state.model != SCENARIO:
        return Status.POOL_HAS_NO_SCENARIOS
    if not 0 <= i < len(state.instruments):
        return Status.INSTRUMENT_DOES_NOT_EXIST
    instrument = state.instruments[i]
    if instrument.expired:
        return Status.INSTRUMENT_HAS_EXPIRED
    if first not in (0, instrument.filled):
        return Status.RISK_SLOT_IS_OUT_OF_ORDER
    width = len(state.kinds) + 1
    values = values[: width - first]
    most = state.value(instrument.lot, state.underlyings[instrument.underlying].price_max)
    if any(abs(value) > most for value in values):
        return Status.RISK_EXCEEDS_LIMIT
    instrument.upcoming[first : first + len(values)] = values
    instrument.filled = first + 5
    if instrument.filled >= width:
        instrument.array, instrument.upcoming = instrument.upcoming, [0] * width
        instrument.filled, instrument.valued = 0, state.now
    return Status.OK


assert (INITIAL, TARGET, MAINTENANCE, CLOSEOUT) == (0, 1, 2, 3)
