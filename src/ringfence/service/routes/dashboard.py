"""The dashboard's files, as they are in the package."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from ringfence.service.problems import ProblemError

STATIC = Path(__file__).parents[1] / "static"
INDEX = "index.html"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
}


@lru_cache
def files() -> frozenset[str]:
    """Names of all files that are served; no other name is ever looked up on the disk."""
    found = (file for file in STATIC.rglob("*") if file.suffix in KINDS)
    return frozenset(file.relative_to(STATIC).as_posix() for file in found)


def _answer(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    if name not in files():
        raise ProblemError("not_found", f"there is nothing at {request.url.path}")
    content = (STATIC / name).read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    kind = KINDS[(STATIC / name).suffix]
    return Response(content, media_type=kind, headers=headers)


@get("/", include_in_schema=False, sync_to_thread=False)
def index(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The dashboard."""
    return _answer(request, INDEX)


@get("/{file:path}", include_in_schema=False, sync_to_thread=False)
def file(request: Request[Any, Any, Any], file: FromPath[Path]) -> Response[bytes]:
    """One of its files."""
    return _answer(request, file.as_posix().lstrip("/"))


HANDLERS = [index, file]
