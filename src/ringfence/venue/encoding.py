"""From commands to rows: names to numbers, decimal strings to exact integers."""

from collections.abc import Callable

import msgspec

from ringfence.core.auction import WHOLE
from ringfence.core.bounds import parameter_named
from ringfence.core.command import Kind, Rows, rows
from ringfence.core.pool import CASH
from ringfence.core.reading import scaled
from ringfence.core.spec import PoolSpec
from ringfence.core.validity import Flag
from ringfence.units import PRICE_UNIT, UNIT
from ringfence.venue import commands as c
from ringfence.venue.state import ADDRESS_BYTES

INT64 = 2**63


class CommandError(ValueError):
    """A command that cannot be read; the message names the field, the value and the fix."""


BODY_MAX = 2**20  # bytes of a command of the venue itself, or of one set of prices


def check_encodable(value: object) -> None:
    """Make sure that something can be journaled, before anything is changed by it.

    Raises:
        CommandError: It holds text or numbers that no journal can, or is too long.
    """
    try:
        size = len(msgspec.msgpack.encode(value))
    except (UnicodeEncodeError, OverflowError, TypeError) as error:
        raise CommandError(f"this cannot be written to the journal: {error}") from None
    if size > BODY_MAX:
        raise CommandError(f"{size} bytes are too many; the limit is {BODY_MAX}")


Account = Callable[[str, int], int]  # owner and number to index in the pool
Owner = Callable[[str], int]  # owner to registry number


def asset_scale(spec: PoolSpec, asset: int) -> int:
    """Smallest units in one of an asset of the pool."""
    return int(10**spec.settlement_decimals) if asset == CASH else UNIT


def address_bytes(owner: str) -> bytes:
    """Return the 20 bytes of an address written as 0x and 40 hex digits.

    Raises:
        CommandError: It is not such an address.
    """
    try:
        address = bytes.fromhex(owner.removeprefix("0x"))
    except ValueError:
        address = b""
    if not owner.startswith("0x") or len(address) != ADDRESS_BYTES:
        raise CommandError(f"owner {owner!r} is not an address; write 0x and 40 hex digits")
    return address


def place_of(what: str, names: tuple[str, ...], name: str) -> int:
    """Position of a name in a list of the spec."""
    try:
        return names.index(name)
    except ValueError:
        known = ", ".join(names) or "none"
        raise CommandError(f"there is no {what} {name!r} in this pool; it has {known}") from None


class Encoder:
    """Writes commands of one pool as rows."""

    def __init__(self, spec: PoolSpec, account: Account, owner: Owner) -> None:
        self._spec = spec
        self.account = account
        self._owner = owner
        self._assets = spec.assets()
        self._instruments = tuple(i.name for i in spec.instruments)
        self._underlyings = tuple(u.name for u in spec.underlyings)

    def row(self, command: c.AnyCommand) -> Rows:
        """Return a command as one row, its time left to the sequencer.

        Raises:
            CommandError: A name is unknown or a number cannot be represented.
        """
        fields = self._fields(command)
        row = rows(1)
        for name, value in fields.items():
            if not -INT64 <= value < INT64:
                raise CommandError(f"{name} {value} does not fit into 64 bits")
            row[name] = value
        return row

    def _fields(self, command: c.AnyCommand) -> dict[str, int]:
        match command:
            case c.OpenAccount():
                owner = self._owner(command.owner)
                return {"kind": Kind.OPEN_ACCOUNT, "other": owner, "amount": command.number}
            case c.WithOther():
                return self._with_other(command)
            case c.Bid():
                return self._bid(command)
            case c.OfAccount():
                account = self.account(command.owner, command.number)
                return {"account": account, **self._of_account(command)}
            case c.Deleverage():
                place = place_of("instrument", self._instruments, command.instrument)
                return {
                    "kind": Kind.DELEVERAGE,
                    "instrument": place,
                    "amount": command.accounts,
                }
            case c.SetIndexPrice() | c.SetMarkPrice() | c.AccrueFunding() | c.Expire():
                return self._of_market(command)
            case _:
                return self._of_pool(command)

    def _with_other(self, command: c.WithOther) -> dict[str, int]:
        fields = {
            "account": self.account(command.owner, command.number),
            "other": self.account(command.other, command.other_number),
            "price": self._price(command.price),
        }
        if isinstance(command, c.Trade):
            fields |= {
                "kind": Kind.TRADE,
                "instrument": place_of("instrument", self._instruments, command.instrument),
                "size": self._number("size", command.size, UNIT),
            }
        if isinstance(command, c.OpenPosition | c.Exchange):
            opens = isinstance(command, c.OpenPosition)
            fields |= self._amount(command.asset, command.amount)
            fields["kind"] = Kind.OPEN_POSITION if opens else Kind.EXCHANGE
        return fields

    def _bid(self, command: c.Bid) -> dict[str, int]:
        return {
            "kind": Kind.BID,
            "account": self.account(command.owner, command.number),
            "other": self.account(command.other, command.other_number),
            "amount": self._number("share", command.share, WHOLE),
            "size": self._number("bonus", command.bonus, asset_scale(self._spec, CASH)),
        }

    def _of_backstop(self, command: c.OfAccount) -> dict[str, int]:
        match command:
            case c.SupplyBackstop():
                return {"kind": Kind.SUPPLY_BACKSTOP, "amount": self._cash(command.amount)}
            case c.RedeemBackstop():
                shares = self._number("shares", command.shares, 1)
                return {"kind": Kind.REDEEM_BACKSTOP, "amount": shares}
            case c.BuyFromBackstop():
                return {
                    "kind": Kind.BUY_FROM_BACKSTOP,
                    "instrument": place_of("instrument", self._instruments, command.instrument),
                    "size": self._number("size", command.size, UNIT),
                }
            case c.BuyCollateral():
                return {"kind": Kind.BUY_COLLATERAL, **self._amount(command.asset, command.amount)}
            case c.FundBond():
                return {"kind": Kind.FUND_BOND, "amount": self._cash(command.amount)}
            case c.ReleaseBond():
                return {"kind": Kind.RELEASE_BOND, "amount": self._cash(command.amount)}
            case _:
                return self._of_protection(command)

    def _of_protection(self, command: c.OfAccount) -> dict[str, int]:
        match command:
            case c.Protect():
                budget = self._number("budget", command.budget, asset_scale(self._spec, CASH))
                return {"kind": Kind.PROTECT, "amount": budget, "size": int(command.may_reduce)}
            case c.TopUp():
                return {"kind": Kind.TOP_UP, "amount": self._cash(command.amount)}
            case c.Reduce():
                return {"kind": Kind.REDUCE}
            case c.Warn():
                return {"kind": Kind.WARN}
            case _:
                return {"kind": Kind.LIQUIDATE}

    def _of_account(self, command: c.OfAccount) -> dict[str, int]:
        match command:
            case c.Deposit():
                return {"kind": Kind.DEPOSIT, **self._amount(command.asset, command.amount)}
            case c.Withdraw():
                return {"kind": Kind.WITHDRAW, **self._amount(command.asset, command.amount)}
            case c.FundInsurance():
                return {"kind": Kind.FUND_INSURANCE, "amount": self._cash(command.amount)}
            case c.Supply():
                return {"kind": Kind.SUPPLY, "amount": self._cash(command.amount)}
            case c.Redeem():
                return {"kind": Kind.REDEEM, "amount": self._number("shares", command.shares, 1)}
            case c.Borrow():
                return {"kind": Kind.BORROW, "amount": self._cash(command.amount)}
            case c.Repay():
                return {"kind": Kind.REPAY, "amount": self._cash(command.amount)}
            case _:
                return self._of_backstop(command)

    def _of_market(
        self, command: c.SetIndexPrice | c.SetMarkPrice | c.AccrueFunding | c.Expire
    ) -> dict[str, int]:
        if isinstance(command, c.SetIndexPrice):
            flags = {f.name.lower(): f for f in Flag}
            if command.flag not in flags:
                raise CommandError(f"flag is {command.flag!r}; it must be " + " or ".join(flags))
            return {
                "kind": Kind.SET_INDEX_PRICE,
                "instrument": place_of("underlying", self._underlyings, command.underlying),
                "price": self._price(command.price),
                "amount": self._number("confidence", command.confidence, PRICE_UNIT),
                "size": command.publish_time_ns,
                "asset": flags[command.flag],
            }
        instrument = place_of("instrument", self._instruments, command.instrument)
        if isinstance(command, c.AccrueFunding):
            rate = self._number("rate", command.rate, PRICE_UNIT)
            return {"kind": Kind.ACCRUE_FUNDING, "instrument": instrument, "amount": rate}
        if isinstance(command, c.Expire):
            return {"kind": Kind.EXPIRE, "instrument": instrument}
        price = self._price(command.price)
        return {"kind": Kind.SET_MARK_PRICE, "instrument": instrument, "price": price}

    @staticmethod
    def _of_pool(command: c.Command) -> dict[str, int]:
        match command:
            case c.AnnounceChange():
                parameter = parameter_named(command.parameter)
                if parameter is None:
                    raise CommandError(f"there is no parameter {command.parameter!r}")
                return {
                    "kind": Kind.ANNOUNCE_CHANGE,
                    "asset": parameter,
                    "instrument": command.index,
                    "amount": command.value,
                    "size": command.start_ns,
                    "price": command.ramp_ns,
                }
            case c.CancelChange():
                return {"kind": Kind.CANCEL_CHANGE, "instrument": command.change}
            case c.EndPool():
                return {"kind": Kind.END_POOL}
            case _:
                return {"kind": Kind.SETTLE}

    def _amount(self, asset: str, amount: str) -> dict[str, int]:
        place = place_of("asset", self._assets, asset)
        return {
            "asset": place,
            "amount": self._number("amount", amount, asset_scale(self._spec, place)),
        }

    def _cash(self, amount: str) -> int:
        return self._number("amount", amount, asset_scale(self._spec, CASH))

    def _price(self, price: str) -> int:
        return self._number("price", price, PRICE_UNIT)

    @staticmethod
    def _number(what: str, text: str, scale: int) -> int:
        try:
            return scaled(text, scale)
        except ValueError as error:
            raise CommandError(f"{what}: {error}") from None
