"""Divides token sequences into portions of similar length, padded at the end.

A mask says where the padding is.

Read next: `known_words.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.data import batches, pad_sequences
from minigrad.engine.scope import no_grad

PORTION = 256  # sequences that are read at once for the figures


def padded(
    sequences: Sequence[Any], multiple: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (T, B) and mask (T, B), padded at the end: T is a multiple of `multiple`.

    A compiled step is traced for each T, so that few of them are better.
    """
    longest = max(map(len, sequences))
    tokens, mask = pad_sequences(
        sequences,
        maxlen=-(-longest // multiple) * multiple,
        padding="post",
        return_mask=True,
    )
    return tokens.T, mask


def bucketed(tokens: Sequence[Any], *columns: Any, size: int, rng: Any) -> Any:
    """Batches of sequences of similar length, in a new order in each epoch."""
    lengths = [len(sequence) for sequence in tokens]
    return batches(tokens, *columns, batch_size=size, lengths=lengths, rng=rng)


def last_steps(mask: np.ndarray) -> np.ndarray:
    """(T, B): True at the last real step of each sequence."""
    steps = np.arange(len(mask))[:, None]
    return steps == mask.sum(0) - 1


def portions(
    sequences: Sequence[Any],
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield all sequences as (rows, tokens, mask), those of similar length together."""
    for rows in by_length(sequences):
        yield rows, *padded([sequences[k] for k in rows])


def by_length(sequences: Sequence[Any]) -> Iterator[np.ndarray]:
    """Yield the numbers of all sequences, some of similar length each time."""
    order = np.argsort([len(s) for s in sequences], kind="stable")
    for start in range(0, len(order), PORTION):
        yield order[start : start + PORTION]


def at_the_end(model: Callable[..., Any], sequences: Sequence[Any]) -> np.ndarray:
    """The output (n,) of a model at the last step of each sequence."""
    found = np.zeros(len(sequences))
    with no_grad():
        for rows, tokens, mask in portions(sequences):
            values = model(tokens, mask=mask).data
            found[rows] = values[mask.sum(0) - 1, np.arange(len(rows))]
    return found
