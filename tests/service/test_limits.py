"""Allowances, held against a bucket that is counted out one by one."""

import random

import pytest
from litestar.exceptions import WebSocketDisconnect
from tests.service.live import ALICE, live

from ringfence.service import guard
from ringfence.service.limits import Buckets, Limits
from ringfence.service.problems import ProblemError
from ringfence.service.routes import commands


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
    fresh.desk.under_way = commands.UNDER_WAY_MAX - 1
    assert fresh.client.post("/v1/commands", json=body).status_code == 401
    fresh.desk.under_way = commands.UNDER_WAY_MAX
    answer = fresh.client.post("/v1/commands", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.json()["retry_after_ms"] == commands.AGAIN_MS
    body["command"]["type"] = "deposit"
    assert fresh.client.post("/v1/commands", json=body).status_code == 401
    assert fresh.desk.under_way == commands.UNDER_WAY_MAX
