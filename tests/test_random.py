"""mg.manual_seed and what follows it."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ArgumentError
from minigrad.engine.random import generator


def test_the_same_seed_gives_the_same_bits():
    mg.manual_seed(3)
    first = generator().random(5)
    mg.manual_seed(3)
    assert np.array_equal(generator().random(5), first)
    mg.manual_seed(4)
    assert not np.array_equal(generator().random(5), first)


def test_the_seed_is_that_of_default_rng():
    mg.manual_seed(7)
    assert np.array_equal(generator().random(3), np.random.default_rng(7).random(3))


def test_what_holds_the_global_generator_follows_a_later_seed():
    dropout = mg.nn.Dropout(0.5)
    batches = mg.data.batches(np.arange(50), batch_size=50)
    x = mg.ones(50)

    def draw():
        mg.manual_seed(0)
        return dropout(x).data, next(iter(batches)), mg.nn.Linear(3, 4).weight.data

    for one, two in zip(draw(), draw(), strict=True):
        assert np.array_equal(one, two)


def test_a_seed_or_generator_leaves_the_global_one_alone():
    mg.manual_seed(0)
    expected = generator().random()
    mg.manual_seed(0)
    own = np.random.default_rng(5)
    assert generator(own) is own
    assert generator(5).random() == own.random()
    mg.nn.Linear(3, 4, rng=1)
    next(iter(mg.data.batches(np.arange(9), batch_size=3, rng=2)))
    assert generator().random() == expected


@pytest.mark.parametrize("seed", [-1, 1.5, True, "a", None])
def test_no_seed(seed):
    with pytest.raises(ArgumentError, match="not a seed"):
        mg.manual_seed(seed)


@pytest.mark.parametrize("rng", [-1, 1.5, True, "a"])
def test_no_source_of_random_numbers(rng):
    with pytest.raises(ArgumentError, match=r"Linear\(rng=.*cannot draw"):
        mg.nn.Linear(2, 3, rng=rng)
