"""Values and gradients of random programs in HIPS autograd, PyTorch and JAX.

Each is a function of an expression that returns its value and the gradient of each of
its inputs; with a generator as second argument, the weights of its sum are changed in
their last digits. JAX compiles each program anew, which takes a hundred times as long
as running it: so its program of the gradient is taken as it derived it, and evaluated
with NumPy. Most of the time is then spent on tracing: an operation that was traced
before, on such shapes, is remembered.
"""

import gc
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from checking.torch_library import torch_library

import minigrad as mg
from minigrad.checking import expressions
from minigrad.checking.array_library import array_library
from minigrad.checking.expressions import run
from minigrad.checking.operations import MINIGRAD


def nudged(library, rng):
    """The library, with constants that differ by 1e-15 if there is a generator."""
    if rng is None:
        return library

    def constant(array):
        change = 1 + 1e-15 * rng.standard_normal(array.shape)
        return library.constant(np.asarray(array * change))

    return SimpleNamespace(**{**vars(library), "constant": constant})


def ours(made, rng=None, create_graph=False):
    """minigrad's own; recorded, where they are to be derived once more."""
    library = nudged(MINIGRAD, rng)
    output, leaves = run(made, library, lambda a: mg.tensor(a, requires_grad=True))
    found = mg.grad(output, leaves, create_graph=create_graph, allow_unused=True)
    return float(output), [g.data for g in found]


def of_arrays(made, library, **more):
    """The program as a function of its inputs, in that library."""

    def function(*inputs):
        given = iter(inputs)
        return run(made, library, lambda _: next(given), **more)[0]

    return function, tuple(range(len(made.inputs)))


def autograd():
    """HIPS autograd."""
    autograd = pytest.importorskip("autograd", reason="needs autograd")
    library = array_library(autograd.numpy)

    def gradients(made, rng=None):
        value, found = autograd.value_and_grad(*of_arrays(made, nudged(library, rng)))(
            *made.inputs
        )
        return float(value), list(found)

    return gradients


def pytorch(library=None):
    """PyTorch."""
    torch = pytest.importorskip("torch", reason="needs torch")
    library = library or torch_library(torch)

    def leaf(array):
        return torch.tensor(array, dtype=torch.float64, requires_grad=True)

    def gradients(made, rng=None):
        output, leaves = run(made, nudged(library, rng), leaf)
        found = torch.autograd.grad(output, leaves, allow_unused=True)
        pairs = zip(found, leaves, strict=True)
        return output.item(), [
            np.zeros(x.shape) if g is None else g.numpy() for g, x in pairs
        ]

    return gradients


def jax():
    """JAX: it derives the program of the gradient, NumPy evaluates it."""
    jax = pytest.importorskip("jax", reason="needs jax")
    from checking.jaxpr_in_numpy import evaluate

    jax.config.update("jax_enable_x64", True)
    library = array_library(jax.numpy)
    known = {}

    def perform(step, _, operands):
        """JAX keeps what it derived for a function that it knows."""
        key = step.name, repr(step.attrs)
        if key not in known:
            if len(known) % 100 == 0:  # or the collector looks through it all each time
                gc.collect()
                gc.freeze()
            made = partial(expressions.perform, step, library)
            known[key] = jax.jit(lambda *operands: made(operands))
            if len(known) > 3000:
                known.pop(next(iter(known)))
        return known[key](*operands)

    def gradients(made, rng=None):
        function = jax.value_and_grad(
            *of_arrays(made, nudged(library, rng), perform=perform)
        )
        derived = jax.make_jaxpr(function)(*made.inputs)
        value, *found = evaluate(derived, made.inputs)
        return float(value), found

    return gradients


ORACLES = {"HIPS autograd": autograd, "PyTorch": pytorch, "JAX": jax}


def difference(one, other):
    """The largest relative difference of the values and of any gradient."""
    (value, gradients), (expected, others) = one, other
    worst = abs(value - expected) / max(abs(expected), 1.0)
    for g, h in zip(gradients, others, strict=True):
        scale = float(np.abs(h).max(initial=0.0)) or 1.0
        worst = max(worst, float(np.abs(g - h).max(initial=0.0)) / scale)
    return worst if worst == worst else np.inf


def rounding(made, oracle):
    """How far gradients move when the last digits of inputs and weights change.

    Where all terms of a gradient cancel, each library has another remainder, and so has
    each of them for numbers that differ by 1e-15. Ours or the oracle's, whichever moves
    more: one of them may cancel to nothing.
    """
    rng, worst = np.random.default_rng(0), 0.0
    for library in (ours, oracle):
        expected = library(made)
        for _ in range(5):
            moved = tuple(
                np.asarray(a * (1 + 1e-15 * rng.standard_normal(a.shape)))
                for a in made.inputs
            )
            near = library(made._replace(inputs=moved), rng)
            worst = max(worst, difference(near, expected))
    return worst
