"""Reads a sentence again with another word, or with a gate held open or shut.

    what = WhatIf(read(reader, vocabulary, words), reader, vocabulary)
    what.replaced({5: "and"})              # the sentiment after each word: (T,)
    what.clamped("f", 1.0, steps=[5])      # the forget gate held open at word 5

The recorded graph is evaluated again from the changed value on; everything else stays
the same to the last bit. This shows what a gate *does*, not only what value it has.

Read next: `gate_evidence.py` (the same over many sentences).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.data import Vocabulary
from minigrad.engine.errors import ArgumentError
from minigrad.engine.quiet import quietly
from minigrad.engine.scope import GATES
from minigrad.reading.replay import evaluate, replay, value_of
from minigrad.tasks.sentence_reading import Reading, chance

BOUNDED = "iforz"  # the gates proper, in (0, 1); candidates and states are not


class WhatIf:
    """Counterfactuals of one reading. Steps count words from 0.

    Errors:  ArgumentError for a word that is not in the vocabulary, a step that is not
             in the sentence, a gate that the cell does not have, or a value outside
             [0, 1].
    """

    def __init__(self, reading: Reading, reader: Any, vocabulary: Vocabulary) -> None:
        self.reading, self.vocabulary = reading, vocabulary
        self._vectors = reader.embed.weight.data

    def replaced(self, words: Mapping[int, str]) -> np.ndarray:
        """The sentiment after each word (T,), with other words at some steps."""
        x = np.array(self.reading.x.data)
        for step, word in words.items():
            self._check_step(step)
            x[step, 0] = self._vectors[self.vocabulary.index(word)]
        return self._with_input(x)

    def without(self, step: int) -> np.ndarray:
        """The sentiment after each word (T,), with one word read as unknown."""
        self._check_step(step)
        x = np.array(self.reading.x.data)
        x[step, 0] = self._vectors[1]
        return self._with_input(x)

    def clamped(
        self, letter: str, value: float, steps: Iterable[int] | None = None
    ) -> np.ndarray:
        """The sentiment after each word (T,), with all units of a gate at one value.

        letter  of the gate, "f", or its name; `steps`: None is all of them
        """
        nodes = clamp_nodes(self.reading.trace.layer(0), letter, value)
        chosen = nodes if steps is None else list(steps)
        for step in chosen:
            self._check_step(step)
        changed = {nodes[t]: np.full_like(nodes[t].outputs[0], value) for t in chosen}
        return self._evaluated(changed)

    def clamp_table(self, letter: str) -> np.ndarray:
        """The final sentiment with a gate shut, or open, at one word: (2, T)."""
        steps = range(len(self.reading.words))
        return np.array(
            [[self.clamped(letter, v, [t])[-1] for t in steps] for v in (0.0, 1.0)]
        )

    def _with_input(self, x: np.ndarray) -> np.ndarray:
        """The sentiment after each word, of other word vectors."""
        return chance(replay(self.reading.logits, {self.reading.x: x}))

    def _evaluated(self, changed: dict[Any, np.ndarray]) -> np.ndarray:
        output = self.reading.logits.node
        with quietly():
            return chance(value_of(output, evaluate(output, changed)))

    def _check_step(self, step: int) -> None:
        count = len(self.reading.words)
        if not 0 <= step < count:
            raise ArgumentError(
                f"there is no word {step} in the sentence",
                expect=f"0 <= step < {count}",
                actual=str(step),
                hint="steps count words and marks from 0",
            )


def clamp_nodes(loop: Any, letter: str, value: float) -> dict[int, Any]:
    """The nodes of a gate by step. ArgumentError if gate or value is not allowed."""
    named = {GATES[k]: k for k in BOUNDED}
    letter = named.get(letter, letter)
    offered = [k for k in loop.names if k in BOUNDED]
    if letter not in offered:
        raise ArgumentError(
            f"{letter!r} is not a gate of this cell that can be held",
            expect=", ".join(f"{k} ({GATES[k]})" for k in offered) or "an LSTM or GRU",
            actual=repr(letter),
            hint="gates are in (0, 1); states and candidates are not",
        )
    if not 0 <= value <= 1:
        raise ArgumentError(
            f"a gate cannot be held at {value}",
            expect="0 (shut) to 1 (open)",
            actual=str(value),
            hint="a gate is a share",
        )
    return loop.gate_nodes[letter]
