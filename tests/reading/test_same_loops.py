"""Loops found again in graphs of the same program are those that a search finds."""

import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.graph import ancestors, records
from minigrad.engine.repeating.repeated_step import Step
from minigrad.flow.observation import read_loops
from minigrad.models import GRU, LSTM, RNN
from minigrad.reading import same_loops
from minigrad.reading.loops import Loops, loops
from minigrad.reading.same_loops import SameLoops


def own(rng, steps=6, cut=False):
    W = mg.tensor(np.eye(4) * 0.5, requires_grad=True)
    h, loss = mg.zeros((3, 4)), 0.0
    for t in range(steps):
        with mg.time_step(t):
            h = mg.tanh(rng.standard_normal((3, 4)) + (h.detach() if cut else h) @ W)
            loss = loss + (h * h).sum()
    return loss


def assert_same(whole, written):
    """Two readings of a loop: the numbers to rounding, everything else alike."""
    for name, a, b in zip(whole._fields, whole, written, strict=True):
        if name == "norms":
            np.testing.assert_allclose(a, b, rtol=1e-12)
        else:
            assert a == b, name


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
        found = known.outer(loss._edge)
        wanted = Loops(ancestors([loss._edge.source])).outer
        able = [[k for k in loops if len(k.states) > 1] for loops in (found, wanted)]
        assert able[0]
        pairs = zip(*[read_loops(loss, loops) for loops in able], strict=True)
        for a, b in pairs:
            assert_same(a, b)
        for a, b in zip(found, wanted, strict=True):
            assert list(a.nodes) == list(b.nodes)
            assert a.cut == b.cut and a.times == b.times
            for one, other in zip(a.states, b.states, strict=True):
                assert [p.data is q.data for p, q in zip(one, other, strict=True)]
    assert len(searches) == 3  # where the number of steps changed


def test_another_program_with_the_same_operations_is_seen(rng):
    known = SameLoops()
    cuts = []
    for cut in (False, False, True, True):
        (loop,) = known.outer(own(rng, cut=cut)._edge)
        cuts.append(len(loop.cut))
    assert cuts == [0, 0, 5, 5]


def test_no_graph_is_kept(rng):
    known, loss = SameLoops(), own(rng)
    known.outer(loss._edge)
    alive = weakref.ref(loss)
    node = loss._edge.source
    del loss
    gc.collect()
    assert alive() is None
    (plan,) = known._plans
    assert not plan.loop.nodes and not plan.handed_on.states
    assert node not in known._signature


def step_counts(loss):
    """How many steps were repeated, and how many of them were written down."""
    steps = [made for made in records([loss._edge]) if type(made) is Step]
    return len(steps), sum([step.written is not None for step in steps])


NETWORKS = [
    (RNN, {}, {}),
    (RNN, {"activation": "relu", "num_layers": 2}, {}),
    (LSTM, {}, {}),
    (LSTM, {"num_layers": 2, "bidirectional": True}, {}),
    (LSTM, {"couple": "forget", "peephole": "current"}, {"lengths": [7, 3, 5]}),
    (LSTM, {"forget_gate": False, "reverse": True}, {}),
    (GRU, {"bidirectional": True}, {"lengths": [7, 3, 5]}),
    (GRU, {"reset": "before", "update": "take"}, {}),
]


@pytest.mark.parametrize("kind, options, how", NETWORKS)
@pytest.mark.parametrize("reads", ["all", "the last", "one in the middle"])
def test_whole_steps_are_read_as_those_written_down(kind, options, how, reads, rng):
    model, known = kind(4, 5, rng=0, **options), SameLoops()
    for turn in range(2):
        output, state = model(rng.standard_normal((7, 3, 4)), **how)
        last = state[0] if kind is LSTM else state
        kept = {"all": output, "the last": last, "one in the middle": output[3]}
        loss = (kept[reads] ** 2).mean()
        found = [loop for loop in known.outer(loss._edge) if len(loop.states) > 1]
        whole = read_loops(loss, found)
        repeated, written = step_counts(loss)
        assert repeated and (not turn or written == 0)
        wanted = read_loops(loss, loops([loss._edge]))
        for a, b in zip(whole, wanted, strict=True):
            assert_same(a, b)
