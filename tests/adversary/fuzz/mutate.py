"""Hostile variants of good inputs, the same ones for the same seed."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Protocol, Self, SupportsIndex


class Text(Protocol):
    """Bytes or a string: what can be cut, joined and repeated."""

    def __len__(self) -> int:
        """Return how long it is."""

    def __getitem__(self, part: slice[int | None, int | None, None], /) -> Self:
        """Return a part."""

    def __add__(self, other: Self, /) -> Self:
        """Return both."""

    def __mul__(self, times: SupportsIndex, /) -> Self:
        """Return it several times."""


class Mutator[T: Text]:
    """Makes inputs out of a corpus and words that matter to whoever reads them.

    Half of what it makes is one small step away from something good: there the
    mistakes hide.
    """

    def __init__(
        self, corpus: Sequence[T], words: Sequence[T], random: Random, longest: int
    ) -> None:
        """Keep what there is; `longest` bounds what is made."""
        self._corpus = corpus
        # Short ones are tried more often: they cost less and say as much.
        self._weights = list(accumulate(1 / (20 + len(one)) for one in corpus))
        self._words = words
        self._random = random
        self._longest = longest

    def make(self) -> T:
        """Return another input."""
        random = self._random
        (made,) = random.choices(self._corpus, cum_weights=self._weights)
        steps = 1 if random.random() < 0.5 else random.randint(0, 6)
        for _ in range(steps):
            made = self._step(made)
        return made[: self._longest]

    def _step(self, text: T) -> T:
        """Change one place."""
        random = self._random
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((1, 1, 1, 2, 5, 20)))
        kind = random.randrange(7)
        if kind == 0:
            return text[:start] + text[end:]
        if kind == 1:
            return text[:start] + random.choice(self._words) + text[start:]
        if kind == 2:
            return text[:start] + random.choice(self._words) + text[end:]
        if kind == 3:
            return (
                text[:start] + text[start:end] * random.choice((2, 3, 50)) + text[end:]
            )
        if kind == 4:
            return text[:start]
        if kind == 5:
            other = random.choice(self._corpus)
            return text[:start] + other[random.randint(0, len(other)) :]
        piece = text[random.randint(0, len(text)) :][: end - start]
        return text[:start] + piece + text[end:]
