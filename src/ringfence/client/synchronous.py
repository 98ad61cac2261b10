"""The synchronous client."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import httpx

from ringfence.client import calls
from ringfence.client.calls import (
    ATTEMPTS_MAX,
    SIGNED_ANEW_MAX,
    STALE,
    Call,
    T,
    is_passing,
    pause,
)
from ringfence.client.problem import ProblemError
from ringfence.client.signer import Signer
from ringfence.service import schema
from ringfence.service.waterfall_schema import AuctionPage
from ringfence.signing.keys import SigningKey
from ringfence.venue.commands import AnyCommand
from ringfence.venue.consent import messages as m

TIMEOUT_SECONDS = 20.0


class Client:
    """A connection to one service, signing with one key.

    Args:
        url: Where the service is.
        key: The owner's wallet, or a session key of it; without one nothing can be signed.
        owner: Whom a session key signs for; by default the key's own address.
        receipt_signer: Address whose receipts alone are taken; by default that of the key which
            the venue names when it is asked first.
        transport: How requests go out, for tests; by default over the network.
    """

    def __init__(
        self,
        url: str,
        key: SigningKey | None = None,
        *,
        owner: str | None = None,
        receipt_signer: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=url, timeout=TIMEOUT_SECONDS, transport=transport, trust_env=False
        )
        self.signer = Signer(key, owner, receipt_signer)

    @property
    def owner(self) -> str:
        """Address of the owner that this client acts for."""
        return self.signer.owner

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Send a request, again where nothing came back or the service was busy.

        Raises:
            ProblemError: The service answered with a problem.
            httpx.TransportError: It did not answer at all.
        """
        attempt, content = 0, call.content()
        headers = call.headers()
        while True:
            try:
                response = self._http.request(
                    call.method, call.path, params=call.query, content=content, headers=headers
                )
                return call.read(response.status_code, response.content)
            except (ProblemError, httpx.TransportError) as error:
                attempt += 1
                if attempt == ATTEMPTS_MAX or not is_passing(error):
                    raise
                wait = pause(attempt, error)
            time.sleep(wait)

    # Views

    def venue(self) -> schema.VenueAnswer:
        """Return the venue as a whole."""
        return self.send(calls.venue())

    def pools(
        self, *, limit: int = 50, order: str = "age", cursor: str | None = None
    ) -> schema.PoolPage:
        """Return a page of pools, by `age`, `worst` or `name`."""
        return self.send(calls.pools(limit, order, cursor))

    def pool(self, name: str) -> schema.Pool:
        """Return a pool in full, by id or name."""
        return self.send(calls.pool(name))

    def wallet(self, owner: str | None = None) -> schema.Owner:
        """Return the wallet and the accounts of an owner, by default one's own."""
        return self.send(calls.owner(owner or self.owner))

    def account(self, pool: str, owner: str | None = None, number: int = 1) -> schema.Account:
        """Return an account in full, by default one's own."""
        return self.send(calls.account(pool, owner or self.owner, number))

    def at_risk(
        self, below: str = "1.1", *, pool: str | None = None, limit: int = 50
    ) -> schema.AccountPage:
        """Return the accounts below a health factor, the worst first."""
        return self.send(calls.at_risk(below, pool, limit))

    def auctions(self, *, pool: str | None = None, limit: int = 50) -> AuctionPage:
        """Return the accounts under auction, and what a bid would get of each."""
        return self.send(calls.auctions(pool, limit))

    def keys(self, reader: str, secret: str, owner: str | None = None) -> schema.OwnerKeys:
        """Return an owner's keys; reader and secret are those of its read-only key."""
        return self.send(calls.keys(owner or self.owner, reader, secret))

    def simulate(
        self,
        pool: str,
        commands: Sequence[AnyCommand],
        *,
        prices: Mapping[str, str] | None = None,
        ignore_wallets: bool = False,
    ) -> schema.Simulation:
        """Ask what commands would do; nothing is done."""
        return self.send(calls.simulate(pool, commands, prices or {}, ignore=ignore_wallets))

    def faucet(self, owner: str | None = None) -> calls.Received:
        """Get an owner money of a replay, once; a venue with real money has no faucet."""
        return self.send(calls.faucet(owner or self.owner))

    # Signing

    def prepare(self) -> None:
        """Ask the venue for its domain and its time, which every signature needs."""
        self.signer.learn(self.venue())

    def execute(
        self,
        command: m.Signable,
        *,
        client_id: str | None = None,
        with_keys: tuple[SigningKey, ...] = (),
        others: tuple[m.Authorisation, ...] = (),
    ) -> schema.Receipt:
        """Sign a command and have it executed once, however often it has to be sent.

        Args:
            command: Of a pool, or of `messages`.
            client_id: Your own name for it; by default a new one.
            with_keys: Further keys that have to sign, such as a session key that is granted.
            others: Signatures of others, from their `authorise`.

        Raises:
            ProblemError: It was not taken; nothing has happened.
            ReceiptError: Its receipt is not signed by whom it has to be; look what has happened.
        """
        if not self.signer.is_ready:
            self.prepare()
        signed = self.signer.signed(command, client_id, with_keys, others)
        for attempts_left in reversed(range(SIGNED_ANEW_MAX + 1)):
            try:
                receipt = self.send(calls.execute(signed))
                break
            except ProblemError as error:
                if error.code not in STALE or others or not attempts_left:
                    raise
                # Nothing was done, and the client id sees to it that it is done once.
                self.prepare()
                self.signer.skip()
                signed = self.signer.signed(command, signed.client_id, with_keys)
        self.signer.check(receipt)
        self.signer.note(receipt.time_ms)
        return receipt

    def authorise(self, command: m.Signable) -> m.Authorisation:
        """Sign a command that another owner is going to send."""
        if not self.signer.is_ready:
            self.prepare()
        return self.signer.authorisation(command)

    def order(self, order: m.Order, *, after: m.SignedOrder | None = None) -> m.SignedOrder:
        """Sign an order, for others to match; `after` the one that it is going to take."""
        if not self.signer.is_ready:
            self.prepare()
        return self.signer.order(order, after)
