"""Allowances, held against a bucket that is counted out one by one."""

import asyncio
import random
from contextlib import ExitStack

import pytest
from litestar.exceptions import WebSocketDisconnect
from tests.service.live import ALICE, live

from ringfence.service import admission, guard
from ringfence.service.admission import AGAIN_MS, REDUCING_SLOTS, SLOTS, Admission
from ringfence.service.limits import Buckets, Limits
from ringfence.service.problems import ProblemError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Plain:
    """A bucket of so many tokens that fills by one every gap."""

    def __init__(self, a_minute: int) -> None:
        self.size, self.tokens, self.then = a_minute, float(a_minute), 0.0

    def take(self, now: float, weight: int) -> bool:
        self.tokens = min(self.size, self.tokens + (now - self.then) * self.size / 60)
        self.then = now
        if self.tokens < weight - 1e-6:
            return False
        self.tokens -= weight
        return True


def is_taken(buckets: Buckets, weight: int) -> bool:
    try:
        buckets.take("k", weight)
    except ProblemError:
        return False
    return True


@pytest.mark.parametrize("seed", range(20))
def test_a_bucket_allows_what_the_plain_one_allows(seed):
    dice, clock = random.Random(seed), Clock()
    a_minute = dice.choice([1, 7, 60, 600])
    buckets, plain = Buckets(a_minute, clock), Plain(a_minute)
    for _ in range(500):
        clock.now += dice.choice([0, 0, 0.25, 1, 10])
        weight = dice.choice([1, 1, 2, 5])
        assert is_taken(buckets, weight) == plain.take(clock.now, weight)


def test_waiting_as_long_as_told_is_enough():
    clock = Clock()
    buckets = Buckets(60, clock)
    buckets.take("k", 60)
    with pytest.raises(ProblemError) as refused:
        buckets.take("k")
    clock.now += refused.value.problem.retry_after_ms / 1000
    buckets.take("k")


def test_what_reduces_risk_has_an_allowance_of_its_own():
    limits = Limits(Clock())
    for _ in range(Limits.COMMANDS):
        limits.take_command("0xAB", reduces_risk=False)
    with pytest.raises(ProblemError):
        limits.take_command("0xab", reduces_risk=False)
    limits.take_command("0xab", reduces_risk=True)
    limits.take_command("0xcd", reduces_risk=False)


def test_requests_beyond_the_allowance_are_told_when_to_come_back(monkeypatch):
    monkeypatch.setattr(Limits, "REQUESTS", 3)
    with live(limit_loopback=True, traded=False) as served:
        for _ in range(3):
            served.get("/v1/venue")
        answer = served.client.get("/v1/venue")
        assert answer.status_code == 429
        assert answer.json()["code"] == "rate_limited"
        assert int(answer.headers["retry-after"]) >= 1
        assert served.client.get("/health").status_code == 200


def test_a_body_that_is_too_large_is_not_read(fresh):
    headers = {"content-type": "application/json"}
    answer = fresh.client.post("/v1/simulate", content=b"[" * 300_000, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_body_of_another_type_is_refused(fresh):
    answer = fresh.client.post(
        "/v1/simulate", content=b"pool=alpha", headers={"content-type": "text/plain"}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "media_type")


def test_more_requests_than_can_be_answered_are_refused_at_once(monkeypatch, fresh):
    monkeypatch.setattr(guard, "IN_FLIGHT_MAX", 0)
    answer = fresh.client.get("/v1/venue")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert fresh.client.get("/health").status_code == 200


def test_one_address_cannot_take_all_connections(monkeypatch):
    monkeypatch.setattr(guard, "STREAMS_MAX", 1)
    with live(limit_loopback=True, traded=False) as served:
        with served.client.websocket_connect("/v1/stream") as first:
            assert first.receive_json(timeout=10)["type"] == "hello"
            with (
                pytest.raises(WebSocketDisconnect),
                served.client.websocket_connect("/v1/stream") as second,
            ):
                second.receive_json(timeout=10)
        with served.client.websocket_connect("/v1/stream") as third:
            assert third.receive_json(timeout=10)["type"] == "hello"


def test_with_many_commands_under_way_more_are_busy_but_those_that_reduce_risk_are_not(fresh):
    names = {"type": "withdraw", "pool": fresh.alpha, "owner": ALICE, "number": 1}
    unsigned = {"signer": ALICE, "nonce": "1", "expires_ms": 1, "signature": "0x" + "00" * 65}
    body = {"command": names | {"asset": "USDC", "amount": "1"}, "authorisations": [unsigned]}
    with ExitStack() as others:
        for _ in range(SLOTS - 1):
            others.enter_context(fresh.desk.admission.slot_at_once())
        assert fresh.client.post("/v1/commands", json=body).status_code == 401
        others.enter_context(fresh.desk.admission.slot_at_once())
        answer = fresh.client.post("/v1/commands", json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert AGAIN_MS <= answer.json()["retry_after_ms"] < 2 * AGAIN_MS
        body["command"]["type"] = "deposit"
        assert fresh.client.post("/v1/commands", json=body).status_code == 401
    body["command"]["type"] = "withdraw"
    assert fresh.client.post("/v1/commands", json=body).status_code == 401


def test_what_reduces_risk_waits_for_its_turn_and_leaves_slots_to_others():
    async def crowd() -> tuple[int, int, list[str]]:
        slots, done = Admission(), asyncio.Event()
        working = refused = 0

        async def one(*, reduces_risk: bool) -> str:
            nonlocal working, refused
            try:
                async with slots.slot(reduces_risk=reduces_risk):
                    working += 1
                    await done.wait()
            except ProblemError as error:
                refused += 1
                return error.problem.code
            return "done"

        kinds = [True] * 20 + [False] * 5
        tasks = [asyncio.create_task(one(reduces_risk=kind)) for kind in kinds]
        await asyncio.sleep(0)
        at_once, early = working, refused
        done.set()
        return at_once, early, await asyncio.gather(*tasks)

    at_once, early, ends = asyncio.run(crowd())
    assert (at_once, early) == (SLOTS, 5 - (SLOTS - REDUCING_SLOTS))
    assert ends[:20] == ["done"] * 20
    assert ends[20:] == ["done"] * 2 + ["busy"] * 3


def test_even_what_reduces_risk_cannot_wait_in_any_number(monkeypatch):
    monkeypatch.setattr(admission, "REDUCING_MAX", 2)

    async def crowd() -> list[str]:
        one = Admission()

        async def ask() -> str:
            try:
                async with one.slot(reduces_risk=True):
                    await asyncio.sleep(0)
            except ProblemError as error:
                return error.problem.code
            return "done"

        return await asyncio.gather(*(ask() for _ in range(3)))

    assert asyncio.run(crowd()) == ["done", "done", "busy"]
