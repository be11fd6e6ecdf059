"""Modules: parameters with names, in a tree. PyTorch's names and manners.

    class Reader(Module):
        def __init__(self, words):
            self.embed = Embedding(words, 16)
            self.out = Linear(16, 1)

Read next: `models/recurrent.py`, the recurrent modules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from minigrad.errors import (
    ArgumentError,
    CheckpointError,
    IndexingError,
    ShapeError,
)
from minigrad.primitives.elementwise import where
from minigrad.primitives.index import take
from minigrad.random import Rng, generator
from minigrad.tensor import Tensor


class Parameter(Tensor):
    """A leaf that training changes. As an attribute of a module it takes its name."""

    __slots__ = ()

    def __init__(self, data: Any, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(data, dtype, requires_grad=True, name=name)


class Module:
    """Something with parameters. Subclasses assign them, and define `forward`."""

    training: bool = True

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter) and value.name is None:
            value.name = name
        object.__setattr__(self, name, value)

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self.forward(*inputs, **options)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes. For the subclass to say."""
        raise ArgumentError(
            f"{type(self).__name__} has no forward",
            expect="a method forward(self, ...)",
            actual="none is defined",
            hint="define what the module computes",
        )

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of this one and of all below it, in order of assignment."""
        todo: list[tuple[str, Any]] = [("", self)]
        seen: set[int] = set()
        while todo:
            name, module = todo.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            if isinstance(module, Module):
                yield name, module
                below = list(vars(module).items())
            else:
                below = [(str(k), item) for k, item in enumerate(module)]
            todo += [
                (f"{name}.{key}" if name else key, item)
                for key, item in reversed(below)
                if isinstance(item, Module | list | tuple)
            ]

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter), each parameter once: "embed.weight" and so on."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{prefix}.{name}" if prefix else name, value

    def parameters(self) -> list[Parameter]:
        """All parameters, each once."""
        return [p for _, p in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self.parameters():
            p.grad = None

    def train(self, mode: bool = True) -> Module:
        """Switch to training (Dropout drops). Returns self."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Switch to use (Dropout passes everything). Returns self."""
        return self.train(False)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters' values, by name."""
        return {name: p.data.copy() for name, p in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Take values over by name. All fit, or CheckpointError and nothing changes.

        With strict=False names that only one side has are passed over.
        """
        own = dict(self.named_parameters())
        problems = []
        if strict:
            problems += [f"{name} is missing" for name in own if name not in state]
            problems += [f"{name} is not known" for name in state if name not in own]
        new = {n: np.asarray(state[n]) for n in own if n in state}
        problems += [
            f"{name} is {array.shape}, not {own[name].shape}"
            for name, array in new.items()
            if array.shape != own[name].shape or array.dtype.kind not in "fiu"
        ]
        if problems:
            raise CheckpointError(
                f"{type(self).__name__}.load_state_dict: the saved values do not fit",
                expect="the names and shapes of this module's parameters",
                actual="; ".join(problems[:5]) + ("; ..." if problems[5:] else ""),
                hint="make the model with the settings it was saved with",
            )
        for name, array in new.items():
            own[name].data = array.astype(own[name].dtype)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}("]
        lines += [f"  {n} {p.shape} {p.dtype}" for n, p in self.named_parameters()]
        count = sum(p.size for p in self.parameters())
        return "\n".join([*lines, f")  {count:,} parameters"])


class Linear(Module):
    """y = x W + b. x: (..., in) -> (..., out); weight W (in, out), bias b (out,).

    Starts U(-1/sqrt(in), 1/sqrt(in)). Note the layout: PyTorch stores W transposed.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        dtype: Any = "float64",
        rng: Rng = None,
    ) -> None:
        rng = generator(rng)
        bound = 1.0 / math.sqrt(max(1, in_features))
        self.weight = Parameter(uniform((in_features, out_features), bound, dtype, rng))
        self.bias = (
            Parameter(uniform((out_features,), bound, dtype, rng)) if bias else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., in) -> (..., out)."""
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


class Embedding(Module):
    """A table of vectors, looked up by number. (...) integers -> (..., dim).

    Starts N(0, 1); the row of `padding_idx` is zero and gets no gradient.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        dtype: Any = "float64",
        rng: Rng = None,
    ) -> None:
        table = generator(rng).standard_normal((num_embeddings, embedding_dim))
        if padding_idx is not None:
            table[padding_idx] = 0.0
        self.padding_idx = padding_idx
        self.weight = Parameter(table.astype(dtype))

    def forward(self, indices: Any) -> Tensor:
        """(...) integers -> (..., dim). IndexingError for a number out of range."""
        indices = np.asarray(indices)
        count = len(self.weight)
        if indices.dtype.kind in "iu" and ((indices < 0) | (indices >= count)).any():
            raise IndexingError(
                "Embedding: a number outside the table",
                expect=f"0..{count - 1}",
                actual=f"{indices.min()}..{indices.max()}",
                hint="encode words with the vocabulary the table was made for",
            )
        rows = take(self.weight, indices)
        if self.padding_idx is None:
            return rows
        real = (indices != self.padding_idx)[..., None]
        return where(real, rows, np.zeros((), self.weight.dtype))


class Dropout(Module):
    """In training each entry is zero with probability p, and the rest scaled 1/(1-p).

    The mask is an input of the recorded operation, so a replay drops the same entries.
    Source: Srivastava et al. 2014.
    """

    def __init__(self, p: float = 0.5, rng: Rng = None) -> None:
        if not 0.0 <= p < 1.0:
            raise ArgumentError(
                f"Dropout(p={p}): no such probability",
                expect="0 <= p < 1",
                actual=str(p),
                hint="p is the share that is dropped",
            )
        self.p = p
        self.rng = rng if rng is None else generator(rng)

    def forward(self, x: Tensor) -> Tensor:
        """x: (...) -> (...)."""
        if not self.training or self.p == 0.0:
            return x
        keep = generator(self.rng).random(x.shape) >= self.p
        return x * (keep / (1.0 - self.p)).astype(x.dtype)


class Sequential(Module):
    """Modules (or functions of a tensor), one after the other."""

    def __init__(self, *stages: Callable[[Tensor], Tensor]) -> None:
        self.stages = list(stages)

    def forward(self, x: Any) -> Any:
        """The last stage's result."""
        for stage in self.stages:
            x = stage(x)
        return x


# ------------------------------------------------------------- initial values


def uniform(shape: tuple[int, ...], bound: float, dtype: Any, rng: Rng) -> np.ndarray:
    """Numbers spread evenly over [-bound, bound]."""
    return generator(rng).uniform(-bound, bound, shape).astype(dtype)


def xavier_uniform(shape: tuple[int, int], dtype: Any, rng: Rng) -> np.ndarray:
    """U(-a, a) with a = sqrt(6 / (in + out)). Source: Glorot & Bengio 2010, eq. 16."""
    return uniform(shape, math.sqrt(6.0 / sum(shape)), dtype, rng)


def orthogonal(shape: tuple[int, int], dtype: Any, rng: Rng) -> np.ndarray:
    """A random matrix with orthonormal rows or columns. Source: Saxe et al. 2014."""
    if len(shape) != 2:
        raise ShapeError(
            "orthogonal: only matrices are",
            expect="two axes",
            actual=str(shape),
            hint="make one matrix per gate and join them",
        )
    rows, columns = shape
    tall = generator(rng).standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return (q if rows >= columns else q.T).astype(dtype)
