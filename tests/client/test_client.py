"""The client against a real server on loopback: sync and async, retries, sessions, orders."""

import asyncio

import httpx
import msgspec
import pytest
from tests.client.serving import DOMAIN, served
from tests.venue.scene import ALICE

from ringfence.client import (
    AsyncClient,
    Client,
    ProblemError,
    ReceiptError,
    SigningKey,
    commands,
    demo_key,
    messages,
)
from ringfence.client.calls import ATTEMPTS_MAX, pause
from ringfence.client.signer import UnsignedError
from ringfence.signing.receipts import attest


@pytest.fixture(scope="module")
def live():
    with served() as venue:
        yield venue


def funded(live, transport=None) -> Client:
    client = Client(live.url, SigningKey.generate(), transport=transport)
    assert client.faucet().wallet == {"USDC": "100000"}
    return client


def opened(live, transport=None) -> tuple[Client, str]:
    client = funded(live, transport)
    pool = client.pools().items[0].id
    assert client.execute(commands.OpenAccount(pool=pool, owner=client.owner)).ok
    deposit = commands.Deposit(pool=pool, owner=client.owner, asset="USDC", amount="5000")
    assert client.execute(deposit).ok
    return client, pool


def test_views_come_typed(live):
    with Client(live.url) as client:
        venue = client.venue()
        assert (venue.pools, venue.domain.chain_id) == (2, 31_337)
        names = {pool.name for pool in client.pools(order="name").items}
        assert names == {"alpha", "beta"}
        pool = client.pool("alpha")
        assert pool.marks["ETH-PERP"] == "2000"
        assert client.account("alpha", ALICE).positions[0].size == "1"
        assert client.wallet(ALICE).wallet["ETH"] == "8"
        assert all(row.pool_name in names for row in client.at_risk("2").items)
        borrow = commands.Borrow(pool="alpha", owner=ALICE, amount="5")
        simulation = client.simulate("alpha", [borrow], prices={"ETH": "1999"})
        assert simulation.statuses == ("ok",)
        assert simulation.accounts[0].difference.debt == "5"


def test_a_command_is_signed_executed_and_acknowledged(live):
    client, pool = opened(live)
    with client:
        account = client.account(pool)
        assert account.balances["USDC"] == "5000"
        assert client.wallet().wallet["USDC"] == "95000"
        too_much = commands.Withdraw(pool=pool, owner=client.owner, asset="USDC", amount="5001")
        receipt = client.execute(too_much)
        assert (receipt.ok, receipt.status) == (False, "exceeds_balance")


def test_a_client_id_does_a_command_once(live):
    client, pool = opened(live)
    with client:
        deposit = commands.Deposit(pool=pool, owner=client.owner, asset="USDC", amount="1")
        first = client.execute(deposit, client_id="one")
        again = client.execute(deposit, client_id="one")
        assert (again.seq, again.repeated) == (first.seq, True)
        assert client.account(pool).balances["USDC"] == "5001"
        with pytest.raises(ProblemError) as error:
            client.execute(commands.Settle(pool=pool), client_id="one")
        assert (error.value.status, error.value.code) == (409, "client_id_reused")


class Lossy(httpx.HTTPTransport):
    """A network that loses answers, after the requests were delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.losses = self.sent = 0

    def handle_request(self, request):
        response = super().handle_request(request)
        if request.method == "POST":
            self.sent += 1
            if self.losses:
                self.losses -= 1
                response.read()
                response.close()
                raise httpx.ReadError("the answer was lost", request=request)
        return response


def test_what_is_sent_again_is_done_once(live, monkeypatch):
    network = Lossy()
    client, pool = opened(live, network)
    with client:
        deposit = commands.Deposit(pool=pool, owner=client.owner, asset="USDC", amount="7")
        monkeypatch.setattr("ringfence.client.calls.BACKOFF_SECONDS", 0.0)
        network.losses, sent = 2, network.sent
        receipt = client.execute(deposit)
        assert (receipt.ok, receipt.repeated, network.sent) == (True, True, sent + 3)
        assert client.account(pool).balances["USDC"] == "5007"
        network.losses = ATTEMPTS_MAX
        with pytest.raises(httpx.ReadError):
            client.execute(deposit)
        assert (network.losses, network.sent) == (0, sent + 3 + ATTEMPTS_MAX)
        client.execute(commands.Settle(pool=pool))
        assert client.account(pool).balances["USDC"] == "5014"  # once more, not six times


def test_two_programs_with_one_key_do_not_stop_each_other(live):
    client, pool = opened(live)
    with client, Client(live.url, client.signer._key) as twin:
        for one in (client, twin, client, twin):
            assert one.execute(commands.Settle(pool=pool)).ok


def test_a_busy_service_is_asked_again_and_a_refusal_is_not(monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr("ringfence.client.synchronous.time.sleep", waited.append)
    answers = iter(
        [
            httpx.Response(503, json={"code": "busy", "retry_after_ms": 700}),
            httpx.Response(429, json={"code": "rate_limited"}),
            httpx.Response(404, json={"code": "pool_unknown", "detail": "no pool named 'x'"}),
        ]
    )
    network = httpx.MockTransport(lambda _request: next(answers))
    told = pytest.raises(ProblemError, match="pool_unknown: no pool named 'x'")
    with Client("http://test", transport=network) as client, told:
        client.pool("x")
    assert waited == [0.7, pytest.approx(0.2)]
    assert pause(4, httpx.ReadError("lost")) == pytest.approx(0.8)


def test_an_answer_that_is_no_problem_document_is_still_a_problem():
    page = httpx.MockTransport(lambda _request: httpx.Response(502, text="<html>bad gateway"))
    told = pytest.raises(ProblemError, match="bad gateway")
    with Client("http://test", transport=page) as client, told as error:
        client.venue()
    assert (error.value.status, error.value.code) == (502, "unknown")


def test_a_stale_clock_is_set_and_the_command_signed_anew(live):
    client, pool = opened(live)
    with client:
        client.signer._time_ms = 1  # long ago: its signatures have expired
        assert client.execute(commands.Settle(pool=pool)).ok


def test_a_session_key_signs_for_its_owner(live):
    client, pool = opened(live)
    other, _ = opened(live)
    key = SigningKey.generate()
    grant = messages.GrantKey(
        owner=client.owner,
        key=key.owner,
        scopes=("trade",),
        pools=(pool,),
        notional_max="1000",
        until_ms=client.venue().time_ms + 10**7,
    )
    assert client.execute(grant, with_keys=(key,)).ok
    trade = commands.Trade(
        pool=pool,
        owner=client.owner,
        other=other.owner,
        instrument="ETH-PERP",
        size="0.1",
        price="2000",
    )
    with Client(live.url, key, owner=client.owner) as session:
        assert session.execute(trade, others=(other.authorise(trade),)).ok
        withdraw = commands.Withdraw(pool=pool, owner=client.owner, asset="USDC", amount="1")
        with pytest.raises(ProblemError) as error:
            session.execute(withdraw)
        assert (error.value.status, error.value.code) == (403, "not_allowed")
        alone = msgspec.structs.replace(trade, size="-0.1")
        with pytest.raises(ProblemError) as error:
            session.execute(alone)
        assert (error.value.status, error.value.code) == (401, "authorisation_missing")
    client.close()
    other.close()


def test_orders_are_matched_and_taken_back(live):
    maker, pool = opened(live)
    taker, _ = opened(live)
    words = {"pool": pool, "instrument": "ETH-PERP", "price": "2000"}
    with maker, taker:
        ask = maker.order(messages.Order(owner=maker.owner, size="-1", **words))
        bid = taker.order(messages.Order(owner=taker.owner, size="1", **words), after=ask)
        match = messages.Match(pool=pool, maker=ask, taker=bid, size="0.4")
        assert taker.execute(match).ok
        assert taker.account(pool).positions[0].size == "0.4"
        cancel = messages.CancelOrder(
            pool=pool, owner=maker.owner, order=maker.signer.digest_of(ask)
        )
        assert maker.execute(cancel).ok
        with pytest.raises(ProblemError) as error:
            taker.execute(match)
        assert (error.value.status, error.value.code) == (409, "orders_do_not_match")


def test_a_pool_and_a_read_only_key_come_with_their_ids(live):
    client = funded(live)
    with client:
        fields = httpx.get(f"{live.url}/v1/pools/alpha/spec", trust_env=False).json()
        spec = msgspec.convert(fields | {"name": "gamma"}, messages.PoolSpec)
        created = client.execute(messages.CreatePool(owner=client.owner, spec=spec)).created
        assert client.pool(created).name == "gamma"
        unsafe = msgspec.structs.replace(spec, name="delta", settlement_decimals=99)
        with pytest.raises(ProblemError) as error:
            client.execute(messages.CreatePool(owner=client.owner, spec=unsafe))
        assert (error.value.status, error.value.code) == (422, "spec_unsafe")
        assert error.value.problems
        until_ms = client.venue().time_ms + 10**7
        grant = messages.GrantReader(owner=client.owner, until_ms=until_ms)
        receipt = client.execute(grant, client_id="reader")
        assert len(bytes.fromhex(receipt.secret)) == 32
        again = client.execute(grant, client_id="reader")
        assert (again.created, again.secret) == (receipt.created, None)  # told only once
        keys = client.keys(receipt.created, receipt.secret)
        assert [key.key for key in keys.read_only_keys] == [receipt.created]
        with pytest.raises(ProblemError, match="not_allowed"):
            client.keys(receipt.created, receipt.secret, owner=ALICE)


def test_what_is_not_signed_is_not_taken(live):
    with Client(live.url) as nobody, pytest.raises(UnsignedError, match="no key"):
        nobody.execute(commands.Settle(pool="00" * 32))
    with Client(live.url, demo_key("somebody")) as stranger:
        pool = stranger.pool("alpha").id
        with pytest.raises(ProblemError) as error:
            stranger.execute(commands.Settle(pool=pool))
        assert (error.value.status, error.value.code) == (401, "key_unknown")


def test_the_asynchronous_client_does_the_same(live):
    async def story() -> None:
        async with AsyncClient(live.url, SigningKey.generate()) as client:
            await client.faucet()
            pool = (await client.pools()).items[0].id
            await client.execute(commands.OpenAccount(pool=pool, owner=client.owner))
            deposits = [
                client.execute(
                    commands.Deposit(pool=pool, owner=client.owner, asset="USDC", amount="10")
                )
                for _ in range(20)
            ]
            receipts = await asyncio.gather(*deposits)  # nonces may arrive in any order
            assert all(receipt.ok for receipt in receipts)
            assert len({receipt.seq for receipt in receipts}) == 20
            assert (await client.account(pool)).balances["USDC"] == "200"
            assert (await client.wallet()).wallet["USDC"] == "99800"
            order = messages.Order(
                pool=pool, owner=client.owner, instrument="ETH-PERP", size="1", price="2000"
            )
            signed = await client.order(order)
            assert signed.authorisation.signer == client.owner
            again = await client.authorise(commands.Settle(pool=pool))
            assert int(again.nonce) > int(signed.authorisation.nonce)
            with pytest.raises(ProblemError):
                await client.pool("nowhere")

    asyncio.run(story())


def test_both_clients_have_the_same_words():
    words = [{w for w in vars(of) if not w.startswith("_")} for of in (Client, AsyncClient)]
    assert words[0] == words[1]


class Forging(httpx.HTTPTransport):
    """A network in which somebody changes answers on their way."""

    def __init__(self) -> None:
        super().__init__()
        self.change = dict

    def handle_request(self, request):
        response = super().handle_request(request)
        response.read()
        fields = self.change(response.json())
        return httpx.Response(response.status_code, content=msgspec.json.encode(fields))


def by(key, seq_ahead=0, domain=DOMAIN):
    """A change of a receipt: somebody else's key signs it, or it is of another venue."""

    def change(fields):
        place = attest(key, domain, fields["seq"] + seq_ahead, fields["head"], fields["time_ms"])
        return {**fields, "signer": place.signer, "signature": place.signature}

    return change


def test_a_receipt_that_the_venue_did_not_sign_is_an_error(live):
    network = Forging()
    client, pool = opened(live, network)
    told = client.venue().receipt_signer
    deposit = commands.Deposit(pool=pool, owner=client.owner, asset="USDC", amount="1")
    eve = SigningKey.generate()
    changes = [
        (by(eve), f"{eve.owner} signed it, not {told}"),
        (lambda fields: {**by(eve)(fields), "signer": told}, "did not sign this receipt"),
        (lambda fields: {**fields, "seq": fields["seq"] + 1}, "did not sign this receipt"),
        (lambda fields: {**fields, "seq": -1}, "nobody can have signed"),
        (lambda fields: {**fields, "head": "00" * 32}, "did not sign this receipt"),
        (lambda fields: {**fields, "signature": "0x" + "00" * 65}, "r of the signature"),
    ]
    with client:
        for change, why in changes:
            network.change = change
            with pytest.raises(ReceiptError, match=why) as error:
                client.execute(deposit)
            assert error.value.receipt.ok
        network.change = dict
        assert client.account(pool).balances["USDC"] == "5006"  # each was done
        assert client.execute(deposit, client_id="one").signer == told
        assert client.execute(deposit, client_id="one").repeated


def test_another_signer_than_the_pinned_or_first_one_is_an_error(live):
    with Client(live.url) as client:
        told = client.venue().receipt_signer
    eve = SigningKey.generate()
    with Client(live.url, eve, receipt_signer=eve.owner) as client:
        client.faucet()
        with pytest.raises(ReceiptError, match=f"{told} signs its receipts") as error:
            client.execute(messages.Register(owner=client.owner))
        assert error.value.receipt is None
    network = Forging()
    key = SigningKey.generate()
    with Client(
        live.url, key, receipt_signer=told.upper().replace("X", "x"), transport=network
    ) as client:
        client.faucet()
        assert client.execute(messages.Register(owner=client.owner)).signer == told
        network.change = lambda fields: {**fields, "receipt_signer": eve.owner}
        with pytest.raises(ReceiptError, match="pinned or named before"):
            client.prepare()


def test_the_asynchronous_client_checks_receipts_too(live):
    async def story() -> None:
        key = SigningKey.generate()
        async with AsyncClient(live.url, key, receipt_signer=key.owner) as client:
            await client.faucet()
            with pytest.raises(ReceiptError):
                await client.execute(messages.Register(owner=client.owner))

    asyncio.run(story())
