"""A network that says what comes next: the next word, or the next character.

Read next: `taggers.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.nn import Dropout, Embedding, Linear, Module, Parameter

from .word_models import recurrent, small


class LanguageModel(Module):
    """Token vectors, recurrent layers, and a logit per token of the vocabulary.

    tokens          size of the vocabulary
    kind            "rnn", "lstm" or "gru"
    embedding_size  numbers per token
    hidden_size     units of each layer
    num_layers      layers
    dropout         shares of entries dropped in training: of vectors, of outputs
    tied            are the vectors of what is read also the weights of what is said?
                    (Inan et al. 2017, "Tying word vectors and word classifiers".) Then
                    embedding_size has to be hidden_size
    rng, noise      generators: of the weights' start, of dropout (None: the same one)

    Shapes:  tokens (T, B) of whole numbers, a state as the recurrent layers take and
             return it (None: zeros), mask (T, B) or None -> logits (T, B, V), state;
             logits[t] are for token t + 1
    """

    def __init__(
        self,
        tokens: int,
        kind: str = "lstm",
        embedding_size: int = 32,
        hidden_size: int = 128,
        num_layers: int = 1,
        dropout: Sequence[float] = (0.1, 0.3),
        tied: bool = False,
        dtype: Any = "float32",
        rng: Any = None,
        noise: Any = None,
    ) -> None:
        rng = generator(rng, "LanguageModel")
        noise = rng if noise is None else noise
        if tied and embedding_size != hidden_size:
            raise ArgumentError(
                "LanguageModel(tied=True): two sizes for the same vectors",
                expect="embedding_size == hidden_size",
                actual=f"{embedding_size} and {hidden_size}",
                hint="tied=False, or equal sizes",
            )
        self.embed = Embedding(tokens, embedding_size, dtype=dtype, rng=rng)
        if tied:  # as weights of what is said N(0, 1) would be far too sure
            small(self.embed, 0.1)
        self.drop_in = Dropout(dropout[0], rng=noise)
        self.drop_out = Dropout(dropout[1], rng=noise)
        self.recurrent = recurrent(kind)(
            embedding_size, hidden_size, num_layers, dtype=dtype, rng=rng
        )
        self.out = None if tied else Linear(hidden_size, tokens, dtype=dtype, rng=rng)
        self.bias = Parameter(np.zeros(tokens, dtype)) if tied else None

    def forward(
        self, tokens: np.ndarray, state: Any = None, mask: np.ndarray | None = None
    ) -> tuple[Tensor, Any]:
        """Logits (T, B, V) of what comes next, and the state to go on with."""
        x = self.drop_in(self.embed(tokens))
        output, state = self.recurrent(x, state, mask=mask)
        return self._logits(self.drop_out(output)), state

    def _logits(self, output: Tensor) -> Tensor:
        """A logit per token (T, B, V) from the outputs (T, B, H)."""
        if self.out is not None:
            return self.out(output)
        steps, batch, width = output.shape
        rows = output.reshape(steps * batch, width) @ self.embed.weight.T + self.bias
        return rows.reshape(steps, batch, len(self.embed.weight))
