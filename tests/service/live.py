"""A small venue behind the application, for tests that speak to it as clients do."""

import secrets
import time
from contextlib import contextmanager

from litestar.testing import TestClient
from tests.venue.scene import ALICE, BOB, Scene

from ringfence.service.app import build
from ringfence.service.desk import Desk
from ringfence.service.schema import Source
from ringfence.service.writer import Writer
from ringfence.signing.demo import demo_key
from ringfence.signing.typed import Domain
from ringfence.venue import commands as c

DOMAIN = Domain("Ringfence", "1", 31_337, "0x" + "11" * 32)
ADMIN = demo_key("admin").owner
HOSTS = ("testserver.local", "testserver", "127.0.0.1")


class Live:
    """The venue of tests/venue/scene.py, its writer and desk, and a client."""

    def __init__(self, scene: Scene, writer: Writer, desk: Desk, client: TestClient) -> None:
        self.scene, self.writer, self.desk, self.client = scene, writer, desk, client
        self.alpha, self.beta, *_ = [*(r.id.hex() for r in writer.venue.state.pools.values()), ""]

    def get(self, path: str, status: int = 200, **query):
        answer = self.client.get(path, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: object, status: int = 200):
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def do(self, job):
        """Run something in the writer's thread, and wait until it is on disk and shown."""
        result = self.writer.submit(lambda _venue: job()).result(timeout=60)
        self.settle()
        return result

    def settle(self) -> None:
        """Wait until the desk has the newest entry."""
        wanted = self.writer.venue.journal.seq
        deadline = time.monotonic() + 30
        while self.desk.snapshot.seq < wanted:
            assert time.monotonic() < deadline, "the desk never heard of it"
            time.sleep(0.01)

    def publish(self, **prices: str) -> None:
        self.do(lambda: self.scene.publish(**prices))


@contextmanager
def live(
    path=":memory:", *, faucet=None, limit_loopback=False, traded=True, scene=None, player=None
):
    """Serve the scene's venue, or that of another scene, to a client in this process."""
    if scene is None:
        scene = Scene.set_up(path)
        if traded:
            scene.traded()
    scene.venue.found(DOMAIN, ADMIN)
    source = Source("replay", "playing", "a test", "1", faucet=faucet or {})
    writer = Writer(scene.venue, player)
    desk = Desk(writer, source, secret=secrets.token_bytes(32))
    app = build(desk, HOSTS, limit_loopback=limit_loopback)
    with TestClient(app) as client:
        yield Live(scene, writer, desk, client)
    scene.venue.close()


def sink(live: Live) -> None:
    """Bring Alice below maintenance in alpha, so that she is liquidated."""
    live.do(lambda: live.scene.trade("3"))
    live.publish(ETH="1800")


__all__ = ["ADMIN", "ALICE", "BOB", "DOMAIN", "Live", "c", "live", "sink"]
