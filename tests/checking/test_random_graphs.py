"""Random programs against PyTorch: values and gradients of the same programs."""

import numpy as np
import pytest
from checking.torch_library import torch_library

import minigrad as mg
from minigrad.checking.expressions import draw, run, smallest
from minigrad.checking.operations import MINIGRAD

LIMIT = 1e-10  # relative to the largest entry of the gradient


def gradients_here(made, create_graph):
    output, leaves = run(made, MINIGRAD, lambda a: mg.tensor(a, requires_grad=True))
    found = mg.grad(output, leaves, create_graph=create_graph, allow_unused=True)
    return float(output), [g.data for g in found]


def gradients_there(made, torch, library):
    output, leaves = run(
        made,
        library,
        lambda a: torch.tensor(a, dtype=torch.float64, requires_grad=True),
    )
    found = torch.autograd.grad(output, leaves, allow_unused=True)
    return output.item(), [
        np.zeros(x.shape) if g is None else g.numpy()
        for g, x in zip(found, leaves, strict=True)
    ]


def difference(made, torch, library, create_graph):
    """The largest relative difference of the result and of any gradient."""
    value, ours = gradients_here(made, create_graph)
    expected, theirs = gradients_there(made, torch, library)
    worst = abs(value - expected) / max(abs(expected), 1.0)
    for g, h in zip(ours, theirs, strict=True):
        scale = np.abs(h).max(initial=0.0) or 1.0
        worst = max(worst, np.abs(g - h).max(initial=0.0) / scale)
    return worst


def compare(seeds):
    torch = pytest.importorskip("torch", reason="needs torch")
    library = torch_library(torch)
    worst = 0.0
    for seed in seeds:
        rng = np.random.default_rng((seed, 18))
        made = draw(rng, int(rng.integers(5, 201 if seed % 10 == 0 else 41)))
        again = (torch, library, seed % 2 == 0)
        figure = difference(made, *again)
        worst = max(worst, figure)
        if not figure <= LIMIT:
            part = smallest(
                made, lambda p, again=again: not difference(p, *again) <= LIMIT
            )
            pytest.fail(f"seed {seed}: {figure:.2g}\n{part}")
    return worst


def test_random_programs_against_pytorch():
    """Eager and recorded gradients in turn."""
    assert compare(range(400)) < LIMIT


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(50))
def test_many_random_programs_against_pytorch(part):
    assert compare(range(1000 + part * 2000, 3000 + part * 2000)) < LIMIT


def test_a_difference_is_found_and_cut_down():
    torch = pytest.importorskip("torch", reason="needs torch")
    library = torch_library(torch)
    library.tanh = lambda x: torch.tanh(x) * (1 + 1e-7)
    again = (torch, library, False)
    for seed in range(100):
        made = draw(np.random.default_rng(seed), 30)
        if not difference(made, *again) <= LIMIT:
            break
    part = smallest(made, lambda p: not difference(p, *again) <= LIMIT)
    assert part.steps[-1].name == "tanh" and len(part.steps) < 30
