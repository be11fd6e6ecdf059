"""The LSTM of 1997: memory blocks, no forget gate, and gates that see all units.

Read next: `gru.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ShapeError
from minigrad.engine.random import generator
from minigrad.engine.scope import gate
from minigrad.engine.tensor import Tensor
from minigrad.nn import Module, Parameter
from minigrad.nn import init as start

from .input_checks import as_tensor, floating, same_dtype, size
from .unroll import unroll, unroll_traced

States = tuple[Tensor, ...]


class LSTM1997Cell(Module):
    """One step of b memory blocks of s cells each; a block's cells share their gates.

    i, o = sigmoid(x W_x + u W_h + b)  one per block,   g = 2 tanh(net / 2)  per cell
    c' = c + i * g,                                     h' = o * tanh(c' / 2)

    2 tanh(net / 2) is the paper's 4 sigmoid(net) - 2, in (-2, 2), and tanh(c / 2) its
    2 sigmoid(c) - 1, in (-1, 1). u are the previous values of all hidden units: cells,
    input gates and output gates.

    blocks       b;  cells_per_block: s
    forget_gate  True: c' = f * c + i * g, as in Gers et al. 2000
    gates_seen   False: u are the cells' outputs alone, as in Gers et al. 2000
    cell_bias    False: only the gates have a bias
    input_bias, output_bias, forget_bias  what the gates' biases start at: a number, or
                 one per block, such as (-3, -6)
    scale        weights and the other biases start as U(-scale, scale)
    dtype, rng   as of `Cell`

    Shapes:  x (B, D); h, c (B, b*s), a (B, gates*b): the gates' values -> the same;
             without `gates_seen` the state is (h, c). W_x (D, U), W_h (units seen, U),
             b (U,), in the order of `gates`: i (b), f (b), g (b*s), o (b)
    Units:   gates in (0, 1), g in (-2, 2), h' in (-1, 1); c is not bounded
    Errors:  ArgumentError for sizes below 1; ShapeError for biases that are not one per
             block, and for an x or a state that does not fit
    Source:  Hochreiter & Schmidhuber 1997, "Long Short-Term Memory", sections 4 and
             A.1. Its truncated gradient is not repeated: ours is the whole one
    """

    kind = "lstm 1997"

    def __init__(
        self,
        input_size: int,
        blocks: int,
        cells_per_block: int = 1,
        *,
        forget_gate: bool = False,
        gates_seen: bool = True,
        cell_bias: bool = True,
        input_bias: Any = 0.0,
        output_bias: Any = 0.0,
        forget_bias: Any = 1.0,
        scale: float = 0.1,
        dtype: Any = "float64",
        rng: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = size("input_size", input_size)
        self.blocks = size("blocks", blocks)
        self.cells_per_block = size("cells_per_block", cells_per_block)
        self.hidden_size = self.blocks * self.cells_per_block
        self.dtype = floating(dtype)
        self.forget_gate, self.gates_seen = bool(forget_gate), bool(gates_seen)
        self.cell_bias = bool(cell_bias)
        self.gates = ("i", "f", "g", "o") if forget_gate else ("i", "g", "o")
        self.states = ("h", "c", "a") if gates_seen else ("h", "c")
        rng = generator(rng, type(self).__name__)
        widths = [self.hidden_size if k == "g" else self.blocks for k in self.gates]
        self.ends = np.cumsum(widths)  # where each gate's columns end
        units = int(self.ends[-1])
        seen = units if gates_seen else self.hidden_size

        def drawn(*shape: int) -> np.ndarray:
            return start.uniform(shape, -scale, scale, rng=rng, dtype=self.dtype)

        self.W_x = Parameter(drawn(self.input_size, units), name="W_x")
        self.W_h = Parameter(drawn(seen, units), name="W_h")
        biases = {"i": input_bias, "f": forget_bias, "o": output_bias}
        self.b = Parameter(self._biases(drawn(units), biases), name="b")

    def _biases(self, drawn: np.ndarray, biases: dict[str, Any]) -> np.ndarray:
        """All biases (U,), or without `cell_bias` those of the gates, in one array."""
        parts = np.split(np.array(drawn), self.ends[:-1])
        for letter, part in zip(self.gates, parts, strict=True):
            if letter != "g":
                part[:] = self._per_block(letter, biases[letter])
        kept = self.cell_bias
        return np.concatenate(
            [p for k, p in zip(self.gates, parts, strict=True) if k != "g" or kept]
        )

    def _per_block(self, letter: str, value: Any) -> np.ndarray:
        array = np.asarray(value, self.dtype)
        if array.shape not in ((), (self.blocks,)):
            raise ShapeError(
                f"LSTM1997Cell: the biases of gate {letter} are not one per block",
                expect=f"a number, or {self.blocks} of them",
                actual=f"shape {array.shape}",
                hint="(-3, -6) for two blocks",
            )
        return array

    def zero_state(self, batch: int) -> States:
        """The state that a sequence starts from: zeros, gates included."""
        gates = self.blocks * (len(self.gates) - 1)
        widths = {"h": self.hidden_size, "c": self.hidden_size, "a": gates}
        return tuple(
            [
                Tensor(np.zeros((batch, widths[name]), self.dtype), name=f"{name}_0")
                for name in self.states
            ]
        )

    def forward(self, x: Tensor, state: States) -> States:
        """The next state from x (B, D) and the state; see the class."""
        h, c, *others = state
        seen = mg.concatenate([h, *others], axis=1) if others else h
        z = x @ self.W_x + seen @ self.W_h + self._bias()
        sums = dict(zip(self.gates, mg.split(z, self.ends[:-1], axis=1), strict=True))
        with gate("i"):
            i = mg.sigmoid(sums["i"])
        opened = [i]
        if self.forget_gate:
            with gate("f"):
                f = mg.sigmoid(sums["f"])
            opened.append(f)
        with gate("g"):
            g = 2.0 * mg.tanh(0.5 * sums["g"])
        with gate("c"):
            kept = self._spread(f) * c if self.forget_gate else c
            new_c = kept + self._spread(i) * g
        with gate("o"):
            o = mg.sigmoid(sums["o"])
        opened.append(o)
        with gate("h"):
            h = self._spread(o) * mg.tanh(0.5 * new_c)
        if not others:
            return h, new_c
        return h, new_c, mg.concatenate(opened, axis=1)

    def _bias(self) -> Tensor:
        """The biases with zeros for the cells where these have none, (U,)."""
        if self.cell_bias:
            return self.b
        before = int(self.ends[self.gates.index("g") - 1])
        first, last = mg.split(self.b, [before])
        zeros = Tensor(np.zeros(self.hidden_size, self.dtype))
        return mg.concatenate([first, zeros, last])

    def _spread(self, gate_values: Tensor) -> Tensor:
        """A gate per block (B, b) as a gate per cell (B, b*s)."""
        if self.cells_per_block == 1:
            return gate_values
        batch = gate_values.shape[0]
        shape = (batch, self.blocks, self.cells_per_block)
        wide = mg.broadcast_to(gate_values.expand_dims(2), shape)
        return wide.reshape(batch, self.hidden_size)

    def extra_repr(self) -> str:
        """Sizes and gates, as `print` shows them."""
        return (
            f"{self.input_size}, blocks={self.blocks}, "
            f"cells_per_block={self.cells_per_block}, gates={self.gates}"
        )


class LSTM1997(Module):
    """The LSTM of 1997 over whole sequences: `output, state = lstm(x)`.

    The arguments are those of `LSTM1997Cell`, which has equations, errors and source.

    Shapes:  x (T, B, D) -> output (T, B, blocks * cells_per_block), state (h, c, a)
    """

    def __init__(
        self, input_size: int, blocks: int, cells_per_block: int = 1, **options: Any
    ) -> None:
        super().__init__()
        self.cell = LSTM1997Cell(input_size, blocks, cells_per_block, **options)
        self.cells = [self.cell]
        self.hidden_size = self.cell.hidden_size

    def forward(
        self, x: Any, state: Any = None, lengths: Any = None, mask: Any = None
    ) -> tuple[Tensor, States]:
        """The cells' output at every step, and the last state."""
        x, state = self._start(x, state)
        output, state = unroll(self.cell, x, state, mask, lengths=lengths)
        return output, state

    def trace(
        self, x: Any, state: Any = None, lengths: Any = None, mask: Any = None
    ) -> Any:
        """Run, and keep all gates and states: an `Unrolled`."""
        x, state = self._start(x, state)
        return unroll_traced(self.cell, x, state, mask, lengths=lengths)

    def _start(self, x: Any, state: Any) -> tuple[Tensor, States]:
        x = as_tensor(x, "x")
        if x.ndim != 3 or x.shape[2] != self.cell.input_size:
            raise ShapeError(
                "LSTM1997(x): x does not fit",
                expect=f"x of shape (T, B, {self.cell.input_size})",
                actual=f"shape {x.shape}",
                hint="time comes first, then the batch, then the numbers of a step",
            )
        same_dtype("LSTM1997", self.cell.dtype, x=x)
        return x, self.cell.zero_state(x.shape[1]) if state is None else state


@checked_call
def weight_count(
    inputs: int, outputs: int, blocks: int, cells_per_block: int, biases: int
) -> int:
    """The number of weights of a net of the paper: hidden units, and outputs.

    hidden = b*s + 2b units see all inputs and all hidden units, outputs see the cells.
    """
    cells = blocks * cells_per_block
    hidden = cells + 2 * blocks
    return hidden * (inputs + hidden) + outputs * cells + biases


@checked_call
def chrono_biases(hidden: int, longest: float, rng: Any = None) -> np.ndarray:
    """Forget-gate biases that keep for about 1 to `longest` steps: log U(1, longest).

    Source: Tallec & Ollivier 2018, "Can recurrent neural networks warp time?", who
    start the input gate at their negatives.
    """
    drawn = generator(rng, "chrono_biases").uniform(1.0, max(1.0, longest), hidden)
    return np.log(np.maximum(drawn, math.nextafter(1.0, 2.0)))
