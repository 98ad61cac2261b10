"""Commands and events as rows of one fixed dtype each.

What goes on the wire goes in the journal as it is: nine little-endian 64-bit integers a
command, nineteen an event. A field that a kind does not use is zero.
"""

from enum import IntEnum, unique
from typing import Any

import numpy as np
from numpy.typing import NDArray


@unique
class Kind(IntEnum):
    """What a command asks for; beside each, the fields it uses."""

    ADVANCE_CLOCK = 1  # time_ns
    OPEN_ACCOUNT = 2  # other (registry number of the owner), amount (the owner's number for it)

    DEPOSIT = 10  # account, asset, amount: wallet to account
    WITHDRAW = 11  # account, asset, amount: account to wallet
    EXCHANGE = 12  # account, other, asset, amount, price: account sells collateral for cash
    FUND_INSURANCE = 13  # account, amount: cash to the insurance fund, as a gift
    SUPPLY_BACKSTOP = 14  # account, amount: cash to the backstop, for shares of its capital
    REDEEM_BACKSTOP = 15  # account, amount: shares of the backstop's capital to cash
    FUND_BOND = 16  # account, amount: cash to the creator's bond
    RELEASE_BOND = 17  # account of the creator, amount: bond to cash
    PROTECT = 18  # account, amount (budget of the wallet), size (1: may reduce)

    SUPPLY = 20  # account, amount: cash to the lenders
    REDEEM = 21  # account, amount: shares of the lenders to cash
    BORROW = 22  # account, amount: lenders to cash
    REPAY = 23  # account, amount: cash to the lenders, at most the debt

    TRADE = 30  # account, other, instrument, size, price: account buys size from other
    OPEN_POSITION = 31  # as TRADE, and asset, amount deposited with it in one step
    EXPIRE = 32  # instrument: settle a future or option at its settlement price
    BUY_FROM_BACKSTOP = 33  # account, instrument, size: take a part of its position at the mark
    BUY_COLLATERAL = 34  # account, asset, amount: take a part of its coins at the index price

    SET_INDEX_PRICE = 40  # underlying, price, confidence, publish_time_ns, flag
    SET_MARK_PRICE = 41  # instrument, price
    ACCRUE_FUNDING = 42  # instrument, amount: rate in 1e-9 of the mark price
    SETTLE = 43  # collect losses, pay claims
    LIQUIDATE = 44  # account
    DELEVERAGE = 45  # instrument, amount: close waiting accounts, at most so many (0: all)
    BID = 46  # account, other (under auction), amount (share in 1e-9), size (least bonus)
    TOP_UP = 47  # account, amount: wallet to account, out of the owner's budget
    REDUCE = 48  # account: reduce a position as its owner allowed
    WARN = 49  # account: tell it which levels it is below

    ANNOUNCE_CHANGE = 50  # parameter, index, amount (new value), start_ns, ramp_ns
    CANCEL_CHANGE = 51  # index: the pending change
    END_POOL = 52  # final settlement of a halted pool

    SET_RISK_ARRAY = 60  # instrument, asset (first slot), and five slots, see core.valuation


# Some kinds give a field another name; these are the same eight bytes.
# An index price has its underlying in `instrument`, its confidence in `amount`, its publish
# time in `size` and its flag in `asset`; a change has its parameter in `asset`, its index in
# `instrument`, its start in `size` and its ramp in `price`.
COMMAND = np.dtype(
    [
        ("time_ns", "<i8"),  # given by the sequencer
        ("kind", "<i8"),
        ("account", "<i8"),
        ("other", "<i8"),
        ("asset", "<i8"),
        ("instrument", "<i8"),
        ("amount", "<i8"),
        ("size", "<i8"),
        ("price", "<i8"),
    ]
)


@unique
class Happening(IntEnum):
    """What an event tells of."""

    POSITION_LIQUIDATED = 1  # size and value moved to the backstop
    COLLATERAL_LIQUIDATED = 2  # size of the collateral, value of the debt taken with it
    CLAIM_LIQUIDATED = 3  # a claim taken with the debt it covers
    SHORTFALL_RECORDED = 4  # a loss that neither the account nor the insurance fund covered
    CLAIMS_PAID = 5  # value paid, shortfall: claims that remain
    DUE_COVERED = 6  # the insurance fund paid a loss of the backstop
    INSTRUMENT_EXPIRED = 7
    CHANGE_ACTIVATED = 8
    SHARES_REDEEMED = 9  # lent cash of the account itself, used before anything is taken
    AUCTION_STARTED = 10  # size: the share of its worth that is asked, value: notional
    SLICE_SOLD = 11  # index: the bidder; size: share in 1e-9, price: share asked, value: paid
    STEP_ENDED = 12  # the account is out of its step; index: the step
    DELEVERAGING_AWAITED = 13  # the backstop does not take it; index: the position
    POSITION_DELEVERAGED = 14  # size closed against the other side, value at the mark
    WINNER_DELEVERAGED = 15  # the other side; shortfall: gain given up for a bankrupt account
    ACCOUNT_WARNED = 16  # index: how many levels it is below
    POOL_HALTED = 17  # value: the bond that went to insurance, shortfall: losses nobody paid
    POOL_ENDED = 18  # value paid, shortfall: claims that remain
    CLAIMS_COVERED = 19  # at the end; value: of losses on record, shortfall: those found now
    BUDGET_ADDED = 20  # value: cash of the owner's wallet, as it was signed
    POSITION_REDUCED = 21  # as POSITION_LIQUIDATED, by an order of the owner


EVENT = np.dtype(
    [
        ("row", "<i8"),  # of the command in its batch
        ("kind", "<i8"),  # Happening
        ("account", "<i8"),
        ("index", "<i8"),  # instrument or collateral asset
        ("size", "<i8"),
        ("price", "<i8"),
        ("value", "<i8"),  # quote units
        ("bonus", "<i8"),  # quote units, to the backstop
        ("fee", "<i8"),  # quote units, to the insurance fund
        ("insurance", "<i8"),  # quote units paid by the insurance fund
        ("shortfall", "<i8"),  # quote units that nobody paid
        ("equity", "<i8"),  # before
        ("excess_before", "<i8"),  # at maintenance
        ("excess_after", "<i8"),  # at maintenance
        ("health_before", "<i8"),  # ppm
        ("health_after", "<i8"),  # ppm
        ("publish_time_ns", "<i8"),  # of the index price behind the decision
        ("version", "<i8"),  # of the parameters
        ("scenario", "<i8"),  # row of the grid in which the account lost most before; -1: none
    ]
)

Rows = NDArray[np.void]
Row = Any  # one element of Rows: a record inside a kernel, numpy.void outside


def rows(count: int) -> Rows:
    """Return count empty command rows."""
    return np.zeros(count, dtype=COMMAND)


def cells(batch: Rows) -> NDArray[np.int64]:
    """Return the fields of rows as a table of [row, field]; NumPy copies it ten times faster."""
    fields = COMMAND.itemsize // np.dtype(np.int64).itemsize
    return np.ascontiguousarray(batch).view(np.int64).reshape(len(batch), fields)
