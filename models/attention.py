"""Attention: a query looks at all steps of an encoder, more at some than at others.

    weights = softmax(score(query, keys) over the steps),   context = weights @ values

Read next: `translator.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.nn import Linear, Module, Parameter
from minigrad.nn import init as start

FAR = -1e9  # the score of a step that is padding: its weight is exactly 0


class Attention(Module):
    """What both kinds share: scores become weights, and weights a context.

    Shapes:  values (B, S, D): what the encoder gave, the batch first; mask (B, S)
             booleans, True = real; query (B, H) or (B, T, H), for T queries at once
             -> context (B, D) or (B, T, D), weights (B, S) or (B, T, S)
    """

    def keys(self, values: Tensor) -> Tensor:
        """What queries are compared with: once per sentence."""
        return values

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """How well each key fits: (B, T, S) from queries (B, T, H)."""
        raise NotImplementedError

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, mask: np.ndarray
    ) -> tuple[Tensor, Tensor]:
        """The context and the weights; see the class."""
        single = query.ndim == 2
        queries = query.expand_dims(1) if single else query
        with mg.scope("attention"):
            scores = self.scores(queries, keys)
            weights = mg.softmax(mg.where(mask[:, None, :], scores, FAR), axis=-1)
            context = weights @ values
        return (
            (context.squeeze(1), weights.squeeze(1)) if single else (context, weights)
        )


class AdditiveAttention(Attention):
    """score = v . tanh(query W_q + value W_k)

    query_size, value_size  H and D;  attention_size  the units in between
    Source:  Bahdanau, Cho & Bengio 2014, "Neural machine translation by jointly
             learning to align and translate", section A.1.2
    """

    def __init__(
        self,
        query_size: int,
        value_size: int,
        attention_size: int,
        dtype: Any = "float64",
        rng: Any = None,
    ) -> None:
        super().__init__()
        rng = generator(rng, "AdditiveAttention")
        self.W_q = Linear(query_size, attention_size, False, dtype=dtype, rng=rng)
        self.W_k = Linear(value_size, attention_size, False, dtype=dtype, rng=rng)
        k = 1 / math.sqrt(attention_size)
        drawn = start.uniform((attention_size, 1), -k, k, rng=rng, dtype=dtype)
        self.v = Parameter(drawn, name="v")

    def keys(self, values: Tensor) -> Tensor:
        """value W_k: (B, S, attention_size)."""
        return self.W_k(values)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """(B, T, S) from (B, T, H) and (B, S, attention_size)."""
        asked = self.W_q(query).expand_dims(2)  # (B, T, 1, A)
        return (mg.tanh(asked + keys.expand_dims(1)) @ self.v).squeeze(-1)


class MultiplicativeAttention(Attention):
    """score = query . (value W_k), the "general" score

    query_size, value_size  H and D
    Source:  Luong, Pham & Manning 2015, "Effective approaches to attention-based neural
             machine translation", section 3.1
    """

    def __init__(
        self, query_size: int, value_size: int, dtype: Any = "float64", rng: Any = None
    ) -> None:
        super().__init__()
        self.W_k = Linear(value_size, query_size, False, dtype=dtype, rng=rng)

    def keys(self, values: Tensor) -> Tensor:
        """value W_k: (B, S, H)."""
        return self.W_k(values)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """(B, T, S) from (B, T, H) and (B, S, H)."""
        return query @ keys.swapaxes(1, 2)
