"""Or there is an error: ways to change an array that the graph has saved.

After each, the way raised, or the gradient is still that of the program that ran.

Read next: `same_bits.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.checking.outcome import Effort, Outcome


class Program:
    """x and w, and everything that was computed of them, before backward."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.given = rng.standard_normal((3, 4))
        self.x = mg.tensor(self.given, requires_grad=True, name="x")
        self.w = mg.nn.Parameter(rng.standard_normal((4, 4)), name="w")
        self.y = self.x @ self.w
        self.z = mg.tanh(self.y) * self.y
        self.norm = mg.norm(self.z, axis=1)
        self.loss = (self.norm * mg.exp(-self.norm)).sum() + self.z.T.sum()

    def gradients(self) -> list[np.ndarray]:
        return [g.data for g in mg.grad(self.loss, [self.x, self.w])]


def _write(array: Any) -> None:
    array[...] = 9.0


def _base(array: np.ndarray) -> None:
    """Write into what the array is a view of."""
    below = array.base
    if isinstance(below, np.ndarray):
        below[...] = 9.0
    else:
        raise ValueError("no base")


def _flag(array: np.ndarray) -> None:
    """Ask NumPy for the right to write."""
    array.flags.writeable = True
    array[...] = 9.0


def _base_flag(array: np.ndarray) -> None:
    below = array.base
    if not isinstance(below, np.ndarray):
        raise ValueError("no base")
    below.flags.writeable = True
    below[...] = 9.0


def _output(node: Any) -> None:
    """Write into the array that a node holds."""
    node.outputs[0][...] = 9.0


def _bytes(array: Any) -> None:
    """Write the first byte."""
    memoryview(array).cast("B")[0] = 1


def _sgd(program: Program) -> None:
    """An optimiser's step between forward and backward."""
    optimizer = mg.optim.SGD([program.w], lr=10.0)
    program.w.grad = mg.ones_like(program.w)
    optimizer.step()
    program.w.grad = None


def _in_place(program: Program) -> None:
    with mg.no_grad():
        program.w -= 10.0


def _load(program: Program) -> None:
    module = mg.nn.Linear(4, 4)
    module.weight = program.w
    state = {name: np.ones(p.shape) for name, p in module.named_parameters()}
    module.load_state_dict(state)


def _rebind(program: Program) -> None:
    program.w.data = np.zeros((4, 4))
    program.x.data = np.zeros((3, 4))


def _other_gradient(program: Program) -> None:
    """What backward handed out is changed, then backward runs again."""
    for g in mg.grad(program.loss, [program.x, program.w]):
        _flag(g.data)


WAYS: dict[str, Callable[[Program], Any]] = {
    "a write to the array given to mg.tensor": lambda p: _write(p.given),
    "x.data[...] = 9": lambda p: _write(p.x.data),
    "x.numpy()[...] = 9": lambda p: _write(p.x.numpy()),
    "x.detach().data[...] = 9": lambda p: _write(p.x.detach().data),
    "y.data[...] = 9": lambda p: _write(p.y.data),
    "y.numpy()[...] = 9": lambda p: _write(p.y.numpy()),
    "z.T.data[...] = 9": lambda p: _write(p.z.T.data),
    "np.asarray of a detached tensor": lambda p: _write(np.asarray(p.z.detach())),
    "a view with reversed rows": lambda p: _write(p.y.data[::-1]),
    "a reshaped view": lambda p: _write(p.y.data.reshape(-1)),
    "the output of a node": lambda p: _output(p.y.node),
    "x.data.base": lambda p: _base(p.x.data),
    "y.data.base": lambda p: _base(p.y.data),
    "norm.data.base": lambda p: _base(p.norm.data),
    "z.T.data.base": lambda p: _base(p.z.T.data),
    "z.T.data.base, made writable": lambda p: _base_flag(p.z.T.data),
    "norm.data.base, made writable": lambda p: _base_flag(p.norm.data),
    "x.data made writable": lambda p: _flag(p.x.data),
    "y.data made writable": lambda p: _flag(p.y.data),
    "np.copyto": lambda p: np.copyto(p.y.data, 9.0),
    "np.add with out=": lambda p: np.add(p.y.data, 1.0, out=p.y.data),
    "np.put": lambda p: np.put(p.y.data, [0, 1], 9.0),
    "np.fill_diagonal": lambda p: np.fill_diagonal(p.w.data, 9.0),
    "ndarray.sort": lambda p: p.y.data.sort(),
    "ndarray.fill": lambda p: p.y.data.fill(9.0),
    "ndarray.resize": lambda p: p.y.data.resize((2, 2), refcheck=False),
    "np.add.at": lambda p: np.add.at(p.y.data, (0, 0), 9.0),
    "a memoryview": lambda p: _bytes(p.y.data),
    "x[0] = 9": lambda p: p.x.__setitem__(0, 9.0),
    "an optimiser's step before backward": _sgd,
    "w -= 10 under no_grad": _in_place,
    "load_state_dict before backward": _load,
    "p.data = other": _rebind,
    "a gradient that was handed out": _other_gradient,
}
REFUSED = (ValueError, TypeError, BufferError, RuntimeError, AttributeError)


def saved_arrays(effort: Effort) -> Outcome:
    """Every way raises, or leaves the gradient as it was, bit for bit."""
    outcome = Outcome("or an error", "ways to change what the graph has saved")
    expected = Program().gradients()
    for name, way in WAYS.items():
        program = Program()
        try:
            way(program)
        except REFUSED:
            outcome.expect(True, name)
            continue
        found = program.gradients()
        same = all(np.array_equal(g, e) for g, e in zip(found, expected, strict=True))
        outcome.expect(same, f"{name}: the gradient changed, and nothing was said")
    return outcome
