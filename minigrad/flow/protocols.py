"""The methods that plots and tables need from a ledger and from Jacobian products.

`Ledger` and `JacobianProducts` draw themselves by `plot()` and `table()`. So that the
files of plots and tables need not import them back, they say here what they ask for.

Read next: `plot_style.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from minigrad.engine.tensor import Tensor
from minigrad.flow.state_paths import Paths


class Itemised(Protocol):
    """A gradient kept apart by loss and step of use: a `Ledger`."""

    losses: int

    @property
    def steps(self) -> Sequence[Any]: ...

    def find(self, p: Any = None) -> Tensor: ...

    def norms(self, p: Any = None) -> np.ndarray: ...

    def is_used(self, p: Any = None) -> bool: ...


class Products(Protocol):
    """The products of a loop's Jacobians by distance: `JacobianProducts`."""

    steps: int
    size: int

    @property
    def resolution(self) -> float: ...

    @property
    def has_paths(self) -> bool: ...

    def log10_norms(self, part: str | None = None) -> np.ndarray: ...

    def log10_singular_values(self) -> np.ndarray: ...

    def log10_bounds(self, W: Any = None, gamma: float = 1.0) -> dict[str, Any]: ...

    def paths(self) -> Paths: ...
