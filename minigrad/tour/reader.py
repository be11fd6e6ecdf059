"""A network that reads a sentence and says, after each word, how it sounds."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.nn import Dropout, Embedding, Linear, Module
from minigrad.recurrent import models
from minigrad.tensor import Tensor

EMBEDDING_SIZE = 16
HIDDEN_SIZE = 24
CELLS = ("rnn", "lstm", "gru")


class Reader(Module):
    """Embedding, one recurrent layer, and a linear output per step.

    kind   "rnn", "lstm" or "gru"
    words  the size of the vocabulary; word 0 is padding

    Shapes:  tokens (T, B) integers, mask (T, B) booleans -> logits (T, B): the logit of
             "positive" after each word
    """

    def __init__(self, kind: str, words: int, rng: Any = None) -> None:
        rng = mg.random.generator(rng)
        cell = getattr(models(), kind.upper())
        self.kind = kind
        self.embed = Embedding(words, EMBEDDING_SIZE, dtype="float32", rng=rng)
        self.embed.weight.data = 0.3 * self.embed.weight.data
        self.drop = Dropout(0.4, rng=rng)
        self.recurrent = cell(EMBEDDING_SIZE, HIDDEN_SIZE, dtype="float32", rng=rng)
        self.out = Linear(HIDDEN_SIZE, 1, dtype="float32", rng=rng)

    def forward(self, tokens: np.ndarray, mask: np.ndarray) -> Tensor:
        """The logits after each word: (T, B)."""
        output, _ = self.recurrent(self.drop(self.embed(tokens)), mask=mask)
        return self.out(self.drop(output)).squeeze(-1)

    def read(self, tokens: np.ndarray) -> tuple[Any, Tensor, Tensor]:
        """One sentence, looked at: (trace, its word vectors x (T, 1, E), logits (T,)).

        x is a leaf with a gradient, so that mg.grad(logits[t], [x]) says how strongly
        each word is felt.
        """
        vectors = self.embed(tokens[:, None]).data
        x = Tensor(vectors, requires_grad=True, name="x")
        trace = self.recurrent.trace(x)
        return trace, x, self.out(trace.output).reshape(-1)
