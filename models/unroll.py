"""The time loop: one cell, applied step after step. It is written here alone.

    output, state = unroll(cell, x, state)      # output[t] is the first part of s[t+1]

A cell is anything that can be called as `cell(x_t, state) -> state`, the state being a
tensor or a tuple of tensors. Ours are in `rnn.py`, `lstm.py` and `gru.py`; a cell of
your own gets the same pictures, tables and steps, and its gates are known by their
scopes: `with gate("f"): ...`. Backpropagation through time is not written anywhere: it
is the reverse walk over the graph that this loop records.

Time is 0-based: step t maps (x[t], s[t]) to s[t+1]; s[0] is the initial state.

Read next: `masking.py` (sequences of unequal length).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DTypeError, IndexingError, ShapeError
from minigrad.engine.graph import Node, ancestors, next_seq
from minigrad.engine.known_names import KnownNames
from minigrad.engine.primitives.folded import may_fold
from minigrad.engine.quiet import uncollected
from minigrad.engine.repeating.repeated_step import constant_of, repetition
from minigrad.engine.scope import GATES, Scope, enable_grad, thread, time_step
from minigrad.engine.scope import loop as loop_scope
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import leaving
from minigrad.reading.gates import by_letter, gate_values, unknown
from minigrad.reading.levels import NAMED
from minigrad.reading.loops import Loops

from .cell import is_same_every_step
from .input_checks import as_tensor
from .last_outputs import watched_output
from .masking import Mask, make_mask
from .state_checks import check_new_state

State = Tensor | tuple[Tensor, ...]
Cell = Callable[[Tensor, Any], Any]


class Unrolled(KnownNames):
    """What the loop over one cell gave: `output, state = unroll(...)`, and all between.

    output  (T, B, H): the first part of the state after each step, in the order of the
            input; zeros at padded steps
    state   the state at the end, in the form in which the initial one was given
    states  T+1 states, the initial one first, in the order of processing (a reverse
            loop goes from step T-1 to step 0): of a cell of your own what it returned,
            of the cells here tuples (h,) or (h, c)
    parts   the same, tuples of tensors in any case
    times   the time step behind each entry of states[1:]
    cell    what was unrolled
    mask    (T, B) booleans, True = real, or None
    self["f"]  or self["forget gate"]: the values of a gate or a state at all steps,
            ndarray (T, B, H), in the order of the input. At padded steps gates are
            zeros, and states are what was kept.
    names   what can be asked for in this way: letters
    gate_nodes  the nodes behind the gates, by letter and step, for other readers
    """

    def __init__(
        self,
        cell: Cell,
        states: list[tuple[Tensor, ...]],
        times: Sequence[int],
        mask: Mask | None,
        bare: bool,
        began: tuple[int, tuple[Scope, ...]],
    ) -> None:
        self.cell = cell
        self.parts = states
        self.times = times
        self._mask = mask
        self._bare = bare
        self._began = began  # the loop's first seq, and the scopes around it

    def __iter__(self) -> Iterator[Any]:
        return iter((self.output, self.state))

    @property
    def state(self) -> State:
        """The state after the last step processed."""
        return self.parts[-1][0] if self._bare else self.parts[-1]

    @cached_property
    def states(self) -> list[Any]:
        """T+1 states, the initial one first."""
        own = self._bare and not hasattr(self.cell, "states")
        return [state[0] for state in self.parts] if own else self.parts

    @property
    def mask(self) -> np.ndarray | None:
        """(T, B) booleans, True where a step is real; None if all are."""
        return None if self._mask is None else self._mask.array

    def in_time(self, part: int) -> list[Tensor]:
        """A part of the state after each step, in the order of the input."""
        found = [state[part] for state in self.parts[1:]]
        return found if self.times[0] == 0 else found[::-1]

    @cached_property
    def output(self) -> Tensor:
        """(T, B, H): the first part of the state after each step; zeros at padding."""
        output = mg.stack(self.in_time(0))
        if self._mask is None:
            return output
        return watched_output(self._mask.zeroed(output), self._mask.array)

    @cached_property
    def gate_nodes(self) -> dict[str, dict[int, Node]]:
        """The node that made each gate, by letter and time step."""
        first, scopes = self._began
        made = ancestors([part.node for state in self.parts for part in state])
        loop = Loops([node for node in made if node.seq >= first]).at(scopes)
        return {} if loop is None else by_letter(loop.nodes, loop.inside, NAMED)

    @cached_property
    def _gates(self) -> dict[str, np.ndarray]:
        return gate_values(self.gate_nodes, len(self.times), self.mask)

    def _letter(self, name: str) -> str:
        """A gate's letter, from the letter or from its name in the table of gates."""
        known = self.names
        named = [letter for letter in known if GATES.get(letter) == name]
        return name if name in known or not named else named[0]

    @property
    def state_names(self) -> tuple[str, ...]:
        """The letters of the state's parts: the cell's own, or h, c, s2, s3, ..."""
        count = len(self.parts[0])
        letters = ("h", "c", *(f"s{k}" for k in range(2, count)))[:count]
        return tuple(getattr(self.cell, "states", letters))

    @property
    def names(self) -> list[str]:
        """The gates and states whose values `self[name]` gives."""
        return list(dict.fromkeys([*self._gates, *self.state_names]))

    def __getitem__(self, name: str) -> np.ndarray:
        name = self._letter(name)
        if name in self.state_names:
            part = self.state_names.index(name)
            return np.stack([state.data for state in self.in_time(part)])
        if name not in self._gates:
            raise unknown(name, self.names, self.parts[-1][0])
        leaving(self.parts[-1][0], f"trace[{name!r}]")
        return self._gates[name]

    def layer(self, k: int) -> Unrolled:
        """Itself: a loop has one cell. (A model's `Trace` has more.)"""
        if k != 0:
            raise IndexingError(
                f"layer({k}): one cell was unrolled",
                expect="layer(0)",
                actual=str(k),
                hint="model.trace(x) has one layer for each of model.cells",
            )
        return self


@checked_call
def unroll(
    cell: Cell,
    x: Any,
    state: Any,
    mask: Any = None,
    *,
    lengths: Any = None,
    reverse: bool = False,
) -> Unrolled:
    """Apply `cell` to x[0], x[1], ..., carrying its state along.

    cell     any callable (x_t, state) -> state. If it has `for_sequence()`, that is
             called once and gives the callable: for what is drawn once per sequence
    x        (T, B, D), T >= 1; it is taken apart once, so that backward is linear in T
             (a cell of your own may take other shapes, (T, ...))
    state    s[0]: a tensor, or a tuple of tensors, as the cell takes and returns it
    mask     (T, B) booleans, True = real. Padded inputs are zeroed, padded steps change
             no state and output zeros, and gradients there are exactly zero
    lengths  (B,), instead of a mask: the number of real steps at the front
    reverse  go from step T-1 to step 0; with a mask, within each sequence's own steps

    Returns an `Unrolled`: `output, state = unroll(...)`.
    Raises ShapeError and DTypeError if x has no step, or if the cell returns a state
    of another form, shape or dtype than it was given; see `make_mask` for mask,
    lengths.
    """
    if not callable(cell):
        raise DTypeError(
            "unroll(cell, x, state): the cell cannot be called",
            expect="a function or module: cell(x_t, state) -> state",
            actual=type(cell).__name__,
            hint="for example models.LSTMCell(input_size, hidden_size)",
        )
    x = as_tensor(x, "x")
    steps = x.shape[0] if x.ndim else 0
    if steps == 0:
        raise ShapeError(
            "unroll(cell, x, state): x has no time step",
            expect="x of shape (T, B, D), T >= 1",
            actual=f"x: {x.shape} {x.dtype}",
            hint="time is the first axis; leave empty sequences out",
        )
    array = make_mask(lengths, mask, steps, x.shape[1] if x.ndim > 1 else None)
    real = None if array is None else Mask(array)
    xs = mg.unstack(real.zeroed(x) if real else x)
    with loop_scope(own_name(cell)):
        loop = run(cell, xs, state, real, reverse)
    _ = loop.output  # made now, in the scope and under the no_grad() of now
    return loop


@checked_call
def unroll_traced(cell: Cell, x: Any, state: Any, mask: Any = None, **how: Any) -> Any:
    """`unroll`, recorded even under `no_grad()`, with s[0] among what has a gradient.

    The way to look at a cell of your own: gates by name, Jacobians back to s[0].
    """
    with enable_grad():
        bare = not isinstance(state, tuple | list)
        starts = [watched(s, "s_0") for s in ([state] if bare else state)]
        return unroll(cell, x, starts[0] if bare else tuple(starts), mask, **how)


def watched(state: Any, name: str) -> Tensor:
    """The state, as a leaf that has a gradient if it had none."""
    state = as_tensor(state, name)
    if state.requires_grad:
        return state
    return Tensor(state.data, requires_grad=True, name=state.name or name)


def own_name(module: Any) -> str:
    """What the user calls a model: the attribute it is in, such as "encoder"; "" where
    that says no more than its kind."""
    called = getattr(module, "called", "")
    return "" if called.lower() in ("cell", "rnn", "lstm", "gru", "model") else called


def run(
    cell: Cell,
    xs: Sequence[Tensor],
    state: Any,
    mask: Mask | None = None,
    reverse: bool = False,
) -> Unrolled:
    """The loop itself, over inputs that are already apart: one tensor per step."""
    bare = not isinstance(state, tuple | list)
    now = tuple([as_tensor(s, None) for s in ([state] if bare else state)])
    began = next_seq(), thread.recorder.scope
    real = [mask.steps(s) for s in now] if mask else []
    times = range(len(xs))[::-1] if reverse else range(len(xs))
    states = [now]
    step = cell.for_sequence() if hasattr(cell, "for_sequence") else cell
    alike = len(times) > 4 and is_same_every_step(step)
    # One step is recorded, to repeat it, where nothing is to be.
    once = alike and not thread.recorder.recording and may_fold()
    given = [xs, *{id(keep): keep for keep in real}.values()]
    with uncollected():
        while len(states) <= len(times):
            t = times[len(states) - 1]
            with time_step(t), enable_grad() if once else nullcontext():
                made = step(xs[t], now[0] if bare else now)
                new = (made,) if bare else made
                check_new_state(new, now)
                if mask:  # a padded step keeps the state it found
                    new = [
                        mg.where(keep[t], after, before)
                        for keep, after, before in zip(real, new, now, strict=True)
                    ]
                before, now = now, tuple(new)
                states.append(now)
                again = None
                if alike and len(states) < 4:
                    row = [part[t] for part in given]
                    again = repetition(row, before, now, began[0] if once else None)
            if once:
                states[-1] = now = tuple([constant_of(part) for part in now])
                alike = once = False
            if again is not None:
                states += again.through(given, times[len(states) - 1 :], now)
                now = states[-1]
    return Unrolled(cell, states, times, mask, bare, began)
