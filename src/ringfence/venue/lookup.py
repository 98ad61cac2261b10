"""Looking things up in a venue's registries: from names and addresses to numbers."""

from ringfence.core.reading import scaled
from ringfence.venue.encoding import CommandError, Encoder, address_bytes
from ringfence.venue.state import PoolRecord, State


def pool_of(state: State, pool: str) -> PoolRecord | None:
    """Return a pool by its id in hex; None when there is none."""
    try:
        return state.pools.get(bytes.fromhex(pool))
    except ValueError:
        return None


def pool_named(state: State, pool: str) -> PoolRecord:
    """Return a pool by its id in hex or by its name.

    Raises:
        CommandError: There is none. A name that several carry stands for the oldest.
    """
    by_id = pool_of(state, pool)
    if by_id is not None:
        return by_id
    for record in state.pools.values():
        if record.spec.name == pool:
            return record
    raise CommandError(f"no pool named {pool!r}; give the id that `pool list` shows")


def owner_number(state: State, owner: str) -> int:
    """Return the number of an owner.

    Raises:
        CommandError: The address is none, or is not registered.
    """
    number = state.owner_number(address_bytes(owner))
    if number is None:
        raise CommandError(f"owner {owner} is not registered in this venue")
    return number


def account_index(state: State, record: PoolRecord, owner: str, number: int) -> int:
    """Return the index of an owner's account in a pool; -1 when it was never opened."""
    return record.accounts.get((owner_number(state, owner), number), -1)


def opened_account(state: State, record: PoolRecord, owner: str, number: int) -> int:
    """Return the index of an account that there is.

    Raises:
        CommandError: It was never opened.
    """
    index = account_index(state, record, owner, number)
    if index < 0:
        raise CommandError(f"owner {owner} has no account {number} in {record.spec.name}")
    return index


def asset_amount(state: State, asset: str, amount: str) -> tuple[int, int]:
    """Return an asset's number in the venue, and an amount of it in smallest units.

    Raises:
        CommandError: It is not listed, or the amount cannot be read.
    """
    number = state.asset_number(asset)
    if number is None:
        raise CommandError(f"asset {asset!r} is not listed in this venue")
    try:
        return number, scaled(amount, 10 ** state.assets[number].decimals)
    except ValueError as error:
        raise CommandError(f"amount: {error}") from None


def encoder_of(state: State, record: PoolRecord) -> Encoder:
    """Return an encoder that knows the owners of a state and the accounts of a pool."""
    return Encoder(
        record.spec,
        lambda owner, number: account_index(state, record, owner, number),
        lambda owner: owner_number(state, owner),
    )
