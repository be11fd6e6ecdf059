"""The promises are kept here, and a fault that is planted breaks its promise."""

import json

import numpy as np
import pytest

import minigrad as mg
from minigrad.checking import (
    check,
    damaged_files,
    gradients,
    machine_arithmetic,
    promises,
    same_bits,
    value_accuracy,
)
from minigrad.checking.arrays_kept import WAYS, saved_arrays
from minigrad.checking.expressions import draw, needed, run, smallest
from minigrad.checking.long_graphs import long_graphs
from minigrad.checking.operations import MINIGRAD, OPERATIONS
from minigrad.checking.outcome import Effort, Outcome
from minigrad.commands.main import main
from minigrad.engine.errors import ArgumentError
from minigrad.engine.graph import ancestors
from minigrad.engine.kernels import jit
from minigrad.engine.primitives import TABLE

SHORT = Effort(0.3)


@pytest.mark.parametrize(
    "promise", promises.PROMISES, ids=lambda p: getattr(p.function, "__name__", "more")
)
def test_each_promise_is_kept(promise):
    outcome = promise.function(SHORT)
    assert outcome.kept, "\n".join(outcome.wrong)
    assert "kept" in str(outcome)


def test_no_time():
    with pytest.raises(ArgumentError, match="seconds > 0"):
        next(check(0))
    with pytest.raises(ArgumentError, match="seed >= 0"):
        next(check(1, seed=-1))


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(promises, "PROMISES", promises.PROMISES[-2:])
    path = tmp_path / "figures.json"
    assert main(["check", "--seconds", "0.1", "-o", str(path)]) == 0
    assert "Every promise was kept" in capsys.readouterr().out
    rows = json.loads(path.read_text())["rows"]
    assert [row["promise"] for row in rows] == ["files", "files"]
    assert all(row["tried"] and not row["wrong"] for row in rows)
    monkeypatch.setattr(damaged_files, "_harmless", lambda form, text: False)
    assert main(["check", "--seconds", "0.1"]) == 1
    assert "BROKEN, hostile names" in capsys.readouterr().out


# ------------------------------------------------------------- random programs


def test_operations_reach_every_differentiable_primitive():
    used = set()
    for name in OPERATIONS:
        for seed in range(5):
            made = draw(np.random.default_rng(seed), 1, first=name)
            output, leaves = run(
                made, MINIGRAD, lambda a: mg.tensor(a, requires_grad=True)
            )
            (gradient,) = mg.grad(
                output, leaves[:1], create_graph=True, allow_unused=True
            )
            for tensor in (output, gradient):
                nodes = ancestors([tensor.node]) if tensor.node else []
                used |= {node.primitive.name for node in nodes}
    # Left out: what rounds or compares, and what the tensors' own functions stand for.
    assert set(TABLE) - used <= {
        "argmax", "argmin", "astype", "not_equal", "less_equal", "greater_equal",
        "greater", "less", "equal", "affine", "unstack",
    }, set(TABLE) - used  # fmt: skip


def test_a_program_is_the_same_for_the_same_seed():
    one, two = (draw(np.random.default_rng(5), 40) for _ in range(2))
    assert str(one) == str(two) and len(one.steps) >= 40
    values_of = [float(run(p, MINIGRAD, mg.tensor)[0]) for p in (one, two)]
    assert values_of[0] == values_of[1]


def test_a_failure_is_cut_down():
    made = draw(np.random.default_rng(5), 40)
    part = smallest(made, lambda p: any(step.name == "tanh" for step in p.steps))
    whole = [step.name for step in made.steps]
    assert "tanh" in whole and part.steps[-1].name == "tanh"
    assert len(part.steps) < len(whole)
    assert len(needed(made, 0).steps) == 0


# ------------------------------------------------------------- planted faults

# Primitive, and what a rule gives instead: (right entries, g, y, inputs) -> entries.
WRONG_RULES = {
    "add, second operand forgotten": ("add", lambda r, g, y, x: (r[0], 0 * r[1])),
    "subtract, sign": ("subtract", lambda r, g, y, x: (r[0], -r[1])),
    "subtract, first doubled": ("subtract", lambda r, g, y, x: (2 * r[0], r[1])),
    "multiply, swapped": ("multiply", lambda r, g, y, x: (g * x[0], g * x[1])),
    "multiply, one only": ("multiply", lambda r, g, y, x: (r[0], 0 * r[1])),
    "divide, sign": ("divide", lambda r, g, y, x: (r[0], -r[1])),
    "divide, no square": ("divide", lambda r, g, y, x: (r[0], -g * y)),
    "divide, times": ("divide", lambda r, g, y, x: (g * x[1], r[1])),
    "negative, sign": ("negative", lambda r, g, y, x: (g,)),
    "power, exponent not less by one": (
        "power",
        lambda r, g, y, x: (g * x[1] * y, r[1]),
    ),
    "power, no log": ("power", lambda r, g, y, x: (r[0], g * y)),
    "exp, not times y": ("exp", lambda r, g, y, x: (g,)),
    "expm1, times y": ("expm1", lambda r, g, y, x: (g * y,)),
    "log, times x": ("log", lambda r, g, y, x: (g * x[0],)),
    "log1p, 1/x": ("log1p", lambda r, g, y, x: (g / x[0],)),
    "sqrt, no half": ("sqrt", lambda r, g, y, x: (g / y,)),
    "tanh, 1 - y": ("tanh", lambda r, g, y, x: (g * (1 - y),)),
    "tanh, 1 - x^2": ("tanh", lambda r, g, y, x: (g * (1 - x[0] ** 2),)),
    "sigmoid, 1 + y": ("sigmoid", lambda r, g, y, x: (g * y * (1 + y),)),
    "sin, sign": ("sin", lambda r, g, y, x: (-r[0],)),
    "cos, sign": ("cos", lambda r, g, y, x: (-r[0],)),
    "relu, everywhere": ("relu", lambda r, g, y, x: (g,)),
    "absolute, everywhere": ("absolute", lambda r, g, y, x: (g,)),
    "softplus, tanh": ("softplus", lambda r, g, y, x: (g * np.tanh(x[0]),)),
    "clip, everywhere": ("clip", lambda r, g, y, x: (g, *r[1:])),
    "maximum, both": ("maximum", lambda r, g, y, x: (g, g)),
    "minimum, swapped": ("minimum", lambda r, g, y, x: (r[1], r[0])),
    "where, swapped": ("where", lambda r, g, y, x: (r[0], r[2], r[1])),
    "sum, doubled": ("sum", lambda r, g, y, x: (2 * r[0],)),
    "mean, not divided": ("mean", lambda r, g, y, x: (r[0] * x[0].size / y.size,)),
    "prod, of all": ("prod", lambda r, g, y, x: (r[0] * x[0],)),
    "max, to every entry": ("max", lambda r, g, y, x: (0 * r[0] + 1.0,)),
    "min, nothing": ("min", lambda r, g, y, x: (0 * r[0],)),
    "norm, x alone": ("norm", lambda r, g, y, x: (r[0] * np.max(y),)),
    "cumsum, forwards": ("cumsum", lambda r, g, y, x: (np.flip(r[0]),)),
    "transpose, rows reversed": ("transpose", lambda r, g, y, x: (np.flip(r[0]),)),
    "reshape, rows reversed": ("reshape", lambda r, g, y, x: (np.flip(r[0]),)),
    "concatenate, swapped": ("concatenate", lambda r, g, y, x: (r[1], r[0], *r[2:])),
    "stack, swapped": ("stack", lambda r, g, y, x: r[::-1]),
    "getitem, doubled": ("getitem", lambda r, g, y, x: (2 * r[0], *r[1:])),
    "matmul, second negative": ("matmul", lambda r, g, y, x: (r[0], -r[1])),
    "einsum, second forgotten": ("einsum", lambda r, g, y, x: (r[0], 0 * r[1])),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_RULES)
def test_a_wrong_rule_is_caught(name, monkeypatch, proof):
    """Classic mistakes, planted one by one; each is seen in the operation's own row."""
    operation, change = WRONG_RULES[name]
    primitive = TABLE[operation]
    pull = type(primitive).pull

    def wrong(needs, g, y, inputs, attrs):
        right = pull(primitive, (True,) * len(inputs), g, y, inputs, attrs)
        if isinstance(g, mg.Tensor):
            return right
        filled = [
            np.zeros(np.shape(x)) if e is None else e
            for e, x in zip(right, inputs, strict=True)
        ]
        return tuple(change(filled, g, y, inputs))

    assert gradients.every_operation(Effort(9, 0, 5), names=[operation]).kept
    monkeypatch.setattr(primitive, "pull", wrong)
    with jit.use_kernels(False):
        outcome = gradients.every_operation(Effort(9, 0, 25), names=[operation])
    row = proof("gradients", "wrong rules planted, each caught")
    row.expect(not outcome.kept, name)


def test_a_broken_matrix_product_is_found(monkeypatch):
    whole = np.dot

    def broken(a, b, *more, **named):
        made = whole(a, b, *more, **named)
        if made.ndim == 2 and made.shape[0] > 16:
            made = made.copy()
            made[16, 0] += 1
        return made

    monkeypatch.setattr(np, "dot", broken)
    outcome = machine_arithmetic.this_machine(Effort(0.2))
    assert not outcome.kept and "@" in outcome.wrong[0]


def test_a_wrong_value_is_found(monkeypatch):
    monkeypatch.setitem(
        value_accuracy.FUNCTIONS, "exp", lambda x: np.exp(x) * (1 + 1e-5)
    )
    assert not value_accuracy.values(Effort(0.1), "float32").kept


def test_a_silent_change_is_found(monkeypatch):
    monkeypatch.setattr(
        "minigrad.checking.arrays_kept.WAYS",
        WAYS | {"planted": lambda p: setattr(p, "loss", p.loss * 2.0)},
    )
    outcome = saved_arrays(SHORT)
    assert [text.partition(":")[0] for text in outcome.wrong] == ["planted"]


def test_other_bits_are_found(monkeypatch):
    made = iter(range(1000))
    monkeypatch.setattr(same_bits, "_fingerprint", lambda *a: str(next(made)))
    assert not same_bits.same_bits(SHORT).kept


def test_another_exception_is_found(monkeypatch):
    def fails(path):
        raise ValueError("raw")

    monkeypatch.setattr(damaged_files.mg, "load", fails)
    outcome = damaged_files.checkpoints(SHORT)
    assert len(outcome.wrong) == outcome.tried and "ValueError: raw" in outcome.wrong[0]


def test_an_outcome_counts_nan_as_wrong():
    outcome = Outcome("p", "w", limit=1.0)
    outcome.measure(float("nan"), "here")
    outcome.measure(0.5, "there")
    assert outcome.tried == 2 and len(outcome.wrong) == 1 and not outcome.kept
    assert not Outcome("p", "nothing tried").kept
    assert long_graphs(SHORT).tried == 3
    assert gradients.STEP == 1e-100
