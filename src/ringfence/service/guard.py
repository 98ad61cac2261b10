"""What surrounds each request: its host and origin, its allowance, headers, counting."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar.types import ASGIApp, Message, Receive, Send

from ringfence.service import auth, problems
from ringfence.service.desk import Desk
from ringfence.service.problems import ProblemError
from ringfence.units import MS_NS
from ringfence.venue.clock import SystemClock

HEADERS = [
    (
        b"content-security-policy",
        (
            b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            b"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
WEIGHTS = {"/v1/journal": 5, "/v1/receipts": 5, "/v1/simulate": 20, "/v1/positions": 5}
REVALUING = ("/curve", "/scenarios", "/greeks", "/structures")  # of an account
UNLIMITED = ("/health", "/ready")
CHANGING = ("/v1/commands", "/v1/faucet")  # no views, so they need no snapshot
POLICY = 1008
IN_FLIGHT_MAX = 512  # requests being answered; more are refused at once
BODY_SECONDS = 10.0  # in which a body has to be here, for a request has a place while it comes
STREAMS_MAX = 20  # connections to the stream of one address


class Guard:
    """Middleware of one desk."""

    def __init__(self, desk: Desk, hosts: Sequence[str], *, limit_loopback: bool) -> None:
        self._desk = desk
        self._hosts = {host.lower() for host in hosts}
        self._limit_loopback = limit_loopback
        self._in_flight = 0
        self._streams: Counter[str] = Counter()  # by address

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with this around it."""

        async def guarded(scope: Any, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self._http(app, scope, receive, send)
            elif scope["type"] == "websocket":
                await self._websocket(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return guarded

    async def _http(self, app: ASGIApp, scope: Any, receive: Receive, send: Send) -> None:
        started, status, seq = time.perf_counter(), 500, b"0"
        is_head = scope["method"] == "HEAD"

        async def with_headers(message: Message) -> None:
            nonlocal status
            if is_head and message["type"] == "http.response.body":
                message["body"] = b""
            if message["type"] == "http.response.start":
                status = message["status"]
                added = [*HEADERS, (b"ringfence-seq", seq)]
                message["headers"] = [*message.get("headers", []), *added]
            await send(message)

        try:
            self._check(scope)
            _check_media_type(scope)
            self._in_flight += 1
            try:
                if scope["path"].startswith("/v1/") and scope["path"] not in CHANGING:
                    await self._desk.catch_up()
                seq = str(self._desk.snapshot.seq).encode()
                scope["method"] = "GET" if is_head else scope["method"]
                await app(scope, _in_time(receive), with_headers)
            finally:
                self._in_flight -= 1
        except ProblemError as error:
            await _refuse(error.problem, with_headers)
        finally:
            self._count(scope, status, time.perf_counter() - started)

    async def _websocket(self, app: ASGIApp, scope: Any, receive: Receive, send: Send) -> None:
        try:
            self._check(scope)
            self._check_origin(scope)
        except ProblemError as error:
            await receive()
            reason = error.problem.code
            await send({"type": "websocket.close", "code": POLICY, "reason": reason})
            return
        address = _address(scope)
        self._streams[address] += 1
        try:
            await app(scope, receive, send)
        finally:
            self._streams[address] -= 1
            if not self._streams[address]:
                del self._streams[address]

    def _check(self, scope: Any) -> None:
        """Refuse foreign hosts, and whoever asks too often."""
        headers = dict(scope["headers"])
        host = urlsplit("//" + headers.get(b"host", b"").decode("latin-1")).hostname or ""
        if "*" not in self._hosts and host.lower() not in self._hosts:
            detail = f"host {host!r} is not one of this service; see `serve --allow-host`"
            raise ProblemError("not_allowed", detail)
        path = scope["path"]
        if path in UNLIMITED:
            return
        if self._in_flight >= IN_FLIGHT_MAX:
            detail = f"{self._in_flight} requests are being answered"
            raise ProblemError("busy", detail, retry_after_ms=1000)
        address = _address(scope)
        caller = self._reader(scope) or address
        if _is_loopback(address) and not self._limit_loopback:
            return
        if scope["type"] == "websocket" and self._streams[address] >= STREAMS_MAX:
            detail = f"{STREAMS_MAX} connections of one address are the most"
            raise ProblemError("rate_limited", detail)
        weight = next((w for start, w in WEIGHTS.items() if path.startswith(start)), 1)
        weight = 10 if path.endswith(REVALUING) else weight
        self._desk.limits.take_request(caller, weight)

    def _reader(self, scope: Any) -> str | None:
        """The read-only key that signed a request, None without one."""
        headers = dict(scope["headers"])
        if b"ringfence-key" not in headers:
            return None
        names = (b"ringfence-key", b"ringfence-time", b"ringfence-signature")
        key, then, signature = (headers.get(name, b"").decode("latin-1") for name in names)
        query = scope.get("query_string", b"").decode("latin-1")
        path = scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
        target = path + ("?" + query if query else "")
        method = scope.get("method", "GET")
        book = self._desk.writer.venue.state.book
        now_ms = SystemClock().now_ns() // MS_NS
        venue_ms = self._desk.snapshot.time_ns // MS_NS
        signed = (key, then, signature), (method, target)
        try:
            auth.reader_of(book, self._desk.secret, *signed, now_ms, venue_ms)
        except auth.AuthError as error:
            raise ProblemError(error.code, error.message) from None
        return f"key {key}"

    def _check_origin(self, scope: Any) -> None:
        """Only pages of this service may open the stream; what is no page sends no origin."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        host = headers.get(b"host", b"").decode("latin-1")
        if origin and urlsplit(origin).netloc.lower() != host.lower():
            raise ProblemError("origin_not_allowed", f"{origin} is not this service")

    def _count(self, scope: Any, status: int, seconds: float) -> None:
        template = scope.get("path_template") or "other"
        method = scope["method"] if scope["method"] in {"GET", "POST", "HEAD"} else "other"
        metrics = self._desk.metrics
        metrics.requests.labels(method, template, str(status)).inc()
        metrics.seconds.labels(method, template).observe(seconds)


def _check_media_type(scope: Any) -> None:
    """Take bodies of JSON only, which no page of elsewhere can send without asking first."""
    headers = dict(scope["headers"])
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if has_body and kind != "application/json":
        raise ProblemError("media_type", f"content-type is {kind!r}; send application/json")


def _in_time(receive: Receive) -> Receive:
    """Let a body come within its time; what is waited for after it may take longer."""
    deadline, is_whole = asyncio.get_running_loop().time() + BODY_SECONDS, False

    async def received() -> Any:
        nonlocal is_whole
        try:
            async with asyncio.timeout_at(None if is_whole else deadline):
                message = await receive()
        except TimeoutError:
            detail = f"it was not here after {BODY_SECONDS:g} s"
            raise ProblemError("too_slow", detail) from None
        is_whole = is_whole or not message.get("more_body", False)
        return message

    return received


def _address(scope: Any) -> str:
    return scope["client"][0] if scope.get("client") else ""


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return True  # no network at all: a test, or a socket of the machine


async def _refuse(problem: problems.Problem, send: Send) -> None:
    response = problems.answer(problem)
    headers = [(b"content-type", problems.MEDIA_TYPE.encode())]
    headers += [(k.lower().encode(), v.encode()) for k, v in response.headers.items()]
    body = msgspec.json.encode(problem)
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
