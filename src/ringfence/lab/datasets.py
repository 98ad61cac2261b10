"""A catalogue of public price files, and a download that leaves either the file or nothing.

Ringfence ships no market data. Each entry names one file at one commit of a public
repository, with its licence, so that everybody who fetches it has the same bytes. Where
nobody has recorded the SHA-256 of the upstream file the entry says None; `get` then wants
the digest from its caller, or the explicit word that the one found is accepted.
"""

import hashlib
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import msgspec

_RAW = "https://raw.githubusercontent.com"
_CHUNK = 1 << 16
_SIZE_MAX = 1 << 30  # bytes of a file whose size the catalogue does not know
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """One public file."""

    name: str
    about: str
    symbol: str  # what it prices, for a file without a symbol column
    url: str
    licence: str
    source: str  # repository and commit
    size: int | None  # bytes
    sha256: str | None  # of the upstream file; None: not recorded

    @property
    def filename(self) -> str:
        """Name of the file once downloaded."""
        return self.name + Path(urlsplit(self.url).path).suffix


class Download(msgspec.Struct, frozen=True):
    """A file that was fetched, or was already there with the right digest."""

    path: Path
    size: int
    sha256: str
    licence: str


class DatasetError(Exception):
    """A download that was refused or failed; nothing of it is left in the folder."""


DATASETS = (
    Dataset(
        name="eth-2021-01",
        about=(
            "ETH bid and ask about once a minute, 1 to 30 January 2021, and the liquidated volume; "
            "the crash of 11 January: low -27.0 % of the open, worst hour -14.4 %"
        ),
        symbol="ETH",
        url=(
            f"{_RAW}/Risk-DAO/simulation-env/17e75fae0fd21d0c164f2380b4f78c469284262d"
            "/data_unified_0_ethusdt.csv"
        ),
        licence="BSD-3-Clause",
        source="Risk-DAO/simulation-env at 17e75fae",
        size=2_874_935,
        sha256=None,
    ),
    Dataset(
        name="btc-hourly-2019-2025",
        about="BTC bars of an hour, November 2019 to May 2025, from CryptoCompare; one bad bar",
        symbol="BTC",
        url=(
            f"{_RAW}/mouadja02/bitcoin-1h-price/4c7f10088ee5304c14e50254ca60e86ee256429c"
            "/btc-hourly-price.csv"
        ),
        licence="MIT (an earlier readme spoke of non-commercial use: ask before selling it on)",
        source="mouadja02/bitcoin-1h-price at 4c7f1008",
        size=3_801_721,
        sha256=None,
    ),
    Dataset(
        name="eth-daily-2023-2025",
        about="ETH closes of a day, January 2023 to October 2025",
        symbol="ETH",
        url=(
            f"{_RAW}/Feelinx-crypto/defi-liquidation-risk-visual"
            "/e7bf2409d22a6b9c983f0f2a22f8f61fb6a9fea5/data/eth_daily_price.csv"
        ),
        licence="MIT",
        source="Feelinx-crypto/defi-liquidation-risk-visual at e7bf2409",
        size=40_093,
        sha256=None,
    ),
)


def find(name: str) -> Dataset:
    """Return the entry of this name.

    Raises:
        DatasetError: There is none; the message lists those there are.
    """
    for dataset in DATASETS:
        if dataset.name == name:
            return dataset
    names = ", ".join(dataset.name for dataset in DATASETS)
    raise DatasetError(f"no dataset {name!r}; there are: {names}")


def get(
    name: str,
    folder: str | Path,
    *,
    url: str | None = None,
    sha256: str | None = None,
    accept_digest: bool = False,
    progress: Callable[[str], None] | None = None,
    timeout_seconds: float = 30,
    total_seconds: float = 600,
) -> Download:
    """Download a file of the catalogue into a folder.

    The bytes go to a temporary file, which takes the target's name only after size and
    digest were found right. A download is never resumed.

    Args:
        name: Entry of the catalogue.
        folder: Where it goes; created when missing.
        url: A mirror to take it from instead; needs a digest.
        sha256: Digest to insist on, in hexadecimal; the catalogue's when it has one.
        accept_digest: Take whatever digest comes when none is known; it is told.
        progress: Called with one line of text for each thing worth telling.
        timeout_seconds: Longest wait for the connection and for each piece.
        total_seconds: Longest download altogether.

    Raises:
        DatasetError: Refused or failed; the folder is as it was.
    """
    dataset = find(name)
    expected = _digest_to_insist_on(dataset, sha256, accept_digest=accept_digest, url=url)
    target = Path(folder) / dataset.filename
    tell = progress or _nobody
    tell(f"{dataset.name}: {dataset.about}")
    tell(f"licence: {dataset.licence}; source: {dataset.source}")
    if target.exists():
        return _already_there(dataset, target, expected)
    address = url or dataset.url
    _check_scheme(address)
    # A mirror is judged by its digest alone.
    size = None if url else dataset.size
    found = _fetch_whole(address, target, size, expected, timeout_seconds, total_seconds)
    tell(f"sha256: {found}{'' if expected else ' (accepted unseen, as you asked)'}")
    return Download(target, target.stat().st_size, found, dataset.licence)


def _nobody(_line: str) -> None:
    """Hear a line and forget it."""


def _digest_to_insist_on(
    dataset: Dataset, sha256: str | None, *, accept_digest: bool, url: str | None
) -> str | None:
    expected = (sha256 or dataset.sha256 or "").strip().lower() or None
    if expected is not None and not (
        len(expected) == 64 and set(expected) <= set("0123456789abcdef")
    ):
        raise DatasetError(f"{sha256!r} is no SHA-256: 64 hexadecimal digits")
    if expected is None and (url is not None or not accept_digest):
        raise DatasetError(
            f"no SHA-256 is recorded for {dataset.name!r}: give the one you expect (--sha256), or, "
            "without a mirror, accept what the source gives (--accept-digest)"
        )
    return expected


def _already_there(dataset: Dataset, target: Path, expected: str | None) -> Download:
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    if digest != expected:
        raise DatasetError(f"{target} exists with sha256 {digest}; move it away to download again")
    return Download(target, target.stat().st_size, digest, dataset.licence)


def _check_scheme(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DatasetError(f"{address}: only https (and http on this machine) is fetched")


def _fetch_whole(
    address: str,
    target: Path,
    size: int | None,
    expected: str | None,
    timeout_seconds: float,
    total_seconds: float,
) -> str:
    """Write the target in one step, if what came is right, and return its SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{target.stem}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            found = _fetch(address, file, size, timeout_seconds, total_seconds)
            file.flush()
            os.fsync(file.fileno())
        if expected not in {None, found}:
            raise DatasetError(f"{address}: sha256 is {found}, not {expected}; not kept")
        Path(draft).replace(target)
    finally:
        Path(draft).unlink(missing_ok=True)
    return found


class _CarefulRedirect(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where one could have asked in the first place."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_scheme(newurl)
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise DatasetError(f"{req.full_url}: leads from https to {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(
    address: str, file: IO[bytes], size: int | None, timeout_seconds: float, total_seconds: float
) -> str:
    """Write what the address gives and return its SHA-256."""
    digest, count = hashlib.sha256(), 0
    deadline = time.monotonic() + total_seconds
    try:
        # The scheme was checked, also of every redirect: never a local file.
        opener = urllib.request.build_opener(_CarefulRedirect)
        with opener.open(address, timeout=timeout_seconds) as response:
            promised = _promised_size(response, size, address)
            limit = _SIZE_MAX if promised is None else min(promised, _SIZE_MAX)
            for chunk in _chunks(response):
                count += len(chunk)
                if count > limit:
                    raise DatasetError(f"{address}: more than {limit} bytes")
                if time.monotonic() > deadline:
                    raise DatasetError(f"{address}: not done within {total_seconds} s")
                digest.update(chunk)
                file.write(chunk)
    except (urllib.error.URLError, HTTPException, OSError) as error:
        raise DatasetError(f"{address}: {error}") from error
    if promised is not None and count != promised:
        raise DatasetError(f"{address}: {count} of {promised} bytes came")
    return digest.hexdigest()


def _promised_size(response: Any, size: int | None, address: str) -> int | None:
    header = response.headers.get("Content-Length")
    promised = int(header) if header and header.isdigit() else None
    if size is not None and promised is not None and promised != size:
        raise DatasetError(f"{address}: {promised} bytes, but the catalogue says {size}")
    return promised if promised is not None else size


def _chunks(response: Any) -> Iterator[bytes]:
    while chunk := response.read(_CHUNK):
        yield chunk
