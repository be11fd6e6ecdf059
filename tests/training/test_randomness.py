"""Generators: found, saved and put back, whatever their kind."""

import json

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ArgumentError, CheckpointError
from minigrad.training import generators
from minigrad.training.randomness import found_generators, set_states, states

KINDS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_goes_through_json(kind):
    rng = np.random.Generator(getattr(np.random, kind)(3))
    rng.random(7, dtype="float32")  # an odd number: half of a word is kept
    found = {"a": rng}
    saved = json.loads(json.dumps(states(found)))
    expected = rng.random(5, dtype="float32"), rng.normal(size=3)
    set_states(found, saved)
    again = rng.random(5, dtype="float32"), rng.normal(size=3)
    assert all(np.array_equal(a, b) for a, b in zip(expected, again, strict=True))


def test_each_generator_is_found_once():
    rng, other = np.random.default_rng(0), np.random.default_rng(1)
    shared = mg.nn.Sequential(mg.nn.Dropout(0.1, rng=rng), mg.nn.Dropout(0.1, rng=rng))
    batches = mg.data.batches([1, 2], batch_size=1, rng=other)
    found = found_generators(model=shared, batches=batches)
    assert set(map(id, found.values())) == {
        id(rng),
        id(other),
        id(mg.random.generator()),
    }
    assert len(found) == 3
    assert "model.0.rng" in found


def test_other_generators_are_refused():
    one = {"a": np.random.default_rng(0)}
    with pytest.raises(CheckpointError, match="for other generators"):
        set_states(one, states({"b": np.random.default_rng(0)}))
    with pytest.raises(CheckpointError, match="this kind of generator"):
        set_states(one, states({"a": np.random.Generator(np.random.MT19937(0))}))
    for hostile in (None, 3, {"bit_generator": "PCG64"}, {"state": "x"}):
        with pytest.raises(CheckpointError):
            set_states(one, {"a": hostile})


def test_purposes_do_not_share_numbers():
    a, b = generators(0, "weights", "order")
    (again,) = generators(0, "order")
    first = b.random(4)
    assert np.array_equal(first, again.random(4))
    assert not np.array_equal(first, a.random(4))
    with pytest.raises(ArgumentError):
        generators(-1, "weights")
