"""What surrounds requests: whom they are addressed to, whose pages send them, what is counted."""

import asyncio
import json

import pytest
from litestar.exceptions import WebSocketDisconnect

from ringfence.service import guard


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_requests_for_another_host_are_refused(quiet, host):
    answer = quiet.client.get("/v1/venue", headers={"host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "TESTSERVER"])
def test_requests_for_this_host_are_served(quiet, host):
    assert quiet.client.get("/v1/venue", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver.local:81"])
def test_pages_of_elsewhere_cannot_open_the_stream(quiet, origin):
    with (
        pytest.raises(WebSocketDisconnect),
        quiet.client.websocket_connect("/v1/stream", headers={"origin": origin}) as socket,
    ):
        socket.receive_json(timeout=10)


def test_pages_of_this_service_can_open_the_stream(quiet):
    headers = {"origin": "http://testserver.local"}
    with quiet.client.websocket_connect("/v1/stream", headers=headers) as socket:
        assert socket.receive_json(timeout=10)["type"] == "hello"


def test_a_path_says_which_methods_it_has(quiet):
    for path, methods in (
        ("/v1/pools/alpha", "GET, HEAD, OPTIONS"),
        ("/v1/simulate", "OPTIONS, POST"),
    ):
        answer = quiet.client.request("DELETE", path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == methods


def test_head_is_answered_like_get_without_the_body(quiet):
    asked, whole = quiet.client.head("/v1/venue"), quiet.client.get("/v1/venue")
    assert (asked.status_code, asked.content) == (200, b"")
    for name in ("content-type", "content-security-policy", "ringfence-seq"):
        assert asked.headers[name] == whole.headers[name]
    assert quiet.client.head("/v1/pools/nope").status_code == 404


def test_a_body_that_never_ends_gives_its_place_back(quiet, monkeypatch):
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    sent = []

    async def slow():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/simulate",
        "raw_path": b"/v1/simulate",
        "query_string": b"",
        "headers": [*headers, (b"content-length", b"100")],
    }
    asyncio.run(quiet.client.app(scope, slow, send))
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["code"] == "too_slow"


def test_every_answer_forbids_what_no_page_needs(quiet):
    for path in ("/v1/venue", "/v1/nothing", "/"):
        headers = quiet.client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_dashboard_is_served_and_nothing_beside_it(quiet):
    assert "<title>Ringfence</title>" in quiet.client.get("/").text
    for path in ("/../app.py", "/..%2fapp.py", "/%2e%2e/app.py"):
        assert "import" not in quiet.client.get(path).text


def test_metrics_count_requests_and_tell_of_the_venue(quiet):
    quiet.client.get("/v1/pools/alpha")
    text = quiet.client.get("/metrics").text
    assert 'route="/v1/pools/{pool}",status="200"' in text
    assert f"ringfence_journal_seq {float(quiet.writer.venue.journal.seq)}" in text
    assert "ringfence_accounts_at_risk" in text


def test_health_and_readiness_differ_when_the_writer_has_ended(fresh):
    assert fresh.get("/ready")["status"] == "ok"
    fresh.writer.stop()
    assert fresh.get("/health")["status"] == "ok"
    assert fresh.get("/ready", status=503)["code"] == "stopping"


def test_a_halted_venue_says_so(fresh):
    fresh.writer.halted = "the disk is full"
    problem = fresh.get("/ready", status=503)
    assert (problem["code"], problem["detail"]) == ("halted", "the disk is full")
