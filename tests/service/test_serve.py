"""The service as a process: where it says it is, and how it ends."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from ringfence.cli import main
from ringfence.service.serving import bound
from ringfence.signing.demo import demo_key
from ringfence.signing.keys import keccak
from ringfence.venue.audit import audit
from ringfence.venue.venue import Venue

RUN = "import sys; from ringfence.cli import main; sys.exit(main())"


@contextmanager
def process(*arguments: str):
    """A running service and its URL; killed at the end unless it has ended."""
    command = [sys.executable, "-c", RUN, "serve", "--port", "0", "--json", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as running:
        try:
            line = running.stdout.readline()
            yield running, json.loads(line)["url"] if line else None
        finally:
            if running.poll() is None:
                running.kill()


class Flood:
    """Owners who ask the faucet, from four connections, until the service ends."""

    def __init__(self, url: str) -> None:
        self.url, self.answered, self.refused = url, [], []
        self.workers = [threading.Thread(target=self.ask, args=(k,)) for k in range(4)]

    def ask(self, worker: int) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as client:
            for n in range(10_000):
                owner = f"0x{worker:020x}{n:020x}"
                try:
                    answer = client.post("/v1/faucet", json={"owner": owner})
                except httpx.TransportError:
                    return
                if answer.status_code != 200:
                    self.refused.append(answer.status_code)
                    return
                self.answered.append(owner)


def last_message(stream) -> dict:
    """Everything that comes until the service closes the stream; the last of it."""
    message = "{}"
    with contextlib.suppress(ConnectionClosed):
        while True:
            message = stream.recv(timeout=30)
    return json.loads(message)


def test_the_end_answers_what_was_taken_and_the_journal_has_all_that_was_answered(tmp_path):
    path = tmp_path / "venue.journal"
    demo = ("--replay", "demo", "--pools", "3", "--accounts", "20")
    with process("--journal", str(path), *demo) as (running, url):
        flood = Flood(url)
        with connect(url.replace("http", "ws") + "/v1/stream") as stream:
            for worker in flood.workers:
                worker.start()
            while len(flood.answered) < 50:
                assert running.poll() is None
            running.send_signal(signal.SIGTERM)
            assert last_message(stream) == {"type": "bye", "code": "stopping"}
        for worker in flood.workers:
            worker.join()
        log = running.communicate(timeout=60)[1].splitlines()
    assert running.returncode == 0
    assert set(flood.refused) <= {503}
    events = [json.loads(line) for line in log if line.startswith("{")]
    assert [event["event"] for event in events] == ["serving", "stopped"]
    report = audit(path)
    assert report.ok, report.problems
    assert report.head == events[-1]["head"]
    with Venue.open(path) as venue:
        assert {venue.wallet(owner)["USDC"] for owner in flood.answered} == {10**11}


def test_a_venue_without_prices_serves_its_journal_and_goes_on_with_it(tmp_path, monkeypatch):
    path = tmp_path / "venue.journal"
    with Venue.open(path) as venue:
        venue.list_asset("USDC", 6)
    key = demo_key("receipts")
    monkeypatch.setenv("RINGFENCE_RECEIPT_KEY", keccak(b"ringfence demo receipts").hex())
    with process("--journal", str(path)) as (running, url):
        shown = httpx.get(f"{url}/v1/venue").json()
        assert shown["receipt_signer"] == key.owner
        assert shown["source"]["kind"] == "none"
        assert shown["seq"] == 1
        assert shown["domain"] is None
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "70000"), "--port is 70000"),
        (("--replay", "demo", "--port", "0", "--speed", "0"), "--speed is 0"),
        (("--replay", "missing.csv", "--port", "0"), "missing.csv"),
        (("--host", "203.0.113.1", "--port", "0"), "cannot listen on 203.0.113.1"),
    ],
)
def test_wrong_usage_says_what_to_do(arguments, message, capsys):
    assert main(["serve", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "5ec4e7", "00" * 32, "5ec4e7" * 11, "zz" * 32])
def test_a_wrong_receipt_key_is_named_and_not_shown(text, capsys, monkeypatch):
    monkeypatch.setenv("RINGFENCE_RECEIPT_KEY", text)
    assert main(["serve", "--port", "0"]) == 2
    told = capsys.readouterr().err
    assert "RINGFENCE_RECEIPT_KEY must be 64 hex digits" in told
    assert not text or text not in told


def test_answers_are_not_held_back_for_an_acknowledgement():
    with bound("127.0.0.1", 0) as listener:
        # Only then asyncio turns Nagle's algorithm off for the connections that it accepts.
        assert listener.proto == socket.IPPROTO_TCP
