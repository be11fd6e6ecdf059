"""A network that reads a sentence and says, after each word, how it sounds.

Read next: `language_model.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.random import generator
from minigrad.engine.scope import enable_grad
from minigrad.engine.tensor import Tensor
from minigrad.nn import Dropout, Embedding, Linear, Module

from .word_models import WordDropout, recurrent, small


class SentimentReader(Module):
    """Word vectors, one recurrent layer, and one number per step.

    words           size of the vocabulary; word 0 is padding, word 1 the unknown
    kind            "rnn", "lstm" or "gru"
    embedding_size  numbers per word
    hidden_size     units of each layer
    num_layers      layers
    dropout         share of the entries of word vectors and outputs dropped in training
    word_dropout    share of the words read as unknown in training
    rng, noise      generators: of the weights' start, of dropout (None: the same one)

    Shapes:  tokens (T, B) of whole numbers, mask (T, B) booleans or None for all real
             -> (T, B): the logit of "positive" after each word
    """

    def __init__(
        self,
        words: int,
        kind: str = "lstm",
        embedding_size: int = 64,
        hidden_size: int = 32,
        num_layers: int = 1,
        dropout: float = 0.5,
        word_dropout: float = 0.05,
        dtype: Any = "float32",
        rng: Any = None,
        noise: Any = None,
    ) -> None:
        rng = generator(rng, "SentimentReader")
        noise = rng if noise is None else noise
        self.kind = kind
        self.lose = WordDropout(word_dropout, rng=noise)
        self.embed = small(Embedding(words, embedding_size, dtype=dtype, rng=rng))
        self.drop = Dropout(dropout, rng=noise)
        self.recurrent = recurrent(kind)(
            embedding_size, hidden_size, num_layers, dtype=dtype, rng=rng
        )
        self.out = Linear(hidden_size, 1, dtype=dtype, rng=rng)

    def forward(self, tokens: np.ndarray, mask: np.ndarray | None = None) -> Tensor:
        """The logits after each word: (T, B)."""
        x = self.drop(self.embed(self.lose(tokens)))
        output, _ = self.recurrent(x, mask=mask)
        return self.out(self.drop(output)).squeeze(-1)

    def read(
        self, tokens: np.ndarray, mask: np.ndarray | None = None
    ) -> tuple[Any, Tensor, Tensor]:
        """Sentences (T, B), looked at: (trace, word vectors x, logits (T, B)).

        x (T, B, E) is a leaf with a gradient, so that mg.grad(logits[t, b], [x]) says
        how strongly each word is felt. Recorded even under `no_grad()`.
        """
        x = Tensor(self.embed(tokens).data, requires_grad=True, name="x")
        with enable_grad():
            trace = self.recurrent.trace(x, mask=mask)
            return trace, x, self.out(trace.output).squeeze(-1)
