"""Until minigrad.nn is there: the least that stands for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.tensor import Tensor

try:
    from minigrad.nn import Module, Parameter  # type: ignore
    from minigrad.random import generator  # type: ignore
except ImportError:

    class Parameter(Tensor):  # type: ignore[no-redef]
        __slots__ = ()

        def __init__(self, data: Any, name: str | None = None) -> None:
            super().__init__(data, requires_grad=True, name=name)

    class Module:  # type: ignore[no-redef]
        def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
            for name, value in vars(self).items():
                if isinstance(value, Parameter):
                    yield prefix + name, value
                for k, item in enumerate(value if isinstance(value, list) else []):
                    if isinstance(item, Module):
                        yield from item.named_parameters(f"{prefix}{name}.{k}.")

        def parameters(self) -> list:
            return [p for _, p in self.named_parameters()]

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self.forward(*args, **kwargs)  # type: ignore[attr-defined]

    def generator(rng: Any = None) -> np.random.Generator:
        return np.random.default_rng(rng)
