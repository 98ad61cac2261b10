"""Running a desk behind uvicorn, from the socket to the graceful end."""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from ringfence.service.app import build
from ringfence.service.desk import Desk
from ringfence.service.logs import log
from ringfence.service.socket import FRAME_MAX

GRACE_SECONDS = 10  # for answers that are under way
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BACKLOG = 1024
GARBAGE = (20_000, 20, 20)  # thresholds of the collector
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def bound(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any that is free.

    Raises:
        OSError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, for asyncio turns Nagle's algorithm off only where it is: an answer in
    # two writes would otherwise wait 40 ms for the acknowledgement of the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003 - the standard library's way
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Tells when it has begun, and lets the desk end before connections do."""

    def __init__(self, config: uvicorn.Config, desk: Desk, begun: Callable[[], None]) -> None:
        super().__init__(config)
        self._desk = desk
        self._begun = begun

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as the request to end; uvicorn would raise them again."""
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._desk.end()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._begun()


def _settle_garbage() -> None:
    """Leave what is there for good out of collections, and collect less often.

    Looking through the compiled engine and the population took 0.2 s a time, in which nobody was
    answered; and what a snapshot makes dies by itself before the next one, without a collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def serve(
    desk: Desk,
    listener: socket.socket,
    *,
    hosts: Sequence[str] = (),
    limit_loopback: bool = False,
    begun: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM: then no new command is taken, and what is queued is done."""
    config = uvicorn.Config(
        build(desk, [*LOOPBACK, *hosts], limit_loopback=limit_loopback),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=FRAME_MAX,
        ws_per_message_deflate=False,  # every viewer would be compressed for anew
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
        limit_concurrency=2_000,
    )
    log.info("serving", url=address_of(listener), run=desk.run)
    _settle_garbage()
    asyncio.run(_Server(config, desk, begun).serve(sockets=[listener]))
    log.info("stopped", seq=desk.snapshot.seq, head=desk.snapshot.head)
