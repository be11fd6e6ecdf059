"""Learning the sentiment of sentences from film reviews, in seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data import Vocabulary
from minigrad.tour.reader import Reader

EPOCHS = 4
BATCH = 64
LONGEST = 40  # words; longer sentences are cut for training (one in a hundred is)


class Corpus(NamedTuple):
    """Sentences as numbers, and whether they are positive: two parts."""

    vocabulary: Vocabulary
    train: list[list[int]]
    train_labels: np.ndarray
    held_out: list[list[int]]
    held_out_labels: np.ndarray

    @property
    def majority(self) -> float:
        """The held-out accuracy of always saying what is more frequent in training."""
        answer = self.train_labels.mean() >= 0.5
        return float((self.held_out_labels == answer).mean())


def corpus(seed: int = 0) -> Corpus:
    """The clear cases of the film reviews, |rating| >= 1, split by a fixed seed.

    The vocabulary is of the training part alone: words only held-out sentences have are
    unknown, as a user's may be.
    """
    reviews = mg.data.movie_reviews()
    clear = np.flatnonzero(np.abs(reviews.ratings) >= 1)
    train, held_out = mg.data.split(clear, (0.85, 0.15), rng=seed)
    texts = [[reviews.texts[k] for k in part] for part in (train, held_out)]
    vocabulary = Vocabulary(texts[0], min_count=3)
    encoded = [[vocabulary.encode(t)[:LONGEST] for t in part] for part in texts]
    labels = [(reviews.ratings[part] > 0) for part in (train, held_out)]
    return Corpus(vocabulary, encoded[0], labels[0], encoded[1], labels[1])


def pad(sentences: list) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (T, B) and mask (T, B), padded at the end."""
    tokens, mask = mg.data.pad_sequences(sentences, padding="post", return_mask=True)
    return tokens.T, mask


def train(
    kind: str, corpus: Corpus, tick: Callable[[float], None], seed: int = 0
) -> Reader:
    """A reader of a kind, trained; `tick(loss)` is called after every batch.

    The loss is the cross-entropy after the last word, and a little of that after every
    word, so that the sentiment "so far" means something.
    """
    reader = Reader(kind, len(corpus.vocabulary), rng=seed)
    optimizer = mg.optim.Adam(reader.parameters(), lr=5e-3)
    rng = np.random.default_rng(seed)
    for epoch in range(EPOCHS):
        optimizer.lr = 5e-3 * (1 - epoch / EPOCHS) + 5e-4
        for sentences, labels in _batches(corpus, rng):
            tokens, mask = pad(sentences)
            logits = reader(tokens, mask)
            target = np.broadcast_to(labels.astype("float32"), logits.shape)
            last = _last(mask)
            every = mg.losses.binary_cross_entropy(logits, target, mask=mask)
            final = mg.losses.binary_cross_entropy(logits, target, mask=last)
            loss = final + 0.3 * every
            optimizer.zero_grad()
            loss.backward()
            mg.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            tick(loss.item())
    reader.eval()
    return reader


def batches_per_run(corpus: Corpus) -> int:
    """How often `train` ticks."""
    return EPOCHS * -(-len(corpus.train) // BATCH)


def accuracy(reader: Reader, corpus: Corpus) -> float:
    """The share of held-out sentences whose last word's verdict is right."""
    right = 0
    with mg.no_grad():
        for start in range(0, len(corpus.held_out), 256):
            tokens, mask = pad(corpus.held_out[start : start + 256])
            ends = mask.sum(0) - 1
            logits = reader(tokens, mask).data[ends, np.arange(len(ends))]
            labels = corpus.held_out_labels[start : start + 256]
            right += int(((logits > 0) == labels).sum())
    return right / len(corpus.held_out)


def _last(mask: np.ndarray) -> np.ndarray:
    """(T, B): True at the last real step of each sentence."""
    steps = np.arange(len(mask))[:, None]
    return steps == mask.sum(0) - 1


def _batches(corpus: Corpus, rng: np.random.Generator):
    lengths = [len(s) for s in corpus.train]
    return mg.data.batches(
        corpus.train, corpus.train_labels, batch_size=BATCH, lengths=lengths, rng=rng
    )
