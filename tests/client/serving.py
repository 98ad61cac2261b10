"""A small venue on loopback, behind the real server, in this process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from tests.venue.scene import ALICE, Scene

from ringfence.service.app import build
from ringfence.service.desk import Desk
from ringfence.service.schema import Source
from ringfence.service.serving import address_of, bound
from ringfence.service.writer import Writer
from ringfence.signing.demo import demo_key
from ringfence.signing.typed import Domain

DOMAIN = Domain("Ringfence", "1", 31_337, "0x" + "77" * 32)
WAIT_SECONDS = 60
COMPILE_SECONDS = 550


class Served:
    """A venue that is served, and where."""

    def __init__(self, scene: Scene, writer: Writer, url: str) -> None:
        self.scene, self.writer, self.url = scene, writer, url

    def publish(self, **prices: str) -> None:
        """Publish prices in the writer's thread."""
        job = lambda _venue: self.scene.publish(**prices)  # noqa: E731 - short, and used once
        self.writer.submit(job).result(timeout=WAIT_SECONDS)


def compile_views(url: str) -> None:
    """Ask for every view once, so that nobody's patience ends while the first one is compiled."""
    with httpx.Client(base_url=url, timeout=COMPILE_SECONDS, trust_env=False) as client:
        for path in ("pools", "pools/alpha", "at-risk?below=2", f"accounts/alpha/{ALICE}/1"):
            client.get(f"/v1/{path}").raise_for_status()
        what_if = {"pool": "alpha", "commands": [{"type": "settle"}]}
        client.post("/v1/simulate", json=what_if).raise_for_status()


@contextmanager
def served(scene: Scene | None = None) -> Iterator[Served]:
    """Serve the scene's venue or another, founded with the demo's admin and with a faucet."""
    scene = scene or Scene.set_up().traded()
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
        url = address_of(listener)
        compile_views(url)
        yield Served(scene, writer, url)
    finally:
        server.should_exit = True
        thread.join(timeout=WAIT_SECONDS)
        listener.close()
        scene.venue.close()
    assert not thread.is_alive(), "the server did not end"
