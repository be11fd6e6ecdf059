"""Where random numbers come from: one global generator, or one of the caller's.

Everything of minigrad that draws takes `rng=`: a seed, a numpy Generator, or None for
the global generator, which starts unpredictably and which `manual_seed` sets:

    mg.manual_seed(0)        # from here on the same numbers in every run

Read next: `aliases.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.random import Generator

_global: Generator | None = None  # made when first asked for: numpy.random loads slowly


@checked_call
def manual_seed(n: int) -> None:
    """Set the global generator: what draws with rng=None repeats from here on.

    The generator object stays the same, so layers and batches that hold it follow.
    Raises ArgumentError unless n is a whole number, 0 or more.
    """
    if not _is_seed(n):
        raise ArgumentError(
            f"manual_seed({n!r}): not a seed",
            expect="a whole number, 0 or more",
            actual=f"{type(n).__name__}",
            hint="mg.manual_seed(0)",
        )
    generator().bit_generator.state = np.random.PCG64(int(n)).state


def generator(rng: Any = None, call: str = "generator") -> Generator:
    """The generator that `rng` means: None the global one, a seed a new one, or itself.

    call   the function to name in the ArgumentError for anything else
    """
    global _global
    if rng is None:
        if _global is None:
            _global = np.random.default_rng()
        return _global
    if isinstance(rng, np.random.Generator):
        return rng
    if _is_seed(rng):
        return np.random.default_rng(int(rng))
    raise ArgumentError(
        f"{call}(rng={rng!r}): cannot draw random numbers from this",
        expect="None, a seed (int >= 0) or a numpy.random.Generator",
        actual=f"{type(rng).__name__}",
        hint="rng=0, or rng=numpy.random.default_rng(0)",
    )


def _is_seed(value: Any) -> bool:
    # True is an int to Python, but as a seed it is a slip.
    is_int = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return is_int and value >= 0
