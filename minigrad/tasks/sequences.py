"""Token sequences in portions: padded for training, read for the figures.

Padding stands at the end, and a mask says where it is.

Read next: `known_words.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.data import batches, pad_sequences
from minigrad.engine.scope import no_grad

PORTION = 256  # sequences that are read at once for the figures


def padded(sequences: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (T, B) and mask (T, B), padded at the end."""
    tokens, mask = pad_sequences(sequences, padding="post", return_mask=True)
    return tokens.T, mask


def bucketed(tokens: Sequence[Any], *columns: Any, size: int, rng: Any) -> Any:
    """Batches of sequences of like length, in a new order in each epoch."""
    lengths = [len(sequence) for sequence in tokens]
    return batches(tokens, *columns, batch_size=size, lengths=lengths, rng=rng)


def last_steps(mask: np.ndarray) -> np.ndarray:
    """(T, B): True at the last real step of each sequence."""
    steps = np.arange(len(mask))[:, None]
    return steps == mask.sum(0) - 1


def portions(
    sequences: Sequence[Any],
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """All sequences, those of like length together: (rows, tokens, mask) each time."""
    for rows in by_length(sequences):
        yield rows, *padded([sequences[k] for k in rows])


def by_length(sequences: Sequence[Any]) -> Iterator[np.ndarray]:
    """The numbers of all sequences, of some of like length each time."""
    order = np.argsort([len(s) for s in sequences], kind="stable")
    for start in range(0, len(order), PORTION):
        yield order[start : start + PORTION]


def at_the_end(model: Callable[..., Any], sequences: Sequence[Any]) -> np.ndarray:
    """What a model of (T, B) says at the last step of each sequence: (n,)."""
    found = np.zeros(len(sequences))
    with no_grad():
        for rows, tokens, mask in portions(sequences):
            values = model(tokens, mask=mask).data
            found[rows] = values[mask.sum(0) - 1, np.arange(len(rows))]
    return found
