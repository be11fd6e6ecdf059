"""Cuts a text of numbers into stretches for training, and measures bits per token.

Read next: `writing.py` (suggestions and samples).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data.streams import Streams
from minigrad.engine.errors import DataError
from minigrad.engine.functions import log_softmax
from minigrad.engine.scope import no_grad

CONTEXT = 200  # tokens that are read before those that count
STRANDS = 8  # read side by side for the figures


class Passage(NamedTuple):
    """A stretch of the text, with the last tokens before it."""

    before: np.ndarray
    tokens: np.ndarray


class Chunks:
    """A text in stretches for truncated BPTT, cut elsewhere in each epoch.

    See `Streams`: each epoch starts some tokens later, fewer than `steps`.
    """

    def __init__(self, tokens: np.ndarray, strands: int, steps: int, rng: Any) -> None:
        self.tokens, self.strands, self.steps, self.rng = tokens, strands, steps, rng
        self._count = (len(tokens) - steps - 1) // strands // steps
        if self._count < 1:
            raise DataError(
                "the text is too short for training",
                expect=f"more than {(strands + 1) * steps} tokens in the training part",
                actual=f"{len(tokens)}",
                hint="a longer text, or smaller --batch-size and --steps",
            )

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        start = self.rng.integers(self.steps)
        size = self.strands * self._count * self.steps
        kept = self.tokens[start : start + size + 1]
        return iter(Streams(kept, self.strands, self.steps))


def bits(model: Any, part: Passage) -> np.ndarray:
    """-log2 p of each token of a passage, in order.

    The passage is read in a few strands side by side. Each strand first reads the
    CONTEXT tokens before it, which do not count. At least one token must come before
    the passage.
    """
    whole = np.concatenate([part.before, part.tokens])
    count = len(part.tokens)
    length = -(-count // STRANDS)
    columns, kept = [], []
    for start in range(0, count, length):
        stop = min(start + length, count)
        first = max(0, len(part.before) + start - CONTEXT)
        columns.append(whole[first : len(part.before) + stop])
        kept.append(stop - start)
    x, mask = mg.data.pad_sequences(columns, return_mask=True, dtype="int64")
    each = np.concatenate([*_strands(model, x.T, mask)])
    return np.concatenate([each[len(each) - n :, k] for k, n in enumerate(kept)])


def _strands(model: Any, x: np.ndarray, mask: np.ndarray) -> Iterator[np.ndarray]:
    """-log2 p of x[1:] (T, B), stretch by stretch: not all logits at once."""
    state = None
    for start in range(0, len(x) - 1, CONTEXT):
        now = slice(start, min(start + CONTEXT, len(x) - 1))
        after = x[now.start + 1 : now.stop + 1, :, None]
        with no_grad():
            logits, state = model(x[now], state, mask=mask[now])
            chances = log_softmax(logits).data / np.log(2)
        yield -np.take_along_axis(chances, after, axis=2)[..., 0]
