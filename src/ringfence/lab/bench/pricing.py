"""Black-76 price, delta, gamma and vega beside numpy, jax, C, QuantLib and vollib.

All contenders value the same options: forward, strike, time, volatility and rate vary, calls
and puts are mixed. Before anything is timed their prices are compared with ours. Where a
contender is not installed its row says so and has no ratio.
"""

import ctypes
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from llvmlite import binding
from numpy.typing import NDArray

from ringfence.lab.bench.compiler import MissingError, compiled, package
from ringfence.lab.bench.measure import (
    Result,
    Work,
    against,
    beside,
    least_seconds,
    seconds_in_turn,
)
from ringfence.pricing import black76
from ringfence.pricing.black76 import Evaluation, Options

Floats = NDArray[np.float64]

WHAT, UNIT = "Black-76 and Greeks", "ns per option"
NUMPY, JAX, C = "numpy and scipy", "jax, compiled", "C with libmvec, -ffast-math"
QUANTLIB, VOLLIB = "QuantLib, option by option", "vollib, option by option"
PRICES_AGREE = 1e-12  # of the forward

# The vectors of AVX-512 are twice as long as those of AVX2, and libmvec gains less from them.
WIDE = {NUMPY: 6.0, C: 1.3, QUANTLIB: 500.0}
NARROW = {NUMPY: 4.0, QUANTLIB: 250.0}


class PricesDifferError(Exception):
    """A contender does not compute what we compute, so its time means nothing."""


Contender = Callable[[Options], Callable[[], Floats]]


def random_options(count: int) -> Options:
    """Options of a crypto book: days to two years, 10 % to 150 % volatility."""
    rng = np.random.default_rng(1)
    forward = rng.uniform(100.0, 200.0, count)
    return Options(
        forward=forward,
        strike=forward * np.exp(rng.normal(0.0, 0.3, count)),
        time=rng.uniform(0.01, 2.0, count),
        volatility=rng.uniform(0.1, 1.5, count),
        rate=rng.uniform(0.0, 0.1, count),
        is_call=rng.random(count) < 0.5,
    )


def ours(options: Options) -> Callable[[], Floats]:
    """Our kernel into columns that exist already, like the C function."""
    found = Evaluation(*(np.empty(options.forward.size) for _ in range(4)))

    def work() -> Floats:
        black76.evaluation_columns(options, found)
        return found.price

    return work


def with_numpy(options: Options) -> Callable[[], Floats]:
    """The formulas as printed, on arrays."""
    ndtr = package("scipy", "scipy.special").ndtr
    return lambda: _formulas(options, np, ndtr)[0]


def with_jax(options: Options) -> Callable[[], Floats]:
    """The same, traced and compiled by XLA in double precision."""
    jax = package("jax")
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - the library's own signature
    ndtr = package("jax", "jax.scipy.special").ndtr
    numbers = Options(*(jax.numpy.asarray(column) for column in options))
    compiled = jax.jit(lambda o: _formulas(o, jax.numpy, ndtr))
    return lambda: np.asarray(jax.block_until_ready(compiled(numbers))[0])


def _formulas(o: Options, xp: Any, ndtr: Callable[[Any], Any]) -> tuple[Any, ...]:
    root = xp.sqrt(o.time)
    s = o.volatility * root
    d1 = xp.log(o.forward / o.strike) / s + 0.5 * s
    side = xp.where(o.is_call, 1.0, -1.0)
    discount = xp.exp(-o.rate * o.time)
    n1 = ndtr(side * d1)
    density = discount * xp.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    price = discount * side * (o.forward * n1 - o.strike * ndtr(side * (d1 - s)))
    return price, discount * side * n1, density / (o.forward * s), density * o.forward * root


def with_c(options: Options) -> Callable[[], Floats]:
    """The formulas as printed, compiled here by gcc for this processor."""
    function = compiled("libmvec.c", "evaluate", "-ffast-math", libraries=("-lmvec", "-lm"))
    results = [np.empty(options.forward.size) for _ in range(4)]
    pointers = [ctypes.c_void_p(column.ctypes.data) for column in (*options, *results)]

    def work() -> Floats:
        function(ctypes.c_long(options.forward.size), *pointers)
        return results[0]

    return work


def with_quantlib(options: Options) -> Callable[[], Floats]:
    """QuantLib's calculator, one object an option."""
    ql = package("QuantLib")
    rows = list(zip(*(column.tolist() for column in options), strict=True))

    def work() -> Floats:
        prices = []
        for forward, strike, years, volatility, rate, is_call in rows:
            kind = ql.Option.Call if is_call else ql.Option.Put
            payoff = ql.PlainVanillaPayoff(kind, strike)
            deviation, discount = volatility * math.sqrt(years), math.exp(-rate * years)
            black = ql.BlackCalculator(payoff, forward, deviation, discount)
            black.deltaForward()
            black.gammaForward()
            black.vega(years)
            prices.append(black.value())
        return np.array(prices)

    return work


def with_vollib(options: Options) -> Callable[[], Floats]:
    """The functions of vollib, one call a number."""
    black = package("vollib", "vollib.black").black
    greeks = package("vollib", "vollib.black.greeks.analytical")
    rows = list(zip(*(column.tolist() for column in options), strict=True))

    def work() -> Floats:
        prices = []
        for forward, strike, years, volatility, rate, is_call in rows:
            option = ("c" if is_call else "p", forward, strike, years, rate, volatility)
            greeks.delta(*option)
            greeks.gamma(*option)
            greeks.vega(*option)
            prices.append(black(*option))
        return np.array(prices)

    return work


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure every contender in turn with our kernel."""
    goals = WIDE if binding.get_host_cpu_features().get("avx512f", False) else NARROW
    rounds = 3 if quick else 9
    many = random_options(50_000 if quick else 1_000_000)
    few = random_options(200 if quick else 2_000)
    yield from _compared(many, {NUMPY: with_numpy, JAX: with_jax, C: with_c}, goals, rounds)
    yield from _scalar(many, few, {QUANTLIB: with_quantlib, VOLLIB: with_vollib}, goals, rounds)
    yield from _two_threads(many, rounds)
    yield from _implied(many, rounds)


def _compared(
    options: Options, contenders: dict[str, Contender], goals: dict[str, float], rounds: int
) -> Iterator[Result]:
    count = options.forward.size
    mine = ours(options)
    there, missing = _prepared(options, contenders, mine())
    least = least_seconds({"ours": mine, **there}, rounds)
    value = least["ours"] / count * 1e9
    ratios = {n: missing.get(n) or least[n] / least["ours"] for n in contenders}
    yield from beside(WHAT, value, UNIT, ratios, goals)


def _scalar(
    many: Options,
    few: Options,
    contenders: dict[str, Contender],
    goals: dict[str, float],
    rounds: int,
) -> Iterator[Result]:
    """Compare times per option: ours for many at once, theirs for a few one by one."""
    there, missing = _prepared(few, contenders, ours(few)())
    least = least_seconds({"ours": ours(many), **there}, rounds)
    value = least["ours"] / many.forward.size
    ratios = {n: missing.get(n) or least[n] / few.forward.size / value for n in contenders}
    yield from beside(WHAT, value * 1e9, UNIT, ratios, goals)


def _prepared(
    options: Options, contenders: dict[str, Contender], prices: Floats
) -> tuple[dict[str, Work], dict[str, str]]:
    """Set contenders up and check their prices; those that are not there, with the reason."""
    there: dict[str, Work] = {}
    missing: dict[str, str] = {}
    for name, prepare in contenders.items():
        try:
            work = prepare(options)
        except MissingError as error:
            missing[name] = str(error)
            continue
        distance = np.max(np.abs(work() - prices) / options.forward)
        if not distance <= PRICES_AGREE:
            raise PricesDifferError(f"{name}: prices differ by {distance} of the forward")
        there[name] = work
    return there, missing


def _two_threads(options: Options, rounds: int) -> Iterator[Result]:
    """Compare the public function on one and on two threads, by the clock on the wall."""

    def on(threads: int) -> Work:
        o = options
        numbers = (o.forward, o.strike, o.time, o.volatility, o.is_call, o.rate)
        return lambda: black76.evaluate(*numbers, threads=threads)

    times = seconds_in_turn({"one": on(1), "two": on(2)}, rounds, time.perf_counter_ns)
    one, two = min(times["one"]), min(times["two"])
    value = two / options.forward.size * 1e9
    yield against("Black-76 and Greeks on two threads", value, UNIT, "one thread", one / two)


def _implied(options: Options, rounds: int) -> Iterator[Result]:
    """Time the way back from prices to volatilities."""
    o = options
    numbers = (o.forward, o.strike, o.time, o.is_call, o.rate)
    prices = black76.price(o.forward, o.strike, o.time, o.volatility, o.is_call, o.rate)
    least = least_seconds({"": lambda: black76.implied_volatility(prices, *numbers)}, rounds)
    yield Result("implied volatility", least[""] / prices.size * 1e9, UNIT)
