"""Black-76 in 60 digits, straight from the textbook; the reference of the other tests."""

import mpmath as mp

DIGITS = 60
GREEKS = ("delta", "gamma", "vega", "theta", "rho", "vanna", "volga")


def price(forward, strike, time, volatility, is_call, rate=0.0):
    """Price; the arguments may be floats or mpmath numbers."""
    with mp.workdps(DIGITS):
        forward, strike, time, volatility, rate = (
            mp.mpf(x) for x in (forward, strike, time, volatility, rate)
        )
        deviation = volatility * mp.sqrt(time)
        d1 = mp.log(forward / strike) / deviation + deviation / 2
        side = 1 if is_call else -1
        legs = forward * cdf(side * d1) - strike * cdf(side * (d1 - deviation))
        return mp.exp(-rate * time) * side * legs


def cdf(z):
    """Normal distribution function."""
    with mp.workdps(DIGITS):
        return mp.erfc(-z / mp.sqrt(2)) / 2


def greeks(forward, strike, time, volatility, is_call, rate=0.0):
    """Sensitivities, by central differences of the price in 60 digits (28 are good)."""
    f, k, t, v, r = (mp.mpf(x) for x in (forward, strike, time, volatility, rate))
    step = mp.mpf(10) ** -16

    def at(df=0, dt=0, dv=0, dr=0):
        return price(f * (1 + df), k, t * (1 + dt), v * (1 + dv), is_call, r + dr)

    def first(x, scale):
        return (at(**{x: step}) - at(**{x: -step})) / (2 * step * scale)

    def second(x, scale):
        return (at(**{x: step}) - 2 * at() + at(**{x: -step})) / (step * scale) ** 2

    with mp.workdps(DIGITS):
        corners = [(i * j, at(df=i * step, dv=j * step)) for i in (1, -1) for j in (1, -1)]
        vanna = sum(sign * value for sign, value in corners) / (4 * step * step * f * v)
        return {
            "delta": first("df", f),
            "gamma": second("df", f),
            "vega": first("dv", v),
            "theta": -first("dt", t),
            "rho": first("dr", 1),
            "vanna": vanna,
            "volga": second("dv", v),
        }


def vega(forward, strike, time, volatility, rate=0.0):
    """Vega in closed form."""
    with mp.workdps(DIGITS):
        deviation = mp.mpf(volatility) * mp.sqrt(time)
        d1 = mp.log(mp.mpf(forward) / mp.mpf(strike)) / deviation + deviation / 2
        return mp.exp(-mp.mpf(rate) * time) * forward * mp.npdf(d1) * mp.sqrt(time)
