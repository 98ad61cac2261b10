"""The commands `data list` and `data get`: public price files, fetched on demand."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from ringfence.cli.exits import fail, note
from ringfence.cli.output import Json, pairs, print_json, printable, table
from ringfence.lab.datasets import DATASETS, DatasetError
from ringfence.lab.datasets import get as download

FOLDER = Path("data")


class Fetched(msgspec.Struct, frozen=True):
    """Answer to `data get`."""

    name: str
    path: str
    size: int
    sha256: str
    licence: str


def list_datasets(*, json: Json = False) -> None:
    """List the catalogue of public price files; none of them is part of Ringfence."""
    if json:
        print_json(DATASETS)
        return
    rows = [(d.name, d.symbol, d.size, d.licence, d.about) for d in DATASETS]
    table(("name", "symbol", "bytes", "licence", "about"), rows)


def get(
    name: Annotated[str, Parameter(help="Name in the catalogue.")],
    *,
    folder: Annotated[Path, Parameter(help="Where the file goes.")] = FOLDER,
    url: Annotated[str | None, Parameter(help="A mirror to fetch from; needs --sha256.")] = None,
    sha256: Annotated[str | None, Parameter(help="Digest to insist on, 64 hex digits.")] = None,
    accept_digest: Annotated[
        bool, Parameter(negative=(), help="Take the digest that comes where none is known.")
    ] = False,
    json: Json = False,
) -> None:
    """Download a file of the catalogue; either all of it arrives, or nothing."""
    try:
        found = download(
            name,
            folder,
            url=url,
            sha256=sha256,
            accept_digest=accept_digest,
            progress=lambda line: note(printable(line)),
        )
    except (DatasetError, OSError) as error:
        fail(str(error))
    fetched = Fetched(name, str(found.path), found.size, found.sha256, found.licence)
    if json:
        print_json(fetched)
    else:
        pairs(msgspec.structs.asdict(fetched).items())
