"""A pool as a whole, as people see it: decimal strings, null for what is unknown."""

import msgspec

from ringfence.core.backstop import full_capital
from ringfence.core.health import ratio_ppm
from ringfence.core.lending import borrow_rate, lender_assets, total_debt, utilisation
from ringfence.core.pool import Pool, Rule, Total, account_count
from ringfence.core.validity import Validity, validity
from ringfence.units import PPM, UNIT
from ringfence.venue.encoding import asset_scale
from ringfence.venue.receipts import decimal
from ringfence.venue.state import PoolRecord
from ringfence.venue.views import Money, price_text


class PoolView(msgspec.Struct, frozen=True):
    """A pool as a whole."""

    id: str
    name: str
    creator: str
    accounts: int
    version: int
    time_ns: int
    settlement: str
    assets: tuple[str, ...]
    prices: dict[str, str | None]
    validity: dict[str, str]
    marks: dict[str, str | None]
    open_interest: dict[str, str]
    deposited: dict[str, str]
    insurance_fund: str
    settled_cash: str
    unpaid_claims: str
    dues: str
    shortfall: str
    insurance_paid: str
    lender_assets: str
    total_debt: str
    utilisation: str
    borrow_rate: str
    backstop_capital: str
    backstop_shares: str
    backstop_left: str  # notional that it may still take over in this epoch
    insurance_drawn: str  # on this day
    insurance_target: str  # the two largest losses under the pool's stress
    coverage: str | None  # fund over target; null without a target
    bond: str
    halted_ns: int | None
    ended_ns: int | None  # first final settlement
    auctioned: str  # notional of the accounts under auction
    waiting: int  # accounts that wait for deleveraging; withdrawals wait with them


def pool_view(record: PoolRecord, creator: str) -> PoolView:
    """Return a pool as a whole."""
    spec, pool, money = record.spec, record.pool, Money(record.spec)
    count = account_count(pool)
    names = [u.name for u in spec.underlyings]
    scales = [asset_scale(spec, c) for c in range(len(spec.assets()))]
    return PoolView(
        id=record.id.hex(),
        name=spec.name,
        creator=creator,
        accounts=count,
        version=int(pool.total[Total.VERSION]),
        time_ns=int(pool.total[Total.NOW_NS]),
        settlement=spec.settlement,
        assets=spec.assets(),
        prices={name: price_text(int(pool.index_price[u])) for u, name in enumerate(names)},
        validity={name: _validity(pool, u) for u, name in enumerate(names)},
        marks={x.name: price_text(int(pool.mark_price[i])) for i, x in enumerate(spec.instruments)},
        open_interest={
            x.name: decimal(int(pool.open_interest[i]), UNIT)
            for i, x in enumerate(spec.instruments)
        },
        deposited={
            asset: decimal(int(pool.deposited[c]), scales[c])
            for c, asset in enumerate(spec.assets())
        },
        insurance_fund=money(int(pool.total[Total.INSURANCE_FUND])),
        settled_cash=money(int(pool.total[Total.SETTLED_CASH])),
        unpaid_claims=money(int(pool.claim[:count].sum())),
        dues=money(int(pool.due[:count].sum())),
        shortfall=money(int(pool.total[Total.SHORTFALL])),
        insurance_paid=money(int(pool.total[Total.INSURANCE_PAID])),
        lender_assets=money(lender_assets(pool)),
        total_debt=money(total_debt(pool)),
        utilisation=decimal(utilisation(pool), PPM),
        borrow_rate=decimal(borrow_rate(pool), PPM),
        backstop_capital=money(full_capital(pool)),
        backstop_shares=str(int(pool.total[Total.BACKSTOP_SHARES])),
        backstop_left=money(
            max(int(pool.rule[Rule.BACKSTOP_LIMIT] - pool.total[Total.BACKSTOP_TAKEN]), 0)
        ),
        insurance_drawn=money(int(pool.total[Total.INSURANCE_DRAWN])),
        insurance_target=money(int(pool.total[Total.INSURANCE_TARGET])),
        coverage=_coverage(pool),
        bond=money(int(pool.total[Total.BOND])),
        halted_ns=int(pool.total[Total.HALTED_AT]) or None,
        ended_ns=int(pool.total[Total.ENDED_AT]) or None,
        auctioned=money(int(pool.total[Total.AUCTIONED])),
        waiting=int(pool.total[Total.WAITING]),
    )


def _coverage(pool: Pool) -> str | None:
    target = int(pool.total[Total.INSURANCE_TARGET])
    if target == 0:
        return None
    return decimal(ratio_ppm(int(pool.total[Total.INSURANCE_FUND]), target), PPM)


def _validity(pool: Pool, u: int) -> str:
    return Validity(validity(pool, u)).name.lower()
