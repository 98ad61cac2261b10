"""Prices and funding as they arrive from the oracle; decisions use nothing else."""

from ringfence.compiled import kernel
from ringfence.core.expiry import note_average
from ringfence.core.margin import funding_step
from ringfence.core.options import PUT
from ringfence.core.pool import MarginModel, Pool, Rule, Total
from ringfence.core.status import Status
from ringfence.core.validity import Action, Flag, is_usable
from ringfence.units import AMOUNT_MAX, SECOND_NS

CLOCK_SKEW_NS = 5 * SECOND_NS  # a publisher's clock may run this far ahead of the pool's


@kernel
def index_price_status(
    pool: Pool, u: int, price: int, confidence: int, publish_time: int, flag: int
) -> Status:
    """Rules of an index price, from UNDERLYING_DOES_NOT_EXIST to PRICE_EXCEEDS_LIMIT."""
    if u < 0 or u >= pool.index_price.size:
        return Status.UNDERLYING_DOES_NOT_EXIST
    if flag < Flag.NONE or flag > Flag.NON_POSITIVE:
        return Status.FLAG_IS_UNKNOWN
    if publish_time <= pool.publish_time[u]:
        return Status.PUBLISH_TIME_MUST_INCREASE
    if publish_time > pool.total[Total.NOW_NS] + CLOCK_SKEW_NS:
        return Status.PUBLISH_TIME_IN_THE_FUTURE
    if flag == Flag.NON_POSITIVE:
        return Status.OK
    if price <= 0:
        return Status.PRICE_MUST_BE_POSITIVE
    if price > pool.price_max[u]:
        return Status.PRICE_EXCEEDS_LIMIT
    if confidence < 0:
        return Status.CONFIDENCE_MUST_NOT_BE_NEGATIVE
    return Status.OK


@kernel
def set_index_price(
    pool: Pool, u: int, price: int, confidence: int, publish_time: int, flag: int
) -> Status:
    """Take over an index price; the first one after an outage starts the grace period.

    A flagged price is not taken: the last good one stays, and goes on ageing, unusable.

    Checks, in order: UNDERLYING_DOES_NOT_EXIST, FLAG_IS_UNKNOWN,
    PUBLISH_TIME_MUST_INCREASE, PUBLISH_TIME_IN_THE_FUTURE, PRICE_MUST_BE_POSITIVE,
    PRICE_EXCEEDS_LIMIT, CONFIDENCE_MUST_NOT_BE_NEGATIVE.
    """
    status = index_price_status(pool, u, price, confidence, publish_time, flag)
    if status != Status.OK:
        return status
    pool.price_flag[u] = flag
    if flag != Flag.NONE:
        return Status.OK
    note_average(pool, u)
    now = pool.total[Total.NOW_NS]
    if pool.index_price[u] > 0 and now - pool.publish_time[u] >= pool.rule[Rule.LONG_STALE_NS]:
        pool.grace_until[u] = now + pool.rule[Rule.GRACE_NS]
    pool.publish_time[u] = publish_time
    pool.index_price[u] = price
    pool.confidence[u] = min(confidence, AMOUNT_MAX)
    return Status.OK


@kernel
def set_mark_price(pool: Pool, i: int, price: int) -> Status:
    """Take over the mark price of an instrument.

    Checks, in order: INSTRUMENT_DOES_NOT_EXIST, PRICE_MUST_BE_POSITIVE,
    PRICE_MUST_BE_WHOLE_TICKS, PRICE_EXCEEDS_LIMIT (of a put its strike, too),
    INSTRUMENT_HAS_EXPIRED, PRICE_IS_NOT_USABLE (the oracle flags the index price it would follow).
    """
    if i < 0 or i >= pool.mark_price.size:
        return Status.INSTRUMENT_DOES_NOT_EXIST
    if price <= 0:
        return Status.PRICE_MUST_BE_POSITIVE
    if price % pool.tick[i] != 0:
        return Status.PRICE_MUST_BE_WHOLE_TICKS
    if price > pool.price_max[pool.instrument_underlying[i]]:
        return Status.PRICE_EXCEEDS_LIMIT
    if pool.option_side[i] == PUT and price > pool.strike[i]:
        return Status.PRICE_EXCEEDS_LIMIT
    if pool.expired[i] == 1:
        return Status.INSTRUMENT_HAS_EXPIRED
    if pool.price_flag[pool.instrument_underlying[i]] != Flag.NONE:
        return Status.PRICE_IS_NOT_USABLE
    pool.mark_price[i] = price
    if pool.option_side[i] != 0 and pool.margin_model[0] != MarginModel.SCENARIO:
        pool.valued_at[i] = pool.total[Total.NOW_NS]
    return Status.OK


@kernel
def accrue_funding(pool: Pool, i: int, rate: int) -> Status:
    """Add a funding payment to the index of a perpetual; longs pay when the rate is positive.

    Checks, in order: INSTRUMENT_DOES_NOT_EXIST, INSTRUMENT_IS_NOT_A_PERPETUAL,
    FUNDING_EXCEEDS_LIMIT, MARK_PRICE_IS_MISSING, PRICE_IS_NOT_USABLE.
    """
    if i < 0 or i >= pool.mark_price.size:
        return Status.INSTRUMENT_DOES_NOT_EXIST
    if pool.expiry[i] != 0:
        return Status.INSTRUMENT_IS_NOT_A_PERPETUAL
    if rate > pool.funding_rate_max[i] or rate < -pool.funding_rate_max[i]:
        return Status.FUNDING_EXCEEDS_LIMIT
    if pool.mark_price[i] == 0:
        return Status.MARK_PRICE_IS_MISSING
    if not is_usable(pool, Action.FUNDING, pool.instrument_underlying[i]):
        return Status.PRICE_IS_NOT_USABLE
    index = pool.funding_index[i] + funding_step(pool.mark_price[i], rate)
    # Funding of the whole price cumulated: far beyond any life of a position.
    if abs(index) > pool.price_max[pool.instrument_underlying[i]]:
        return Status.FUNDING_EXCEEDS_LIMIT
    pool.funding_index[i] = index
    return Status.OK
