"""A network that says what comes next: the next word, or the next character.

Read next: `tagging.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.nn import Dropout, Embedding, Linear, Module
from minigrad.random import generator
from minigrad.tensor import Tensor
from models.words import recurrent


class LanguageModel(Module):
    """Token vectors, recurrent layers, and a logit per token of the vocabulary.

    tokens          size of the vocabulary
    kind            "rnn", "lstm" or "gru"
    embedding_size  numbers per token
    hidden_size     units of each layer
    num_layers      layers
    dropout         shares of entries dropped in training: of vectors, of outputs
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
        dtype: Any = "float32",
        rng: Any = None,
        noise: Any = None,
    ) -> None:
        rng = generator(rng, "LanguageModel")
        noise = rng if noise is None else noise
        self.embed = Embedding(tokens, embedding_size, dtype=dtype, rng=rng)
        self.drop_in = Dropout(dropout[0], rng=noise)
        self.drop_out = Dropout(dropout[1], rng=noise)
        self.recurrent = recurrent(kind)(
            embedding_size, hidden_size, num_layers, dtype=dtype, rng=rng
        )
        self.out = Linear(hidden_size, tokens, dtype=dtype, rng=rng)

    def forward(
        self, tokens: np.ndarray, state: Any = None, mask: np.ndarray | None = None
    ) -> tuple[Tensor, Any]:
        """Logits (T, B, V) of what comes next, and the state to go on with."""
        x = self.drop_in(self.embed(tokens))
        output, state = self.recurrent(x, state, mask=mask)
        return self.out(self.drop_out(output)), state
