"""Trains small networks on the sentiment of film reviews, in seconds.

This is the short version of `minigrad train sentiment`: smaller networks, fewer epochs.

Read next: `tour_plots.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.tasks.sequences import at_the_end, bucketed, last_steps, padded
from minigrad.trial.review_corpus import Corpus

CELLS = ("rnn", "lstm", "gru")
EPOCHS = 4
BATCH = 64


def reader(kind: str, words: int, rng: Any = None) -> Any:
    """A small `SentimentReader`, untrained."""
    return models.SentimentReader(
        words, kind, 16, 24, dropout=0.4, word_dropout=0.0, rng=rng
    )


def train(
    kind: str,
    corpus: Corpus,
    tick: Callable[[float], None],
    seed: int = 0,
    epochs: int = EPOCHS,
) -> Any:
    """Train a reader of this kind; `tick(loss)` is called after every batch.

    The loss is the cross-entropy after the last word, plus a small part of the
    cross-entropy after every word, so that the sentiment "so far" has a meaning.
    """
    network = reader(kind, len(corpus.vocabulary), rng=seed)
    optimizer = mg.optim.Adam(network.parameters(), lr=5e-3)
    rng = np.random.default_rng(seed)
    entropy = mg.losses.binary_cross_entropy
    batches = bucketed(corpus.train, corpus.train_labels, size=BATCH, rng=rng)
    for epoch in range(epochs):
        optimizer.lr = 5e-3 * (1 - epoch / epochs) + 5e-4
        for sentences, labels in batches:
            tokens, mask = padded(sentences)
            logits = network(tokens, mask)
            target = np.broadcast_to(labels.astype("float32"), logits.shape)
            every = entropy(logits, target, mask=mask)
            loss = entropy(logits, target, mask=last_steps(mask)) + 0.3 * every
            optimizer.zero_grad()
            loss.backward()
            mg.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            tick(loss.item())
    return network.eval()


def batches_per_run(corpus: Corpus, epochs: int = EPOCHS) -> int:
    """How often `train` calls `tick`."""
    return epochs * -(-len(corpus.train) // BATCH)


def accuracy(reader: Any, corpus: Corpus) -> float:
    """The share of held-out sentences whose answer after the last word is right."""
    logits = at_the_end(reader, corpus.held_out)
    return float(((logits > 0) == corpus.held_out_labels).mean())
