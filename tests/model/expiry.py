"""Averages and the end of what expires, in the model."""

from tests.model import health, options, trading
from tests.model.money import LARGEST
from tests.model.state import SETTLE, Instrument, State, Underlying

from ringfence.core.pool import Rule
from ringfence.core.status import Status


def stretch(state: State, instrument: Instrument) -> tuple[int, int]:
    """The current index price, and how long it has stood inside of the window."""
    underlying = state.underlyings[instrument.underlying]
    outage = underlying.published + state.rules[Rule.LONG_STALE_NS]
    begin = max(underlying.taken, instrument.expiry - instrument.window)
    end = min(state.now, instrument.expiry, outage)
    long = end // 10**6 - begin // 10**6
    return underlying.price, long if underlying.price and instrument.expiry and long > 0 else 0


def settling_price(state: State, instrument: Instrument) -> int:
    """The average over the window, or what comes after one in which nothing counted."""
    parts = [*instrument.stood, stretch(state, instrument)]
    long = sum(part[1] for part in parts)
    if long:
        price = sum(price * stood for price, stood in parts) // long
    elif health.usable(state, SETTLE, instrument.underlying):
        price = state.underlyings[instrument.underlying].price
    else:
        return 0
    return max(price - price % instrument.tick, instrument.tick)


def expire(state: State, i: int) -> Status:
    """The end of a future, or of an option, which is worth its payoff."""
    if not 0 <= i < len(state.instruments):
        return Status.INSTRUMENT_DOES_NOT_EXIST
    instrument = state.instruments[i]
    if instrument.expiry == 0 or state.now < instrument.expiry:
        return Status.INSTRUMENT_HAS_NOT_EXPIRED
    if instrument.expired:
        return Status.INSTRUMENT_HAS_EXPIRED
    price = settling_price(state, instrument)
    if price == 0:
        return Status.PRICE_IS_NOT_USABLE
    instrument.mark = options.pays(instrument, price)
    trading.settle_all(state)
    for account in state.accounts:
        account.positions[i].size = account.positions[i].cost = 0
    instrument.expired = True
    return Status.OK


def take_price(
    state: State, underlying: Underlying, price: int, confidence: int, published: int
) -> None:
    """Let a price stand from now on, and note how long the one before it stood in each window."""
    for i in underlying.instruments:
        part = stretch(state, state.instruments[i])
        state.instruments[i].stood += [part] if part[1] else []
    silent = state.now - underlying.published
    if underlying.price > 0 and silent >= state.rules[Rule.LONG_STALE_NS]:
        underlying.grace_until = state.now + state.rules[Rule.GRACE_NS]
    underlying.price, underlying.confidence = price, min(confidence, LARGEST)
    underlying.published, underlying.taken = published, state.now
