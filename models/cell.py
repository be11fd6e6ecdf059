"""What all cells share: stacked weights, how they start, and the check of one step.

The weights of all gates stand side by side, `W_x (D, G*H)`, `W_h (H, G*H)`, `b (G*H,)`,
in the order of `cell.gates`: one product per step for all gates, then a split.

Read next: `unroll.py` (the time loop).
"""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import one_of
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.nn import Module, Parameter
from minigrad.nn import init as start

from .input_checks import as_tensor, floating, size, step


def same_every_step(forward: Any) -> Any:
    """Say of a cell's `forward` that it does the same operations at every step,
    whatever the numbers, and nothing else: `unroll` then records one step in full, and
    repeats it."""
    forward.same_every_step = forward  # a function that wraps it says nothing
    return forward


def is_same_every_step(cell: Any) -> bool:
    """Does the cell's own class say so? Not of what was changed or derived from it."""
    kind = type(cell)
    own = vars(kind)
    forward = own.get("forward")
    if getattr(forward, "same_every_step", None) is not forward or forward is None:
        return False
    if any([vars(mg).get(name) is not one for name, one in _OPERATIONS.items()]):
        return False  # somebody put another function in its place
    for name, method in own.items():
        if isinstance(method, FunctionType) and name != "__init__":
            if method.__code__.co_qualname != f"{kind.__qualname__}.{name}":
                return False  # the same for a method
    if "__call__" not in own and kind.__call__ is not _call:
        return False
    return not [name for name in vars(cell) if callable(own.get(name))]


_OPERATIONS = {
    name: getattr(mg, name)
    for name in ("affine", "blend", "multiply_add", "relu", "sigmoid", "split", "tanh")
}


@checked_methods
class Cell(Module):
    """One step of a recurrent network: `cell(x, state) -> state`.

    input_size   D: numbers per step of the input
    hidden_size  H: units
    gates        the letters of the gates that have weights, in their order
    dtype        of the weights and of all that is computed with them
    init         how W_h starts: "uniform", like everything else, U(-1/sqrt(H),
                 1/sqrt(H)); "orthogonal", each gate's (H, H) block (Saxe et al. 2014);
                 "identity", each block (Le et al. 2015, for a relu RNN)
    rng          a NumPy Generator, a seed, or None for the library's generator

    Shapes:  x (B, D), each part of the state (B, H)
    Errors:  ArgumentError for sizes below 1 and unknown names; ShapeError and
             DTypeError for an x or a state that does not fit the weights (float32 and
             float64 do not mix in a cell)
    """

    kind = "cell"  # the name of its scope
    gates: tuple[str, ...] = ()
    states: tuple[str, ...] = ("h",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        gates: tuple[str, ...] | None = None,
        dtype: Any = "float64",
        init: str = "uniform",
        rng: Any = None,
    ) -> None:
        super().__init__()
        one_of("init", init, ("uniform", "orthogonal", "identity"))
        self.input_size = size("input_size", input_size)
        self.hidden_size = size("hidden_size", hidden_size)
        self.gates = gates or type(self).gates
        self.dtype = floating(dtype)
        self._rng = generator(rng, type(self).__name__)
        width = len(self.gates) * self.hidden_size
        self.W_x = self.parameter("W_x", (self.input_size, width))
        self.W_h = self.parameter("W_h", (self.hidden_size, width))
        self.b = self.parameter("b", (width,))
        if init != "uniform":
            self.W_h.data = np.concatenate(
                [self._square(init) for _ in self.gates], axis=1
            )

    def parameter(self, name: str, shape: tuple[int, ...]) -> Parameter:
        """A parameter of this shape, drawn from U(-1/sqrt(H), 1/sqrt(H))."""
        k = 1 / math.sqrt(self.hidden_size)
        drawn = start.uniform(shape, -k, k, rng=self._rng, dtype=self.dtype)
        return Parameter(drawn, name=name)

    def _square(self, init: str) -> np.ndarray:
        """One gate's block of W_h, (H, H)."""
        shape = (self.hidden_size, self.hidden_size)
        if init == "identity":
            return np.eye(*shape, dtype=self.dtype)
        return start.orthogonal(shape, rng=self._rng, dtype=self.dtype)

    def columns(self, letter: str) -> slice:
        """Where a gate's columns are in W_x, W_h and b."""
        k = self.gates.index(letter) * self.hidden_size
        return slice(k, k + self.hidden_size)

    def zero_state(self, batch: int) -> Tensor | tuple[Tensor, ...]:
        """The state that a sequence starts from: zeros (batch, H)."""
        zeros = tuple([self._zeros(batch, name) for name in self.states])
        return zeros if len(zeros) > 1 else zeros[0]

    def _zeros(self, batch: int, name: str) -> Tensor:
        return Tensor(np.zeros((batch, self.hidden_size), self.dtype), name=f"{name}_0")

    @checked_call
    def __call__(self, x: Any, state: Any) -> Any:
        """The next state; see the class for shapes and errors."""
        if not isinstance(x, Tensor):
            x = as_tensor(x, "x")
        parts = (state,) if len(self.states) == 1 else state
        if not self._fits(x, parts):
            parts = step(self, x, parts)
            state = parts[0] if len(self.states) == 1 else parts
        return self.forward(x, state)

    def for_sequence(self) -> Any:
        """The cell for the steps of one loop: itself, as it draws nothing at random."""
        return self

    def _fits(self, x: Tensor, parts: Any) -> bool:
        """The quick look at what `checks.step` says in full."""
        if type(parts) is not tuple or len(parts) != len(self.states):
            return False
        a = x._edge.array
        if a.shape[1:] != (self.input_size,) or a.dtype != self.dtype:
            return False
        shape = (a.shape[0], self.hidden_size)
        for part in parts:
            if not isinstance(part, Tensor):
                return False
            if part._edge.array.shape != shape or part._edge.array.dtype != self.dtype:
                return False
        return True

    def forward(self, x: Tensor, state: Any) -> Any:
        """The equations of the cell: what a subclass is for."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Sizes and gates, as `print` shows them."""
        return f"{self.input_size}, {self.hidden_size}, gates={self.gates}"


_call = Cell.__call__  # as it is written here: see `is_same_every_step`
