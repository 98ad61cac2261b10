"""A small venue on loopback, behind the real server, in this process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from tests.venue.scene import Scene

from ringfence.service.app import build
from ringfence.service.desk import Desk
from ringfence.service.schema import Source
from ringfence.service.serving import address_of, bound
from ringfence.service.writer import Writer
from ringfence.signing.demo import demo_key
from ringfence.signing.typed import Domain

DOMAIN = Domain("Ringfence", "1", 31_337, "0x" + "77" * 32)
WAIT_SECONDS = 60


class Served:
    """A venue that is served, and where."""

    def __init__(self, scene: Scene, writer: Writer, url: str) -> None:
        self.scene, self.writer, self.url = scene, writer, url

    def publish(self, **prices: str) -> None:
        """Publish prices in the writer's thread."""
        job = lambda _venue: self.scene.publish(**prices)  # noqa: E731 - short, and used once
        self.writer.submit(job).result(timeout=WAIT_SECONDS)


@contextmanager
def served() -> Iterator[Served]:
    """Serve the scene's venue, founded with the demo's admin and with a faucet."""
    scene = Scene.set_up().traded()
    scene.venue.found(DOMAIN, demo_key("admin").owner)
    writer = Writer(scene.venue)
    desk = Desk(writer, Source("replay", "playing", "a test", "1", faucet={"USDC": "100000"}))
    listener = bound("127.0.0.1", 0)
    config = uvicorn.Config(
        build(desk, ["127.0.0.1"]), log_config=None, access_log=False, lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        yield Served(scene, writer, address_of(listener))
    finally:
        server.should_exit = True
        thread.join(timeout=WAIT_SECONDS)
        listener.close()
        scene.venue.close()
    assert not thread.is_alive(), "the server did not end"
