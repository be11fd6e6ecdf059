"""The layers around a recurrent cell: words in, numbers out, noise between.

Each is a few primitive operations; none has a backward of its own.

Read next: `losses.py`.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    IndexingError,
    ShapeError,
    flag,
)
from minigrad.engine.graph import Variable
from minigrad.engine.primitives.elementwise import where
from minigrad.engine.primitives.index import take
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside
from minigrad.nn import init
from minigrad.nn.module import Module, Parameter

if TYPE_CHECKING:
    from minigrad.engine.aliases import Rng


class Linear(Module):
    """y = x W + b, with W = weight and b = bias.

    Shapes:  x (..., in_features) -> y (..., out_features);  bias (out_features,);
             weight (in_features, out_features), the transpose of PyTorch's
    Start:   both U(-k, k) with k = 1/sqrt(in_features), as in PyTorch
    Errors:  ShapeError if x does not end in in_features; DTypeError if its dtype is not
             the layer's: float32 and float64 are not mixed.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        dtype: Any = "float64",
        rng: Rng = None,
    ) -> None:
        self.in_features = size("Linear", "in_features", in_features)
        self.out_features = size("Linear", "out_features", out_features)
        rng = generator(rng, "Linear")
        k = 1 / math.sqrt(max(in_features, 1))
        shape = (self.in_features, self.out_features)
        self.weight = Parameter(init.uniform(shape, -k, k, rng=rng, dtype=dtype))
        self.bias = None
        if flag("bias", bias):
            self.bias = Parameter(init.uniform(shape[1:], -k, k, rng=rng, dtype=dtype))

    def forward(self, x: Any) -> Tensor:
        """x (..., in_features) -> (..., out_features)."""
        x = same_dtype("Linear", x, self.weight)
        if x.ndim <= 2 or x.shape[-1] != self.in_features:
            y = x @ self.weight
        else:
            # As one matrix: else a gradient per batch index, to be summed.
            rows = x.reshape(math.prod(x.shape[:-1]), self.in_features)
            y = (rows @ self.weight).reshape(*x.shape[:-1], self.out_features)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        """The sizes and switches, for repr."""
        bias = "" if self.bias is not None else ", bias=False"
        return f"{self.in_features}, {self.out_features}{bias}"


class Embedding(Module):
    """A row of numbers for each word: y = weight[word].

    Shapes:  words (...) of whole numbers, 0..num_embeddings-1 -> (..., embedding_dim);
             weight (num_embeddings, embedding_dim)
    Start:   N(0, 1), as in PyTorch
    padding_idx   the number of no word at all: its result is zeros, whatever the row
             holds (it starts as zeros), and the row's gradient is exactly zero.
    Errors:  DTypeError for words that are not whole numbers, IndexingError for numbers
             out of range.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        dtype: Any = "float64",
        rng: Rng = None,
    ) -> None:
        self.num_embeddings = size("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = size("Embedding", "embedding_dim", embedding_dim)
        shape = (self.num_embeddings, self.embedding_dim)
        rows = init.normal(shape, rng=generator(rng, "Embedding"), dtype=dtype)
        if padding_idx is not None:
            padding_idx = self._row(padding_idx)
            rows[padding_idx] = 0.0
        self.padding_idx = padding_idx
        self.weight = Parameter(rows)

    def _row(self, number: int) -> int:
        if size("Embedding", "padding_idx", number) < self.num_embeddings:
            return int(number)
        raise ArgumentError(
            f"Embedding(padding_idx={number}): there is no such row",
            expect=f"0 <= padding_idx < num_embeddings = {self.num_embeddings}",
            actual=str(number),
            hint="padding_idx=0 goes with mg.data.pad_sequences",
        )

    def forward(self, words: Any) -> Tensor:
        """words (...) -> (..., embedding_dim)."""
        words = words if isinstance(words, Tensor) else Tensor(words)
        if words.dtype.kind in "iu" and words.size:
            outside(self._check, words)
        elif words.dtype.kind not in "iu" and words.size:
            raise DTypeError(
                "Embedding(words): words are given by whole numbers",
                expect="an integer dtype",
                actual=f"{words.dtype} {words.shape}",
                hint="mg.data.Vocabulary(texts).encode(text) gives numbers",
            )
        if words.size == 0:  # an empty list is of floating point to NumPy
            words = words.astype("int64")
        y = take(self.weight, words)
        if self.padding_idx is None:
            return y
        return where((words != self.padding_idx).expand_dims(-1), y, 0.0)

    def _check(self, numbers: np.ndarray) -> None:
        """Raise IndexingError for a word's number that no row has."""
        wrong = (numbers < 0) | (numbers >= self.num_embeddings)
        if wrong.any():
            at = tuple(map(int, np.argwhere(wrong)[0]))
            raise IndexingError(
                "Embedding(words): a word's number is out of range",
                expect=f"0 <= number < {self.num_embeddings}",
                actual=f"{numbers[at]} at {at}     words: {numbers.shape}",
                hint="num_embeddings is len(vocabulary), reserved numbers included",
            )

    def extra_repr(self) -> str:
        """The sizes and switches, for repr."""
        padding = (
            "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        )
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Dropout(Module):
    """While training: entries are zero with probability p, else times 1/(1-p).

    The mean stays what it was, so nothing is rescaled afterwards: after `eval()` x
    passes unchanged. The mask is an input of the recorded product: readers find it.

    over_time   x is a sequence (T, B, ...), and each of the B sequences gets one mask
                for all its steps: what is dropped stays dropped. Independent masks
                would let a recurrent network average the noise away, and would disturb
                what it has to remember. For h itself there is `models.HiddenDropout`.

    Source: Hinton et al. 2012, "Improving neural networks by preventing co-adaptation
    of feature detectors"; scaled while training ("inverted"), as in PyTorch. Over time:
    Gal & Ghahramani 2016, "A theoretically grounded application of dropout in recurrent
    neural networks", section 4.
    """

    def __init__(
        self, p: float = 0.5, rng: Rng = None, *, over_time: bool = False
    ) -> None:
        if not isinstance(p, int | float | np.number) or not 0 <= p <= 1:
            raise ArgumentError(
                f"Dropout(p={p!r}): not a probability",
                expect="0 <= p <= 1",
                actual=repr(p),
                hint="p is the share of entries that are dropped",
            )
        self.p = float(p)
        self.over_time = bool(over_time)
        self.rng = generator(rng, "Dropout")

    def forward(self, x: Any) -> Tensor:
        """x (...) -> (...)."""
        x = x if isinstance(x, Tensor) else Tensor(x)
        if not self.training or self.p == 0:
            return x
        if x.dtype.kind != "f":
            raise DTypeError(
                "Dropout(x): entries of floating point are dropped",
                expect="x of a floating dtype",
                actual=f"{x.dtype} {x.shape}",
                hint="apply it after the Embedding, not before",
            )
        shape = x.shape
        if self.over_time:
            if x.ndim < 2:
                raise ShapeError(
                    "Dropout(over_time=True)(x): x is no sequence",
                    expect="x of shape (T, B, ...)",
                    actual=f"{x.dtype} {x.shape}",
                    hint="leave out over_time for what has no time axis",
                )
            shape = (1, *shape[1:])
        drawn = outside(partial(self._mask, shape, x.dtype), kept=self.rng)
        return x * Tensor(drawn, name="dropout mask")

    def _mask(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Zeros with probability p, else 1 / (1 - p)."""
        kept = self.rng.random(shape) >= self.p
        return kept * dtype.type(1 / (1 - self.p) if self.p < 1 else 0.0)

    def extra_repr(self) -> str:
        """The sizes and switches, for repr."""
        return f"p={self.p:g}" + ", over_time=True" * self.over_time


# ------------------------------------------------------------- questions to arguments


def size(call: str, name: str, value: Any) -> int:
    """`value` as an int that is not negative; ArgumentError if it is none."""
    is_int = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if is_int and value >= 0:
        return int(value)
    raise ArgumentError(
        f"{call}({name}={value!r}): {name} must be a whole number, 0 or more",
        expect=f"int >= 0 for {name}",
        actual=f"{value!r} ({type(value).__name__})",
        hint=f"pass {name} as an int",
    )


def same_dtype(call: str, x: Any, weight: Tensor) -> Tensor:
    """x as a tensor of the weight's dtype; DTypeError if it has another.

    Plain lists and numbers take the weight's dtype; arrays and tensors have their own.
    """
    if not isinstance(x, Variable | np.ndarray | np.generic):
        return Tensor(x, dtype=weight.dtype)
    if x.dtype != weight.dtype:  # type: ignore[union-attr]
        raise DTypeError(
            f"{call}(x): x is not of the layer's dtype",
            expect=f"x of dtype {weight.dtype}",
            actual=f"{x.dtype} {x.shape}",  # type: ignore[union-attr]
            hint=f"x.astype('{weight.dtype}'), or build the layer with dtype=",
        )
    return x if isinstance(x, Tensor) else Tensor(x)
