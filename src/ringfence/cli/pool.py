"""The commands `pool template`, `create`, `list` and `show`."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from ringfence.cli.exits import OK, USAGE, fail, note
from ringfence.cli.opening import Journal, content_of, refusals, venue_of
from ringfence.cli.output import Json, pairs, print_json, say, table
from ringfence.core.creation import create_pool
from ringfence.core.health import health_factor
from ringfence.core.pool import BACKSTOP, account_count
from ringfence.core.reading import SpecError
from ringfence.core.spec import PoolSpec, parse_spec, pool_id
from ringfence.units import SIZE_DECIMALS
from ringfence.venue.encoding import address_bytes
from ringfence.venue.pool_views import PoolView
from ringfence.venue.state import PoolRecord
from ringfence.venue.venue import Venue
from ringfence.venue.views import AccountView, account_view

_TEMPLATE = Path(__file__).with_name("pool.toml")


class Created(msgspec.Struct, frozen=True):
    """Answer to `pool create`.

    The id is null without a creator, seq and head where nothing was written.
    """

    ok: bool
    id: str | None
    name: str | None
    creator: str | None
    dry_run: bool
    seq: int | None
    head: str | None
    problems: list[str]


class Shown(msgspec.Struct, frozen=True):
    """Answer to `pool show`."""

    pool: PoolView
    accounts: list[AccountView]


def template(*, json: Json = False) -> None:
    """Print an example of a pool's spec, with every part explained."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    if json:
        print_json(parse_spec(text))
    else:
        say(text.rstrip("\n"))


def create(
    spec: Annotated[Path, Parameter(help="TOML file; `ringfence pool template` prints one.")],
    *,
    creator: Annotated[
        str | None, Parameter(help="Address of the creator: 0x and 40 hex digits.")
    ] = None,
    journal: Annotated[Path | None, Parameter(help="File of the journal; made if new.")] = None,
    dry_run: Annotated[bool, Parameter(negative=(), help="Only check it and show its id.")] = False,
    json: Json = False,
) -> int:
    """Create a pool from a spec, or list everything that keeps it from being safe.

    Assets that the venue does not list yet are listed with it.
    """
    if journal is None and not dry_run:
        fail("--journal is missing; give the file of the journal, or --dry-run to only check")
    if creator is None and not dry_run:
        fail("--creator is missing; give the address that is to own the pool, 0x and 40 hex digits")
    with refusals():
        address = None if creator is None else address_bytes(creator)
    wanted, problems = _checked(content_of(spec))
    is_sound = wanted is not None and not problems
    identity = pool_id(wanted, address).hex() if wanted and address and is_sound else None
    name = wanted.name if wanted else None
    answer = Created(not problems, identity, name, creator, dry_run, None, None, problems)
    if wanted and creator and identity and journal is not None and not dry_run:
        seq, head = _written(wanted, creator, journal)
        answer = msgspec.structs.replace(answer, seq=seq, head=head)
    if json:
        print_json(answer)
    elif answer.ok:
        say(f"pool {name}: {identity or 'its id depends on --creator'}")
        say("would be created" if dry_run else f"created by entry {answer.seq} of {journal}")
    if problems:
        note("ringfence: the pool cannot be created:")
        for problem in problems:
            note(f"  {problem}")
    return OK if answer.ok else USAGE


def _checked(content: bytes) -> tuple[PoolSpec | None, list[str]]:
    """Read a spec and return it with every problem it has."""
    try:
        spec = parse_spec(content.decode())
        create_pool(spec, owner=0, now_ns=0, accounts=1)
    except SpecError as error:
        return spec, error.problems
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return None, [f"it cannot be read as the TOML of a pool: {error}"]
    return spec, []


def _written(spec: PoolSpec, creator: str, journal: Path) -> tuple[int, str]:
    """Create the pool in a venue; return the last entry's number and head."""
    if not journal.exists():
        note(f"{journal} does not exist yet; a new journal begins")
    with refusals(), Venue.open(journal) as venue:
        with venue.group():
            venue.list_asset(spec.settlement, spec.settlement_decimals)
            for collateral in spec.collateral:
                venue.list_asset(collateral.asset, SIZE_DECIMALS)
            venue.create_pool(spec, creator)
        return venue.journal.seq, venue.journal.head.hex()


def list_pools(*, journal: Journal, json: Json = False) -> None:
    """List the pools of a journal, oldest first."""
    venue = venue_of(journal)
    views = [venue.pool(record.id.hex()) for record in venue.state.pools.values()]
    if json:
        print_json(views)
        return
    columns = ("name", "id", "settlement", "accounts", "insurance fund", "shortfall")
    rows = [(v.name, v.id, v.settlement, v.accounts, v.insurance_fund, v.shortfall) for v in views]
    table(columns, rows)


def show(
    pool: Annotated[str, Parameter(help="Id or name of the pool.")],
    *,
    journal: Journal,
    accounts: Annotated[int, Parameter(help="How many accounts, worst health first.")] = 10,
    json: Json = False,
) -> None:
    """Show a pool and its worst accounts."""
    if accounts < 0:
        fail(f"--accounts is {accounts}; give 0 or more")
    venue = venue_of(journal)
    with refusals():
        record = venue.record(pool)
    shown = Shown(venue.pool(record.id.hex()), _worst(venue, record, accounts))
    if json:
        print_json(shown)
        return
    _show_pool(shown.pool)
    if shown.accounts:
        _show_accounts(shown.accounts)


def _worst(venue: Venue, record: PoolRecord, count: int) -> list[AccountView]:
    """Views of the accounts with the lowest health factors; the backstop is an account too."""
    everybody = range(BACKSTOP, account_count(record.pool))
    ordered = sorted(everybody, key=lambda a: health_factor(record.pool, a))[:count]
    owners = venue.state.owners
    return [
        account_view(record, record.pool, a, "0x" + owners[int(record.pool.owner[a])].hex())
        for a in ordered
    ]


def _show_pool(view: PoolView) -> None:
    figures: list[tuple[str, Any]] = []
    for name, value in msgspec.structs.asdict(view).items():
        title = name.replace("_", " ")
        if isinstance(value, dict):
            figures += [(f"{title} {key}", part) for key, part in value.items()]
        elif isinstance(value, tuple):
            figures.append((title, ", ".join(value)))
        else:
            figures.append((title, value))
    pairs(figures)


def _show_accounts(views: list[AccountView]) -> None:
    columns = ("owner", "number", "health", "equity", "excess", "leverage", "distance", "positions")
    rows = [
        (
            "backstop" if v.account == BACKSTOP else v.owner,
            v.number,
            v.health_factor,
            v.equity,
            v.excess.maintenance,
            v.leverage,
            v.distance,
            ", ".join(f"{p.size} {p.instrument}" for p in v.positions),
        )
        for v in views
    ]
    table(columns, rows, title="Accounts, worst health first")
