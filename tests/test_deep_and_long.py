"""Deep and long: chains, diamonds, large graphs looked at, thousands of steps."""

import copy
import gc
import pickle
import re
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.checking.long_graphs import _chain, _diamond, _terms
from minigrad.engine.graph import ancestors
from minigrad.models import LSTM

LONGER_THAN_DEEP = 3 * sys.getrecursionlimit()


@pytest.mark.parametrize(
    "length", [50_001, pytest.param(1_000_001, marks=pytest.mark.nightly)]
)
def test_chains_and_long_sums(length, proof):
    row = proof("deep and long", "operations in a chain, terms in a sum")
    row.expect(_chain(length), f"a chain of {length:,}")
    row.expect(_terms(length // 10), f"a sum of {length // 10:,} terms")
    row.tried = length + length // 10


def test_diamonds_sixty_deep(proof):
    """2^60 paths from the end to the start; with a product, also of second order."""
    row = proof("deep and long", "diamonds 60 deep: sums, products, second order")
    row.expect(_diamond(60), "sums")
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(60):
        y = (y * y) ** 0.5  # 2^60 paths, each of weight 2^-60
    (g,) = mg.grad(y, [x], create_graph=True)
    row.expect(abs(float(g) - 1.0) < 1e-13, "products")
    (h,) = mg.grad(g, [x])
    row.expect(abs(float(h)) < 1e-12, "second order")


def long_graph(count):
    x = mg.tensor(np.array([0.5]), requires_grad=True, name="x")
    y = x
    for _ in range(count // 2):
        y = mg.sin(y) + x
    return y.sum()


def stepped(loss, count):
    """The whole, or, above the most that a page can hold, the part that is offered."""
    if count < 10_000:
        return len(mg.steps(loss).events) > count
    with pytest.raises(mg.errors.GraphError, match=r"steps=range\(\d+, \d+\)") as told:
        mg.steps(loss)
    first, end = map(int, re.search(r"range\((\d+), (\d+)\)", str(told.value)).groups())
    return len(mg.steps(loss, steps=range(first, end)).events) > end - first > 0


@pytest.mark.parametrize(
    "count", [LONGER_THAN_DEEP, pytest.param(100_000, marks=pytest.mark.nightly)]
)
def test_a_large_graph_is_looked_at_copied_and_freed(count, proof):
    row = proof("deep and long", "nodes drawn, stepped, diagnosed and freed")
    loss = long_graph(count)
    row.expect(len(ancestors([loss.node])) > count, "all of it")
    row.expect(mg.draw(loss).dot.startswith("digraph"), "drawn")
    row.expect(stepped(loss, count), "stepped through, a part of it if it is large")
    row.expect(mg.diagnose(loss).findings is not None, "diagnosed")
    row.expect(len(repr(loss)) < 200, "printed")
    for copying in (copy.copy, copy.deepcopy, pickle.dumps):
        try:
            again = copying(loss)
        except (TypeError, mg.errors.MinigradError):
            continue  # it says why: a graph is not copied
        row.expect(float(again) == float(loss), copying.__name__)
    gone = weakref.ref(loss.node.edges[0].array)
    gc.collect()
    gc.disable()
    try:
        del loss
        row.expect(gone() is None, "freed at once, without the garbage collector")
    finally:
        gc.enable()
    row.tried = count


@pytest.mark.parametrize(
    "steps", [300, pytest.param(10_000, marks=pytest.mark.nightly)]
)
def test_training_does_not_grow(steps, proof):
    """Without the garbage collector memory stays what it was after 100 steps."""
    row = proof("deep and long", "training steps with the garbage collector off")
    model = LSTM(2, 4, rng=0)
    optimizer = mg.optim.Adam(model.parameters())
    x = np.random.default_rng(0).standard_normal((3, 2, 2))

    def step():
        optimizer.zero_grad()
        loss = (model(x)[0] ** 2.0).mean()
        loss.backward()
        mg.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            step()
        tracemalloc.start()
        step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(steps):
            step()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    row.expect(grown < 20_000, f"{grown:,} bytes after {steps:,} steps")
    row.tried = steps
