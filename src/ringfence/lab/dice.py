"""Chance for the lab: whole numbers from a seed, the same on every Python."""

import random
from collections.abc import Sequence


class Dice:
    """Whole random numbers; only getrandbits, whose stream is the same on every Python."""

    def __init__(self, seed: int) -> None:
        self._bits = random.Random(seed)  # noqa: S311 - reproducible on purpose

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""
        return self._bits.getrandbits(62) % limit

    def one_of(self, choices: Sequence[int]) -> int:
        """One of some numbers."""
        return choices[self.below(len(choices))]
