"""Finds a run's random generators, saves their states, and restores them.

Every generator that the rest of a run draws from has to be in its checkpoint: those of
the model's dropout layers, the one that shuffles the batches, and the global one.

Read next: `resume.py`.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.random import Generator

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import CheckpointError
from minigrad.engine.random import generator


@checked_call
def generators(seed: int, *names: str) -> list[Generator]:
    """One generator for each purpose, all of one seed, none the others' numbers.

        weights, order, noise = generators(0, "weights", "order", "noise")

    A purpose has the same numbers whatever other purposes there are.
    Raises ArgumentError unless seed is a whole number, 0 or more.
    """
    generator(seed, "generators")
    return [np.random.default_rng([seed, zlib.crc32(n.encode())]) for n in names]


def found_generators(**holders: Any) -> dict[str, Generator]:
    """Every generator that the holders have as an attribute, by name, each once.

    In a holder with `named_modules`, a model, all modules within are looked at. The
    global generator is "global".
    """
    found = {"global": generator()}
    for name, holder in holders.items():
        parts = [("", holder)]
        if hasattr(holder, "named_modules"):
            parts = list(holder.named_modules())
        for below, part in parts:
            for attribute, value in getattr(part, "__dict__", {}).items():
                if isinstance(value, Generator):
                    place = ".".join(filter(None, (name, below, attribute)))
                    found[place] = value
    unique: dict[int, str] = {}
    return {
        place: rng
        for place, rng in found.items()
        if unique.setdefault(id(rng.bit_generator), place) == place
    }


def states(found: dict[str, Generator]) -> dict[str, Any]:
    """The state of each generator: numbers and words, fit for JSON."""
    return {name: _plain(rng.bit_generator.state) for name, rng in found.items()}


def set_states(found: dict[str, Generator], saved: dict[str, Any]) -> None:
    """Put the generators into saved states. CheckpointError if they are others."""
    if not isinstance(saved, dict) or found.keys() != saved.keys():
        raise CheckpointError(
            "the random numbers of the checkpoint are for other generators",
            expect=", ".join(found) or "no generator",
            actual=(", ".join(saved) if isinstance(saved, dict) else f"{saved!r:.60}")
            or "no generator",
            hint="build the model and the batches as they were built before",
        )
    try:
        for name, rng in found.items():
            rng.bit_generator.state = _arrays(saved[name])
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise CheckpointError(
            "the checkpoint's random state is not one of this kind of generator",
            expect=type(rng.bit_generator).__name__,
            actual=str(error),
            hint="the same generators as in the run that was saved",
        ) from None


def _plain(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    if isinstance(state, np.ndarray):
        return {"dtype": state.dtype.name, "array": state.tolist()}
    return state.item() if isinstance(state, np.generic) else state


def _arrays(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    if state.keys() == {"dtype", "array"}:
        return np.array(state["array"], state["dtype"])
    return {key: _arrays(value) for key, value in state.items()}
