"""How often anybody may ask: the generic cell rate algorithm, one bucket a key.

A bucket holds the time at which it would be empty again; a request moves it on by its weight,
and is too early when that lies further ahead than a whole burst. Source: ITU-T I.371, GCRA.
"""

from collections import OrderedDict
from collections.abc import Callable

from ringfence.service.problems import ProblemError

KEYS_MAX = 100_000  # buckets kept; the one not used for longest goes first
MINUTE_SECONDS = 60.0


class Buckets:
    """One allowance for each of many keys."""

    def __init__(self, a_minute: int, now: Callable[[], float]) -> None:
        self._a_minute = a_minute
        self._gap = MINUTE_SECONDS / a_minute
        self._now = now
        self._empty_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, weight: int = 1) -> None:
        """Take from a key's bucket.

        Raises:
            ProblemError: There is not enough in it; nothing was taken.
        """
        now = self._now()
        empty_at = max(self._empty_at.get(key, now), now) + weight * self._gap
        early = empty_at - now - MINUTE_SECONDS
        if early > 1e-9:
            detail = f"{self._a_minute} a minute are allowed; try again in {early:.1f} s"
            raise ProblemError("rate_limited", detail, retry_after_ms=int(early * 1000) + 1)
        self._empty_at[key] = empty_at
        self._empty_at.move_to_end(key)
        if len(self._empty_at) > KEYS_MAX:
            self._empty_at.popitem(last=False)


class Limits:
    """All allowances; views by address, commands by signer."""

    REQUESTS, COMMANDS, REDUCING = 1_200, 600, 600  # a minute

    def __init__(self, now: Callable[[], float]) -> None:
        self._requests = Buckets(self.REQUESTS, now)
        self._commands = Buckets(self.COMMANDS, now)
        self._reducing = Buckets(self.REDUCING, now)

    def take_request(self, address: str, weight: int) -> None:
        """Count a request of an address."""
        self._requests.take(address, weight)

    def take_command(self, signer: str, *, reduces_risk: bool) -> None:
        """Count a command of a signer; what reduces risk has an allowance of its own."""
        buckets = self._reducing if reduces_risk else self._commands
        buckets.take(signer.lower())
