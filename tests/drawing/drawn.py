"""The programs whose graphs the tests of the drawing draw: one per kind of model."""

import shutil

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.graph import Leaf, ancestors
from minigrad.engine.scope import gate
from minigrad.models import GRU, LSTM, RNN, unroll

LEVELS = ("cell", "gate", "op")
MODELS = {
    "rnn": (RNN, {}),
    "rnn-relu": (RNN, {"activation": "relu"}),
    "lstm": (LSTM, {}),
    "lstm-no-forget": (LSTM, {"forget_gate": False}),
    "lstm-peephole-current": (LSTM, {"peephole": "current"}),
    "lstm-peephole-previous": (LSTM, {"peephole": "previous"}),
    "lstm-couple-forget": (LSTM, {"couple": "forget"}),
    "lstm-couple-input": (LSTM, {"couple": "input"}),
    "gru": (GRU, {}),
    "gru-before-take": (GRU, {"reset": "before", "update": "take"}),
    "rnn-two-layers": (RNN, {"num_layers": 2}),
    "lstm-bidirectional": (LSTM, {"bidirectional": True}),
    "gru-two-layers-bidirectional": (GRU, {"num_layers": 2, "bidirectional": True}),
}


def inputs(steps, batch=1, size=3, name="x"):
    """(steps, batch, size), the same on every machine."""
    x = np.linspace(-1, 1, steps * batch * size)
    return mg.tensor(x.reshape(steps, batch, size), name=name)


def own_cell(steps):
    """A user's cell: one gate of the table, one scope of their own, two states."""
    W = mg.tensor(np.full((3, 2), 0.5), requires_grad=True, name="W")
    u = mg.tensor(np.ones(2), requires_grad=True, name="u")

    def cell(x, state):
        level, trend = state
        with gate("z"):
            z = mg.sigmoid(x @ W + level * u)
        with mg.scope("trend"):
            slope = trend + z * (level - trend)
        return z * slope + (1 - z) * level, slope

    zeros = mg.zeros((1, 2))
    return unroll(cell, inputs(steps), (zeros, zeros)).output


def plain(steps):
    """No time axis: parallel edges, a diamond, several outputs, an outer scope."""
    a = mg.tensor(np.arange(1.0, 7.0).reshape(2, 3), requires_grad=True, name="a")
    with mg.scope("branch"):
        left, right = mg.split(a, [1], axis=1)
    square = left * left
    return (square + right.sum(axis=1, keepdims=True)).mean() / steps


PROGRAMS = {"own-cell": own_cell, "plain": plain}
NAMES = (*MODELS, *PROGRAMS)


def example(name, steps=3, batch=1, hidden=2):
    """What the program of this name computes: the outputs of all steps."""
    if name in PROGRAMS:
        return PROGRAMS[name](steps)
    return model(name, hidden)(inputs(steps, batch))[0]


def model(name, hidden=2):
    """The model of this name, with inputs of size 3."""
    kind, options = MODELS[name]
    return kind(3, hidden, rng=0, **options)


def gradients_of(name, steps=3):
    """The gradient of every parameter, recorded: the backward graph."""
    loss = loss_of(name, steps)
    edges = {
        edge.source: edge
        for node in ancestors([loss.node])
        for edge in node.edges
        if type(edge.source) is Leaf and edge.requires_grad
    }
    leaves = [mg.Tensor.of(edge) for edge in edges.values()]
    return list(mg.grad(loss, leaves, create_graph=True))


def loss_of(name, steps=3, **sizes):
    """A number that depends on everything that the program computes."""
    y = example(name, steps, **sizes)
    return (y * y).mean()


def needs_an_engine():
    """Skips where nothing can lay out a picture."""
    if not shutil.which("dot"):
        pytest.importorskip("pygraphviz", reason="needs dot or pygraphviz")
