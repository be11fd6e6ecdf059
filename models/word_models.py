"""What the models of words share: cells by name, word vectors, spelling, lost words.

Read next: `sentiment_reader.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minigrad.engine.errors import one_of
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside
from minigrad.nn import Dropout, Embedding, Module

from .gru import GRU
from .lstm import LSTM
from .recurrent import Recurrent
from .rnn import RNN

KINDS: dict[str, Callable[..., Recurrent]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def recurrent(kind: str) -> Callable[..., Recurrent]:
    """The class of a kind: "rnn", "lstm" or "gru". ArgumentError for another."""
    one_of("kind", kind, tuple(KINDS))
    return KINDS[kind]


def small(embed: Embedding, scale: float = 0.3) -> Embedding:
    """The same table with its rows scaled down: N(0, 1) saturates a cell's gates."""
    embed.weight.data = embed.weight.dtype.type(scale) * embed.weight.data
    return embed


class SpelledWords(Module):
    """A word's vector: its own, and the mean of those of its pieces, added.

    Of a word that was never seen the pieces still say what kind of word it may be.

    words           size of the vocabulary; word 1 is the unknown
    pieces          how many pieces have a vector; piece 0 is none at all
    embedding_size  numbers per word
    word_dropout    share of the words known by their pieces alone in training

    Shapes:  words (U,), pieces (U, K) of whole numbers -> (U, embedding_size)
    Source:  Bojanowski et al. 2017, "Enriching word vectors with subword information",
             section 3.2, where the vectors are summed.
    """

    def __init__(
        self,
        words: int,
        pieces: int,
        embedding_size: int,
        word_dropout: float = 0.0,
        dtype: Any = "float32",
        rng: Any = None,
        noise: Any = None,
    ) -> None:
        rng = generator(rng, "SpelledWords")
        self.lose = WordDropout(word_dropout, rng=rng if noise is None else noise)
        self.words = small(Embedding(words, embedding_size, dtype=dtype, rng=rng))
        self.pieces = small(Embedding(pieces, embedding_size, 0, dtype=dtype, rng=rng))

    def forward(self, words: Any, pieces: Any) -> Tensor:
        """The vector of each word: (U, embedding_size)."""
        spelled = self.pieces(pieces).sum(axis=1)
        count = outside(partial(_counts, spelled.dtype), pieces)
        return self.words(self.lose(words)) + spelled / count


def _counts(dtype: np.dtype, pieces: Any) -> np.ndarray:
    """How many pieces each word has, at least 1: (U, 1)."""
    there = np.asarray(pieces) != 0
    return np.maximum(there.sum(axis=1, keepdims=True), 1).astype(dtype)


class WordDropout(Module):
    """While training: each word is, with probability p, read as unknown.

    So a model learns what to make of words that it does not know, and not to hang on
    single words. Source: Iyyer et al. 2015, "Deep unordered composition rivals
    syntactic methods for text classification", section 3.

    unknown  the number of the unknown word
    """

    def __init__(self, p: float, unknown: int = 1, rng: Any = None) -> None:
        checked = Dropout(p, rng=rng)
        self.p, self.rng = checked.p, checked.rng
        self.unknown = unknown

    def forward(self, tokens: Any) -> np.ndarray:
        """tokens (...) of whole numbers -> (...)."""
        if not isinstance(tokens, Tensor):
            tokens = np.asarray(tokens)
        if not self.training or self.p == 0:
            return tokens
        return outside(self._lost, tokens, kept=self.rng)

    def _lost(self, tokens: np.ndarray) -> np.ndarray:
        lost = self.rng.random(tokens.shape) < self.p
        return np.where(lost, self.unknown, tokens)

    def extra_repr(self) -> str:
        """The share, for repr."""
        return f"p={self.p:g}"
