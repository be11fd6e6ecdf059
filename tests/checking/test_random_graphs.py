"""Random programs: values and gradients against HIPS autograd, PyTorch and JAX."""

import gc

import numpy as np
import pytest
from checking.oracles import ORACLES, difference, ours, pytorch, rounding
from checking.torch_library import torch_library

from minigrad.checking.expressions import draw, smallest

LIMIT = 1e-10  # relative to the largest entry of the gradient
PER_PUSH, PER_PART, PARTS = 2000, 2000, 50
LIBRARIES = {"HIPS autograd": 1500, "PyTorch": 440, "JAX": 60}  # programs per push


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_frozen():
    """What JAX keeps is kept from the collector (oracles.py) in this file only."""
    yield
    gc.unfreeze()


def program(seed):
    """Of 5 to 200 nodes: most of them small, as small ones are as hard to get right."""
    rng = np.random.default_rng((seed, 18))
    steps = int(rng.integers(2, 6))
    if seed % 50 == 0:
        steps = int(rng.integers(10, 30))
    if seed % 1000 == 0:
        steps = 90
    return draw(rng, steps)


def compare(proof, names, seeds):
    """Each program in the libraries with these names; failures are cut down.

    Every second gradient of ours is recorded, as for a second derivative.
    """
    oracles = {name: ORACLES[name]() for name in names}
    rows = {
        name: proof("gradients", f"random graphs against {name}", LIMIT, "relative", 18)
        for name in names
    }
    for seed in seeds:
        made = program(seed)
        found = ours(made, create_graph=seed % 2 == 0)
        for name, oracle in oracles.items():
            figure, text = difference(found, oracle(made)), ""
            if figure > LIMIT:
                if figure <= 100 * rounding(made, oracle):
                    figure = 0.0  # nothing but the rounding of what cancels
                else:
                    text = f"{name}, seed {seed}:\n{cut_down(made, oracle)}"
            rows[name].measure(figure, text)


def wrong(made, oracle):
    figure = difference(ours(made), oracle(made))
    return not (figure <= LIMIT or figure <= 100 * rounding(made, oracle))


def cut_down(made, oracle):
    return smallest(made, lambda part: wrong(part, oracle))


@pytest.mark.parametrize("name", LIBRARIES)
def test_random_programs(name, proof):
    first = list(LIBRARIES).index(name) * PER_PUSH
    compare(proof, [name], range(first, first + LIBRARIES[name]))


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    "names",
    [("HIPS autograd", "PyTorch"), ("JAX",)],
    ids=["autograd and PyTorch", "JAX"],
)
def test_many_random_programs(names, part, proof):
    """100,000 for each library, in parts that can be run one by one."""
    first = 10_000 + part * PER_PART
    compare(proof, names, range(first, first + PER_PART))


def test_a_difference_is_found_and_cut_down():
    torch = pytest.importorskip("torch", reason="needs torch")
    right = torch.tanh
    oracle = pytorch()
    made = next(
        made
        for made in (draw(np.random.default_rng(seed), 8) for seed in range(100))
        if any(step.name == "tanh" for step in made.steps)
    )
    assert not wrong(made, oracle)
    library = torch_library(torch)
    library.tanh = lambda x: right(x) * (1 + 1e-7)
    planted = pytorch(library)
    part = cut_down(made, planted)
    assert part.steps[-1].name == "tanh" and len(part.steps) < 8
