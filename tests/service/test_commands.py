"""Commands over HTTP: what if, money to play with, and signed commands done once."""

from decimal import Decimal

import msgspec
import pytest
from tests.service.live import ALICE, BOB, DOMAIN, c, live

from ringfence.client.signer import Signer
from ringfence.core.spec import parse_spec
from ringfence.service import auth, writer
from ringfence.service.limits import Limits
from ringfence.service.routes.system import EXAMPLE
from ringfence.service.schema import VenueAnswer
from ringfence.signing.demo import demo_key
from ringfence.signing.receipts import Attestation, check_attestation
from ringfence.venue.clock import SystemClock
from ringfence.venue.consent.messages import GrantReader, Register

DEPOSIT = {"type": "deposit", "owner": ALICE, "asset": "USDC", "amount": "100"}


def test_a_simulation_shows_before_and_after_and_changes_nothing(fresh):
    before = fresh.writer.venue.state.digest()
    seq = fresh.writer.venue.journal.seq
    answer = fresh.post("/v1/simulate", {"pool": "alpha", "commands": [DEPOSIT]})
    assert answer["statuses"] == ["ok"]
    (standing,) = answer["accounts"]
    assert standing["difference"]["equity"] == "100"
    assert standing["before"] == fresh.get(f"/v1/accounts/alpha/{ALICE}/1")
    assert fresh.writer.venue.state.digest() == before
    assert fresh.writer.venue.journal.seq == seq


def test_a_refused_simulation_is_an_answer(fresh):
    much = {**DEPOSIT, "amount": "1000000"}
    answer = fresh.post("/v1/simulate", {"pool": "alpha", "commands": [much]})
    assert answer["statuses"] == ["exceeds_wallet"]
    body = {"pool": "alpha", "commands": [much], "ignore_wallets": True}
    assert fresh.post("/v1/simulate", body)["statuses"] == ["ok"]


def test_a_simulation_at_another_price_shows_the_account_there(fresh):
    body = {"pool": "alpha", "commands": [{**DEPOSIT, "amount": "1"}], "prices": {"ETH": "900"}}
    (standing,) = fresh.post("/v1/simulate", body)["accounts"]
    assert standing["before"]["positions"][0]["mark_price"] == "900"
    assert float(standing["before"]["equity"]) < 0


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"pool": "gamma"}, 404, "pool_unknown"),
        ({"commands": [{"type": "dance"}]}, 400, "command_unreadable"),
        ({"commands": [{**DEPOSIT, "amount": "1.0000001"}]}, 400, "command_unreadable"),
        ({"commands": [{**DEPOSIT, "pool": "beta"}]}, 400, "command_unreadable"),
        ({"commands": [{**DEPOSIT, "owner": "0x12"}]}, 400, "command_unreadable"),
        ({"prices": {"DOGE": "1"}}, 400, "command_unreadable"),
        ({"prices": {"ETH": "-1"}}, 400, "command_unreadable"),
        ({"prices": {"ETH": "0.0000000001"}}, 400, "command_unreadable"),
        ({"commands": [DEPOSIT] * 101}, 400, "malformed"),
        ({"colour": "red"}, 400, "malformed"),
    ],
)
def test_a_simulation_that_cannot_be_read_says_why(fresh, change, status, code):
    body = {"pool": "alpha", "commands": [DEPOSIT], **change}
    assert fresh.post("/v1/simulate", body, status=status)["code"] == code


def test_a_spec_is_checked_before_anybody_signs_it(fresh):
    example = fresh.get("/v1/spec/schema")["example"]
    shown = fresh.post("/v1/pools/preview", {"spec": example, "creator": ALICE})
    assert shown["ok"]
    assert len(shown["id"]) == 64
    unsafe = {**example, "rules": {**example["rules"], "bonus_max": "0.9"}}
    refused = fresh.post("/v1/pools/preview", {"spec": unsafe})
    assert not refused["ok"]
    assert any("bonus_max" in problem for problem in refused["problems"])
    for change, problem in (
        ({"settlement": "XYZ"}, "asset XYZ is not listed"),
        ({"underlyings": [example["underlyings"][0] | {"price_max": "3000"}]}, "its feed says"),
    ):
        foreign = fresh.post("/v1/pools/preview", {"spec": example | change})
        assert not foreign["ok"]
        assert any(problem in found for found in foreign["problems"]), foreign["problems"]
    alpha = fresh.get("/v1/pools/alpha")
    spec = fresh.get("/v1/pools/alpha/spec")
    again = fresh.post("/v1/pools/preview", {"spec": spec, "creator": alpha["creator"]})
    assert "exists; change its name or salt" in again["problems"][0]
    unreadable = fresh.post("/v1/pools/preview", {"spec": {"name": 1}})
    assert unreadable["problems"]
    assert parse_spec(EXAMPLE.read_text()).name == example["name"]


def test_the_faucet_gives_once_and_only_in_a_replay():
    owner = "0x" + "ab" * 20
    with live(faucet={"USDC": "500"}) as served:
        assert served.post("/v1/faucet", {"owner": owner})["wallet"] == {"USDC": "500"}
        assert served.post("/v1/faucet", {"owner": owner}, status=409)["code"] == "refused"
        served.settle()
        assert served.get(f"/v1/owners/{owner}")["wallet"]["USDC"] == "500"
    with live() as served:
        assert served.post("/v1/faucet", {"owner": owner}, status=403)["code"] == "not_allowed"


@pytest.fixture
def funded():
    """A venue in which a wallet with a key has money."""
    with live(faucet={"USDC": "500"}) as served:
        served.key = demo_key("tester")
        served.signer = Signer(served.key, None)
        served.signer.learn(msgspec.convert(served.get("/v1/venue"), VenueAnswer))
        served.post("/v1/faucet", {"owner": served.key.owner})
        yield served


def signed(funded, client_id=None, **fields):
    """A signed deposit into a new account of the tester's, as its body."""
    command = fields.pop("command")
    authorisation = funded.signer.authorisation(command)
    body = {
        "command": msgspec.to_builtins(command),
        "authorisations": [msgspec.to_builtins(authorisation)],
    }
    return {**body, **({"client_id": client_id} if client_id else {}), **fields}


def test_a_signed_command_is_done_once_and_found_by_its_id(funded):
    pool, owner = funded.alpha, funded.key.owner
    opening = signed(funded, command=c.OpenAccount(pool=pool, owner=owner))
    assert funded.post("/v1/commands", opening)["ok"]
    deposit = c.Deposit(pool=pool, owner=owner, asset="USDC", amount="100")
    body = signed(funded, client_id="one", command=deposit)
    first = funded.post("/v1/commands", body)
    assert (first["ok"], first["repeated"], first["client_id"]) == (True, False, "one")
    again = funded.post("/v1/commands", body)
    assert again == {**first, "repeated": True}
    funded.settle()
    assert funded.get("/v1/receipts", signer=owner, client_id="one") == again
    account = funded.get(f"/v1/accounts/alpha/{owner}/1")
    assert account["balances"]["USDC"] == "100"
    entry = funded.get(f"/v1/journal/{first['seq']}")
    assert entry["kind"] == "signed"
    assert entry["commands"][-1]["type"] == "deposit"
    assert entry["authorisations"][0]["signer"] == owner
    other = signed(funded, client_id="one", command=msgspec.structs.replace(deposit, amount="1"))
    assert funded.post("/v1/commands", other, status=409)["code"] == "client_id_reused"


def test_every_receipt_is_signed_for_the_very_entry_that_it_names(funded):
    pool, owner = funded.alpha, funded.key.owner
    opening = c.OpenAccount(pool=pool, owner=owner)
    much = c.Deposit(pool=pool, owner=owner, asset="USDC", amount="501")
    register = Register(owner=owner)
    told = funded.get("/v1/venue")["receipt_signer"]
    places = set()
    for command in (register, opening, much, opening):
        body = signed(funded, client_id=f"{len(places)}", command=command)
        receipt = funded.post("/v1/commands", body)
        funded.settle()
        entry = funded.get(f"/v1/journal/{receipt['seq']}")
        assert (receipt["head"], receipt["time_ms"]) == (entry["head"], entry["time_ms"])
        assert receipt["signer"] == told
        place = msgspec.convert(receipt, Attestation)
        assert check_attestation(place, DOMAIN)
        again = funded.post("/v1/commands", body)
        assert msgspec.convert(again, Attestation) == place
        places.add(place)
    assert len(places) == 4


def test_a_refused_command_is_a_receipt(funded):
    pool, owner = funded.alpha, funded.key.owner
    funded.post("/v1/commands", signed(funded, command=c.OpenAccount(pool=pool, owner=owner)))
    much = c.Deposit(pool=pool, owner=owner, asset="USDC", amount="501")
    receipt = funded.post("/v1/commands", signed(funded, command=much))
    assert (receipt["ok"], receipt["status"]) == (False, "exceeds_wallet")


def test_a_command_that_somebody_altered_is_refused(funded):
    body = signed(funded, command=c.OpenAccount(pool=funded.alpha, owner=funded.key.owner))
    body["command"]["number"] = 2
    assert funded.post("/v1/commands", body, status=401)["code"] == "signature_invalid"
    body["command"]["owner"] = BOB
    assert funded.post("/v1/commands", body, status=401)["code"] == "signature_invalid"


def test_a_liquidation_that_was_signed_for_is_told_like_any_other(funded):
    sink_without_liquidating(funded)
    command = c.Liquidate(pool=funded.alpha, owner=ALICE)
    receipt = funded.post("/v1/commands", signed(funded, command=command))
    assert receipt["ok"], receipt
    funded.settle()
    (first, *_) = funded.get("/v1/liquidations")["items"]
    assert (first["seq"], first["owner"]) == (receipt["seq"], ALICE)


def sink_without_liquidating(funded):
    scene = funded.scene

    def prices():
        scene.trade("3")
        scene.tick()
        scene.venue.set_prices([scene.price("ETH", "1800")])

    funded.do(prices)


def test_a_full_queue_is_a_problem_that_says_when_to_come_back(funded, monkeypatch):
    monkeypatch.setattr(writer, "QUEUE_MAX", 0)
    body = signed(funded, command=c.OpenAccount(pool=funded.alpha, owner=funded.key.owner))
    answer = funded.client.post("/v1/commands", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"] == "1"


def test_a_request_is_counted_for_the_read_only_key_that_signed_it(monkeypatch):
    monkeypatch.setattr(Limits, "REQUESTS", 12)
    with live(faucet={"USDC": "1"}, limit_loopback=True) as served:
        served.key = demo_key("reader")
        served.signer = Signer(served.key, None)
        served.signer.learn(msgspec.convert(served.get("/v1/venue"), VenueAnswer))
        served.post("/v1/faucet", {"owner": served.key.owner})
        until_ms = SystemClock().now_ns() // 10**6 + 3_600_000
        granting = GrantReader(owner=served.key.owner, until_ms=until_ms)
        made = served.post("/v1/commands", signed(served, command=granting))
        secret = bytes.fromhex(made["secret"])
        path = "/v1/pools?limit=1"

        def ask(secret: bytes) -> tuple[int, str | None]:
            now_ms = SystemClock().now_ns() // 10**6
            headers = {
                "Ringfence-Key": made["created"],
                "Ringfence-Time": str(now_ms),
                "Ringfence-Signature": auth.request_signature(secret, now_ms, "GET", path),
            }
            answer = served.client.get(path, headers=headers)
            return answer.status_code, answer.json().get("code")

        assert ask(secret) == (200, None)
        assert ask(bytes(32)) == (401, "signature_invalid")
        while served.client.get(path).status_code == 200:
            pass
        assert ask(secret) == (200, None)


def test_what_was_answered_is_seen_at_once(fresh):
    deposit = c.Deposit(pool="alpha", owner=ALICE, asset="USDC", amount="1")
    held = Decimal(fresh.get(f"/v1/accounts/alpha/{ALICE}/1")["equity"])
    for more in range(1, 9):
        receipt = fresh.writer.submit(lambda venue: venue.execute(deposit)).result(timeout=60)
        if more % 2:
            answer = fresh.client.get(f"/v1/accounts/alpha/{ALICE}/1")
            assert int(answer.headers["ringfence-seq"]) >= receipt.seq
            seen = answer.json()
        else:
            answer = fresh.post("/v1/simulate", {"pool": "alpha", "commands": [DEPOSIT]})
            seen = answer["accounts"][0]["before"]
        assert Decimal(seen["equity"]) == held + more
