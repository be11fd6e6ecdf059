"""Layers and directions: what is built of cells and the time loop, and a model's trace.

A layer runs one cell over the sequence, or two in opposite directions whose outputs are
joined step by step; the next layer reads what it gave, step by step. Nothing of this is
known to the cells.

How a trace finds the gates in the graph is `minigrad/reading/gates.py`.

Read next: `dropout.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.calls import checked_methods
from minigrad.engine.errors import ArgumentError, IndexingError, flag
from minigrad.engine.known_names import KnownNames
from minigrad.engine.random import generator
from minigrad.engine.scope import cell as cell_scope
from minigrad.engine.scope import enable_grad, layer, time_step
from minigrad.engine.scope import loop as loop_scope
from minigrad.engine.tensor import Tensor
from minigrad.nn import Dropout, Module

from .cell import Cell
from .input_checks import (
    as_tensor,
    floating,
    initial_state,
    no_others,
    same_dtype,
    sequence,
    share_dropped,
    size,
)
from .last_outputs import watched_output
from .masking import Mask, make_mask
from .unroll import Unrolled, own_name, run, watched


@checked_methods
class Trace(KnownNames):
    """All that a model did with a sequence: `tr = lstm.trace(x)`.

    output      (T, B, directions*H), as the model returns it
    state       the final state, as the model returns it
    self["f"]   ndarray (T, B, H): a gate or state of layer 0 at every step
    names       what can be asked for in this way
    states      T+1 tuples of tensors of layer 0, the initial state first. They are part
                of the graph: mg.grad(loss, tr.states[k]) works, k = 0 included
    layer(k)    the same for cell k of `model.cells`, in the order in which it ran
    layers      all of these
    """

    def __init__(self, output: Tensor, state: Any, layers: list[Unrolled]) -> None:
        self.output = output
        self.state = state
        self.layers = layers

    def __iter__(self) -> Iterator[Any]:
        return iter((self.output, self.state))

    def __getitem__(self, name: str) -> np.ndarray:
        return self.layers[0][name]

    @property
    def names(self) -> list[str]:
        """The gates and states of layer 0 whose values `self[name]` gives."""
        return self.layers[0].names

    @property
    def states(self) -> list[tuple[Tensor, ...]]:
        """The T+1 states of layer 0."""
        return self.layers[0].states

    def layer(self, k: int) -> Unrolled:
        """What cell k did: see `Unrolled`. IndexingError if there is no such cell."""
        if not isinstance(k, int | np.integer) or not 0 <= k < len(self.layers):
            raise IndexingError(
                f"layer({k!r}): there is no such cell",
                expect=f"k in 0..{len(self.layers) - 1}",
                actual=repr(k),
                hint="cells are counted as in model.cells: by layer, forward first",
            )
        return self.layers[k]


@checked_methods
class Recurrent(Module):
    """Layers of cells, in one direction or both.

    cells   layers * directions cells: layer 0 forward, layer 0 reverse, layer 1 ...
    config  the arguments that make another model of this kind: `LSTM(**lstm.config)`

    reverse      one direction, from each sequence's end to its start; the output is in
                 the order of the input
    batch_first  x, output and mask are (B, T, ...) instead of (T, B, ...); states are
                 not, and a trace's gates and states are (T, B, H) always
    dropout      while training: the share of the entries of each layer's output that
                 the next layer does not see, drawn anew at every step. Not after the
                 last layer. Both options are PyTorch's

    Padding: `lengths` (B,) says how many steps at the front are real, `mask` (T, B)
    which ones, on any side. Padded inputs may hold anything, NaN included; padded steps
    change no state, give zeros as output, and get gradients that are exactly zero.

    Errors:  ShapeError: x is not (T, B, D) with T >= 1, a state not (layers*directions,
             B, H), lengths not (B,), mask not (T, B). DTypeError: x or a state of
             another dtype than the weights. ArgumentError: lengths out of range,
             lengths and mask at once, unknown names of variants
    """

    def __init__(
        self,
        make_cell: type[Cell],
        input_size: int,
        hidden_size: int,
        num_layers: int,
        options: dict[str, Any],
        *,
        bidirectional: bool,
        batch_first: bool,
        dropout: float,
        rng: Any,
        reverse: bool = False,
        others: dict[str, Any],
    ) -> None:
        super().__init__()
        no_others(type(self).__name__, others)
        sizes = {
            "input_size": size("input_size", input_size),
            "hidden_size": size("hidden_size", hidden_size),
            "num_layers": size("num_layers", num_layers),
        }
        self.config: dict[str, Any] = {
            **sizes,
            "bidirectional": flag("bidirectional", bidirectional),
            "batch_first": flag("batch_first", batch_first),
            "dropout": dropout,
            **({"reverse": True} if reverse else {}),
            **options,
            "dtype": floating(options["dtype"]).name,
        }
        self.input_size, self.hidden_size, self.num_layers = sizes.values()
        self.bidirectional = flag("bidirectional", bidirectional)
        self.batch_first = flag("batch_first", batch_first)
        self.reverse = bool(reverse)
        if reverse and bidirectional:
            raise ArgumentError(
                f"{type(self).__name__}(reverse=True, bidirectional=True)",
                expect="one direction, or both",
                actual="both directions, and one of them",
                hint="bidirectional=True reads from the start and from the end",
            )
        rng = generator(rng, type(self).__name__)  # one for all cells
        directions = 2 if bidirectional else 1
        between = [directions * self.hidden_size] * (self.num_layers - 1)
        self.cells: list[Any] = [
            make_cell(width, self.hidden_size, rng=rng, **options)
            for width in [self.input_size, *between]
            for _ in range(directions)
        ]
        if share_dropped(type(self).__name__, dropout, self.num_layers):
            self.between = Dropout(dropout, rng=rng)
        if len(self.cells) > 1:  # pictures and tables tell their weights apart
            for name, parameter in self.named_parameters():
                parameter.name = name

    @property
    def gates(self) -> tuple[str, ...]:
        """The letters of the gates, in the order of the columns of W_x, W_h and b."""
        return tuple(self.cells[0].gates)

    def run(self, x: Any, state: Any, lengths: Any, mask: Any) -> tuple[Tensor, Any]:
        """The output (T, B, directions*H) and the final state."""
        return self._run(x, state, lengths, mask, False)[:2]

    def trace(
        self, x: Any, state: Any = None, lengths: Any = None, mask: Any = None
    ) -> Trace:
        """Run, and keep all gates and states. Records its graph even in `no_grad()`.

        The initial state is among what has a gradient, so that derivatives reach back
        to it. Arguments and errors are those of the model's own call.
        """
        with enable_grad():
            return Trace(*self._run(x, state, lengths, mask, True))

    def _run(
        self, x: Any, state: Any, lengths: Any, mask: Any, traced: bool
    ) -> tuple[Tensor, Any, list[Unrolled]]:
        x, real = self._input(x, lengths, mask)
        starts = self._starts(state, x.shape[1], traced)
        xs: Sequence[Tensor] = mg.unstack(x if real is None else real.zeroed(x))
        with loop_scope(own_name(self)):  # this call's own, whatever is called again
            xs, loops = self._layers(xs, starts, real, traced)
        output = mg.stack(xs)
        if real is not None:
            output = real.zeroed(output)
        if self.batch_first:
            output = output.swapaxes(0, 1)
        if real is not None:
            output = watched_output(output, real.array, self.batch_first)
        ends = zip(*[loop.parts[-1] for loop in loops], strict=True)
        final = tuple([mg.stack(parts) for parts in ends])
        return output, final if len(final) > 1 else final[0], loops

    def _layers(
        self, xs: Sequence[Tensor], starts: list[Any], real: Mask | None, traced: bool
    ) -> tuple[Sequence[Tensor], list[Unrolled]]:
        """The outputs of the last layer, step by step, and the loops of all cells."""
        loops: list[Unrolled] = []
        for number in range(self.num_layers):
            both = []
            for reverse in (False, True) if self.bidirectional else (self.reverse,):
                cell = self.cells[len(loops)]
                with layer(number, reverse), cell_scope(cell.kind):
                    loop = run(cell, xs, starts[len(loops)], real, reverse)
                    if traced:
                        _ = loop.output  # made while recording
                loops.append(loop)
                both.append(loop.in_time(0))
            xs = both[0] if len(both) == 1 else _joined(*both)
            if "between" in vars(self) and number < self.num_layers - 1:
                xs = _dropped(self.between, xs)
        return xs, loops

    def _input(self, x: Any, lengths: Any, mask: Any) -> tuple[Tensor, Mask | None]:
        """x as a tensor (T, B, D), and which of its steps are real; checked."""
        kind = type(self).__name__
        x = as_tensor(x, "x")
        sequence(kind, x, self.input_size, self.batch_first)
        same_dtype(kind, self.cells[0].dtype, x=x)
        if self.batch_first:
            x = x.swapaxes(0, 1)
        array = make_mask(lengths, mask, x.shape[0], x.shape[1], self.batch_first)
        return x, None if array is None else Mask(array)

    def _starts(self, state: Any, batch: int, traced: bool) -> list[Any]:
        """The initial state of every cell, in the form that it takes."""
        kind, first = type(self).__name__, self.cells[0]
        if state is None:
            starts = [cell.zero_state(batch) for cell in self.cells]
            if not traced:
                return starts
            if len(first.states) == 1:
                return [watched(start, "h_0") for start in starts]
            return [tuple([watched(s, "s_0") for s in start]) for start in starts]
        shape = (len(self.cells), batch, self.hidden_size)
        given = initial_state(kind, first.states, state, shape)
        names = [f"{name}0" for name in first.states]
        same_dtype(kind, first.dtype, **dict(zip(names, given, strict=True)))
        if traced:
            given = tuple([watched(s, n) for s, n in zip(given, names, strict=True)])
        apart = [mg.unstack(tensor) for tensor in given]
        if len(apart) == 1:
            return list(apart[0])
        return list(zip(*apart, strict=True))

    def extra_repr(self) -> str:
        """The configuration, as `print` shows it."""
        return ", ".join(f"{name}={value!r}" for name, value in self.config.items())


def _joined(forward: list[Tensor], backward: list[Tensor]) -> list[Tensor]:
    """The two directions side by side, (B, 2H) per step."""
    joined = []
    for t, pair in enumerate(zip(forward, backward, strict=True)):
        with time_step(t):
            joined.append(mg.concatenate(pair, axis=1))
    return joined


def _dropped(drop: Dropout, xs: Sequence[Tensor]) -> list[Tensor]:
    """What the next layer sees of a layer's output, with other entries at each step."""
    seen = []
    for t, x in enumerate(xs):
        with time_step(t):
            seen.append(drop(x))
    return seen
