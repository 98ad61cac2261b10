"""The keys of an owner are seen with a read-only key of that owner, and with nothing else."""

import time

import msgspec
import pytest
from tests.service.live import DOMAIN, live

from ringfence.client import SigningKey, commands, messages
from ringfence.client.signer import Signer
from ringfence.service import auth
from ringfence.service.schema import VenueAnswer

PATH = "/v1/owners/{owner}/keys"


@pytest.fixture(scope="module")
def served():
    with live(faucet={"USDC": "1000"}) as venue:
        yield venue


class Owner:
    """An owner who has a session key and a read-only one."""

    def __init__(self, served) -> None:
        self.served = served
        self.key, self.session = SigningKey.generate(), SigningKey.generate()
        self.owner = self.key.owner
        served.post("/v1/faucet", {"owner": self.owner})
        self.signer = Signer(self.key, None)

        self.signer.learn(msgspec.convert(served.get("/v1/venue"), VenueAnswer))
        assert self.signer._domain == DOMAIN
        later = served.get("/v1/venue")["time_ms"] + 10**7
        grant = messages.GrantKey(
            owner=self.owner,
            key=self.session.owner,
            scopes=("keep",),
            pools=(served.alpha,),
            notional_max="10",
            until_ms=later,
        )
        self.send(grant, self.session)
        reader = messages.GrantReader(owner=self.owner, until_ms=later)
        receipt = self.send(reader)
        self.reader, self.secret = receipt["created"], bytes.fromhex(receipt["secret"])

    def send(self, command, *keys) -> dict:

        signed = self.signer.signed(command, None, keys)
        return self.served.post("/v1/commands", msgspec.to_builtins(signed))

    def headers(self, path: str, **changes: str) -> dict[str, str]:
        now = str(time.time_ns() // 10**6)
        signature = auth.request_signature(self.secret, int(now), "GET", path)
        fields = {"Key": self.reader, "Time": now, "Signature": signature} | changes
        return {f"Ringfence-{name}": value for name, value in fields.items()}


def asked(served, path: str, headers: dict[str, str]) -> tuple[int, dict]:
    answer = served.client.get(path, headers=headers)
    return answer.status_code, answer.json()


def test_an_owner_sees_its_keys(served):
    owner = Owner(served)
    path = PATH.format(owner=owner.owner)
    status, found = asked(served, path, owner.headers(path))
    assert status == 200, found
    (session,) = found["session_keys"]
    assert (session["key"], session["pools"]) == (owner.session.owner, [served.alpha])
    assert (session["used"], session["is_expired"]) == ({}, False)
    assert [key["key"] for key in found["read_only_keys"]] == [owner.reader]
    assert set(found["nonces"]) == {owner.owner, owner.session.owner}


def test_nobody_else_does(served):
    owner, other = Owner(served), Owner(served)
    path = PATH.format(owner=owner.owner)
    others = PATH.format(owner=other.owner)
    assert asked(served, path, other.headers(path))[1]["code"] == "not_allowed"
    assert asked(served, path, {})[1]["code"] == "authorisation_missing"
    assert asked(served, path, owner.headers(others))[1]["code"] == "signature_invalid"
    assert asked(served, path + "?a=1", owner.headers(path))[1]["code"] == "signature_invalid"
    assert asked(served, path, owner.headers(path, Time="1"))[1]["code"] == "signature_invalid"
    assert asked(served, path, owner.headers(path, Key="zz"))[1]["code"] == "signature_invalid"
    owner.send(messages.RevokeReader(owner=owner.owner, reader=owner.reader))
    assert asked(served, path, owner.headers(path))[1]["code"] == "key_unknown"
    owner.send(commands.Settle(pool=served.alpha))
