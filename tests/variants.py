"""Every model and every switch of its cell, for the tests of all that reads graphs."""

import itertools

import pytest

from minigrad.models import GRU, LSTM, RNN

LSTM_VARIANTS = [
    {"forget_gate": forget, "peephole": peephole, "couple": couple}
    for forget, peephole, couple in itertools.product(
        (True, False), (None, "current", "previous"), (None, "forget", "input")
    )
    if forget or couple is None
]
GRU_VARIANTS = [
    {"reset": reset, "update": update}
    for reset, update in itertools.product(("after", "before"), ("keep", "take"))
]
VARIANTS = [
    (RNN, {"activation": "tanh"}),
    (RNN, {"activation": "relu"}),
    *((LSTM, v) for v in LSTM_VARIANTS),
    *((GRU, v) for v in GRU_VARIANTS),
]
IDS = [f"{m.__name__} {' '.join(map(str, v.values()))}" for m, v in VARIANTS]
every_variant = pytest.mark.parametrize("model, variant", VARIANTS, ids=IDS)


def final(state):
    return state if isinstance(state, tuple) else (state,)


def score(model, x, rng, **how):
    """A random linear function of everything a model returns."""
    output, state = model(x, **how)
    total = (output * rng.standard_normal(output.shape)).sum()
    for part in final(state):
        total = total + (part * rng.standard_normal(part.shape)).sum()
    return total
