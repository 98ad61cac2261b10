"""Looking things up in a venue's registries: from names and addresses to numbers."""

from ringfence.core.reading import scaled
from ringfence.venue.encoding import CommandError, Encoder, address_bytes
from ringfence.venue.state import PoolRecord, State


class Directory:
    """The registries of a state, by the names that callers use."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._by_hex: dict[str, PoolRecord] = {}

    def record(self, pool: str) -> PoolRecord:
        """Return what the venue knows of a pool, by its id in hex or by its name.

        Raises:
            CommandError: There is none. A name that several carry stands for the oldest.
        """
        pools = self._state.pools
        if len(self._by_hex) != len(pools):
            self._by_hex = {record.id.hex(): record for record in pools.values()}
        by_id = self._by_hex.get(pool)
        if by_id is not None:
            return by_id
        for record in pools.values():
            if record.spec.name == pool:
                return record
        raise CommandError(f"no pool named {pool!r}; give the id that `pool list` shows")

    def owner(self, address: str) -> int:
        """Return the number of an owner.

        Raises:
            CommandError: The address is none, or is not registered.
        """
        number = self._state.owner_number(address_bytes(address))
        if number is None:
            raise CommandError(f"owner {address} is not registered in this venue")
        return number

    def account(self, record: PoolRecord, owner: str, number: int) -> int:
        """Return the index of an owner's account in a pool; -1 when it was never opened."""
        return record.accounts.get((self.owner(owner), number), -1)

    def money(self, asset: str, amount: str) -> tuple[int, int]:
        """Return the number of an asset, and an amount of it in its smallest units.

        Raises:
            CommandError: The asset is not listed, or the amount has another form.
        """
        number = self._state.asset_number(asset)
        if number is None:
            raise CommandError(f"asset {asset!r} is not listed in this venue")
        try:
            return number, scaled(amount, 10 ** self._state.assets[number].decimals)
        except ValueError as error:
            raise CommandError(f"amount: {error}") from None

    def encoder(self, record: PoolRecord) -> Encoder:
        """Return what turns commands of a pool into rows."""
        return Encoder(
            record.spec, lambda owner, number: self.account(record, owner, number), self.owner
        )
