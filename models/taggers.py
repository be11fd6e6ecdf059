"""Networks that tag: every word of a sentence, or a text as a whole.

Read next: `forecaster.py`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside
from minigrad.nn import Dropout, Embedding, Linear, Module

from .word_models import SpelledWords, WordDropout, recurrent, small


class WordTagger(Module):
    """One logit per word: is it one of those looked for?

    A word is read by its vector and by its spelling (`SpelledWords`), each different
    word of the sentences once; then the sentences are made of these vectors.

    words           size of the vocabulary; word 1 is the unknown
    pieces          how many pieces of words there are; piece 0 is none
    bidirectional   may what follows a word count too?

    Shapes:  words (U,), pieces (U, K), places (T, B): which of the U words stands
             there; mask (T, B) or None -> (T, B)
    """

    def __init__(
        self,
        words: int,
        pieces: int,
        kind: str = "gru",
        bidirectional: bool = True,
        embedding_size: int = 32,
        hidden_size: int = 32,
        num_layers: int = 1,
        dropout: float = 0.3,
        word_dropout: float = 0.2,
        dtype: Any = "float32",
        rng: Any = None,
        noise: Any = None,
    ) -> None:
        rng = generator(rng, "WordTagger")
        noise = rng if noise is None else noise
        self.embed = SpelledWords(
            words, pieces, embedding_size, word_dropout, dtype, rng, noise
        )
        self.drop = Dropout(dropout, rng=noise)
        self.recurrent = recurrent(kind)(
            embedding_size,
            hidden_size,
            num_layers,
            bidirectional=bidirectional,
            dtype=dtype,
            rng=rng,
        )
        width = hidden_size * (2 if bidirectional else 1)
        self.out = Linear(width, 1, dtype=dtype, rng=rng)

    def forward(
        self,
        words: np.ndarray,
        pieces: np.ndarray,
        places: np.ndarray,
        mask: np.ndarray | None = None,
    ) -> Tensor:
        """The logit at each place: (T, B)."""
        x = mg.take(self.embed(words, pieces), places)
        output, _ = self.recurrent(self.drop(x), mask=mask)
        return self.out(self.drop(output)).squeeze(-1)


class TextTagger(Module):
    """Several tags for a whole text: one logit per tag, from all steps together.

    Two things count: the largest output of each unit over all steps, for a phrase that
    says what the text is about may stand anywhere; and the sum of the word vectors
    themselves, for what a single word says needs no memory. The sum is divided by the
    root of their number, so that long texts are as wide as short ones.

    words  size of the vocabulary; word 0 is padding
    tags   how many there are to give

    Shapes:  tokens (T, B) of whole numbers, mask (T, B) -> (B, tags)
    """

    def __init__(
        self,
        words: int,
        tags: int,
        kind: str = "lstm",
        bidirectional: bool = True,
        embedding_size: int = 200,
        hidden_size: int = 48,
        num_layers: int = 1,
        dropout: float = 0.8,
        word_dropout: float = 0.25,
        dtype: Any = "float32",
        rng: Any = None,
        noise: Any = None,
    ) -> None:
        rng = generator(rng, "TextTagger")
        noise = rng if noise is None else noise
        self.lose = WordDropout(word_dropout, rng=noise)
        self.embed = small(Embedding(words, embedding_size, dtype=dtype, rng=rng))
        self.drop = Dropout(dropout, rng=noise)
        self.recurrent = recurrent(kind)(
            embedding_size,
            hidden_size,
            num_layers,
            bidirectional=bidirectional,
            dtype=dtype,
            rng=rng,
        )
        width = hidden_size * (2 if bidirectional else 1) + embedding_size
        self.out = Linear(width, tags, dtype=dtype, rng=rng)

    def forward(self, tokens: Any, mask: Any) -> Tensor:
        """The logits of all tags: (B, tags)."""
        vectors = self.embed(self.lose(tokens))
        output, _ = self.recurrent(self.drop(vectors), mask=mask)
        mask = mask if isinstance(mask, Tensor) else np.asarray(mask)
        real = mask[:, :, None]
        largest = mg.where(real, output, -1.0).max(axis=0)
        root = outside(partial(_roots, vectors.dtype), mask)
        words = mg.where(real, vectors, 0.0).sum(axis=0) / root
        return self.out(self.drop(mg.concatenate([largest, words], axis=1)))


def _roots(dtype: np.dtype, mask: np.ndarray) -> np.ndarray:
    """The root of the number of real words of each text: (B, 1)."""
    return np.sqrt(mask.sum(axis=0)[:, None]).astype(dtype)
