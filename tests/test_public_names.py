"""The names that programs elsewhere are written against: each is there, and takes what
it has always taken. A name that goes, or an argument that changes, breaks them."""

import inspect

import numpy as np
import pytest

import minigrad as mg
from minigrad import models

FUNCTIONS = """
    tensor zeros ones full arange eye zeros_like ones_like manual_seed
    exp log log1p expm1 sqrt abs tanh sigmoid relu softplus sin cos maximum minimum
    where clip power matmul concatenate stack split broadcast_to take softmax
    log_softmax logsumexp norm grad jacobian no_grad detect_anomaly gradcheck scope
    time_step clip_grad_norm_ clip_grad_value_ save load draw steps ledger
    jacobian_products explain explore
    """.split()
METHODS = """
    numpy item detach retain_grad backward sum mean max min prod reshape transpose
    swapaxes squeeze expand_dims astype exp log log1p expm1 sqrt abs tanh sigmoid relu
    softplus sin cos maximum minimum clip power
    """.split()
SIGNATURES = {
    "tensor": "data dtype requires_grad name",
    "grad": "output inputs grad_output create_graph allow_unused",
    "jacobian": "output input",
    "gradcheck": "fn inputs order",
    "draw": "tensor level values gradients max_steps",
    "steps": "loss",
    "ledger": "losses parameters",
    "jacobian_products": "trace sample layer",
    "explain": "parameter index loss",
    "explore": "fn",
    "save": "path",
    "load": "path",
}
RESULTS = {  # what is made of a small network, and the names that it has
    "Drawing": (lambda h, model: mg.draw(h), "dot svg save"),
    "Steps": (lambda h, model: mg.steps(h.sum()), "events to_json save play"),
    "Ledger": (
        lambda h, model: mg.ledger(h.sum(), model.parameters()),
        "items norms steps",
    ),
    "Exploration": (
        lambda h, model: mg.explore(lambda a: a, a=[1.0]),
        "at html save size settings",
    ),
    "JacobianProducts": (
        lambda h, model: mg.jacobian_products(model.trace(np.ones((2, 1, 2)))),
        "factor product norms paths",
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    assert callable(getattr(mg, name)) and name in mg.__all__


@pytest.mark.parametrize("name", METHODS)
def test_methods(name):
    assert callable(getattr(mg.tensor([1.0]), name))


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments(name):
    parameters = inspect.signature(getattr(mg, name)).parameters
    wanted = SIGNATURES[name].split()
    assert [known for known in parameters if known in wanted] == wanted


@pytest.mark.parametrize("kind", RESULTS)
def test_results(kind):
    model = models.LSTM(2, 2, rng=0)
    output, _ = model(mg.tensor(np.ones((2, 1, 2))))
    make, names = RESULTS[kind]
    made = make(output, model)
    assert type(made).__name__ == kind
    for name in names.split():
        assert hasattr(made, name)


def test_families():
    for family, names in {
        mg.nn: "Module Parameter Linear Embedding Dropout",
        mg.losses: "mse mae rmse binary_cross_entropy cross_entropy "
        "binary_cross_entropy_with_logits",
        mg.optim: "SGD RMSprop Adam AdamW",
        mg.data: "Vocabulary pad_sequences to_categorical batches",
        mg.errors: "MinigradError ShapeError DTypeError GradientError",
        models: "RNN LSTM GRU unroll",
    }.items():
        for name in names.split():
            assert callable(getattr(family, name))


def test_a_cell_is_laid_out_as_promised():
    cell = models.LSTM(3, 4, rng=0).cells[0]
    assert cell.gates == ("i", "f", "g", "o")
    assert (cell.W_x.shape, cell.W_h.shape, cell.b.shape) == ((3, 16), (4, 16), (16,))
    peephole = models.LSTM(3, 4, peephole="current", rng=0).cells[0]
    assert {p.shape for p in (peephole.p_i, peephole.p_f, peephole.p_o)} == {(4,)}
    assert models.GRU(3, 4, rng=0).cells[0].b_h.shape == (4,)
    assert models.RNN(3, 4, rng=0).cells[0].gates == ("h",)
    coupled = models.LSTM(3, 4, couple="forget", rng=0).cells[0]
    assert coupled.gates == ("i", "g", "o") and coupled.W_x.shape == (3, 12)
