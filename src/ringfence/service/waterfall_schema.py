"""What goes over the wire of the waterfall: steps, auctions, and the queue of deleveraging."""

import msgspec


class Waterfall(msgspec.Struct, frozen=True):
    """The step of the waterfall that an account is in."""

    step: str
    since_ms: int | None
    why: str
    next: str
    ends_ms: int | None


class PoolWaterfall(msgspec.Struct, frozen=True):
    """How far down its waterfall a pool is, and what each step of it has left."""

    below: int  # accounts below maintenance
    auctions: int  # accounts under auction
    waiting: int  # accounts that wait for deleveraging; withdrawals wait with them
    loss_shared: int  # accounts whose dues are lost to claims of the pool
    auctioned: str
    auction_cap: str
    has_auctions: bool
    backstop_capital: str
    backstop_shares: str
    backstop_taken: str
    backstop_limit: str
    epoch_ends_ms: int
    insurance_drawn: str
    insurance_draw_max: str
    insurance_target: str
    coverage: str | None
    insurance_share: str
    bond: str
    halt_loss: str
    halted_ms: int | None
    ends_ms: int | None
    unknown: dict[str, str]


class Auction(msgspec.Struct, frozen=True):
    """An account under auction, and what the largest bid would get of it now."""

    pool: str
    pool_name: str
    settlement: str
    account: int
    owner: str
    number: int
    is_open: bool
    why_not: str | None
    started_ms: int
    resets_ms: int | None
    ends_ms: int
    turn: int
    turns: int
    next: str
    price_share: str
    discount: str
    started_notional: str
    notional_left: str
    raised: str
    share: str
    price: str
    bonus: str
    sizes: dict[str, str]
    balances: dict[str, str]
    debt: str
    health_factor: str | None
    excess: str


class AuctionPage(msgspec.Struct, frozen=True):
    """Some auctions, the oldest first."""

    items: list[Auction]
    next: str | None
    total: int


class QueuePlace(msgspec.Struct, frozen=True):
    """A place in the deleveraging queue of one side of an instrument."""

    side: str
    account: int
    owner: str
    number: int
    is_backstop: bool
    size: str
    notional: str
    leverage: str | None
    before: int
    count: int
    distance: str
    lights: int


class Queue(msgspec.Struct, frozen=True):
    """Who is cut first when an instrument is deleveraged, on either side."""

    pool: str
    pool_name: str
    instrument: str
    settlement: str
    time_ms: int
    waiting: int
    places: list[QueuePlace]
