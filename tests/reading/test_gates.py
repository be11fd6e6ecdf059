"""Which node closes a gate, and what its letter is."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.graph import ancestors
from minigrad.engine.scope import Scope, cell, gate, layer
from minigrad.reading.gates import by_letter, closing, letters
from minigrad.reading.levels import NAMED, innermost, layer_of, letter, letter_of


@pytest.fixture
def x():
    return mg.tensor(np.array([0.5, -1.0]), requires_grad=True)


def test_the_last_node_in_a_gates_scope_closes_it(x):
    with gate("f"):
        f = mg.sigmoid(x * 2)
    with mg.scope("mixing"):
        y = f * x
    found = closing(ancestors([y.node]))
    assert found == {(Scope("gate", "forget gate", "f"),): f.node}
    assert letters(closing(ancestors([y.node]), 0, NAMED)) == {
        f.node: "f",
        y.node: "mixing",
    }


def test_a_gate_is_closed_by_what_lies_deeper_too(x):
    with gate("h"):
        a = x * 2
        with mg.scope("squash"):
            h = mg.tanh(a)
    nodes = ancestors([h.node])
    assert list(closing(nodes).values()) == [h.node]
    assert letters(closing(nodes, 0, NAMED)) == {h.node: "h"}  # the gate's, not its own


def test_of_gates_in_gates_the_innermost_names_a_node(x):
    with gate("n"):
        with gate("r"):
            r = mg.sigmoid(x)
        n = mg.tanh(r * x)
    assert letters(closing(ancestors([n.node]))) == {r.node: "r", n.node: "n"}
    with gate("n"), gate("r"):
        both = mg.sigmoid(x)
    assert letters(closing([both.node])) == {both.node: "r"}
    assert len(closing([both.node])) == 2


def test_by_letter_takes_the_last_of_several_scopes(x):
    made = []
    for head in range(2):
        with mg.scope(f"head {head}"), gate("f"):
            made.append(mg.sigmoid(x * head).node)
    assert by_letter({5: made}, 0) == {"f": {5: made[1]}}
    assert by_letter({5: made[::1]}, 0, NAMED) == {
        "head 0": {5: made[0]},
        "f": {5: made[1]},
        "head 1": {5: made[1]},
    }
    assert by_letter({5: made}, 2) == {}  # inside both scopes there is nothing


def test_a_letter_is_looked_for_behind_a_mask(x):
    with gate("h"):
        new = mg.tanh(x)
    kept = mg.where(np.array([True, False]), new, x)
    assert letter_of(kept.node) == letter_of(new.node) == "h"
    twice = mg.where(np.array([True, False]), kept, x)
    assert letter_of(twice.node) == "h"
    assert letter_of((x * 2).node) == ""
    assert letter_of(mg.where(np.array([True, False]), x, new).node) == ""
    with gate("c"):
        chosen = mg.where(np.array([True, False]), new, x)
    assert letter_of(chosen.node) == "c"


def test_levels_of_a_scope():
    with layer(1, True), cell("lstm"), mg.time_step(3), gate("f"):
        node = (mg.tensor(1.0, requires_grad=True) * 2).node
    assert innermost(node.scope, "step").index == 3
    assert innermost(node.scope, "scope") is None
    assert layer_of(node.scope) == (1, True) and layer_of(()) is None
    assert layer_of((Scope("layer", "layer 2", 2),)) == (2, False)
    assert letter(node.scope[-1]) == "f"
    assert letter(Scope("scope", "mixing")) == "mixing"
