"""What the models of words share: which cell, how word vectors start, lost words.

Read next: `sentiment.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.errors import one_of
from minigrad.nn import Dropout, Embedding, Module
from models.gru import GRU
from models.lstm import LSTM
from models.recurrent import Recurrent
from models.rnn import RNN

KINDS: dict[str, Callable[..., Recurrent]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def recurrent(kind: str) -> Callable[..., Recurrent]:
    """The class of a kind: "rnn", "lstm" or "gru". ArgumentError for another."""
    one_of("kind", kind, tuple(KINDS))
    return KINDS[kind]


def small(embed: Embedding, scale: float = 0.3) -> Embedding:
    """The same table with its rows scaled down: N(0, 1) saturates a cell's gates."""
    embed.weight.data = embed.weight.dtype.type(scale) * embed.weight.data
    return embed


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
        tokens = np.asarray(tokens)
        if not self.training or self.p == 0:
            return tokens
        lost = self.rng.random(tokens.shape) < self.p
        return np.where(lost, self.unknown, tokens)

    def extra_repr(self) -> str:
        """The share, for repr."""
        return f"p={self.p:g}"
