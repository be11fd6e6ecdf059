"""Loops found again in graphs of the same program are those that a search finds."""

import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.graph import ancestors
from minigrad.flow.observation import read_loops
from minigrad.models import GRU, LSTM, RNN
from minigrad.reading import same_loops
from minigrad.reading.loops import Loops
from minigrad.reading.same_loops import SameLoops


def own(rng, steps=6, cut=False):
    W = mg.tensor(np.eye(4) * 0.5, requires_grad=True)
    h, loss = mg.zeros((3, 4)), 0.0
    for t in range(steps):
        with mg.time_step(t):
            h = mg.tanh(rng.standard_normal((3, 4)) + (h.detach() if cut else h) @ W)
            loss = loss + (h * h).sum()
    return loss


def of_model(kind, **options):
    def make(rng, steps=6):
        output, _ = kind(3, 4, rng=0, **options)(rng.standard_normal((steps, 2, 3)))
        return (output * output).mean()

    return make


@pytest.mark.parametrize(
    "make",
    [
        own,
        of_model(RNN, num_layers=2),
        of_model(LSTM, bidirectional=True),
        of_model(GRU),
    ],
    ids=["own", "RNN", "LSTM", "GRU"],
)
def test_they_are_those_that_a_search_finds(make, rng, monkeypatch):
    known, searches = SameLoops(), []

    def searched(nodes):
        searches.append(len(nodes))
        return Loops(nodes)

    monkeypatch.setattr(same_loops, "Loops", searched)
    for steps in (6, 6, 6, 9, 9, 6):
        loss = make(rng, steps)
        nodes = ancestors([loss._edge.source])
        found, wanted = known.outer(nodes), Loops(nodes).outer
        able = [[k for k in loops if len(k.states) > 1] for loops in (found, wanted)]
        assert able[0]
        pairs = zip(*[read_loops(loss, loops) for loops in able], strict=True)
        for a, b in pairs:
            assert (a.norms == b.norms).all() and a.gates == b.gates
            assert a[5:9] == b[5:9] and a[11:] == b[11:] and a.name == b.name
        for a, b in zip(found, wanted, strict=True):
            assert a.nodes == b.nodes and a.cut == b.cut and a.times == b.times
    assert len(searches) == 3  # where the number of steps changed


def test_another_program_with_the_same_operations_is_seen(rng):
    known = SameLoops()
    cuts = []
    for cut in (False, False, True, True):
        nodes = ancestors([own(rng, cut=cut)._edge.source])
        (loop,) = known.outer(nodes)
        cuts.append(len(loop.cut))
    assert cuts == [0, 0, 5, 5]


def test_no_graph_is_kept(rng):
    known, loss = SameLoops(), own(rng)
    known.outer(ancestors([loss._edge.source]))
    alive = weakref.ref(loss)
    node = loss._edge.source
    del loss
    gc.collect()
    assert alive() is None
    (plan,) = known._plans
    assert not plan.loop.nodes and not plan.handed_on.states
    assert node not in known._signature
