"""The client's pen: nonces that only go up, expiries in the venue's time, signatures, receipts."""

import secrets
import threading

from ringfence.client.problem import ReceiptError
from ringfence.service.schema import Receipt, VenueAnswer
from ringfence.signing.keys import SignatureError, SigningKey
from ringfence.signing.receipts import Attestation, check_attestation
from ringfence.signing.typed import Domain
from ringfence.units import MS_NS
from ringfence.venue.clock import SystemClock
from ringfence.venue.consent import messages as m

LIFETIME_MS = 6 * 3_600_000  # of a signature; a replay's hours pass in minutes
SKIPPED_MAX = 5_000  # nonces, which may be a minute ahead
ORDER_LIFETIME_MS = 7 * 86_400_000


class UnsignedError(RuntimeError):
    """Something has to be signed, and there is nothing to sign it with."""


class Signer:
    """Signs for one key; safe to use from several threads."""

    def __init__(
        self, key: SigningKey | None, owner: str | None, receipt_signer: str | None = None
    ) -> None:
        self._key = key
        self.owner = owner if owner is not None else "" if key is None else key.owner
        self.receipt_signer = None if receipt_signer is None else receipt_signer.lower()
        self._domain: Domain | None = None
        self._lives = False  # whether the venue's time is that of the machine
        self._time_ms = 0
        self._nonce = 0
        self._lock = threading.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether the venue's domain is known."""
        return self._domain is not None

    def learn(self, venue: VenueAnswer) -> None:
        """Take the domain, the signer of receipts and the time from what the venue says of itself.

        Raises:
            UnsignedError: It takes no signed commands.
            ReceiptError: Its receipts are signed by another key than was pinned, or named before.
        """
        if venue.domain is None:
            raise UnsignedError("this venue takes no signed commands; see `serve --admin`")
        told = venue.receipt_signer.lower()
        if self.receipt_signer not in {None, told}:
            raise ReceiptError(
                f"the venue says that {told} signs its receipts, but {self.receipt_signer} was "
                "pinned or named before; a service without RINGFENCE_RECEIPT_KEY has a new key in "
                "every run: make a new client if you trust it"
            )
        self.receipt_signer, self._domain = told, venue.domain
        self._lives = venue.source.kind == "none"
        self.note(venue.time_ms)

    def note(self, time_ms: int) -> None:
        """Hear of the venue's time."""
        self._time_ms = max(self._time_ms, time_ms)

    def check(self, receipt: Receipt) -> None:
        """Check that a receipt is signed by whom the venue named, for this venue.

        Raises:
            ReceiptError: It is not.
        """
        assert self._domain is not None, "a command was signed for it"
        why = f"{receipt.signer} signed it, not {self.receipt_signer}"
        if receipt.signer.lower() == self.receipt_signer:
            r = receipt
            attested = Attestation(r.seq, r.head, r.time_ms, r.signer, r.signature)
            try:
                check_attestation(attested, self._domain)
            except SignatureError as error:
                why = str(error)
            else:
                return
        message = f"the receipt of entry {receipt.seq} proves nothing: {why}"
        raise ReceiptError(f"{message}; the command may have been done, so look", receipt)

    def _now_ms(self) -> int:
        """The venue's time, as far as it is known; in a replay a little behind it."""
        own = SystemClock().now_ns() // MS_NS if self._lives else 0
        return max(self._time_ms, own)

    def skip(self) -> None:
        """Leave out some nonces, so as not to meet another program with the same key again."""
        with self._lock:
            self._nonce = max(self._nonce, self._now_ms()) + secrets.randbelow(SKIPPED_MAX)

    def authorisation(
        self,
        command: m.Signable | m.Order,
        *,
        key: SigningKey | None = None,
        lifetime_ms: int = LIFETIME_MS,
        after: int = 0,
    ) -> m.Authorisation:
        """Sign a command with the client's key, or with another one.

        Raises:
            UnsignedError: There is no key, or the domain is not known yet.
        """
        key = key or self._key
        if key is None or self._domain is None:
            raise UnsignedError("there is no key, or the venue was not asked for its domain yet")
        with self._lock:
            now_ms = self._now_ms()
            nonce = self._nonce = max(self._nonce + 1, now_ms, after + 1)
        expires_ms = now_ms + lifetime_ms
        digest = m.digest_of(command, nonce, expires_ms, self._domain.separator())
        return m.Authorisation(
            signer=key.owner,
            nonce=str(nonce),
            expires_ms=expires_ms,
            signature="0x" + key.sign(digest).hex(),
        )

    def order(self, order: m.Order, after: m.SignedOrder | None = None) -> m.SignedOrder:
        """Sign an order, for others to match; `after` the one that it is going to take."""
        maker = 0 if after is None else int(after.authorisation.nonce)
        authorisation = self.authorisation(order, lifetime_ms=ORDER_LIFETIME_MS, after=maker)
        return m.SignedOrder(order=order, authorisation=authorisation)

    def digest_of(self, signed: m.SignedOrder) -> str:
        """Digest of an order, by which `cancelorder` names it."""
        if self._domain is None:
            raise UnsignedError("the venue was not asked for its domain yet")
        return m.order_digest(signed, self._domain.separator()).hex()

    def signed(
        self,
        command: m.Signable,
        client_id: str | None,
        with_keys: tuple[SigningKey, ...] = (),
        others: tuple[m.Authorisation, ...] = (),
    ) -> m.Signed:
        """Return a command with this client's signature, and those of others."""
        own = self.authorisation(command)
        more = tuple(self.authorisation(command, key=key) for key in with_keys)
        return m.Signed(
            command=command,
            authorisations=(own, *more, *others),
            client_id=client_id or secrets.token_hex(16),
        )
