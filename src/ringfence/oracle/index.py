"""The index price of one underlying: a weighted median of its live sources, in integers.

A source is live when its newest quote is younger than the limit of age. One whose price
is further than outlier_ppm from the median of all the live ones weighs nothing; the index
is the median of the rest. A median of weights is any price with at most half of the
weight below it and at most half above; where that is a range, its middle, rounded down.

An index is a function of a set of quotes: the newest of each source counts, so neither
their order, nor duplicates, nor late copies change it. Nothing here is ever zero for
"unknown": without a live source the answer is a NoPrice.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum, unique

import msgspec

from ringfence.units import AMOUNT_MAX, PPM, SECOND_NS

SOURCES_MAX = 52  # sources of one index: as a mask of bits they are an amount


class Quote(msgspec.Struct, frozen=True):
    """What one source says: the price is within confidence of price, as of that time."""

    source: str
    price: int  # 1e-9 settlement currency per coin
    confidence: int  # half-width, in price units
    publish_time_ns: int


class IndexRules(msgspec.Struct, frozen=True, kw_only=True):
    """How the quotes of one underlying become its index price.

    Raises:
        ValueError: A rule is outside of its range, or a weight is for no source.
    """

    sources: tuple[str, ...]  # the only ones that count; their order is that of the mask
    weights: dict[str, int] = {}  # by source; 1 for those not named
    stale_after_ns: int = 60 * SECOND_NS  # a quote of this age no longer counts
    outlier_ppm: int = 50_000  # further than this from the median: weighs nothing
    live_min: int = 1  # fewer sources used: degraded
    divergence_ppm: int = 20_000  # live prices further apart than this: divergent
    ahead_max_ns: int = 5 * SECOND_NS  # a publisher's clock may run this far ahead
    jump_max: int = 10  # a price this many times the source's last one is a change of scale

    def __post_init__(self) -> None:
        """Check the ranges, so that no later computation needs to."""
        if not 0 < len(self.sources) <= SOURCES_MAX or len(set(self.sources)) < len(self.sources):
            raise ValueError(f"1 to {SOURCES_MAX} different sources, not {self.sources}")
        if set(self.weights) - set(self.sources):
            raise ValueError(f"weights {self.weights} name more than the sources {self.sources}")
        if not all(0 < weight <= PPM for weight in self.weights.values()):
            raise ValueError(f"weights are from 1 to {PPM}: {self.weights}")
        if not 0 < self.live_min <= len(self.sources):
            raise ValueError(f"live_min {self.live_min} of {len(self.sources)} sources")
        if min(self.stale_after_ns, self.outlier_ppm, self.divergence_ppm) <= 0:
            raise ValueError("stale_after_ns, outlier_ppm and divergence_ppm must be positive")
        if self.ahead_max_ns < 0 or self.jump_max < 2:
            raise ValueError(f"ahead_max_ns {self.ahead_max_ns} >= 0, jump_max {self.jump_max} > 1")

    def weight(self, source: str) -> int:
        """Votes of a source."""
        return self.weights.get(source, 1)


class Index(msgspec.Struct, frozen=True):
    """An index price and how much it can be trusted."""

    price: int  # 1e-9 settlement currency per coin
    confidence: int  # half-width, in price units
    publish_time_ns: int
    sources: tuple[str, ...]  # that were used, in the order of the rules
    source_mask: int  # the same; bit k for the rules' source k
    degraded: bool  # fewer sources than live_min
    divergent: bool  # the live sources contradict each other


@unique
class Absence(StrEnum):
    """Why there is no index price."""

    NO_QUOTE = "no source has a quote yet"
    ALL_STALE = "the quotes of all sources are too old"


class NoPrice(msgspec.Struct, frozen=True):
    """That there is no index price, and why."""

    reason: Absence
    publish_time_ns: int | None = None  # of the newest quote there is


def index_price(quotes: Iterable[Quote], rules: IndexRules, now_ns: int) -> Index | NoPrice:
    """Index price from quotes of any order, with any duplicates, at a time.

    confidence: the smallest half-width around the price that holds the whole band (price
    and own confidence) of sources with three quarters of the weight used. One source
    alone passes on its own; up to three of equal weight, all bands are held.

    publish_time_ns: the newest time such that sources with more than half of the weight
    used have published since. Their prices alone bracket a weighted median, so the index
    is at least that fresh. The newest quote would let one source hide that the others
    stopped; the oldest would let one that stopped hold back all the others.
    """
    newest = _newest(quotes, rules, now_ns)
    if not newest:
        return NoPrice(Absence.NO_QUOTE)
    live = [quote for quote in newest if now_ns - quote.publish_time_ns < rules.stale_after_ns]
    if not live:
        return NoPrice(Absence.ALL_STALE, max(quote.publish_time_ns for quote in newest))
    used = _without_outliers(live, rules)
    price = _median(used, rules)
    prices = [quote.price for quote in live]
    return Index(
        price=price,
        confidence=_confidence(used, rules, price),
        publish_time_ns=min(_publish_time(used, rules), now_ns),
        sources=tuple(quote.source for quote in used),
        source_mask=sum(1 << rules.sources.index(quote.source) for quote in used),
        degraded=len(used) < rules.live_min,
        divergent=(max(prices) - min(prices)) * PPM > rules.divergence_ppm * min(prices),
    )


def is_valid(quote: Quote) -> bool:
    """Whether a quote can be a price at all, whatever its source and time."""
    return 0 < quote.price <= AMOUNT_MAX and 0 <= quote.confidence <= AMOUNT_MAX


def _newest(quotes: Iterable[Quote], rules: IndexRules, now_ns: int) -> list[Quote]:
    """The newest usable quote of each known source, in the order of the rules."""
    latest_ns = now_ns + rules.ahead_max_ns
    newest: dict[str, Quote] = {}
    for quote in quotes:
        if quote.source in rules.sources and quote.publish_time_ns <= latest_ns and is_valid(quote):
            kept = newest.setdefault(quote.source, quote)
            newest[quote.source] = max(kept, quote, key=_precedence)
    return [newest[source] for source in rules.sources if source in newest]


def _precedence(quote: Quote) -> tuple[int, int, int]:
    # Two quotes of one source and time contradict each other; that the less certain, then
    # the lower one counts is arbitrary, but the same whichever came first.
    return quote.publish_time_ns, quote.confidence, -quote.price


def _without_outliers(live: list[Quote], rules: IndexRules) -> list[Quote]:
    middle = _median(live, rules)
    near = [q for q in live if abs(q.price - middle) * PPM <= rules.outlier_ppm * middle]
    # Two camps of equal weight leave nobody near the middle. Neither is known to be wrong,
    # so both stay: the index is then divergent, and its confidence covers them.
    return near or live


def _median(quotes: Sequence[Quote], rules: IndexRules) -> int:
    ranked = sorted(quotes, key=lambda quote: quote.price)
    total = sum(rules.weight(quote.source) for quote in ranked)
    lower = _first_reaching(ranked, rules, total)
    upper = _first_reaching(ranked[::-1], rules, total)
    return (lower.price + upper.price) // 2


def _first_reaching(ranked: Sequence[Quote], rules: IndexRules, total: int) -> Quote:
    """The first quote with which half of the total weight is reached."""
    weight = 0
    for quote in ranked:
        weight += rules.weight(quote.source)
        if 2 * weight >= total:
            return quote
    raise AssertionError("the weights add up to their total")


def _confidence(used: Sequence[Quote], rules: IndexRules, price: int) -> int:
    reaches = sorted((abs(q.price - price) + q.confidence, rules.weight(q.source)) for q in used)
    total = sum(weight for _, weight in reaches)
    weight = 0
    for reach, own in reaches:
        weight += own
        if 4 * weight >= 3 * total:
            return min(reach, AMOUNT_MAX)
    raise AssertionError("the weights add up to their total")


def _publish_time(used: Sequence[Quote], rules: IndexRules) -> int:
    total = sum(rules.weight(quote.source) for quote in used)
    weight = 0
    for quote in sorted(used, key=lambda quote: -quote.publish_time_ns):
        weight += rules.weight(quote.source)
        if 2 * weight > total:
            return quote.publish_time_ns
    raise AssertionError("the weights add up to their total")


@unique
class Verdict(StrEnum):
    """What a feed says to a quote: OK or the first rule it breaks, in this order."""

    OK = "ok"
    SOURCE_IS_UNKNOWN = "source_is_unknown"
    PRICE_MUST_BE_POSITIVE = "price_must_be_positive"
    PRICE_EXCEEDS_LIMIT = "price_exceeds_limit"
    CONFIDENCE_IS_INVALID = "confidence_is_invalid"
    PUBLISH_TIME_MUST_INCREASE = "publish_time_must_increase"
    PUBLISH_TIME_IN_THE_FUTURE = "publish_time_in_the_future"
    SCALE_CHANGED = "scale_changed"


class Feed:
    """The latest accepted quote of each source of one underlying.

    Of a stream and any permutation of it, with duplicates and late copies, the same quotes
    remain, as long as the quotes of each source are of one scale.
    """

    def __init__(self, rules: IndexRules) -> None:
        self.rules = rules
        self.verdicts: Counter[Verdict] = Counter()
        self._latest: dict[str, Quote] = {}

    def offer(self, quote: Quote, now_ns: int) -> Verdict:
        """Keep a quote if it breaks no rule; a refused one changes nothing but the count."""
        verdict = self._verdict(quote, now_ns)
        self.verdicts[verdict] += 1
        if verdict is Verdict.OK:
            self._latest[quote.source] = quote
        return verdict

    def _verdict(self, quote: Quote, now_ns: int) -> Verdict:
        if quote.source not in self.rules.sources:
            return Verdict.SOURCE_IS_UNKNOWN
        if quote.price <= 0:
            return Verdict.PRICE_MUST_BE_POSITIVE
        if quote.price > AMOUNT_MAX:
            return Verdict.PRICE_EXCEEDS_LIMIT
        if not 0 <= quote.confidence <= AMOUNT_MAX:
            return Verdict.CONFIDENCE_IS_INVALID
        last = self._latest.get(quote.source)
        if last is not None and quote.publish_time_ns <= last.publish_time_ns:
            return Verdict.PUBLISH_TIME_MUST_INCREASE
        if quote.publish_time_ns > now_ns + self.rules.ahead_max_ns:
            return Verdict.PUBLISH_TIME_IN_THE_FUTURE
        if last is not None and self._is_jump(last.price, quote.price):
            return Verdict.SCALE_CHANGED
        return Verdict.OK

    def _is_jump(self, before: int, after: int) -> bool:
        return max(before, after) >= self.rules.jump_max * min(before, after)

    def forget(self, source: str) -> None:
        """Drop a source's quote, so that its next one may be of another scale."""
        self._latest.pop(source, None)

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """The quotes kept, in the order of the rules."""
        return tuple(self._latest[s] for s in self.rules.sources if s in self._latest)

    def index(self, now_ns: int) -> Index | NoPrice:
        """Index price from the quotes kept."""
        return index_price(self._latest.values(), self.rules, now_ns)
