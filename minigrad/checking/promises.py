"""All promises within a given time, in the order in which a reader would ask.

Read next: `minigrad/comparing/` (speed, side by side).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from minigrad.checking import (
    compiled_steps,
    damaged_files,
    gradients,
    long_graphs,
    machine_arithmetic,
    same_bits,
    value_accuracy,
)
from minigrad.checking.arrays_kept import saved_arrays
from minigrad.checking.outcome import Effort, Outcome
from minigrad.engine.errors import ArgumentError


class Promise(NamedTuple):
    """A function that tries one promise, its share of the time, and the promise's name
    in a word or two, for where it cannot be tried."""

    function: Callable[[Effort], Outcome]
    share: float
    name: str


PROMISES = (
    Promise(machine_arithmetic.this_machine, 2, "this machine"),
    Promise(partial(value_accuracy.values, dtype="float32"), 3, "values"),
    Promise(partial(value_accuracy.values, dtype="float64"), 3, "values"),
    Promise(gradients.every_operation, 10, "gradients"),
    Promise(partial(gradients.every_operation, order=2), 4, "gradients"),
    Promise(gradients.random_programs, 12, "gradients"),
    Promise(gradients.cells, 4, "gradients"),
    Promise(gradients.float32, 4, "gradients"),
    Promise(saved_arrays, 1, "or an error"),
    Promise(same_bits.same_bits, 4, "same bits"),
    Promise(same_bits.other_processes, 4, "same bits"),
    Promise(long_graphs.long_graphs, 3, "deep and long"),
    Promise(compiled_steps.compiled_steps, 5, "compiled"),
    Promise(compiled_steps.compiled_programs, 5, "compiled"),
    Promise(damaged_files.checkpoints, 3, "files"),
    Promise(damaged_files.hostile_names, 3, "files"),
)


def check(seconds: float = 60.0, seed: int = 0) -> Iterator[Outcome]:
    """Try every promise, about that long in all; yields each outcome when it is known.

    seconds  at most about this long: each promise has its share, and tries the least
             number of cases even where its share is shorter
    seed     which random cases; the same seed draws the same ones
    Raises ArgumentError for a time that is not positive, or a negative seed.
    """
    if not seconds > 0:
        raise ArgumentError(
            "check: no time",
            expect="seconds > 0",
            actual=f"{seconds!r}",
            hint="60 seconds try some thousand cases",
        )
    if seed < 0:
        raise ArgumentError(
            "check: a seed is not negative",
            expect="seed >= 0",
            actual=f"{seed!r}",
            hint="0 draws the cases that the documentation shows",
        )
    whole = sum(promise.share for promise in PROMISES)
    for promise in PROMISES:
        began = time.monotonic()
        try:
            outcome = promise.function(Effort(seconds * promise.share / whole, seed))
        except Exception as error:  # of this machine: a full disk, a broken library
            cause = f"{type(error).__name__}: {error}".partition("\n")[0]
            outcome = Outcome(promise.name, "could not be tried to the end")
            outcome.wrong.append(f"{cause:.200}")
        outcome.seconds = time.monotonic() - began
        yield outcome
