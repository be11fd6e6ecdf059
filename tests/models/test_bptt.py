"""Every cell and variant against hand-derived BPTT, and against complex step."""

import itertools

import bptt_reference as reference
import numpy as np
import pytest

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN

T, B, D, H = 5, 4, 3, 2
KINDS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}


def switches(**choices):
    return [
        dict(zip(choices, values, strict=True))
        for values in itertools.product(*choices.values())
    ]


VARIANTS = [
    *[("RNN", how) for how in switches(activation=["tanh", "relu"])],
    *[
        ("LSTM", how)
        for how in switches(
            forget_gate=[True, False],
            peephole=[None, "current", "previous"],
            couple=[None, "forget", "input"],
        )
        if how["forget_gate"] or not how["couple"]
    ],
    *[
        ("GRU", how)
        for how in switches(reset=["after", "before"], update=["keep", "take"])
    ],
]
IDS = [kind + "".join(f"-{value}" for value in how.values()) for kind, how in VARIANTS]
LENGTHS = np.array([5, 1, 3, 4])
MASK = np.array(  # padding before, within, after, and nothing else
    [[0, 1, 0, 1], [1, 0, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1], [1, 0, 0, 1]], dtype=bool
)
PADDING = {
    "whole": ({}, np.ones((T, B), dtype=bool)),
    "lengths": ({"lengths": LENGTHS}, np.arange(T)[:, None] < LENGTHS),
    "mask": ({"mask": MASK}, MASK),
}


def close(actual, expected, tolerance=1e-12):
    """Equal up to rounding, relative to the largest entry of what is expected."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    scale = np.abs(expected).max(initial=0.0)
    assert np.abs(actual - expected).max(initial=0.0) <= tolerance * scale


class Case:
    """One model beside its reference: inputs, states, random cotangents."""

    def __init__(self, kind, how, layers, bidirectional, padding, rng):
        self.kind, self.how, self.bidirectional = kind, how, bidirectional
        self.model = KINDS[kind](
            D, H, layers, bidirectional=bidirectional, rng=rng, **how
        )
        for p in self.model.parameters():  # larger than at the start: gates do work
            p.data = rng.standard_normal(p.shape)
        self.cells = [
            {name: p.data for name, p in cell.named_parameters()}
            for cell in self.model.cells
        ]
        self.options, self.mask = PADDING[padding]
        self.x = rng.standard_normal((T, B, D))
        shape = (len(self.cells), B, H)
        count = reference.STATES[kind]
        self.starts = [rng.standard_normal(shape) for _ in range(count)]
        width = H * (2 if bidirectional else 1)
        self.d_output = rng.standard_normal((T, B, width))
        self.d_ends = [rng.standard_normal(shape) for _ in range(count)]

    def run(self):
        """The model's outputs and gradients: x, states and parameters by cell."""
        x = mg.tensor(self.x, requires_grad=True)
        starts = [mg.tensor(s, requires_grad=True) for s in self.starts]
        state = tuple(starts) if len(starts) > 1 else starts[0]
        output, ends = self.model(x, state, **self.options)
        ends = ends if isinstance(ends, tuple) else (ends,)
        loss = (output * self.d_output).sum()
        for end, d_end in zip(ends, self.d_ends, strict=True):
            loss = loss + (end * d_end).sum()
        self.model.zero_grad() if hasattr(self.model, "zero_grad") else None
        loss.backward()
        return output, ends, x, starts

    def per_cell(self, arrays):
        return [tuple(a[k] for a in arrays) for k in range(len(self.cells))]

    def forward(self, cells, x, starts):
        args = (self.kind, cells, x, self.per_cell(starts), self.mask)
        return reference.forward(*args, self.bidirectional, self.how)


@pytest.mark.parametrize("padding", PADDING)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one", "both"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("kind", "how"), VARIANTS, ids=IDS)
def test_hand_derived_bptt(kind, how, layers, bidirectional, padding, rng):
    case = Case(kind, how, layers, bidirectional, padding, rng)
    output, ends, x, starts = case.run()
    expected, finals, record = case.forward(case.cells, case.x, case.starts)
    close(output.data, expected)
    for part, end in enumerate(ends):
        close(end.data, np.stack([final[part] for final in finals]))
    grads, dx, d_starts = reference.backward(
        kind,
        case.cells,
        record,
        case.d_output,
        case.per_cell(case.d_ends),
        bidirectional,
        how,
    )
    close(x.grad.data, dx)
    for part, start in enumerate(starts):
        close(start.grad.data, np.stack([d[part] for d in d_starts]))
    for cell, wanted in zip(case.model.cells, grads, strict=True):
        found = dict(cell.named_parameters())
        assert found.keys() == wanted.keys()
        for name, gradient in wanted.items():
            close(found[name].grad.data, gradient, 1e-11)


@pytest.mark.parametrize("padding", PADDING)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one", "both"])
@pytest.mark.parametrize(("kind", "how"), VARIANTS, ids=IDS)
def test_complex_step(kind, how, bidirectional, padding, rng):
    """The derivative along a random direction in everything at once, and along each
    array alone, against the imaginary part of the reference at a tiny step."""
    case = Case(kind, how, 2, bidirectional, padding, rng)
    _, _, x, starts = case.run()
    leaves = [p for cell in case.model.cells for _, p in cell.named_parameters()]
    tensors = [x, *starts, *leaves]
    names = [list(cell) for cell in case.cells]

    def along(directions):
        moved = [t.data + 1e-200j * v for t, v in zip(tensors, directions, strict=True)]
        rest = iter(moved[1 + len(starts) :])
        cells = [{name: next(rest) for name in found} for found in names]
        output, finals, _ = case.forward(cells, moved[0], moved[1 : 1 + len(starts)])
        loss = (output * case.d_output).sum()
        for part, d_end in enumerate(case.d_ends):
            loss = loss + (np.stack([f[part] for f in finals]) * d_end).sum()
        return loss.imag / 1e-200

    directions = [rng.standard_normal(t.shape) for t in tensors]
    terms = [t.grad.data * v for t, v in zip(tensors, directions, strict=True)]
    scale = sum(np.abs(term).sum() for term in terms)
    whole = sum(term.sum() for term in terms)
    assert abs(along(directions) - whole) <= 1e-12 * scale
    for k, term in enumerate(terms):
        alone = [v * (j == k) for j, v in enumerate(directions)]
        assert abs(along(alone) - term.sum()) <= 1e-11 * np.abs(term).sum()
