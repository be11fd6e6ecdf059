"""The one source of chance: a NumPy generator that `manual_seed` resets."""

from __future__ import annotations

import numpy as np

from minigrad.errors import ArgumentError

_current = np.random.default_rng()

Rng = np.random.Generator | int | None


def manual_seed(n: int) -> None:
    """Start the library's generator anew: the same seed gives the same bits."""
    global _current
    _current = generator(int(n))


def generator(rng: Rng = None) -> np.random.Generator:
    """The generator that `rng` means: None the library's own, a number a new one.

    Raises ArgumentError for anything but None, a whole number >= 0 or a Generator.
    """
    if rng is None:
        return _current
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise ArgumentError(
        f"rng={rng!r} is no source of random numbers",
        expect="None, a whole number >= 0, or a numpy.random.Generator",
        actual=f"{type(rng).__name__}",
        hint="pass a seed such as rng=0, or np.random.default_rng(0)",
    )
