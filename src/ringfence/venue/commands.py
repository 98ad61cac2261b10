"""Commands as callers write them: names, addresses and decimal strings.

Each is a frozen struct; `pool` is the pool's id in hex or its name, `owner` an address,
`number` the owner's own number of the account, from 1.
"""

import msgspec


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=str.lower, forbid_unknown_fields=True):
    """What all commands of a pool have in common."""

    pool: str


class OfAccount(Command, frozen=True, kw_only=True):
    """A command of one account."""

    owner: str
    number: int = 1


class OpenAccount(OfAccount, frozen=True, kw_only=True):
    """Open an account of the owner in the pool."""


class Deposit(OfAccount, frozen=True, kw_only=True):
    """Move collateral from the owner's wallet to the account."""

    asset: str
    amount: str


class Withdraw(OfAccount, frozen=True, kw_only=True):
    """Move collateral from the account to the owner's wallet."""

    asset: str
    amount: str


class FundInsurance(OfAccount, frozen=True, kw_only=True):
    """Give cash of the account to the pool's insurance fund."""

    amount: str


class Supply(OfAccount, frozen=True, kw_only=True):
    """Lend cash of the account to the pool's borrowers."""

    amount: str


class Redeem(OfAccount, frozen=True, kw_only=True):
    """Turn shares of the lenders back into cash; in shares, a whole number."""

    shares: str


class Borrow(OfAccount, frozen=True, kw_only=True):
    """Draw cash of the lenders into the account."""

    amount: str


class Repay(OfAccount, frozen=True, kw_only=True):
    """Pay debt back from the account's cash, at most all of it."""

    amount: str


class WithOther(OfAccount, frozen=True, kw_only=True):
    """A command between two accounts of the pool; both owners have agreed to it."""

    other: str
    other_number: int = 1
    price: str


class Exchange(WithOther, frozen=True, kw_only=True):
    """Sell collateral to another account for cash."""

    asset: str
    amount: str


class Trade(WithOther, frozen=True, kw_only=True):
    """Buy a signed size of an instrument from another account."""

    instrument: str
    size: str


class OpenPosition(Trade, frozen=True, kw_only=True):
    """Deposit collateral and trade against it, in one step."""

    asset: str
    amount: str


class FundBond(OfAccount, frozen=True, kw_only=True):
    """Put cash of the account into the creator's bond."""

    amount: str


class ReleaseBond(OfAccount, frozen=True, kw_only=True):
    """Give bond back to an account of the pool's creator."""

    amount: str


class Protect(OfAccount, frozen=True, kw_only=True):
    """Sign what may be done below target: add from the wallet up to a budget, reduce."""

    budget: str
    may_reduce: bool = False


class TopUp(OfAccount, frozen=True, kw_only=True):
    """Add cash of the owner's wallet out of that budget; the engine does so by itself."""

    amount: str


class Reduce(OfAccount, frozen=True, kw_only=True):
    """Reduce a position as its owner allowed; the engine does so by itself."""


class Warn(OfAccount, frozen=True, kw_only=True):
    """Record that the account has come below another level, or above one."""


class SupplyBackstop(OfAccount, frozen=True, kw_only=True):
    """Give cash of the account to the pool's backstop, for shares of its capital."""

    amount: str


class RedeemBackstop(OfAccount, frozen=True, kw_only=True):
    """Turn shares of the backstop's capital back into cash; in shares, a whole number."""

    shares: str


class BuyFromBackstop(OfAccount, frozen=True, kw_only=True):
    """Take a signed part of the backstop's position at the mark."""

    instrument: str
    size: str


class BuyCollateral(OfAccount, frozen=True, kw_only=True):
    """Take coins of the backstop at the index price, for cash."""

    asset: str
    amount: str


class Bid(OfAccount, frozen=True, kw_only=True):
    """Buy a share of another account, which is under auction, at what it costs now."""

    other: str
    other_number: int = 1
    share: str = "1"  # at most; a bid never gets more than reaches the target
    bonus: str = "0"  # what the slice must at least be worth above its price


class Liquidate(OfAccount, frozen=True, kw_only=True):
    """Liquidate the account if it is below maintenance; anybody may ask for it."""


class Deleverage(Command, frozen=True, kw_only=True):
    """Close accounts that wait in an instrument against the other side; anybody may ask."""

    instrument: str
    accounts: int = 0  # at most so many a side; 0 for all


class EndPool(Command, frozen=True, kw_only=True):
    """Close every position of a halted pool at its last mark, and share what there is."""


class Settle(Command, frozen=True, kw_only=True):
    """Collect losses and pay claims; anybody may ask for it."""


class Expire(Command, frozen=True, kw_only=True):
    """Settle a future or option that is over at its settlement price; anybody may ask for it."""

    instrument: str


class SetIndexPrice(Command, frozen=True, kw_only=True):
    """Index price of an underlying, from the oracle."""

    underlying: str
    price: str
    publish_time_ns: int
    confidence: str = "0"
    flag: str = "none"  # none, divergent or non_positive


class SetMarkPrice(Command, frozen=True, kw_only=True):
    """Mark price of an instrument, from the oracle."""

    instrument: str
    price: str


class AccrueFunding(Command, frozen=True, kw_only=True):
    """Funding of a perpetual: a share of the mark price; longs pay when it is positive."""

    instrument: str
    rate: str


class AnnounceChange(Command, frozen=True, kw_only=True):
    """Announce a parameter change; raw integers, as the pool's parameters are kept."""

    parameter: str
    index: int = 0
    value: int
    start_ns: int
    ramp_ns: int = 0


class CancelChange(Command, frozen=True, kw_only=True):
    """Take back a change that has not started, by its row in the pool's table."""

    change: int


AnyCommand = (
    OpenAccount
    | Deposit
    | Withdraw
    | FundInsurance
    | Supply
    | Redeem
    | Borrow
    | Repay
    | Exchange
    | Trade
    | OpenPosition
    | FundBond
    | ReleaseBond
    | Protect
    | TopUp
    | Reduce
    | Warn
    | EndPool
    | SupplyBackstop
    | RedeemBackstop
    | BuyFromBackstop
    | BuyCollateral
    | Bid
    | Liquidate
    | Deleverage
    | Settle
    | Expire
    | SetIndexPrice
    | SetMarkPrice
    | AccrueFunding
    | AnnounceChange
    | CancelChange
)
