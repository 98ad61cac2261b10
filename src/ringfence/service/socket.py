"""The WebSocket at /v1/stream: one viewer, what he asks for, and what he is sent."""

import asyncio
from collections import deque
from typing import Any

import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from ringfence.service.channels import Channels, Subscribe
from ringfence.service.desk import Desk
from ringfence.service.problems import ProblemError
from ringfence.service.stream import BYTES_MAX, DELTAS_KEPT, MESSAGES_MAX, Viewer, encode

FRAME_MAX = 64 * 1024
SUBSCRIPTIONS_MAX = 1_000
CONNECTIONS_MAX = 500
ASKED_A_MINUTE_MAX = 2_000

GOING_AWAY, POLICY, TRY_LATER = 1001, 1008, 1013
LIMITS = {
    "frame_bytes": FRAME_MAX,
    "subscriptions": SUBSCRIPTIONS_MAX,
    "messages_a_minute": ASKED_A_MINUTE_MAX,
    "deltas_kept": DELTAS_KEPT,
    "waiting_messages": MESSAGES_MAX,
    "waiting_bytes": BYTES_MAX,
}


class Unsubscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop watching a key."""

    op: str
    key: str
    id: str | None = None


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Are you there."""

    op: str
    id: str | None = None


_KINDS: dict[str, type[Subscribe | Unsubscribe | Ping]] = {
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": Ping,
}


class Head(msgspec.Struct, frozen=True):
    """What every message of a viewer starts with."""

    op: str
    id: str | None = None


def _kind_of(head: Head) -> type[Subscribe | Unsubscribe | Ping]:
    kind = _KINDS.get(head.op)
    if kind is None:
        raise ProblemError("malformed", f"no op {head.op!r}; there are: {', '.join(_KINDS)}")
    return kind


class Session:
    """One connection."""

    def __init__(self, desk: Desk, channels: Channels) -> None:
        self.viewer = Viewer()
        self._desk, self._channels = desk, channels
        self._asked: deque[float] = deque()

    def hello(self) -> None:
        """Say what this is."""
        self._say(type="hello", run=self._desk.run, time_ms=self._desk.hub.time_ms, limits=LIMITS)

    def _say(self, **fields: Any) -> None:
        self.viewer.offer(encode(fields))

    def is_asking_too_much(self) -> bool:
        """Take note of a message; return whether there were too many within a minute."""
        now = asyncio.get_running_loop().time()
        self._asked.append(now)
        while now - self._asked[0] > 60:
            self._asked.popleft()
        return len(self._asked) > ASKED_A_MINUTE_MAX

    def hear(self, text: str | bytes) -> None:
        """Do what a message asks for; say what is wrong with it otherwise."""
        name: str | None = None
        try:
            head = msgspec.json.decode(text, type=Head)
            name = head.id
            self._do(msgspec.json.decode(text, type=_kind_of(head)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._say(type="error", id=name, code="malformed", detail=str(error))
        except ProblemError as error:
            self._say(type="error", id=name, code=error.problem.code, detail=error.problem.detail)

    def _do(self, asked: Subscribe | Unsubscribe | Ping) -> None:
        match asked:
            case Subscribe():
                self._subscribe(asked)
            case Unsubscribe(key=key):
                if not self._desk.hub.leave(self.viewer, key):
                    raise ProblemError("malformed", f"you are not subscribed to {key!r}")
                self._say(type="unsubscribed", id=asked.id, key=key)
            case Ping():
                self._say(type="pong", id=asked.id, time_ms=self._desk.hub.time_ms)

    def _subscribe(self, asked: Subscribe) -> None:
        hub, viewer = self._desk.hub, self.viewer
        topic = self._channels.open(asked)
        if len(viewer.keys) >= SUBSCRIPTIONS_MAX and topic.key not in viewer.keys:
            raise ProblemError("rate_limited", f"{SUBSCRIPTIONS_MAX} subscriptions are the most")
        resume = hub.resumable(topic, asked.resume)
        hub.join(viewer, topic)
        self._say(type="subscribed", id=asked.id, key=topic.key, resumed=resume is not None)
        for message in hub.catch_up(topic, resume):
            viewer.offer(message)


class Stream:
    """All connections."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._channels = Channels(desk)
        self._open: dict[WebSocket[Any, Any, Any], Session] = {}
        self.dropped = 0

    @property
    def connections(self) -> int:
        """How many are connected."""
        return len(self._open)

    async def serve(self, socket: WebSocket[Any, Any, Any]) -> None:
        """Serve one connection until either side ends it."""
        await socket.accept()
        if len(self._open) >= CONNECTIONS_MAX:
            await self._bye(socket, "limit", TRY_LATER)
            return
        session = Session(self._desk, self._channels)
        self._open[socket] = session
        self._desk.hub.viewers.add(session.viewer)
        session.hello()
        sending = asyncio.create_task(self._send(socket, session))
        try:
            await self._receive(socket, session)
        finally:
            sending.cancel()
            self._desk.hub.drop(session.viewer)
            del self._open[socket]

    async def _receive(self, socket: WebSocket[Any, Any, Any], session: Session) -> None:
        try:
            while True:
                text = await socket.receive_data(mode="text")
                if len(text) > FRAME_MAX or session.is_asking_too_much():
                    await self._bye(socket, "limit", POLICY)
                    return
                session.hear(text)
        except WebSocketDisconnect:
            return

    async def _send(self, socket: WebSocket[Any, Any, Any], session: Session) -> None:
        try:
            while (message := await session.viewer.take()) is not None:
                await socket.send_data(message, mode="text")
            self.dropped += 1
            await self._bye(socket, "too_slow", TRY_LATER)
        except (WebSocketDisconnect, OSError):
            return

    async def end(self) -> None:
        """Say good-bye to everybody at the same time."""
        byes = (self._bye(socket, "stopping", GOING_AWAY) for socket in list(self._open))
        await asyncio.gather(*byes)

    @staticmethod
    async def _bye(socket: WebSocket[Any, Any, Any], code: str, number: int) -> None:
        try:
            await asyncio.wait_for(socket.send_data(encode({"type": "bye", "code": code})), 1)
            await asyncio.wait_for(socket.close(number, code), 1)
        except Exception:  # noqa: BLE001 - whoever has gone away already need not be told
            return


@websocket("/v1/stream")
async def stream(socket: WebSocket[Any, Any, Any]) -> None:
    """What changes, as it changes; docs/reference/http.md has the messages."""
    await socket.app.state.stream.serve(socket)
