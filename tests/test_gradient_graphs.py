"""What `create_graph=True` recorded is a graph: for every reader and primitive."""

import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import GraphError
from minigrad.engine.graph import ancestors
from minigrad.models import GRU, LSTM, RNN
from minigrad.reading.backward_passes import FORWARD, Part, Passes, adds_gradients
from minigrad.reading.replay import replay
from minigrad.stepping.recorded_steps import Steps

sys.path.append(str(Path(__file__).parent / "primitives"))
from cases import DIFFERENTIABLE

CASES = [
    pytest.param(case, id=f"{case.name}-{k}") for k, case in enumerate(DIFFERENTIABLE)
]
LEVELS = ("op", "gate", "cell")
SMALL = {"rtol": 1e-9, "atol": 1e-11}


def gradient_graph(case, rng):
    """A penalty on the first-order gradients of a primitive, and what it depends on."""
    xs = [
        mg.tensor(array, requires_grad=True, name=name)
        for name, array in zip("abc", case.inputs(rng), strict=False)
    ]
    y = case.function(*xs)
    w = mg.tensor(rng.standard_normal(y.shape), requires_grad=True, name="w")
    slopes = mg.grad((y * w).sum(), xs, create_graph=True)
    parts = [
        (g * rng.standard_normal(g.shape)).sum() + 0.3 * (g * g).sum() for g in slopes
    ]
    return sum(parts[1:], parts[0]), [*xs, w]


def complex_step(loss, x, at):
    """The derivative by one entry, from the recorded program with complex numbers."""
    moved = x.data.astype(complex)
    moved[at] += 1e-30j
    return replay(loss, {x: moved}).imag.item() / 1e-30


# ------------------------------------------------------------- every primitive


@pytest.mark.parametrize("case", CASES)
def test_it_is_drawn(case, rng):
    loss, leaves = gradient_graph(case, rng)
    slopes = mg.grad(loss, leaves, allow_unused=True, create_graph=True)
    recorded = [g for g in slopes if g.node is not None]
    for drawn in (loss, recorded):
        for level in LEVELS:
            text = mg.draw(drawn, level=level, values=True).dot
            assert text.startswith("digraph")
    picture = mg.draw(loss).picture
    marked = {box.id for box in picture.boxes.values() if box.backward}
    recorded = {n for n, node in enumerate(picture.nodes) if node.origin is not None}
    assert marked == {f"n{n}" for n in recorded}
    text = mg.draw(loss).dot
    assert text.count('class="op backward"') == len(marked)
    assert ('class="pass" label="forward"' in text) == bool(marked)  # the legend


@pytest.mark.parametrize("case", CASES)
def test_it_is_stepped_through(case, rng):
    loss, leaves = gradient_graph(case, rng)
    expected = mg.grad(loss, leaves, allow_unused=True)
    for level in LEVELS:
        steps = mg.steps(loss, level=level)
        steps.check()
        text = steps.to_json()
        again = Steps.from_json(text)
        assert again.to_json() == text
        assert again.drawing().dot == mg.draw(loss, level=level, max_steps=None).dot
        for event in again.events:
            assert again.headline(event) and again.formula(event)
            again.worked(event)
        made = again.rebuilt()
        for leaf, gradient in zip(leaves, expected, strict=True):
            found = [
                made.get(v.number) for v in again.parameters if v.name == leaf.name
            ]
            if found and found[0] is not None:
                assert np.array_equal(found[0], gradient.data)
            else:
                assert not gradient.data.any()


@pytest.mark.parametrize("case", CASES)
def test_it_is_explained(case, rng):
    loss, leaves = gradient_graph(case, rng)
    expected = mg.grad(loss, leaves, allow_unused=True)
    for leaf, gradient in zip(leaves, expected, strict=True):
        places = list(np.ndindex(*leaf.shape))
        for at in places[:: max(1, len(places) // 3)]:
            try:
                e = mg.explain(leaf, at, loss)
            except GraphError as error:
                assert "does not depend" in str(error) and "linear" in str(error)
                assert not gradient.data.any()
                continue
            np.testing.assert_allclose(e.value, gradient.data[at], **SMALL)
            if case.name != "astype":  # it makes complex numbers real
                other = complex_step(loss, leaf, at)
                np.testing.assert_allclose(e.value, other, **SMALL)
            shares = [term.value for term in e.terms]
            np.testing.assert_allclose(sum(shares), e.value, **SMALL)
            if e.paths.few:
                along = [path.value for path in e.paths]
                np.testing.assert_allclose(sum(along), e.value, **SMALL)
            for term in e.terms:
                np.testing.assert_allclose(sums_of(term), term.value, **SMALL)
            assert str(e.value) in str(e) and e.latex()


@pytest.mark.parametrize("case", CASES)
def test_its_ledger_adds_up(case, rng):
    loss, leaves = gradient_graph(case, rng)
    expected = mg.grad(loss, leaves, allow_unused=True)
    ledger = mg.ledger(loss, leaves)
    for leaf, gradient in zip(leaves, expected, strict=True):
        total = ledger.items(leaf).sum(axis=(0, 1))
        np.testing.assert_allclose(total, gradient.data, **SMALL)
        assert ledger.norms(leaf).shape == (1, len(ledger.steps))


def sums_of(term):
    """A term from the factors of its products, multiplied again."""
    total = 0.0
    for product in term.products:
        made = product.factors[0].array
        for factor in product.factors[1:]:
            made = made @ factor.array
        total += made.item()
    return total


# ------------------------------------------------------------- through time


def through_time(kind, rng, what="penalty", **options):
    """A recurrent network's loss of second order, and its parameters."""
    model = kind(2, 2, rng=0, **options)
    x = mg.tensor(rng.standard_normal((3, 1, 2)), requires_grad=True, name="x")
    parameters = list(model.parameters())
    loss = (model(x)[0] ** 2).mean()
    if what == "product":  # of the Hessian with a vector
        slopes = mg.grad(loss, parameters, create_graph=True)
        total = [(g * rng.standard_normal(g.shape)).sum() for g in slopes]
        return sum(total[1:], total[0]), [*parameters, x], loss
    (slope,) = mg.grad(loss, [x], create_graph=True)
    penalty = (slope * slope).sum()
    if what == "third":
        (curve,) = mg.grad(penalty, [x], create_graph=True)
        penalty = (curve * rng.standard_normal(curve.shape)).sum()
    if what == "mixed":
        penalty = loss + 0.5 * penalty
    return penalty, [*parameters, x], loss


THROUGH_TIME = [
    pytest.param(kind, what, options, id=f"{kind.__name__}-{what}-{len(options)}")
    for kind, what, options in [
        (RNN, "penalty", {}), (RNN, "mixed", {}), (RNN, "product", {}),
        (RNN, "third", {}), (LSTM, "penalty", {}), (LSTM, "mixed", {}),
        (GRU, "product", {}), (LSTM, "mixed", {"num_layers": 2}),
        (RNN, "mixed", {"bidirectional": True}),
    ]
]  # fmt: skip


@pytest.mark.parametrize(("kind", "what", "options"), THROUGH_TIME)
def test_a_loss_with_gradients_through_time_is_read_by_all(kind, what, options, rng):
    loss, leaves, _ = through_time(kind, rng, what, **options)
    gradients = mg.grad(loss, leaves, allow_unused=True)
    steps = mg.steps(loss, level="gate")
    steps.check()
    again = Steps.from_json(steps.to_json())
    assert again.drawing().dot == mg.draw(loss, level="gate", max_steps=None).dot
    ledger = mg.ledger(loss, leaves)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        total = ledger.items(leaf).sum(axis=(0, 1))
        np.testing.assert_allclose(total, gradient.data, **SMALL)
        at = tuple(n - 1 for n in leaf.shape)
        e = mg.explain(leaf, at, loss)
        np.testing.assert_allclose(e.value, gradient.data[at], **SMALL)
        np.testing.assert_allclose(e.value, complex_step(loss, leaf, at), **SMALL)
        np.testing.assert_allclose(sum(t.value for t in e.terms), e.value, **SMALL)
        for term in e.terms:
            np.testing.assert_allclose(sums_of(term), term.value, **SMALL)
        words = [term.place for term in e.terms if term.step is not None]
        assert len(set(words)) == len(words), "forward and backward are told apart"


def test_the_terms_of_a_backward_pass_say_so(rng):
    loss, (_, w_h, *_), _ = through_time(RNN, rng)
    places = [term.place for term in mg.explain(w_h, (0, 0), loss).terms]
    assert places == [
        "step 1, backward", "step 2, backward", "step 2", "step 1", "step 0",
    ]  # fmt: skip
    assert "∂δ_1/∂δ_2" in str(mg.explain(w_h, (0, 0), loss))


def test_a_penalty_does_not_change_the_jacobians_of_the_loop(rng):
    """They are of the states that the network hands on, not of gradients."""
    loss, _, plain = through_time(LSTM, rng, "mixed")
    [found], [expected] = mg.diagnose(loss).products, mg.diagnose(plain).products
    for k in range(1, 3):
        np.testing.assert_array_equal(found.factor(k), expected.factor(k))
    assert mg.diagnose(loss).readings[0].name == mg.diagnose(plain).readings[0].name


# ------------------------------------------------------------- forward and backward


def test_each_pass_has_a_row_of_its_own_in_the_picture(rng):
    loss, _, _ = through_time(RNN, rng, "third")
    picture = mg.draw(loss, level="cell").picture
    rows = [(row.title, row.reverse) for row in picture.rows if row.title]
    assert rows == [
        ("layer 0, RNN", False),
        ("backward 1: layer 0, RNN", True),
        ("backward 2 of backward: layer 0, RNN", False),
        ("backward 2: layer 0, RNN", True),
    ]


def test_passes_are_told_apart_by_the_order_of_their_rules():
    x = mg.tensor([0.3, -0.7], requires_grad=True)
    y = mg.tanh(x * x).sum()
    (g,) = mg.grad(y, [x], create_graph=True)
    (h,) = mg.grad(g.sum(), [x], create_graph=True)
    nodes = ancestors([h.node])
    passes = Passes(nodes)
    found = {tuple(passes.of(node)) for node in nodes}
    assert found == {(0, 0), (1, 1), (2, 1), (2, 2)} and passes.count == 2
    assert [passes.named(part) for part in (FORWARD, Part(1, 1), Part(2, 2))] == [
        "", "backward 1", "backward 2 of backward",
    ]  # fmt: skip


@pytest.mark.parametrize("inside", [False, True])
def test_what_adds_up_gradients_belongs_to_the_pass(inside):
    """Also where the gradient is asked for within a scope of the user's."""
    x = mg.tensor(2.0, requires_grad=True)
    y = mg.exp(x) * mg.sin(x)
    with mg.scope("penalty"):
        (g,) = mg.grad(y, [x], create_graph=True)
        after = g * 2.0
    assert adds_gradients(g.node) and not g.node.scope
    assert after.node.origin is None and after.node.scope[-1].name == "penalty"
    mine = g + after if inside else after + x
    assert mine.node.origin is None and not adds_gradients(mine.node)


def test_a_failed_pass_returns_to_the_users_scope():
    x = mg.tensor(0.0, requires_grad=True)
    with mg.scope("outer"), mg.detect_anomaly():
        y = mg.sqrt(x)
        with pytest.raises(mg.errors.NonFiniteError):
            mg.grad(y, [x], create_graph=True)
        after = x + 1.0
    assert after.node.origin is None and after.node.scope[-1].name == "outer"


def test_explain_knows_the_loss_of_a_recorded_backward():
    x = mg.tensor(0.5, requires_grad=True, name="x")
    y = mg.tanh(x)
    y.backward(create_graph=True)
    assert mg.explain(x).value == pytest.approx(1 - np.tanh(0.5) ** 2)
    curve = -2 * np.tanh(0.5) * (1 - np.tanh(0.5) ** 2)
    assert mg.explain(x, (), x.grad).value == pytest.approx(curve)
