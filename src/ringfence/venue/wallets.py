"""Wallets: an owner's money in the venue, committed to no pool.

A batch runs row by row through the pool and the wallets together, so that a withdrawal can
pay for a deposit right behind it. The core still sees one pool and no wallet.
"""

import numpy as np

from ringfence.columns import Column, Columns
from ringfence.compiled import kernel, screen
from ringfence.core.command import Kind, Row, Rows
from ringfence.core.log import ROW, Log
from ringfence.core.machine import apply_one
from ringfence.core.pool import Pool, Total
from ringfence.core.status import Status


class Wallets(Columns):
    """Money of every owner. Axes: o owner (registry number), v asset of the venue."""

    MATRICES = ("amount",)

    amount: Column  # [o, v] smallest units of the asset, as in the pools


def empty_wallets(owners: int, assets: int) -> Wallets:
    """Return wallets without money."""
    return Wallets(amount=np.zeros((owners, assets), dtype=np.int64))


def grown_wallets(wallets: Wallets, owners: int, assets: int) -> Wallets:
    """Return the wallets with room for at least so many owners and assets."""
    old = wallets.amount
    if owners <= old.shape[0] and assets <= old.shape[1]:
        return wallets
    wider = empty_wallets(max(owners, 2 * old.shape[0]), max(assets, old.shape[1]))
    wider.amount[: old.shape[0], : old.shape[1]] = old
    return wider


@kernel
def moves_in(kind: int) -> bool:
    """Whether a command takes from the owner's wallet."""
    return kind in (Kind.DEPOSIT, Kind.OPEN_POSITION, Kind.TOP_UP)


@kernel
def is_covered(pool: Pool, wallets: Wallets, assets: Column, command: Row) -> bool:
    """Whether the wallet has what the command takes; what is malformed is left to the pool."""
    a, c = command["account"], command["asset"]
    if a < 0 or a >= pool.total[Total.ACCOUNTS] or c < 0 or c >= assets.size:
        return True
    return command["amount"] <= wallets.amount[pool.owner[a], assets[c]]


@screen
def apply_with_wallets(
    pool: Pool, wallets: Wallets, assets: Column, commands: Rows, statuses: Column, log: Log
) -> None:
    """Apply a batch to one pool and the wallets of its owners.

    assets: [c] the venue's number of each asset of the pool. A wallet that lacks the amount
    refuses the command (EXCEEDS_WALLET) before the pool sees it. A row that comes with a
    status other than OK has been refused by the registry and is left out.
    """
    for r in range(commands.size):
        if statuses[r] != Status.OK:
            continue
        command = commands[r]
        log.position[ROW] = r
        kind = command["kind"]
        if moves_in(kind) and not is_covered(pool, wallets, assets, command):
            statuses[r] = Status.EXCEEDS_WALLET
            continue
        statuses[r] = apply_one(pool, command, log)
        if statuses[r] != Status.OK:
            continue
        if moves_in(kind):
            wallets.amount[pool.owner[command["account"]], assets[command["asset"]]] -= command[
                "amount"
            ]
        elif kind == Kind.WITHDRAW:
            wallets.amount[pool.owner[command["account"]], assets[command["asset"]]] += command[
                "amount"
            ]
