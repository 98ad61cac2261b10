"""Commands without signatures, from within the process: what the venue still takes of them.

A venue founded with `requires_consent` takes nothing that moves an owner's money or positions
or changes parameters without a signature, not even from the program that runs it. Prices, the
clock, funding, settlement and liquidation need nobody's consent.
"""

import numpy as np

from ringfence.core.command import Kind, Rows
from ringfence.core.log import room_for
from ringfence.core.pool import Pool
from ringfence.venue import entries
from ringfence.venue.consent.book import Book
from ringfence.venue.encoding import CommandError, check_encodable
from ringfence.venue.state import CreatePool, Send, VenueCommand

OF_OWNERS = (
    Kind.OPEN_ACCOUNT,
    Kind.DEPOSIT,
    Kind.WITHDRAW,
    Kind.EXCHANGE,
    Kind.FUND_INSURANCE,
    Kind.SUPPLY,
    Kind.REDEEM,
    Kind.BORROW,
    Kind.REPAY,
    Kind.TRADE,
    Kind.OPEN_POSITION,
    Kind.FUND_BOND,
    Kind.RELEASE_BOND,
    Kind.PROTECT,
    Kind.SUPPLY_BACKSTOP,
    Kind.REDEEM_BACKSTOP,
    Kind.BUY_FROM_BACKSTOP,
    Kind.BUY_COLLATERAL,
    Kind.BID,
    Kind.ANNOUNCE_CHANGE,
    Kind.CANCEL_CHANGE,
)


def lacks_consent(book: Book, what: Rows | VenueCommand) -> bool:
    """Whether rows or a command without a signature would need one in this venue."""
    if not book.requires_consent:
        return False
    if isinstance(what, np.ndarray):
        return bool(np.isin(what["kind"], OF_OWNERS).any())
    return isinstance(what, Send | CreatePool)


def check_command(book: Book, command: VenueCommand) -> None:
    """Refuse a command of the venue's edge that cannot be journaled, or not without a signature.

    Raises:
        CommandError: It is one.
    """
    check_encodable(command)
    _check_consent(book, command)


def check_batch(book: Book, pool: Pool, stamped: Rows) -> None:
    """Refuse a batch that cannot be journaled, or not without a signature.

    Raises:
        CommandError: It is one.
    """
    if not entries.fits(stamped, room_for(pool, stamped)):
        raise CommandError(f"{len(stamped)} rows and their events exceed one entry; split them")
    _check_consent(book, stamped)


def _check_consent(book: Book, what: Rows | VenueCommand) -> None:
    if lacks_consent(book, what):
        raise CommandError("this venue takes what owners do with their signature only; sign it")
